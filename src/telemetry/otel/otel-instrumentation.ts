/** The tracing port over the OpenTelemetry API: spans go to whatever provider the application registered, or to none. */
import {
  context,
  type Context,
  isSpanContextValid,
  type Link,
  type Span,
  trace,
  type Tracer,
  type TracerProvider,
} from "@opentelemetry/api";
import { type Clock, systemClock } from "../../support/clock.ts";
import type { Instrumentation, InvocationFacts, InvocationTrace } from "../instrumentation.ts";
import { scope as scopeOf, spanAttributes, spans } from "../names.ts";
import { UnrecordedInvocation } from "./folded.ts";
import { InvocationSpan } from "./invocation-span.ts";
import { withSpan } from "./linked-context.ts";
import type { Detail } from "./span-handle.ts";
import { spanTimeOf } from "./time.ts";
import { contextOf, linksOf, readStoredTrace, TraceLine, type TraceMode } from "./trace-line.ts";

export interface OtelInstrumentationOptions {
  /** Default: the global one, looked up anew for each invocation, so that an SDK may be registered at any time. */
  readonly tracerProvider?: TracerProvider | undefined;
  /** Which spans are made. Default "phase": all. */
  readonly detail?: Detail | undefined;
  /** Messages of errors on spans. Default true; names and codes always. */
  readonly errorMessages?: boolean | undefined;
  /** Whether an invocation goes on with the trace of the one before. Default "auto". */
  readonly traceMode?: TraceMode | undefined;
  /** Says how old a stored trace is; it does not move spans. Default: the machine's own. */
  readonly clock?: Clock | undefined;
}

function startInvocationSpan(tracer: Tracer, facts: InvocationFacts, links: Link[], parent: Context): Span {
  return tracer.startSpan(
    `${spans.invocation.name} ${facts.graph}`,
    {
      startTime: spanTimeOf(facts.startTime ?? facts.load?.startTime),
      links,
      attributes: {
        [spanAttributes.graphName.key]: facts.graph,
        [spanAttributes.invocationKind.key]: facts.kind,
        [spanAttributes.sessionId.key]: facts.sessionId,
      },
    },
    parent,
  );
}

function begin(facts: InvocationFacts, options: OtelInstrumentationOptions): InvocationTrace | undefined {
  const { detail = "phase", errorMessages = true, traceMode = "auto", clock = systemClock } = options;
  const caller = context.active();
  const { name, version, schemaUrl } = scopeOf;
  const tracer = (options.tracerProvider ?? trace.getTracerProvider()).getTracer(name, version, { schemaUrl });
  const before = readStoredTrace(facts.stored);
  const parent = contextOf(caller, before, traceMode, clock);
  const span = startInvocationSpan(tracer, facts, linksOf(before, facts), parent);
  const ids = span.spanContext();
  if (span.isRecording()) {
    const line = new TraceLine(ids, before, facts, clock);
    return new InvocationSpan({ tracer, detail, errorMessages, sessionId: facts.sessionId, line }, span, caller, facts);
  }
  // Without an SDK the span's context is invalid, or its parent's handed through.
  if (!isSpanContextValid(ids) || ids.spanId === trace.getSpanContext(parent)?.spanId) return undefined;
  const line = new TraceLine(ids, before, facts, clock);
  return new UnrecordedInvocation(span, withSpan(caller, span), line, detail, facts.load !== undefined);
}

/** Makes the spans of runs. `startInvocation` gives `undefined` without an SDK, and when the SDK throws. */
export function otelInstrumentation(options: OtelInstrumentationOptions = {}): Instrumentation {
  return {
    startInvocation(facts) {
      try {
        return begin(facts, options);
      } catch {
        return undefined;
      }
    },
  };
}
