/** The line of traces that a session makes: which trace an invocation goes on with, what it links to, what it leaves to those after it. */
import { type Context, isSpanContextValid, type Link, type SpanContext, trace } from "@opentelemetry/api";
import type { Clock } from "../../support/clock.ts";
import { isRecord } from "../../support/plain.ts";
import type { InvocationFacts, StoredTrace } from "../instrumentation.ts";
import { type LinkType, spanAttributes } from "../names.ts";
import { formatTraceParent, parseTraceParent } from "./trace-parent.ts";

export type TraceMode = "auto" | "continued" | "linked";

/** `auto` goes on with a trace that was last saved with so many milliseconds ago at most, and has fewer spans. */
const longestRest = 15 * 60_000;
const fullTrace = 5_000;

/** What of a stored trace can be used. */
export interface TraceBefore {
  /** The invocation before this one. */
  readonly last: SpanContext | undefined;
  /** The session's first. */
  readonly origin: SpanContext | undefined;
  /** NaN, of which no comparison holds, where it is unknown. */
  readonly spans: number;
  readonly time: number;
}

const nothing: TraceBefore = Object.freeze({ last: undefined, origin: undefined, spans: Number.NaN, time: Number.NaN });

const countOf = (value: unknown): number => (typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : Number.NaN);

/** Reads what was stored, whatever it is: garbage is as if it were not there. */
export function readStoredTrace(stored: unknown): TraceBefore {
  if (!isRecord(stored)) return nothing;
  const { traceparent, tracestate, origin, spans, time } = stored;
  return {
    last: parseTraceParent(traceparent, tracestate),
    origin: parseTraceParent(origin),
    spans: countOf(spans),
    time: typeof time === "number" ? time : Number.NaN,
  };
}

/* A date that lies ahead is another machine's clock, or garbage: near enough, it is now. */
function isOpen({ spans, time }: TraceBefore, clock: Clock): boolean {
  return spans < fullTrace && Math.abs(clock.now() - time) <= longestRest;
}

/** What the invocation is a child of: the caller's span; else, where that trace is gone on with, the invocation before; else nothing. */
export function contextOf(caller: Context, before: TraceBefore, mode: TraceMode, clock: Clock): Context {
  const { last } = before;
  const active = trace.getSpanContext(caller);
  if (last === undefined || mode === "linked" || (active !== undefined && isSpanContextValid(active))) return caller;
  return mode === "continued" || isOpen(before, clock) ? trace.setSpanContext(caller, last) : caller;
}

function link(context: SpanContext | undefined, type: LinkType): Link[] {
  return context === undefined ? [] : [{ context, attributes: { [spanAttributes.linkType.key]: type } }];
}

/** The links of an invocation to those before it. */
export function linksOf({ last, origin }: TraceBefore, { forked }: Pick<InvocationFacts, "forked">): Link[] {
  return forked ? link(last, "forked_from") : [...link(last, "resumed_from"), ...link(origin, "origin")];
}

/** What one invocation leaves: its context, and how far its trace has come. */
export class TraceLine {
  /** Of ours in this trace, earlier invocations' among them: counted as they are started, or would be if it were recorded. */
  spans: number;
  readonly #traceparent: string;
  readonly #tracestate: string | undefined;
  readonly #origin: string;
  readonly #clock: Clock;

  constructor(own: SpanContext, before: TraceBefore, { stored, forked }: Pick<InvocationFacts, "stored" | "forked">, clock: Clock) {
    this.spans = 1 + (before.last?.traceId === own.traceId ? before.spans || 0 : 0);
    this.#traceparent = formatTraceParent(own);
    this.#tracestate = own.traceState?.serialize() || undefined;
    // A fork begins a line of its own, so it is its own origin.
    this.#origin = forked || before.origin === undefined || stored === undefined ? this.#traceparent : stored.origin;
    this.#clock = clock;
  }

  /** As of now. */
  get stored(): StoredTrace {
    const at = { traceparent: this.#traceparent, origin: this.#origin, spans: this.spans, time: this.#clock.now() };
    return this.#tracestate === undefined ? at : { ...at, tracestate: this.#tracestate };
  }
}
