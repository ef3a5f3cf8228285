/** Collects the spans of what runs inside a call, whatever the application has registered. */
import {
  context,
  type Context,
  createContextKey,
  type HrTime,
  ROOT_CONTEXT,
  SpanStatusCode,
  trace,
  type Tracer,
  type TracerProvider as ApiTracerProvider,
} from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { type ReadableSpan, SamplingDecision, type SpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { scope } from "../telemetry/names.ts";

/** A span that has ended, as data. Times in milliseconds since the epoch, with fractions. */
export interface RecordedSpan {
  readonly name: string;
  readonly spanId: string;
  readonly traceId: string;
  readonly parentId: string | undefined;
  readonly start: number;
  readonly end: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly status: "unset" | "ok" | "error";
  readonly events: readonly { readonly name: string; readonly time: number; readonly attributes: Readonly<Record<string, unknown>> }[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string; readonly attributes: Readonly<Record<string, unknown>> }[];
}

interface Recording {
  readonly spans: ReadableSpan[];
  /** That of the call inside which this one was made. */
  readonly outer: Recording | undefined;
}

const recordingKey = createContextKey("spanloom.recording");
const recordings = new Set<Recording>();

// Nobody else has the key.
const recordingOf = (from: Context): Recording | undefined => from.getValue(recordingKey) as Recording | undefined;

/* A span belongs to the call whose context it was started in, and to those around that. One that was started in no such context (a
   server made before the call) belongs to every call that is under way. */
const collector: SpanProcessor = {
  onStart(span, parent) {
    const own = recordingOf(parent);
    if (own === undefined) for (const { spans } of recordings) spans.push(span);
    for (let recording = own; recording !== undefined; recording = recording.outer) {
      if (recordings.has(recording)) recording.spans.push(span);
    }
  },
  onEnd: () => {},
  forceFlush: () => Promise.resolve(),
  shutdown: () => Promise.resolve(),
};

/* One for the process: a tracer that user code obtained once keeps the provider of that moment for ever, and must record in later
   calls too. */
const provider = new TracerProvider({
  spanProcessors: [collector],
  sampler: {
    shouldSample: () => ({ decision: recordings.size > 0 ? SamplingDecision.RECORD_AND_SAMPLED : SamplingDecision.NOT_RECORD }),
    toString: () => "RecordSpansSampler",
  },
});

/** The proxy that the API hands out and registers. By its methods, since two copies of the API share one; "nobody" is `undefined`. */
interface Proxy extends ApiTracerProvider {
  getDelegate(): ApiTracerProvider;
  getDelegateTracer(name: string): Tracer | undefined;
  setDelegate(to: ApiTracerProvider | undefined): void;
}

const isProxy = (candidate: ApiTracerProvider): candidate is Proxy => "setDelegate" in candidate && "getDelegateTracer" in candidate;

/* The provider is put behind the API's proxy, not registered: an application may still register its own at any time, and what it
   had registered is there again afterwards. */
function divertProvider(): () => void {
  const proxy = trace.getTracerProvider();
  if (!isProxy(proxy)) throw new TypeError("recordSpans: the tracer provider in place was not registered through the OpenTelemetry API.");
  const before = proxy.getDelegateTracer(scope.name) === undefined ? undefined : proxy.getDelegate();
  proxy.setDelegate(provider);
  return () => {
    // Whoever registered meanwhile stays.
    if (proxy.getDelegate() === provider) proxy.setDelegate(before);
  };
}

/** Contexts must follow `await`; an application's own manager does as well. */
function ensureContextManager(): () => void {
  const probe: Context = ROOT_CONTEXT.setValue(recordingKey, true);
  if (context.with(probe, () => context.active() === probe)) return () => {};
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  return () => context.disable();
}

let restore: (() => void) | undefined;

function enter(recording: Recording): void {
  if (restore === undefined) {
    const restoreProvider = divertProvider();
    const restoreContext = ensureContextManager();
    restore = () => {
      restoreProvider();
      restoreContext();
    };
  }
  recordings.add(recording);
}

function leave(recording: Recording): void {
  recordings.delete(recording);
  if (recordings.size > 0) return;
  restore?.();
  restore = undefined;
}

const milliseconds = ([seconds, nanoseconds]: HrTime): number => seconds * 1000 + nanoseconds / 1e6;

function recordedSpan(span: ReadableSpan): RecordedSpan {
  const { traceId, spanId } = span.spanContext();
  const { code } = span.status;
  return {
    name: span.name,
    spanId,
    traceId,
    parentId: span.parentSpanContext?.spanId,
    start: milliseconds(span.startTime),
    end: milliseconds(span.endTime),
    attributes: { ...span.attributes },
    status: code === SpanStatusCode.ERROR ? "error" : code === SpanStatusCode.OK ? "ok" : "unset",
    events: span.events.map(({ name, time, attributes }) => ({ name, time: milliseconds(time), attributes: { ...attributes } })),
    links: span.links.map((link) => ({
      traceId: link.context.traceId,
      spanId: link.context.spanId,
      attributes: { ...link.attributes },
    })),
  };
}

/**
 * Collects the spans of what runs inside, in the order they started and without those that have not ended; no SDK need be set up.
 * Calls may overlap, or be made inside each other: each gets the spans of its own run. Spans of a provider that was given to a runner go
 * there, not here.
 */
export async function recordSpans<T>(run: () => Promise<T>): Promise<{ result: T; spans: readonly RecordedSpan[] }> {
  const recording: Recording = { spans: [], outer: recordingOf(context.active()) };
  enter(recording);
  try {
    const result = await context.with(context.active().setValue(recordingKey, recording), run);
    return { result, spans: recording.spans.filter((span) => span.ended).map(recordedSpan) };
  } finally {
    leave(recording);
  }
}
