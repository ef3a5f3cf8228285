/**
 * The one port through which the runtime is traced. An adapter (`telemetry/otel`) makes spans of it; without one, or when nothing
 * records, `startInvocation` gives `undefined`, and since every call goes through `?.`, nothing is built at all.
 *
 * Each handle covers the work between the call that made it and its `end`, which is called exactly once on every path.
 * The adapter takes the times itself, from one monotonic source per process.
 */

export type InvocationKind = "start" | "resume" | "next";
export type InvocationOutcome = "completed" | "failed" | "cancelled" | "paused";
export type Durability = "sync" | "async" | "exit" | "none";

/** What finally failed, as a span tells it. */
export interface SpanFailure {
  /** The error's name on a node's span, our code elsewhere: `error.type`. */
  readonly type: string;
  /** Our code where there is one: `error.code`. */
  readonly code?: string | undefined;
  readonly message: string;
}

/** Where an event happened. Empty strings when there is no span. */
export interface SpanIds {
  readonly traceId: string;
  readonly spanId: string;
}

/** What is kept with a checkpoint, so that a later process can go on with the trace, or link to it. Plain data, as JSON has it. */
export interface StoredTrace {
  /** W3C `traceparent` of the invocation that saved. */
  readonly traceparent: string;
  readonly tracestate?: string;
  /** `traceparent` of the session's first invocation. */
  readonly origin: string;
  /** How many spans the runtime has made in that trace so far; of one that is not recorded, would have made. Users' own are not known. */
  readonly spans: number;
  /** When this was saved: milliseconds since the epoch, by the runner's clock. */
  readonly time: number;
}

export interface InvocationFacts {
  readonly graph: string;
  readonly graphVersion: string | undefined;
  readonly fingerprint: string;
  readonly sessionId: string;
  readonly invocationId: string;
  readonly kind: InvocationKind;
  readonly durability: Durability;
  /** Of the session's newest checkpoint, when it was run before. Never trusted: garbage is ignored. */
  readonly stored: StoredTrace | undefined;
  /** `stored` is that of the session this one was forked from. */
  readonly forked: boolean;
  /** A date (milliseconds since the epoch): the span begins there, because loading the session went before it. Default: now. */
  readonly startTime?: number;
  /** Loading the session, when it was loaded: the `checkpoint_load` span. Dates of the same source as `startTime`; `size` in bytes. */
  readonly load?: {
    readonly startTime: number;
    readonly endTime: number;
    readonly backend: string;
    readonly step: number;
    readonly size: number;
  };
}

export interface Instrumentation {
  /** Called synchronously by whoever starts the run: the caller's active span becomes the parent. */
  startInvocation(facts: InvocationFacts): InvocationTrace | undefined;
}

export interface InvocationTrace extends SpanIds {
  /** To be kept with each checkpoint: made when it is read, as of that moment. */
  readonly stored: StoredTrace;
  superstep(step: number): SuperstepTrace;
  /** A save on creation, pause or end: a child of the invocation. */
  checkpoint(step: number, backend: string, mode: Durability): CheckpointTrace;
  event(name: string, data: Readonly<Record<string, unknown>>): void;
  end(end: { readonly outcome: InvocationOutcome; readonly supersteps: number; readonly failure?: SpanFailure | undefined }): void;
}

export interface SuperstepTrace extends SpanIds {
  schedule(step: number, frontierLength: number): ScheduleTrace;
  barrier(step: number): BarrierTrace;
  frontier(step: number): FrontierTrace;
  checkpoint(step: number, backend: string, mode: Durability): CheckpointTrace;
  end(end: { readonly ranNodes: number; readonly skippedNodes: number; readonly failure?: SpanFailure | undefined }): void;
}

export interface ScheduleTrace extends SpanIds {
  /** One attempt. `queueDuration` and `retryDelay` in milliseconds; the delay is that before this attempt, `undefined` on the first. */
  node(name: string, attempt: number, queueDuration: number, retryDelay: number | undefined): NodeTrace;
  /** On failure: which node failed first, if one did, the frontier's node names and the versions of the channels it saw. */
  end(
    failure?: SpanFailure & {
      readonly node: string | undefined;
      readonly frontierNodes: readonly string[];
      readonly versions: Readonly<Record<string, number>>;
    },
  ): void;
}

export interface NodeTrace extends SpanIds {
  /** Calls the node's code with its span active, so that spans of its own nest under it. */
  run<T>(call: () => T): T;
  event(name: string, data: Readonly<Record<string, unknown>>): void;
  /** `writes` are channel names. */
  end(end: { readonly writes?: readonly string[] | undefined; readonly failure?: SpanFailure | undefined }): void;
}

export interface BarrierTrace extends SpanIds {
  end(end: {
    readonly ranNodes: number;
    readonly errorsInPartials: number;
    readonly updatedChannels: readonly string[];
    readonly failure?: SpanFailure | undefined;
  }): void;
}

export interface FrontierTrace extends SpanIds {
  event(name: string, data: Readonly<Record<string, unknown>>): void;
  end(end: {
    readonly commands: number;
    readonly conditionalEdges: number;
    readonly nextFrontier: number;
    readonly failure?: SpanFailure | undefined;
  }): void;
}

export interface CheckpointTrace extends SpanIds {
  /** `size` in bytes. */
  end(end: { readonly outcome: "saved" | "failed" | "conflict"; readonly size: number; readonly failure?: SpanFailure | undefined }): void;
}
