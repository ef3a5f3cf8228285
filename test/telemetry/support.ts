/** A run scripted against the tracing port, and a provider whose spans can be looked at. */
import { type HrTime, type Span, type Tracer, type TracerProvider as ApiTracerProvider } from "@opentelemetry/api";
import { type ReadableSpan, type Sampler, type SpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { otelInstrumentation, type OtelInstrumentationOptions } from "../../src/telemetry/otel/otel-instrumentation.ts";
import type { InvocationFacts, InvocationTrace, NodeTrace } from "../../src/telemetry/instrumentation.ts";

export const facts: InvocationFacts = {
  graph: "research",
  graphVersion: "2",
  fingerprint: "f00",
  sessionId: "session-1",
  invocationId: "invocation-1",
  kind: "start",
  durability: "sync",
  stored: undefined,
  forked: false,
};

/** Collects spans as they start; `starts` counts the calls, recorded or not. */
export function recorder(sampler?: Sampler) {
  const spans: ReadableSpan[] = [];
  const processor: SpanProcessor = {
    onStart: (span) => void spans.push(span),
    onEnd: () => {},
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
  const inner = new TracerProvider({ spanProcessors: [processor], ...(sampler && { sampler }) });
  const seen = { starts: 0 };
  const provider: ApiTracerProvider = {
    getTracer: (...scope) => {
      const tracer = inner.getTracer(...scope);
      const startSpan: Tracer["startSpan"] = (...call) => {
        seen.starts++;
        return tracer.startSpan(...call);
      };
      return { startSpan, startActiveSpan: tracer.startActiveSpan.bind(tracer) };
    },
  };
  return { spans, seen, provider, find: (name: string) => spans.filter((span) => span.name === name) };
}

export function start(options: OtelInstrumentationOptions, more: Partial<InvocationFacts> = {}): InvocationTrace {
  const invocation = otelInstrumentation(options).startInvocation({ ...facts, ...more });
  if (invocation === undefined) throw new Error("not traced");
  return invocation;
}

export const broken = { type: "TypeError", code: "no_plan", message: "secret words" };

export interface Script {
  /** What the node's code does in each attempt. */
  readonly code?: () => unknown;
  readonly during?: (node: NodeTrace) => void;
}

/** Creation, a superstep of one node that succeeds at its second attempt, and the end. */
export function runWell(invocation: InvocationTrace, { code = () => {}, during }: Script = {}): void {
  invocation.checkpoint(0, "memory", "sync").end({ outcome: "saved", size: 10 });
  const superstep = invocation.superstep(1);
  const schedule = superstep.schedule(1, 1);
  const first = schedule.node("plan", 1, 5, undefined);
  first.run(code);
  during?.(first);
  first.end({ failure: broken });
  const second = schedule.node("plan", 2, 0, 250);
  second.run(code);
  second.end({ writes: ["answer", "spent"] });
  schedule.end();
  superstep.barrier(1).end({ ranNodes: 1, errorsInPartials: 0, updatedChannels: ["answer"] });
  const frontier = superstep.frontier(1);
  frontier.event("join.starved", { to: "write", arrived: ["web"], missing: ["papers"] });
  frontier.end({ commands: 1, conditionalEdges: 2, nextFrontier: 3 });
  superstep.checkpoint(1, "memory", "sync").end({ outcome: "saved", size: 120 });
  superstep.end({ ranNodes: 1, skippedNodes: 0 });
  invocation.end({ outcome: "completed", supersteps: 1 });
}

/** A superstep whose node finally fails. */
export function runBadly(invocation: InvocationTrace): void {
  const superstep = invocation.superstep(4);
  const schedule = superstep.schedule(4, 30);
  const node = schedule.node("plan", 1, 0, undefined);
  node.event("node.failed", { error: { name: "TypeError", code: "no_plan", message: "secret words" }, final: true });
  node.end({ failure: broken });
  const frontierNodes = Array.from({ length: 30 }, (_, index) => `n${index}`);
  schedule.end({ ...broken, type: "scheduler", code: "scheduler", node: "plan", frontierNodes, versions: { answer: 1, spent: 7 } });
  superstep.end({ ranNodes: 0, skippedNodes: 29, failure: { ...broken, type: "scheduler", code: "scheduler" } });
  invocation.checkpoint(3, "memory", "sync").end({ outcome: "failed", size: 0, failure: { ...broken, type: "checkpoint_failed" } });
  invocation.end({ outcome: "failed", supersteps: 0, failure: { ...broken, type: "scheduler", code: "scheduler" } });
}

/** Names, nested by parent, in the order of their start. */
export function treeOf(spans: readonly ReadableSpan[], parent?: string, depth = 0): string[] {
  return spans
    .filter((span) => span.parentSpanContext?.spanId === parent)
    .flatMap((span) => ["  ".repeat(depth) + span.name, ...treeOf(spans, span.spanContext().spanId, depth + 1)]);
}

export const nanoseconds = ([seconds, rest]: HrTime): bigint => BigInt(seconds) * 1_000_000_000n + BigInt(rest);

export function boom(): never {
  throw new Error("SDK");
}

/** A span whose every write throws. */
export function explosive(span: Span): Span {
  return Object.assign(span, { setAttribute: boom, setStatus: boom, addEvent: boom, end: boom });
}
