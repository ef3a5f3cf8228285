/** What every span of a run has in common: ids, attributes, events and an end; a telemetry SDK that throws harms nothing here. */
import { type Context, type HrTime, type Span, SpanStatusCode, type Tracer } from "@opentelemetry/api";
import type { SpanFailure, SpanIds } from "../instrumentation.ts";
import { spanAttributes } from "../names.ts";
import { eventAttributes, type SpanValue } from "./event-attributes.ts";
import { withSpan } from "./linked-context.ts";
import { spanTime } from "./time.ts";
import type { TraceLine } from "./trace-line.ts";

export type Detail = "invocation" | "superstep" | "phase";

/** What all spans of one invocation share. */
export interface Scope {
  readonly tracer: Tracer;
  readonly detail: Detail;
  readonly errorMessages: boolean;
  readonly sessionId: string;
  /** Counts the spans of the trace. */
  readonly line: TraceLine;
}

/** Starts a span below the given context; `undefined` when the SDK throws, or gives what is no span: a handle reads these two of it. */
export function startSpan(scope: Scope, name: string, outer: Context, startTime: HrTime = spanTime()): Span | undefined {
  try {
    const span = scope.tracer.startSpan(name, { startTime }, outer);
    if (typeof span.spanContext().spanId !== "string" || typeof span.isRecording() !== "boolean") return undefined;
    scope.line.spans += 1;
    return span;
  } catch {
    return undefined;
  }
}

/** Of what `startSpan` gave. */
export class SpanHandle implements SpanIds {
  readonly traceId: string;
  readonly spanId: string;
  readonly scope: Scope;
  readonly span: Span;
  readonly #recording: boolean;

  constructor(scope: Scope, span: Span) {
    const { traceId, spanId } = span.spanContext();
    this.traceId = traceId;
    this.spanId = spanId;
    this.scope = scope;
    this.span = span;
    this.#recording = span.isRecording();
    this.set(spanAttributes.sessionId.key, scope.sessionId);
  }

  set(key: string, value: SpanValue | undefined): void {
    if (value === undefined || !this.#recording) return;
    try {
      this.span.setAttribute(key, value);
    } catch {
      // The SDK's own failure: the span lacks an attribute.
    }
  }

  event(name: string, data: Readonly<Record<string, unknown>>): void {
    if (!this.#recording || (name === "node.log" && (data["level"] === "debug" || data["level"] === "info"))) return;
    try {
      this.span.addEvent(name, eventAttributes(data, this.scope.errorMessages), spanTime());
    } catch {
      // As above.
    }
  }

  /** The last call: `time` is taken before the attributes are set, so that setting them is not counted. */
  protected close(time: HrTime, failure: SpanFailure | undefined): void {
    if (failure !== undefined) this.#fail(failure);
    try {
      this.span.end(time);
    } catch {
      // As above: a processor may throw once the span has ended.
    }
  }

  #fail({ type, code, message }: SpanFailure): void {
    this.set(spanAttributes.errorType.key, type);
    this.set(spanAttributes.errorCode.key, code);
    if (!this.#recording) return;
    try {
      this.span.setStatus(this.scope.errorMessages ? { code: SpanStatusCode.ERROR, message } : { code: SpanStatusCode.ERROR });
    } catch {
      // As above.
    }
  }
}

/** A span that others hang on. */
export class ParentHandle extends SpanHandle {
  /** The caller's context, with its baggage, and this span in it. */
  readonly context: Context;
  #durations: Map<string, number> | undefined;

  constructor(scope: Scope, span: Span, outer: Context) {
    super(scope, span);
    this.context = withSpan(outer, span);
  }

  /** Seconds of a phase that has no span of its own; those of one key add up. */
  addDuration(key: string, seconds: number): void {
    this.#durations ??= new Map();
    const sum = (this.#durations.get(key) ?? 0) + seconds;
    this.#durations.set(key, sum);
    this.set(key, sum);
  }
}
