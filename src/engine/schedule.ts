/** Phase 1, `scheduleStep`: runs the entries that are due, at once as far as the limits let them, and says what became of each. */
import type { FrontierEntry } from "../checkpoint/checkpointer.ts";
import type { Interrupt } from "../events/event.ts";
import type { PlannedNode } from "../graph/plan.ts";
import type { ScheduleTrace } from "../telemetry/instrumentation.ts";
import type { StepScope } from "./attempt.ts";
import { type EntryRun, runEntry } from "./entry.ts";
import { entryKey, type Execution, openInterrupts } from "./execution.ts";
import type { EntryOutcome, SchedulerOutcome } from "./outcome.ts";
import { type PoolTask, runPool } from "./pool.ts";
import { viewOf } from "./state.ts";
import { StepResultStore } from "./step-results.ts";

/** What one superstep runs: all that is due, but deferred nodes only when nothing else is. */
export interface DueEntries {
  readonly active: readonly FrontierEntry[];
  readonly deferred: readonly FrontierEntry[];
}

const noEntries: readonly FrontierEntry[] = Object.freeze([]);

/** The node of an entry. Its name was checked when the entry was made or restored. */
export const nodeOf = ({ plan }: Pick<Execution, "plan">, entry: FrontierEntry): PlannedNode =>
  plan.nodes[plan.nodeIndex.get(entry.node) as number] as PlannedNode;

export function dueEntries(execution: Pick<Execution, "plan" | "state">): DueEntries {
  const { frontier } = execution.state;
  let deferred: FrontierEntry[] | undefined;
  for (const entry of frontier) if (nodeOf(execution, entry).defer) (deferred ??= []).push(entry);
  if (deferred === undefined || deferred.length === frontier.length) return { active: frontier, deferred: noEntries };
  return { active: frontier.filter((entry) => !nodeOf(execution, entry).defer), deferred };
}

/** Versions decide; `errors`, the last channel, does not count. */
function isUnchanged({ plan, state }: Execution, node: PlannedNode): boolean {
  const seen = state.seen.get(node.name);
  if (seen === undefined) return false;
  const { versions } = state.image;
  for (let index = 0; index < plan.channels.length - 1; index += 1) if (seen[index] !== versions[index]) return false;
  return true;
}

/** Its result is stored already, its gate is closed, or it still waits for an answer: then it does not run. */
function settledBefore(scope: StepScope, entry: FrontierEntry, node: PlannedNode): EntryOutcome | undefined {
  const { execution, results } = scope;
  const result = results.get(entryKey(entry));
  if (result !== undefined) return { status: result.failure === undefined ? "completed" : "routed", entry, result };
  const open = openInterruptsOf(scope, entry);
  if (open.length > 0) return { status: "interrupted", entry, interrupts: open };
  if (!node.gated || entry.sent || entry.failure !== undefined || !isUnchanged(execution, node)) return undefined;
  execution.events.emit("node.skipped", {}, { step: scope.step, node: node.name });
  return { status: "skipped", entry };
}

/** It goes on once all that it asked is answered. */
function openInterruptsOf({ execution, step }: StepScope, entry: FrontierEntry): readonly Interrupt[] {
  if (execution.due.interrupts.length === 0) return noInterrupts;
  const prefix = `${step}/${entryKey(entry)}/`;
  return openInterrupts(execution.due).filter(({ id, kind, node }) => kind === "interrupt" && node === entry.node && id.startsWith(prefix));
}

const noInterrupts: readonly Interrupt[] = Object.freeze([]);

interface Stop {
  requested: boolean;
}

/** The superstep's number, the view that its nodes share, and where their results are kept. */
function openScope(execution: Execution, entries: number, stop: Stop): StepScope {
  const { plan, state, cancellation } = execution;
  return {
    execution,
    step: state.step + 1,
    view: () => viewOf(plan, state.image),
    results: new StepResultStore(execution, entries),
    isStopping: () => stop.requested || cancellation.requested,
  };
}

/** Under `onFailure: "abort"`, the first final failure stops the others. */
function watchFailure(execution: Execution, stop: Stop, outcome: EntryOutcome): void {
  if (outcome.status !== "failed" && outcome.status !== "timed_out") return;
  if (execution.settings.onFailure !== "abort" || stop.requested) return;
  stop.requested = true;
  execution.cancellation.stopRunning(outcome.error);
}

/** Runs the due entries. Rejects only when their results cannot be stored. */
export async function scheduleStep(
  execution: Execution,
  active: readonly FrontierEntry[],
  trace: ScheduleTrace | undefined,
): Promise<SchedulerOutcome> {
  const stop: Stop = { requested: false };
  const scope = openScope(execution, active.length, stop);
  const dueSince = execution.clock.monotonic();
  // What is never started counts as cancelled.
  const outcomes = active.map(
    (entry): EntryOutcome => settledBefore(scope, entry, nodeOf(execution, entry)) ?? { status: "cancelled", entry },
  );
  const perform = async (index: number, run: EntryRun): Promise<void> => {
    const outcome = await runEntry(run);
    outcomes[index] = outcome;
    watchFailure(execution, stop, outcome);
  };
  const tasks: PoolTask[] = [];
  outcomes.forEach(({ status, entry }, index) => {
    if (status !== "cancelled") return;
    const node = nodeOf(execution, entry);
    tasks.push({ group: node.name, limit: node.concurrency, run: () => perform(index, { scope, entry, node, trace, dueSince }) });
  });
  const [only] = tasks;
  // A cancellation may have come since the boundary: what is started now would not hear of it.
  if (only !== undefined && tasks.length === 1 && !scope.isStopping()) await only.run();
  else if (tasks.length > 1) await runPool(tasks, execution.settings.concurrency, scope.isStopping);
  if (scope.results.isBusy) await scope.results.settled();
  return outcomeOf(outcomes, scope);
}

function outcomeOf(outcomes: readonly EntryOutcome[], { results }: StepScope): SchedulerOutcome {
  const ranNodes: string[] = [];
  const skippedNodes: string[] = [];
  for (const { status, entry } of outcomes) {
    if (status === "completed" || status === "routed") ranNodes.push(entry.node);
    else if (status === "skipped") skippedNodes.push(entry.node);
  }
  results.end();
  return { outcomes, ranNodes, skippedNodes, kept: () => results.kept() };
}
