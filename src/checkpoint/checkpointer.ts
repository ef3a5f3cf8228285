/** The port that every store implements: what is saved of a session, and how it is read again. */
import type { Interrupt, SerializedError, SessionStatus } from "../events/event.ts";
import type { GraphDescription } from "../graph/graph.ts";
import type { Awaitable, Duration, OneOrMany, Values } from "../support/types.ts";
import type { StoredTrace } from "../telemetry/instrumentation.ts";

/** A node that is due to run. */
export interface FrontierEntry {
  readonly node: string;
  /** Its place among the entries of this node in this frontier, from 0. With session, step and node it is the entry's key. */
  readonly ordinal: number;
  /** It was sent an item: never gated, never merged with another. */
  readonly sent: boolean;
  readonly item: unknown;
  /** What failed, when it is due as another node's `onError`. */
  readonly failure: EntryFailure | undefined;
}

export interface EntryFailure {
  readonly node: string;
  readonly input: unknown;
  readonly attempt: number;
  readonly error: unknown;
}

/** What one channel became. Applied in order; no user code is needed to read a session. */
export type ChannelChange =
  | { readonly channel: string; readonly kind: "set"; readonly value: unknown }
  | { readonly channel: string; readonly kind: "append"; readonly items: readonly unknown[] };

/** A channel write, checked and copied. */
export interface PreparedWrite {
  readonly channel: string;
  readonly replace: boolean;
  readonly value: unknown;
  /** Holds a Map, Set, Date, typed array or error somewhere. */
  readonly live: boolean;
  /** Bytes, about, when written out. */
  readonly size: number;
}

export type StoredTarget = string | { readonly node: string; readonly item: unknown };

/** What a finished entry gave, kept while its superstep is not: a resume does not run it again. */
export interface EntryResult {
  readonly node: string;
  readonly ordinal: number;
  readonly writes: readonly PreparedWrite[];
  readonly command: { readonly kind: "goto" | "also"; readonly targets: readonly StoredTarget[] } | undefined;
  readonly errors: readonly unknown[];
  /** It failed, and its node's `onError` is due instead of its exits. */
  readonly failure: EntryFailure | undefined;
  /** The channel versions that it started with, in the order of the record's `channels`, if its node is gated. */
  readonly seen?: readonly number[] | undefined;
}

/** Where a `pauseBefore` was passed: before these nodes, that step does not pause again. */
export interface PassedPause {
  readonly step: number;
  readonly nodes: readonly string[];
}

/** The part of a record that a failure, a pause, a cancellation or an answer changes. */
export interface RecordStatus {
  readonly status: SessionStatus;
  /** All that were asked in the step that is due; those without an answer are open. */
  readonly interrupts: readonly Interrupt[];
  /** Answers by interrupt id. */
  readonly answers: ReadonlyMap<string, unknown>;
  /** Results of the entries of the step that is due. */
  readonly results: readonly EntryResult[];
  /** Results of `context.once`, by entry ("node/ordinal") and key. */
  readonly once: ReadonlyMap<string, ReadonlyMap<string, unknown>>;
  readonly pausePassed: PassedPause | undefined;
  readonly failure: SerializedError | undefined;
}

/** What a record writes of the state. */
export interface StateDelta {
  readonly changes: readonly ChannelChange[];
  /** The writer's estimate of the changed values, in bytes. */
  readonly size: number;
  /** The whole state after them, for a store that keeps snapshots: made when it is called. */
  readonly state: () => Values;
}

/** One record per superstep; also one for the creation, an `update`, a fork and each `next` input. */
export interface CheckpointRecord extends RecordStatus {
  readonly checkpointId: string;
  readonly parentId: string | undefined;
  readonly sessionId: string;
  readonly graph: string;
  readonly graphVersion: string | undefined;
  readonly fingerprint: string;
  /** The graph that wrote it: the same for all records of one fingerprint and declaration. */
  readonly description: GraphDescription;
  /** The invocation that wrote it: also the fencing token of its writes. */
  readonly epoch: number;
  readonly step: number;
  /** Milliseconds since the epoch, by the runner's clock. */
  readonly time: number;
  readonly next: readonly FrontierEntry[];
  /** Arrived sources by join. */
  readonly arrivals: ReadonlyMap<string, readonly string[]>;
  /** Channel names, and their versions in the same order. */
  readonly channels: readonly string[];
  readonly versions: readonly number[];
  /** The versions that each gated node saw when it last started, in the order of `channels`. */
  readonly seen: ReadonlyMap<string, readonly number[]>;
  readonly ranNodes: readonly string[];
  readonly skippedNodes: readonly string[];
  readonly updatedChannels: readonly string[];
  readonly trace: StoredTrace | undefined;
  /** Set on the first record of a fork. */
  readonly forkedFrom: { readonly sessionId: string; readonly checkpointId: string } | undefined;
  /** Ended by `finish()`: can only be read. */
  readonly finished: boolean;
}

/** A record with the state it stands for. */
export interface StoredCheckpoint {
  readonly record: CheckpointRecord;
  readonly state: Values;
  /** Of the session's first record. Milliseconds since the epoch, by the runner's clock, as is `updatedAt`. */
  readonly createdAt: number;
  /** Of the record, or of the last change made to it. */
  readonly updatedAt: number;
  /** The session's owner at present: the next invocation takes the epoch after it. */
  readonly ownerEpoch: number;
  /** Bytes of the record; an estimate where a store keeps references. */
  readonly size: number;
}

/** How the newest record is changed in place. */
export interface Amendment extends Partial<RecordStatus> {
  /** Milliseconds since the epoch, by the runner's clock. */
  readonly time: number;
  /** A new owner, which fences off the one before. */
  readonly epoch?: number;
  readonly trace?: StoredTrace | undefined;
  readonly finished?: boolean;
}

/** What is kept of the step that is due, as soon as there is something to keep. */
export interface StepResults {
  readonly results: readonly EntryResult[];
  /** Of `context.once`. */
  readonly once: readonly { readonly entry: string; readonly key: string; readonly value: unknown }[];
}

/** What a writer believes to be newest: the store refuses the write (`checkpoint_conflict`) if it is not. */
export interface Fence {
  readonly checkpointId: string | undefined;
  readonly epoch: number;
}

export interface SaveReceipt {
  /** Bytes; a store that keeps references gives an estimate. */
  readonly size: number;
}

/** A session as lists tell it: what its newest record says. */
export interface SessionInfo {
  readonly sessionId: string;
  readonly graph: string;
  readonly fingerprint: string;
  readonly status: SessionStatus;
  readonly step: number;
  /** Milliseconds since the epoch, by the runner's clock, as is `updatedAt`. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface SessionFilter {
  readonly graph?: string;
  readonly status?: SessionStatus;
  readonly limit?: number;
}

/** Keeps sessions. Every refusal is a `CheckpointError`; a store may answer at once or by a promise. */
export interface Checkpointer extends AsyncDisposable {
  /** A short name for spans and metrics: "memory", "sqlite". */
  readonly backend: string;
  /** The newest checkpoint, or the named one; `undefined` when there is none. */
  load(sessionId: string, checkpointId?: string): Awaitable<StoredCheckpoint | undefined>;
  /**
   * Adds a record after the newest one, or the first of a session; its epoch is the owner's from then on. One of a later step ends the
   * results of the record before it, and leaves its sub-steps. An id that is empty, or holds NUL or half a surrogate pair, is refused
   * (`RunnerError` `invalid_option`), and nothing is found by it.
   */
  save(fence: Fence, record: CheckpointRecord, delta: StateDelta): Awaitable<SaveReceipt>;
  /** Changes the newest record in place: what is named is replaced, all else stays. Of no session it is a conflict. */
  amend(sessionId: string, fence: Fence, change: Amendment): Awaitable<SaveReceipt>;
  /** Adds results to those of the newest record, in any order; of two of one entry, or of one key, the later counts. No change of `updatedAt`. */
  addResults(sessionId: string, fence: Fence, added: StepResults): Awaitable<void>;
  /** Newest first, in the order of the saves; from the one before `before` on. Rejects with `checkpoint_not_found` if there is no such record. */
  history(sessionId: string, options?: { readonly limit?: number; readonly before?: string }): AsyncIterable<StoredCheckpoint>;
  /** Most recently written first, by `updatedAt`. */
  list(filter?: SessionFilter): AsyncIterable<SessionInfo>;
  delete(sessionId: string): Promise<boolean>;
  /** Trims histories: leaves the newest `keep` (≥ 1) checkpoints of each session. Says how many went. Rejects with `invalid_option`, as does the next. */
  prune(options: { readonly keep: number; readonly sessionId?: string }): Promise<number>;
  /** Removes whole sessions that are not running; `olderThan` counts from `updatedAt` to now, by the machine's clock. Says how many went. */
  deleteSessions(options: {
    readonly olderThan?: Duration;
    readonly status?: OneOrMany<Exclude<SessionStatus, "running">>;
  }): Promise<number>;
  close(): Promise<void>;
}
