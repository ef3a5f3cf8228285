/** What each phase of a superstep hands to the next. */
import type { ChannelChange, EntryResult, FrontierEntry } from "../checkpoint/checkpointer.ts";
import type { Interrupt } from "../events/event.ts";
import type { StateImage } from "./state.ts";
import type { StepResultStore } from "./step-results.ts";

/** How one entry ended. Failed, timed out and cancelled are different things. */
export type EntryOutcome =
  | { readonly status: "completed"; readonly entry: FrontierEntry; readonly result: EntryResult }
  /** Finally failed, and `onError` names a handler: its result carries the failure. */
  | { readonly status: "routed"; readonly entry: FrontierEntry; readonly result: EntryResult }
  | { readonly status: "failed" | "timed_out"; readonly entry: FrontierEntry; readonly error: unknown; readonly attempt: number }
  | { readonly status: "cancelled"; readonly entry: FrontierEntry }
  | { readonly status: "interrupted"; readonly entry: FrontierEntry; readonly interrupts: readonly Interrupt[] }
  /** Its interrupt's schema refused the answer: the question stays open. */
  | { readonly status: "refused"; readonly entry: FrontierEntry; readonly interruptId: string; readonly error: Error }
  | { readonly status: "skipped"; readonly entry: FrontierEntry };

/** Phase 1: what became of every due entry, in frontier order, never in the order of completion. */
export interface SchedulerOutcome {
  readonly outcomes: readonly EntryOutcome[];
  readonly ranNodes: readonly string[];
  readonly skippedNodes: readonly string[];
  /** What a record keeps of the step if it goes no further. */
  readonly kept: StepResultStore["kept"];
}

/** Phase 2: the state after all updates, or the state it was given when none of them changed it. */
export interface BarrierOutcome {
  readonly image: StateImage;
  /** In declaration order. */
  readonly updatedChannels: readonly string[];
  /** What the store is told. */
  readonly changes: readonly ChannelChange[];
  /** Errors that entries reported, and failures that were routed, in frontier order. */
  readonly errors: readonly unknown[];
  /** Entries that leave by a command. */
  readonly commands: number;
  /** Estimated bytes of the changed values. */
  readonly size: number;
}

export interface BranchTaken {
  readonly from: string;
  readonly labels: readonly string[];
  readonly targets: readonly string[];
}

/** Phase 3: who is due next, and which joins wait for whom. */
export interface FrontierOutcome {
  readonly next: readonly FrontierEntry[];
  readonly arrivals: ReadonlyMap<string, readonly string[]>;
  readonly branches: readonly BranchTaken[];
  readonly conditionalEdges: number;
  readonly starved: readonly { readonly to: string; readonly arrived: readonly string[]; readonly missing: readonly string[] }[];
}

/** What one superstep did. */
export interface StepReport {
  readonly step: number;
  readonly ranNodes: readonly string[];
  readonly skippedNodes: readonly string[];
  readonly updatedChannels: readonly string[];
  readonly nextFrontier: readonly string[];
  readonly versions: Readonly<Record<string, number>>;
  readonly completed: boolean;
  readonly interrupts: readonly Interrupt[];
  readonly checkpointId: string | undefined;
}
