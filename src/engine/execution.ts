/** One continuous execution of a session: what the phases are given, and the state that each superstep replaces. */
import type { ChannelChange, Checkpointer, CheckpointRecord, EntryResult, FrontierEntry, PassedPause } from "../checkpoint/checkpointer.ts";
import type { InvocationEvents } from "../events/invocation-events.ts";
import type { Interrupt, SessionStatus } from "../events/event.ts";
import type { GraphDescription } from "../graph/graph.ts";
import type { Plan } from "../graph/plan.ts";
import type { Clock } from "../support/clock.ts";
import { handOut } from "../support/value.ts";
import type { Durability, InvocationTrace } from "../telemetry/instrumentation.ts";
import type { Cancellation } from "./cancellation.ts";
import type { StateImage } from "./state.ts";

/** What a session is between two supersteps. Never changed: a superstep makes another. */
export interface SessionState {
  /** The last superstep that was done; 0 after the creation. */
  readonly step: number;
  readonly image: StateImage;
  readonly frontier: readonly FrontierEntry[];
  /** Arrived sources by join. */
  readonly arrivals: ReadonlyMap<string, readonly string[]>;
  /** The versions that each gated node saw when it last started. */
  readonly seen: ReadonlyMap<string, readonly number[]>;
}

/** What is known already of the superstep that is due: of earlier tries of it. */
export interface DueStep {
  /** By entry key. */
  readonly results: ReadonlyMap<string, EntryResult>;
  /** Results of `context.once`, by entry key and key. */
  readonly once: ReadonlyMap<string, ReadonlyMap<string, unknown>>;
  /** Answers by interrupt id. */
  readonly answers: ReadonlyMap<string, unknown>;
  /** All that were asked; those without an answer are open. */
  readonly interrupts: readonly Interrupt[];
  readonly pausePassed: PassedPause | undefined;
}

/** At no join. */
export const noArrivals: SessionState["arrivals"] = new Map();

export const nothingDue: DueStep = Object.freeze({
  results: new Map(),
  once: new Map(),
  answers: new Map(),
  interrupts: Object.freeze([]),
  pausePassed: undefined,
});

/** Nothing was traced before. */
export const noLineage: Execution["lineage"] = Object.freeze({ trace: undefined, forkedFrom: undefined });

/** What a runner was set to. Durations in milliseconds. */
export interface EngineSettings {
  readonly concurrency: number;
  readonly onFailure: "settle" | "abort";
  readonly maxSteps: number;
  readonly pauseBefore: ReadonlySet<string>;
  readonly pauseAfter: ReadonlySet<string>;
  readonly pauseEachStep: boolean;
  readonly autosave: boolean;
  readonly onCheckpointError: "fail" | "warn";
  readonly durability: Durability;
  /** How long a node may go on after its signal has aborted, before it is abandoned. */
  readonly grace: number;
}

/** What came too late to count. */
export interface LateCounts {
  results: number;
  emits: number;
}

/** What each record says of the graph. */
export interface GraphRecord {
  readonly description: GraphDescription;
  /** In the order of `Plan.channels`. */
  readonly channelNames: readonly string[];
}

/** What a store refused under `onCheckpointError: "warn"`: it goes with the next save. */
export interface Unsaved {
  /** The newest record, when the store has not got it. */
  readonly record: Pick<CheckpointRecord, "ranNodes" | "skippedNodes" | "updatedChannels"> | undefined;
  readonly changes: readonly ChannelChange[];
  /** Of the changes, in bytes. */
  readonly size: number;
  /** The owner that the store knows, when it was not told of this one. */
  readonly takeOverFrom: number | undefined;
}

export interface Execution {
  readonly plan: Plan;
  readonly graph: GraphRecord;
  readonly settings: EngineSettings;
  readonly sessionId: string;
  readonly invocationId: string;
  readonly epoch: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly events: InvocationEvents;
  readonly trace: InvocationTrace | undefined;
  /** What the newest record says of the traces before: without a trace of its own, its records say the same. */
  readonly lineage: Pick<CheckpointRecord, "trace" | "forkedFrom">;
  readonly store: Checkpointer;
  /** Another process, or another runner, may read the store before the step ends: entries' results are stored as they come. */
  readonly shared: boolean;
  readonly late: LateCounts;
  /** What runs wait for between supersteps, when a sink that blocks is full. */
  readonly sinks: { boundary(): Promise<void> | undefined };
  /** Of the call that runs it now. */
  services: unknown;
  cancellation: Cancellation;
  state: SessionState;
  due: DueStep;
  /** What it is in between two supersteps. */
  resting: "running" | "idle";
  status: SessionStatus;
  /** The newest record, the parent of the next one. */
  checkpointId: string | undefined;
  /** Records of the session before the next one: what tells its id from theirs, whatever ids are made of. */
  records: number;
  /** Supersteps that this invocation has done. */
  steps: number;
  unsaved: Unsaved;
  /** When it last progressed, by the clock's monotonic source. */
  progressedAt: number;
}

/** Asked, and not answered. */
export const openInterrupts = ({ interrupts, answers }: Pick<DueStep, "interrupts" | "answers">): readonly Interrupt[] =>
  interrupts.filter(({ id }) => !answers.has(id));

const noInterrupts: readonly Interrupt[] = Object.freeze([]);

/** The same for a reader: frozen, and a copy of what is live in their payloads. */
export function shownInterrupts(due: Pick<DueStep, "interrupts" | "answers">): readonly Interrupt[] {
  if (due.interrupts.length === 0) return noInterrupts;
  // What is handed out has the shape that it had.
  return handOut(Object.freeze(openInterrupts(due))) as readonly Interrupt[];
}

/** The key of an entry within its step. */
export const entryKey = (entry: { readonly node: string; readonly ordinal: number }): string => `${entry.node}/${entry.ordinal}`;

/** A slash within a part of a key would make one key of two. */
export const keyPart = (name: string): string => (/[%/]/.test(name) ? name.replaceAll(/[%/]/g, encodeURIComponent) : name);

/** What the ids of a node's questions in a step begin with; then come the entry's ordinal and the question's own name. */
export const questionsOf = (step: number, node: string): string => `${step}/${keyPart(node)}/`;
