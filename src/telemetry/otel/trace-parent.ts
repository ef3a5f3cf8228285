/** Trace contexts as they are stored: W3C `traceparent`, written and read; what is read is never trusted. */
import { createTraceState, isSpanContextValid, type SpanContext, TraceFlags } from "@opentelemetry/api";

/** Writes a span's context as a `traceparent`. */
export function formatTraceParent(context: SpanContext): string {
  return ["00", context.traceId, context.spanId, (context.traceFlags & 0xff).toString(16).padStart(2, "0")].join("-");
}

// As of the specification: version 00 has these fields alone, a later one may have more, and ff is none.
const pattern = /^(?!ff|00-.{53})[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-|$)/;

/** Reads a `traceparent`, with its `tracestate` as far as that can be read; `undefined` for anything that is none. */
export function parseTraceParent(text: unknown, state?: unknown): SpanContext | undefined {
  const found = typeof text === "string" ? pattern.exec(text) : null;
  const [, traceId, spanId, flags] = found ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  const traceFlags = Number.parseInt(flags, 16) & TraceFlags.SAMPLED;
  const context: SpanContext = { traceId, spanId, traceFlags, isRemote: true };
  if (typeof state === "string" && state !== "") context.traceState = createTraceState(state);
  return isSpanContextValid(context) ? context : undefined;
}
