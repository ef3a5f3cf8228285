/** The tracing port over the OpenTelemetry API: spans go to whatever provider the application registered, or to none. */
import { context, isSpanContextValid, trace, type TracerProvider } from "@opentelemetry/api";
import type { Instrumentation, InvocationFacts, InvocationTrace } from "../instrumentation.ts";
import { scope as scopeOf, spanAttributes, spans } from "../names.ts";
import { UnrecordedInvocation } from "./folded.ts";
import { InvocationSpan } from "./invocation-span.ts";
import { withSpan } from "./linked-context.ts";
import type { Detail } from "./span-handle.ts";
import { spanTimeOf } from "./time.ts";
import { linksOf, storedTraceOf } from "./trace-parent.ts";

export interface OtelInstrumentationOptions {
  /** Default: the global one, looked up anew for each invocation, so that an SDK may be registered at any time. */
  readonly tracerProvider?: TracerProvider | undefined;
  /** Which spans are made. Default "phase": all. */
  readonly detail?: Detail | undefined;
  /** Messages of errors on spans. Default true; names and codes always. */
  readonly errorMessages?: boolean | undefined;
}

function begin(facts: InvocationFacts, options: OtelInstrumentationOptions): InvocationTrace | undefined {
  const outer = context.active();
  const { name, version, schemaUrl } = scopeOf;
  const tracer = (options.tracerProvider ?? trace.getTracerProvider()).getTracer(name, version, { schemaUrl });
  const span = tracer.startSpan(
    `${spans.invocation.name} ${facts.graph}`,
    {
      startTime: spanTimeOf(facts.startTime ?? facts.load?.startTime),
      links: linksOf(facts),
      attributes: {
        [spanAttributes.graphName.key]: facts.graph,
        [spanAttributes.invocationKind.key]: facts.kind,
        [spanAttributes.sessionId.key]: facts.sessionId,
      },
    },
    outer,
  );
  if (span.isRecording()) {
    const { detail = "phase", errorMessages = true } = options;
    return new InvocationSpan({ tracer, detail, errorMessages, sessionId: facts.sessionId }, span, outer, facts);
  }
  // Without an SDK the span's context is invalid, or the caller's own handed through.
  const ids = span.spanContext();
  if (!isSpanContextValid(ids) || ids.spanId === trace.getSpanContext(outer)?.spanId) return undefined;
  return new UnrecordedInvocation(span, withSpan(outer, span), storedTraceOf(ids, facts));
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
