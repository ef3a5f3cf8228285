/** `recordSpans` sees what runs inside, and leaves everything as it was. */
import { context, ProxyTracerProvider, ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { afterEach, describe, expect, test } from "vitest";
import { recordSpans } from "../../src/testing/record-spans.ts";
import { otelInstrumentation } from "../../src/telemetry/otel/otel-instrumentation.ts";
import { facts, recorder, runBadly, runWell, start } from "./support.ts";

const early = otelInstrumentation();

afterEach(() => trace.disable());

function runOnce(sessionId = "session-1"): void {
  const invocation = early.startInvocation({ ...facts, sessionId });
  if (invocation === undefined) throw new Error("not traced");
  runWell(invocation);
}

const sessions = (spans: readonly { attributes: Readonly<Record<string, unknown>> }[]): unknown[] => [
  ...new Set(spans.map((span) => span.attributes["spanloom.session.id"])),
];

describe("recordSpans", () => {
  test("gives the result and the spans as data, parents first", async () => {
    const before = performance.timeOrigin + performance.now();
    const stored = { traceparent: `00-${"1".repeat(32)}-${"2".repeat(16)}-01`, origin: "", spans: 5_000, time: 0 };
    const { result, spans } = await recordSpans(async () => {
      runBadly(start({}, { stored }));
      await Promise.resolve();
      return 5;
    });
    const after = performance.timeOrigin + performance.now();
    expect(result).toBe(5);
    expect(spans.map(({ name, status }) => `${name}: ${status}`)).toEqual([
      "invoke_workflow research: error",
      "superstep: error",
      "schedule: error",
      "execute_node plan: error",
      "checkpoint: error",
    ]);
    const [invocation, superstep, , node] = spans;
    expect(invocation?.parentId).toBeUndefined();
    expect(superstep).toMatchObject({ parentId: invocation?.spanId, traceId: invocation?.traceId });
    expect(invocation?.links).toEqual([
      { traceId: "1".repeat(32), spanId: "2".repeat(16), attributes: { "spanloom.link.type": "resumed_from" } },
    ]);
    expect(node?.events).toMatchObject([{ name: "node.failed", attributes: { "spanloom.final": true } }]);
    for (const { start: from, end } of spans) {
      expect(from).toBeGreaterThanOrEqual(before - 0.001);
      expect(end).toBeGreaterThanOrEqual(from);
      expect(end).toBeLessThanOrEqual(after);
    }
  });

  test("works again and again, also for tracers got once, and users' spans nest across awaits", async () => {
    const earlyTracer = trace.getTracer("early");
    for (let call = 0; call < 3; call++) {
      const { spans } = await recordSpans(async () => {
        const node = start({}).superstep(1).schedule(1, 1).node("plan", 1, 0, undefined);
        await node.run(async () => {
          await Promise.resolve();
          earlyTracer.startSpan("user").end();
        });
        node.end({});
      });
      expect(spans.map(({ name }) => name)).toEqual(["execute_node plan", "user"]);
      expect(spans[1]?.parentId).toBe(spans[0]?.spanId);
    }
  });

  test("leaves nothing behind, also when what runs throws", async () => {
    await expect(recordSpans(() => Promise.reject(new Error("mine")))).rejects.toThrow("mine");
    expect(early.startInvocation(facts)).toBeUndefined();
    expect(context.with(ROOT_CONTEXT.setValue(Symbol.for("probe"), 1), () => context.active())).toBe(ROOT_CONTEXT);
    const { provider, spans } = recorder();
    expect(trace.setGlobalTracerProvider(provider)).toBe(true);
    runOnce();
    expect(spans).toHaveLength(9);
  });

  test("a provider registered before is untouched, and back afterwards", async () => {
    const { provider, spans: theirs } = recorder();
    trace.setGlobalTracerProvider(provider);
    const { spans } = await recordSpans(async () => runOnce());
    expect(spans).toHaveLength(9);
    expect(theirs).toHaveLength(0);
    const proxy = trace.getTracerProvider();
    expect(proxy instanceof ProxyTracerProvider && proxy.getDelegate()).toBe(provider);
    runOnce();
    expect(theirs).toHaveLength(9);
  });

  test("a provider registered inside stays", async () => {
    const { provider, spans: theirs } = recorder();
    await recordSpans(async () => void trace.setGlobalTracerProvider(provider));
    runOnce();
    expect(theirs).toHaveLength(9);
  });

  test("calls that overlap get their own; what belongs to none goes to all", async () => {
    const gate = Promise.withResolvers<void>();
    const one = recordSpans(async () => {
      runOnce("one");
      await gate.promise;
      runOnce("one");
    });
    const two = recordSpans(async () => runOnce("two"));
    runOnce("outside");
    const second = await two;
    gate.resolve();
    const first = await one;
    expect(sessions(first.spans)).toEqual(["one", "outside"]);
    expect(sessions(second.spans)).toEqual(["two", "outside"]);
    expect(first.spans).toHaveLength(27);
    expect(early.startInvocation(facts)).toBeUndefined();
  });

  test("a call inside another gets its own; the outer one gets that too, and nothing twice", async () => {
    const outer = await recordSpans(async () => {
      runOnce("before");
      const inner = await Promise.all(["one", "two"].map((name) => recordSpans(async () => runOnce(name))));
      runOnce("after");
      return inner.map(({ spans }) => sessions(spans));
    });
    expect(outer.result).toEqual([["one"], ["two"]]);
    expect(sessions(outer.spans)).toEqual(["before", "one", "two", "after"]);
    expect(outer.spans).toHaveLength(36);
  });

  test("what goes on after its own call has ended belongs to the outer one alone", async () => {
    const gate = Promise.withResolvers<void>();
    const { result: inner, spans } = await recordSpans(async () => {
      let rest = Promise.resolve();
      const ended = await recordSpans(async () => {
        runOnce("inside");
        rest = gate.promise.then(() => runOnce("late"));
      });
      gate.resolve();
      await rest;
      return ended.spans;
    });
    expect(sessions(inner)).toEqual(["inside"]);
    expect(sessions(spans)).toEqual(["inside", "late"]);
  });
});
