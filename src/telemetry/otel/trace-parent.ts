/** Trace contexts as they are stored: W3C `traceparent`, written and read; what is read is never trusted. */
import { createTraceState, isSpanContextValid, type Link, type SpanContext, TraceFlags } from "@opentelemetry/api";
import type { InvocationFacts, StoredTrace } from "../instrumentation.ts";
import { type LinkType, spanAttributes } from "../names.ts";

/** Writes a span's context as a `traceparent`. */
function formatTraceParent(context: SpanContext): string {
  return ["00", context.traceId, context.spanId, (context.traceFlags & 0xff).toString(16).padStart(2, "0")].join("-");
}

// As of the specification: a later version may have more fields, version ff is invalid.
const pattern = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-|$)/;

/** Reads a `traceparent`; `undefined` for anything that is none. */
function parseTraceParent(text: unknown, state?: unknown): SpanContext | undefined {
  const found = typeof text === "string" ? pattern.exec(text) : null;
  const [, traceId, spanId, flags] = found ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  const traceFlags = Number.parseInt(flags, 16) & TraceFlags.SAMPLED;
  const context: SpanContext = { traceId, spanId, traceFlags, isRemote: true };
  if (typeof state === "string" && state !== "") context.traceState = createTraceState(state);
  return isSpanContextValid(context) ? context : undefined;
}

function link(context: SpanContext | undefined, type: LinkType): Link[] {
  return context === undefined ? [] : [{ context, attributes: { [spanAttributes.linkType.key]: type } }];
}

/** The links of an invocation to those before it. */
export function linksOf({ stored, forked }: InvocationFacts): Link[] {
  if (typeof stored !== "object" || stored === null) return [];
  const before = parseTraceParent(stored.traceparent, stored.tracestate);
  if (forked) return link(before, "forked_from");
  return [...link(before, "resumed_from"), ...link(parseTraceParent(stored.origin), "origin")];
}

/** What the invocation keeps with its checkpoints. A fork begins a line of its own, so it is its own origin. */
export function storedTraceOf(context: SpanContext, { stored, forked }: InvocationFacts): StoredTrace {
  const traceparent = formatTraceParent(context);
  const origin = !forked && parseTraceParent(stored?.origin) !== undefined && stored !== undefined ? stored.origin : traceparent;
  const tracestate = context.traceState?.serialize();
  return tracestate === undefined || tracestate === "" ? { traceparent, origin } : { traceparent, tracestate, origin };
}
