/** The public surface of running: options, runs, sessions and what they give. */
import type { Checkpointer, SessionInfo } from "../checkpoint/checkpointer.ts";
import type { StepReport } from "../engine/outcome.ts";
import type { CustomEvent, Interrupt, RunnerEvent, RuntimeEvent, SessionStatus } from "../events/event.ts";
import type { EventSink, SinkHealth } from "../events/sink.ts";
import type { AnyGraph, GraphDescription, GraphInput, GraphState, Types } from "../graph/graph.ts";
import type { UpdateOf } from "../graph/channel.ts";
import type { Clock } from "../support/clock.ts";
import type { Duration, OneOrMany, Values } from "../support/types.ts";

/** What becomes spans of a run, and of which trace. */
export interface TelemetryOptions {
  /** "invocation": one span; "superstep": also supersteps and attempts; "phase" (default): all. */
  readonly detail?: "invocation" | "superstep" | "phase";
  /**
   * The trace of an invocation that goes on with a stored session, where the caller has no active span: one that is active is its parent
   * in any mode. "auto" (default) continues the trace of the invocation before if that last saved at most 15 minutes ago, by the runner's
   * `clock`, and the runtime has made fewer than 5 000 spans in it; "continued" always does, "linked" never. In any mode it has links to
   * the invocation before (`resumed_from`; of a fork's first, `forked_from`) and to the session's first (`origin`). A continued trace
   * stays sampled, or not, as W3C trace context has it; a new one is decided anew.
   */
  readonly traceMode?: "auto" | "continued" | "linked";
  /** Messages of users' errors on spans and in what sinks get. Default true; names and codes always. */
  readonly errorMessages?: boolean;
  /** An OpenTelemetry `TracerProvider`. Default: the global one, looked up for each invocation. */
  readonly tracerProvider?: unknown;
}

/** A session as it was stored, for `onGraphChange` to migrate. */
export interface MigratedSession {
  readonly state: Values;
  /** Names of what is due, one per entry. */
  readonly next: readonly string[];
}

/** Options of a runner. Wrong ones throw `RunnerError` `invalid_option`. */
export interface RunnerOptions<G extends AnyGraph = AnyGraph> {
  readonly services?: Types<G>["services"];
  /** Default: in memory, where a session is forgotten once it completes. One that is given stays the giver's to close. */
  readonly checkpointer?: Checkpointer;
  /** Flushed and closed with the runner; built-in ones open again when written to. */
  readonly sinks?: readonly EventSink[];
  /** `false`: no spans at all. */
  readonly telemetry?: false | TelemetryOptions;
  /** Sinks get payload fields (an interrupt's payload) only with `true`; subscribers in the process always do. */
  readonly payloads?: boolean;
  /** One final failure in a superstep: the others finish and their results are stored (default), or their signals abort. */
  readonly onFailure?: "settle" | "abort";
  /** Entries at once in one superstep. Default 64. */
  readonly concurrency?: number;
  /** Per invocation. Default 1 000. */
  readonly maxSteps?: number;
  /** "sync" (default): the next superstep starts after the save. */
  readonly durability?: "sync";
  /** `false`: nothing is saved, anywhere. Default `true`. */
  readonly autosave?: boolean;
  /** "fail" (default), or "warn": a run goes on after a failed save, but not after a conflict. */
  readonly onCheckpointError?: "fail" | "warn";
  /** A stored session whose graph has changed. "compatible" (default): goes on if what is due, its joins and its channels' kinds still exist. */
  readonly onGraphChange?: "compatible" | "error" | "warn" | ((stored: GraphDescription, session: MigratedSession) => MigratedSession);
  readonly pauseBefore?: readonly Types<G>["names"][];
  readonly pauseAfter?: readonly Types<G>["names"][];
  readonly pauseEachStep?: boolean;
  /** Default: the machine's own. */
  readonly clock?: Clock;
  /** In [0, 1). Default `Math.random`. */
  readonly random?: () => number;
  /** Ids of sessions and invocations. Default: UUIDv7, by `clock` and `random`. */
  readonly createId?: () => string;
}

export interface RunOptions<G extends AnyGraph = AnyGraph> {
  /** Cancels the run; its reason is the run's. */
  readonly signal?: AbortSignal;
  /** Over the runner's own, for this invocation. */
  readonly services?: Partial<Types<G>["services"]>;
}

export interface StartOptions<G extends AnyGraph = AnyGraph> extends RunOptions<G> {
  /** Default: a new one. */
  readonly sessionId?: string;
  /** The session exists already: an error (default), its next input, or a resume that ignores this input. */
  readonly onExisting?: "error" | "next" | "resume";
}

export interface NextOptions<G extends AnyGraph = AnyGraph> extends RunOptions<G> {
  /** Where it enters, instead of the graph's own entry. */
  readonly entry?: OneOrMany<Types<G>["names"]>;
  /** What is still due is given up. Default: refused with `session_pending`. */
  readonly discardPending?: boolean;
}

export interface ResumeOptions<G extends AnyGraph = AnyGraph> extends RunOptions<G> {
  /** For the only open interrupt. */
  readonly answer?: unknown;
  /** By interrupt id; those not named stay open. */
  readonly answers?: Values;
  /** Runs entries again although their results are stored. */
  readonly rerun?: "all" | readonly Types<G>["names"][];
}

/** Every event of a graph's runs. */
export type GraphEvent<G extends AnyGraph> = RuntimeEvent<Types<G>["names"]> | CustomEvent<Types<G>["names"], Types<G>["events"]>;

/**
 * Iterate it for events, or await `result`. Every iteration is a reader of its own, from the first event, over a bounded buffer (10 000 events;
 * what was missed is said by a `stream.dropped`). Leaving the loop or disposing does not stop the run; `cancel` does.
 */
export interface Run<G extends AnyGraph> extends AsyncIterable<GraphEvent<G>>, AsyncDisposable {
  readonly sessionId: string;
  readonly invocationId: string;
  /** A failure that nobody awaits is reported (events, span) and never an unhandled rejection. */
  readonly result: Promise<RunResult<G>>;
  /** Stops it: nothing more is started, signals abort. Harmless once it has ended. */
  readonly cancel: (reason?: unknown) => void;
}

export interface RunResult<G extends AnyGraph> {
  readonly status: "completed" | "paused" | "cancelled";
  /** Of the last barrier, frozen. */
  readonly state: GraphState<G>;
  readonly sessionId: string;
  readonly invocationId: string;
  /** Supersteps of this invocation, and of the session so far. */
  readonly steps: number;
  readonly step: number;
  readonly versions: Readonly<Record<string, number>>;
  /** What a paused run waits for. */
  readonly interrupts: readonly Interrupt[];
}

export interface SessionSnapshot<G extends AnyGraph> extends SessionInfo {
  readonly checkpointId: string;
  readonly parentId: string | undefined;
  readonly state: GraphState<G>;
  /** What is still to run: entries whose results are stored are not in it. */
  readonly next: readonly string[];
  readonly versions: Readonly<Record<string, number>>;
  readonly interrupts: readonly Interrupt[];
  readonly ranNodes: readonly string[];
  readonly updatedChannels: readonly string[];
}

/** A durable lineage of state under one id. */
export interface Session<G extends AnyGraph> {
  readonly id: string;
  start(input: GraphInput<G>, options?: RunOptions<G>): Run<G>;
  /** Goes on after a pause, a failure, a cancellation or a crash. It takes the session over: an older owner's next write fails. */
  resume(options?: ResumeOptions<G>): Run<G>;
  /** The next input of a finished session, such as a chat's next message; its step number goes on. Starts the session if there is none yet. */
  next(input: UpdateOf<Types<G>["channels"]>, options?: NextOptions<G>): Run<G>;
  /** One superstep by hand: `create` first, then `runStep` until `completed`. */
  create(input: GraphInput<G>): Promise<SessionSnapshot<G>>;
  runStep(options?: RunOptions<G>): Promise<StepReport>;
  runUntilComplete(options?: RunOptions<G>): Promise<RunResult<G>>;
  state(): Promise<SessionSnapshot<G>>;
  /** Newest first. */
  history(options?: { readonly limit?: number; readonly before?: string }): AsyncIterable<SessionSnapshot<G>>;
  at(checkpointId: string): Promise<SessionSnapshot<G>>;
  /** Writes as if `asNode` had: its exits follow. */
  update(values: UpdateOf<Types<G>["channels"]>, options?: { readonly asNode?: Types<G>["names"] }): Promise<SessionSnapshot<G>>;
  /** A new session that begins as this one was; neither sees the other's later values. */
  fork(options?: { readonly checkpointId?: string; readonly sessionId?: string }): Promise<Session<G>>;
  /** Ends it with its true status (one whose process died is `idle`): from now on it can only be read. */
  finish(): Promise<SessionSnapshot<G>>;
  delete(): Promise<void>;
}

export interface RunnerHealth {
  readonly status: "ok" | "degraded" | "closed";
  readonly activeInvocations: number;
  /** Milliseconds since the least recent running invocation last progressed; 0 when idle. */
  readonly progressAge: number;
  /** In the order given. "degraded" while any is unhealthy. */
  readonly sinks: readonly SinkHealth[];
  /** What nodes returned or emitted after their attempt had ended, all in all: dropped. */
  readonly late: { readonly results: number; readonly emits: number };
}

/** Runs one graph, for many sessions at once. */
export interface Runner<G extends AnyGraph> extends AsyncDisposable {
  /** Runs to the end, a pause or a cancellation. Rejects with `RunnerError` when the run fails. */
  invoke(input: GraphInput<G>, options?: StartOptions<G>): Promise<RunResult<G>>;
  /** The same, with its events as they happen. It starts at once, whether or not anyone iterates. */
  stream(input: GraphInput<G>, options?: StartOptions<G>): Run<G>;
  session(sessionId: string): Session<G>;
  sessions(filter?: { readonly status?: SessionStatus; readonly limit?: number }): AsyncIterable<SessionInfo>;
  /** Every event of every run of this runner, bounded (10 000 by default), from now on. */
  events(options?: { readonly capacity?: number }): AsyncIterable<GraphEvent<G> | RunnerEvent> & AsyncDisposable;
  health(): RunnerHealth;
  /** Stops at the next boundary, with a checkpoint; refuses new work. Past the time-out (default 30 s) signals abort, finished results are kept. */
  drain(options?: { readonly timeout?: Duration }): Promise<void>;
  /** Drains, then flushes and closes sinks, within a bound (default 5 s): signals abort after three fifths of it. */
  close(options?: { readonly timeout?: Duration }): Promise<{ readonly lostEvents: number }>;
}
