/** Runs that nobody records, and SDKs that throw: nothing is built, nothing is harmed. */
import { context, propagation, ROOT_CONTEXT, type Span, trace, TraceFlags, type Tracer, type TracerProvider } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  AlwaysOffSampler,
  type Sampler,
  SamplingDecision,
  type SpanProcessor,
  TracerProvider as SdkTracerProvider,
} from "@opentelemetry/sdk-trace";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SpanIds } from "../../src/telemetry/instrumentation.ts";
import { otelInstrumentation } from "../../src/telemetry/otel/otel-instrumentation.ts";
import { boom, explosive, facts, recorder, runBadly, runWell, start, treeOf } from "./support.ts";

beforeAll(() => void context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()));
afterAll(() => context.disable());

describe("without an SDK", () => {
  test.each([
    ["no active span", ROOT_CONTEXT],
    [
      "an active span",
      trace.setSpanContext(ROOT_CONTEXT, { traceId: "a".repeat(32), spanId: "b".repeat(16), traceFlags: TraceFlags.SAMPLED }),
    ],
  ])("there is no trace: %s", (_name, caller) => {
    expect(context.with(caller, () => otelInstrumentation().startInvocation(facts))).toBeUndefined();
  });
});

describe("sampled out", () => {
  test("one span is asked for, one object is every handle, and nodes run in its context", () => {
    const { provider, seen, spans } = recorder(new AlwaysOffSampler());
    const baggage = propagation.createBaggage({ tenant: { value: "t1" } });
    const invocation = context.with(propagation.setBaggage(ROOT_CONTEXT, baggage), () => start({ tracerProvider: provider }));
    const superstep = invocation.superstep(1);
    const schedule = superstep.schedule(1, 1);
    const handles: SpanIds[] = [superstep, schedule, schedule.node("n", 1, 0, undefined), superstep.barrier(1), superstep.frontier(1)];
    handles.push(superstep.checkpoint(1, "memory", "sync"), invocation.checkpoint(0, "memory", "sync"));
    expect(new Set([invocation, ...handles]).size).toBe(1);

    const seenInside: unknown[] = [];
    runWell(invocation, { code: () => seenInside.push(trace.getActiveSpan()?.spanContext(), propagation.getActiveBaggage()) });
    runBadly(invocation);
    expect(seen.starts).toBe(1);
    expect(spans).toEqual([]);
    const own = { traceId: invocation.traceId, spanId: invocation.spanId, traceFlags: TraceFlags.NONE };
    expect(seenInside).toEqual([expect.objectContaining(own), baggage, expect.objectContaining(own), baggage]);
    expect(invocation.stored.traceparent).toBe(`00-${invocation.traceId}-${invocation.spanId}-00`);
  });

  test("the sampler sees what it needs", () => {
    const seen: object[] = [];
    const sampler: Sampler = {
      shouldSample: (_context, _traceId, name, _kind, attributes) => {
        seen.push({ name, attributes: { ...attributes } });
        return { decision: SamplingDecision.NOT_RECORD };
      },
      toString: () => "spy",
    };
    start({ tracerProvider: recorder(sampler).provider });
    const attributes = { "spanloom.graph.name": "research", "spanloom.invocation.kind": "start", "spanloom.session.id": "session-1" };
    expect(seen).toEqual([{ name: "invoke_workflow research", attributes }]);
  });

  test("a single span that a sampler leaves out is given no attributes", () => {
    const { provider, spans } = recorder({
      shouldSample: (_context, _traceId, name) => ({
        decision: name === "barrier" ? SamplingDecision.NOT_RECORD : SamplingDecision.RECORD_AND_SAMPLED,
      }),
      toString: () => "no barriers",
    });
    runWell(start({ tracerProvider: provider }));
    expect(treeOf(spans)).not.toContain("    barrier");
    expect(spans).toHaveLength(8);
  });
});

const throwingAt = (name: string): TracerProvider => {
  const tracer = new SdkTracerProvider().getTracer("t");
  const startSpan: Tracer["startSpan"] = (asked, ...rest) => (asked.startsWith(name) ? boom() : tracer.startSpan(asked, ...rest));
  return { getTracer: () => ({ startSpan, startActiveSpan: boom }) };
};

/** Gives something else for spans so named. */
const oddAt = (name: string, odd: (span: Span) => unknown): TracerProvider => {
  const tracer = new SdkTracerProvider().getTracer("t");
  const startSpan: Tracer["startSpan"] = (asked, ...rest) => {
    const span = tracer.startSpan(asked, ...rest);
    // What an SDK may give that is not as its types say.
    return asked.startsWith(name) ? (odd(span) as Span) : span;
  };
  return { getTracer: () => ({ startSpan, startActiveSpan: boom }) };
};

describe("an SDK that throws", () => {
  const quiet: SpanProcessor = { onStart() {}, onEnd() {}, forceFlush: () => Promise.resolve(), shutdown: () => Promise.resolve() };
  const tracer = new SdkTracerProvider().getTracer("t");

  test.each([
    ["provider", { getTracer: boom }],
    ["tracer", throwingAt("")],
    ["sampler", new SdkTracerProvider({ sampler: { shouldSample: boom } })],
    ["processor's start", new SdkTracerProvider({ spanProcessors: [{ ...quiet, onStart: boom }] })],
  ])("at the start is no trace: %s", (_name, tracerProvider) => {
    expect(otelInstrumentation({ tracerProvider }).startInvocation(facts)).toBeUndefined();
  });

  test.each([
    ["superstep", throwingAt("superstep")],
    ["schedule", throwingAt("schedule")],
    ["node", throwingAt("execute_node")],
    ["barrier", throwingAt("barrier")],
    ["frontier", throwingAt("frontier")],
    ["checkpoint", throwingAt("checkpoint")],
    ["processor's end", new SdkTracerProvider({ spanProcessors: [{ ...quiet, onEnd: boom }] })],
    [
      "spans",
      {
        getTracer: () => ({
          startSpan: (...call: Parameters<Tracer["startSpan"]>) => explosive(tracer.startSpan(...call)),
          startActiveSpan: boom,
        }),
      },
    ],
  ])("later harms no run: %s", (_name, tracerProvider) => {
    const ids: (string | undefined)[] = [];
    const load = { startTime: Date.now(), endTime: Date.now(), backend: "sqlite", step: 1, size: 1 };
    const invocation = start({ tracerProvider }, { load });
    runWell(invocation, { code: () => ids.push(trace.getActiveSpan()?.spanContext().traceId) });
    runBadly(start({ tracerProvider }));
    expect(ids).toEqual([invocation.traceId, invocation.traceId]);
  });

  const names = ["superstep", "schedule", "execute_node", "barrier", "frontier", "checkpoint", "checkpoint_load"];
  const odds: readonly [string, (span: Span) => unknown][] = [
    ["is null", () => null],
    ["is undefined", () => undefined],
    ["is no object", () => 5],
    ["is empty", () => ({})],
    ["throws its context", (span) => Object.assign(span, { spanContext: boom })],
    ["has no context", (span) => Object.assign(span, { spanContext: () => undefined })],
    ["throws whether it is recording", (span) => Object.assign(span, { isRecording: boom })],
  ];

  test.each(names.flatMap((name) => odds.map(([what, odd]) => [name, what, odd] as const)))(
    "later harms no run: a span of %s %s",
    (name, _what, odd) => {
      const ids: (string | undefined)[] = [];
      const load = { startTime: Date.now(), endTime: Date.now(), backend: "sqlite", step: 1, size: 1 };
      const invocation = start({ tracerProvider: oddAt(name, odd) }, { load });
      runWell(invocation, { code: () => ids.push(trace.getActiveSpan()?.spanContext().traceId) });
      expect(ids).toEqual([invocation.traceId, invocation.traceId]);
    },
  );

  test.each(odds)("at the start is no trace: a span that %s", (_what, odd) => {
    expect(otelInstrumentation({ tracerProvider: oddAt("", odd) }).startInvocation(facts)).toBeUndefined();
  });
});
