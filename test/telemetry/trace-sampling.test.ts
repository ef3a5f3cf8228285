/** What becomes of a trace's sampling when sessions go on: with the trace goes its decision, a new trace is decided anew. */
import { context, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { ParentBasedSampler, type Sampler, SamplingDecision } from "@opentelemetry/sdk-trace";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isInvocation, minutes, modes, scene } from "./continuity-support.ts";

beforeAll(() => void context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()));
afterAll(() => context.disable());

/** Parent-based, as SDKs come; what it decides of a root can be changed, and its decisions are counted. */
function changeable(first: SamplingDecision) {
  const root = { decision: first, asked: 0 };
  const inner: Sampler = {
    shouldSample: () => {
      root.asked += 1;
      return { decision: root.decision };
    },
    toString: () => "changeable",
  };
  return { root, sampler: new ParentBasedSampler({ root: inner }) };
}

const { NOT_RECORD: no, RECORD: recorded, RECORD_AND_SAMPLED: yes } = SamplingDecision;
const named = (decision: SamplingDecision): string => (decision === yes ? "sampled" : decision === no ? "not sampled" : "recorded only");

const partsOf = (traceparent: string | undefined): readonly string[] => (traceparent ?? "").split("-");

describe.each(modes)("%s", (mode) => {
  const cases = [yes, no, recorded].flatMap((first) =>
    [yes, no].flatMap((later) => [0, minutes(15) + 1].map((rest) => [named(first), named(later), rest, first, later] as const)),
  );

  test.each(cases)("origin %s, root later %s, after %i ms", async (_origin, _later, rest, first, later) => {
    const { root, sampler } = changeable(first);
    const { runner, spans, clock, stored } = scene(sampler);
    const made = runner(mode, { pauseEachStep: true });
    await made.invoke({}, { sessionId: "s" });
    const before = await stored();
    const [, trace0, span0, flags0] = partsOf(before?.traceparent);
    expect(flags0).toBe(first === yes ? "01" : "00");
    expect(spans.length > 0).toBe(first !== no);
    root.decision = later;
    spans.length = 0;
    await clock.advance(rest);
    await made.session("s").resume().result;

    const continues = mode === "continued" || (mode === "auto" && rest === 0);
    const sampled = continues ? first === yes : later === yes;
    const after = await stored();
    const [, trace1, span1, flags1] = partsOf(after?.traceparent);
    expect(root.asked).toBe(continues ? 1 : 2);
    expect(trace1 === trace0).toBe(continues);
    expect(span1).not.toBe(span0);
    expect(flags1).toBe(sampled ? "01" : "00");
    expect(after?.origin).toBe(before?.origin);
    expect(spans.length > 0).toBe(sampled);
    // An origin that nobody recorded is linked to all the same.
    const links = spans.find(isInvocation)?.links.map((link) => [link.context.traceId, link.context.spanId, link.context.traceFlags]);
    const origin = [trace0, span0, first === yes ? 1 : 0];
    if (sampled) expect(links).toEqual([origin, origin]);

    // And so on: the invocation before counts, not the first.
    root.decision = yes;
    await made.session("s").next({}).result;
    expect(partsOf((await stored())?.traceparent)[3]).toBe(mode === "linked" || sampled ? "01" : "00");
  });

  test("the caller's decision holds for what it calls, in any mode", async () => {
    const { root, sampler } = changeable(yes);
    const { runner, spans, stored, provider } = scene(sampler);
    const made = runner(mode);
    await made.invoke({}, { sessionId: "s" });
    spans.length = 0;
    root.decision = no;
    const caller = provider.getTracer("user").startSpan("caller");
    root.decision = yes;
    await context.with(trace.setSpan(context.active(), caller), () => made.session("s").resume().result);
    expect(spans).toEqual([]);
    expect(partsOf((await stored())?.traceparent)).toEqual(["00", caller.spanContext().traceId, expect.any(String), "00"]);
  });
});

test("nodes of an invocation that is not sampled run in its context, whoever asked for it", async () => {
  const { root, sampler } = changeable(no);
  const { runner, stored } = scene(sampler);
  const seen: unknown[] = [];
  const made = runner("continued", { pauseBefore: ["a"] }, () => seen.push(trace.getActiveSpan()?.spanContext()));
  await made.invoke({}, { sessionId: "s" });
  const before = partsOf((await stored())?.traceparent);
  root.decision = yes;
  await made.session("s").resume().result;
  const [, traceId, spanId] = partsOf((await stored())?.traceparent);
  expect(seen).toEqual([expect.objectContaining({ traceId, spanId, traceFlags: 0 })]);
  expect([traceId, spanId === before[2]]).toEqual([before[1], false]);
});
