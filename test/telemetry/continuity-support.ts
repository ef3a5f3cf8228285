/** Sessions that go on after a while, and how their invocations stand to each other, as lines of text. */
import type { ReadableSpan, Sampler } from "@opentelemetry/sdk-trace";
import { type Checkpointer, memoryCheckpointer, type RunnerOptions } from "spanloom";
import { manualClock } from "spanloom/testing";
import type { StoredTrace } from "../../src/telemetry/instrumentation.ts";
import { noop, pair } from "./run-pair.ts";
import { recorder } from "./support.ts";

export const modes = ["auto", "continued", "linked"] as const;
export type Mode = (typeof modes)[number];

export const minutes = (count: number): number => count * 60_000;

export const isInvocation = ({ name }: { readonly name: string }): boolean => name.startsWith("invoke_workflow");

const letters = "ABCDEFGH";

/**
 * One line per invocation, in the order of their start: its trace, as a letter; its parent, by the number of that invocation; and what it
 * links to. "B < 2: resumed_from 2, origin 0".
 */
export function told(spans: readonly ReadableSpan[]): readonly string[] {
  const roots = spans.filter(isInvocation);
  const traces = [...new Set(roots.map((span) => span.spanContext().traceId))];
  const numberOf = (spanId: string | undefined): string => {
    const index = roots.findIndex((span) => span.spanContext().spanId === spanId);
    return index < 0 ? (spans.find((span) => span.spanContext().spanId === spanId)?.name ?? "unknown") : String(index);
  };
  return roots.map((span) => {
    const parent = span.parentSpanContext === undefined ? "" : ` < ${numberOf(span.parentSpanContext.spanId)}`;
    const links = span.links.map(({ context, attributes }) => `${String(attributes?.["spanloom.link.type"])} ${numberOf(context.spanId)}`);
    return `${letters[traces.indexOf(span.spanContext().traceId)]}${parent}${links.length === 0 ? "" : `: ${links.join(", ")}`}`;
  });
}

/** One store, clock and provider for all runners, as processes after each other have them. */
export function scene(sampler?: Sampler) {
  const clock = manualClock(1_000_000);
  const store = memoryCheckpointer();
  const { provider, spans } = recorder(sampler);
  return {
    clock,
    store,
    provider,
    spans,
    lines: () => told(spans),
    stored: async (sessionId = "s"): Promise<StoredTrace | undefined> => (await store.load(sessionId))?.record.trace,
    /** Pauses after its first node, unless told otherwise. */
    runner: (traceMode: Mode | undefined, options: RunnerOptions = {}, work: () => unknown = noop) =>
      pair(work, {
        checkpointer: store,
        clock,
        pauseAfter: ["a"],
        telemetry: { tracerProvider: provider, ...(traceMode === undefined ? {} : { traceMode }) },
        ...options,
      } as RunnerOptions),
  };
}

/** A store that says something else of the trace before than what was saved. */
export function forged(store: Checkpointer, forge: (real: StoredTrace | undefined) => unknown): Checkpointer {
  return {
    ...store,
    load: async (...asked) => {
      const stored = await store.load(...asked);
      // On purpose not what the type says: a stored trace is never trusted.
      return stored && { ...stored, record: { ...stored.record, trace: forge(stored.record.trace) as StoredTrace } };
    },
  };
}
