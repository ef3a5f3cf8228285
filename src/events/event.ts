/** What happens, as typed objects: the closed union of runtime events, the runner's own, and a graph's. */
import type { DataOf, EventTypes } from "../graph/event-type.ts";

/** "idle": it exists and has work due, and nobody runs it; a process that was killed leaves "running". */
export type SessionStatus = (typeof sessionStatuses)[number];
export const sessionStatuses = ["idle", "running", "completed", "paused", "cancelled", "failed"] as const;

/** What a paused session waits for. */
export interface Interrupt {
  readonly id: string;
  /** Absent for kind "step". */
  readonly node?: string;
  readonly step: number;
  readonly payload: unknown;
  readonly kind: "interrupt" | "before" | "after" | "step";
}

/** An error as data. */
export interface SerializedError {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly cause?: SerializedError;
}

/** What every event of a session carries. */
export interface EventEnvelope {
  /** Which invocation of the session this is, from 1; also the fencing token of its writes. */
  readonly epoch: number;
  /** Per invocation, from 1, gap-free: `epoch`, then `seq`, orders a session. */
  readonly seq: number;
  /** Milliseconds since the epoch, when it was emitted. */
  readonly time: number;
  readonly graph: string;
  readonly sessionId: string;
  readonly invocationId: string;
  readonly step?: number;
  readonly node?: string;
  readonly attempt?: number;
  readonly traceId?: string;
  readonly spanId?: string;
}

/** Runtime events by type, with their `data`. Durations in milliseconds. The first superstep is 1; step 0 is the creation. */
export interface RuntimeEventData {
  "session.created": { readonly fingerprint: string };
  "session.finished": { readonly status: SessionStatus };
  "invocation.started": { readonly kind: "start" | "resume" | "next" };
  "invocation.completed": { readonly steps: number };
  "invocation.paused": { readonly interrupts: readonly Interrupt[] };
  "invocation.cancelled": { readonly reason?: string };
  "invocation.failed": { readonly code: string; readonly error: SerializedError };
  "superstep.started": { readonly frontier: readonly string[] };
  /** After the checkpoint; not for a superstep that failed. */
  "superstep.completed": {
    readonly ranNodes: readonly string[];
    readonly skippedNodes: readonly string[];
    readonly updatedChannels: readonly string[];
    readonly nextFrontier: readonly string[];
    readonly duration: number;
  };
  "node.started": {};
  "node.completed": { readonly duration: number; readonly channels: readonly string[] };
  /** A time-out has `error.code` "node_timeout". */
  "node.failed": { readonly error: SerializedError; readonly final: boolean };
  "node.retrying": { readonly delay: number; readonly error: SerializedError };
  "node.cancelled": {};
  "node.skipped": {};
  /** A session completed while a join still waited for some of its sources. */
  "join.starved": { readonly to: string; readonly arrived: readonly string[]; readonly missing: readonly string[] };
  "branch.taken": { readonly labels: readonly string[]; readonly targets: readonly string[] };
  "checkpoint.saved": { readonly checkpointId: string; readonly size: number; readonly duration: number };
  "checkpoint.failed": { readonly error: SerializedError };
  "interrupt.requested": Interrupt;
  "interrupt.resolved": { readonly id: string };
  /** This reader fell behind its buffer and missed so many events here. */
  "stream.dropped": { readonly count: number };
  "node.log": {
    readonly level: "debug" | "info" | "warn" | "error";
    readonly message: string;
    readonly fields: Readonly<Record<string, unknown>>;
  };
}

/** What concerns the runner and no session: in `runner.events()` and to the other sinks. `seq` is the runner's own. */
export interface RunnerEventData {
  "sink.failed": { readonly sink: string; readonly error: SerializedError };
  "sink.recovered": { readonly sink: string };
  /** Since the last such event. */
  "sink.dropped": {
    readonly sink: string;
    readonly count: number;
    readonly reason: "full" | "failed" | "timeout" | "closed" | "unserializable";
  };
}

export type RunnerEvent = {
  [K in keyof RunnerEventData]: {
    readonly type: K;
    readonly seq: number;
    readonly time: number;
    readonly graph: string;
    readonly data: RunnerEventData[K];
  } & { readonly [F in "epoch" | "sessionId" | "invocationId" | "step" | "node" | "attempt" | "traceId" | "spanId"]?: undefined };
}[keyof RunnerEventData];

/** What concerns a session: in its run's stream, in `runner.events()`, and to sinks. */
export type RuntimeEvent<Names extends string = string> = {
  [K in keyof RuntimeEventData]: EventEnvelope & { readonly type: K; readonly node?: Names; readonly data: RuntimeEventData[K] };
}[keyof RuntimeEventData];

/** A graph's own events. Their names hold no dot, so that they never meet a runtime event's. */
export type CustomEvent<Names extends string, E extends EventTypes> = {
  [K in keyof E & string]: EventEnvelope & { readonly type: K; readonly node: Names; readonly data: DataOf<E[K]> };
}[keyof E & string];

/** What sinks see; `isRuntimeEvent` narrows it. */
export type AnyEvent = RuntimeEvent | RunnerEvent | (EventEnvelope & { readonly type: string; readonly data: unknown });

/** Whether an event is the runtime's, not a graph's own. Names of the latter hold no dot. */
export function isRuntimeEvent(event: AnyEvent): event is RuntimeEvent | RunnerEvent {
  return event.type.includes(".");
}
