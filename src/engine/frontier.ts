/** Phase 3, `computeNextFrontier`: who is due next, from what ran, its commands, and the branches decided on the state after the barrier. Pure but for the branches. */
import type { EntryResult, FrontierEntry } from "../checkpoint/checkpointer.ts";
import type { Plan, PlannedNode } from "../graph/plan.ts";
import type { Values } from "../support/types.ts";
import { commandTarget } from "./command-target.ts";
import { takeBranches } from "./branches.ts";
import { FrontierDraft } from "./frontier-draft.ts";
import type { FrontierOutcome } from "./outcome.ts";

/** One entry that is done, in frontier order: it ran, or its gate was closed and it has no result. */
export interface DoneEntry {
  readonly node: PlannedNode;
  readonly result: EntryResult | undefined;
}

export interface FrontierInput {
  readonly plan: Plan;
  readonly step: number;
  /** The state after the barrier. */
  readonly view: () => Values;
  readonly done: readonly DoneEntry[];
  readonly arrivals: ReadonlyMap<string, readonly string[]>;
  /** Due already, and still waiting: they come first. */
  readonly carried: readonly FrontierEntry[];
}

/** Throws `RunnerError` `frontier`, with the typed error as its cause. */
export function computeNextFrontier({ plan, step, view, done, arrivals, carried }: FrontierInput): FrontierOutcome {
  const draft = new FrontierDraft(plan, arrivals);
  for (const entry of carried) draft.carry(entry);
  // Of several entries.
  const left = done.length > 1 ? new Set<number>() : undefined;
  for (const { node, result } of done) {
    if (result?.failure !== undefined) {
      draft.addHandler(node, result.failure);
      continue;
    }
    // Once per node, also when it ran for several items.
    if (result?.command?.kind !== "goto" && left?.has(node.index) !== true) {
      left?.add(node.index);
      draft.follow(node.exits.edges, node.name);
      takeBranches(draft, node.name, node.exits.branches, view, step);
    }
    for (const target of result?.command?.targets ?? []) draft.add(commandTarget(plan, node, target, step));
  }
  return draft.outcome();
}

/** Who is due first: the exits of START, on the state that the input made. Throws as above. */
export function computeEntryFrontier(plan: Plan, view: () => Values, arrivals: FrontierInput["arrivals"], step: number): FrontierOutcome {
  const draft = new FrontierDraft(plan, arrivals);
  draft.follow(plan.entry.edges, "start");
  takeBranches(draft, "start", plan.entry.branches, view, step);
  return draft.outcome();
}
