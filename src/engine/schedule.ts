/** Phase 1, `scheduleStep`: runs the entries that are due, at once as far as the limits let them, and says what became of each. */
import type { FrontierEntry } from "../checkpoint/checkpointer.ts";
import type { Interrupt } from "../events/event.ts";
import type { PlannedNode } from "../graph/plan.ts";
import type { Awaitable } from "../support/types.ts";
import type { ScheduleTrace } from "../telemetry/instrumentation.ts";
import { type EntryRun, runEntry } from "./entry.ts";
import { entryKey, type Execution, openInterrupts, questionsOf } from "./execution.ts";
import type { EntryOutcome, SchedulerOutcome } from "./outcome.ts";
import { type PoolTask, runPool } from "./pool.ts";
import { StepScope } from "./step-scope.ts";

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
function settledBefore({ scope, entry, node }: EntryRun): EntryOutcome | undefined {
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
  const prefix = `${questionsOf(step, entry.node)}${entry.ordinal}/`;
  return openInterrupts(execution.due).filter(({ id, kind, node }) => kind === "interrupt" && node === entry.node && id.startsWith(prefix));
}

const noInterrupts: readonly Interrupt[] = Object.freeze([]);

/** Under `onFailure: "abort"`, the first final failure stops the others. */
function watchFailure(scope: StepScope, outcome: EntryOutcome): void {
  const failed = outcome.status === "failed" || outcome.status === "timed_out";
  if (failed && scope.execution.settings.onFailure === "abort") scope.stopFor(outcome.error);
}

/** Runs the due entries; at once, if all of them end at once. Rejects only when their results cannot be stored. */
export function scheduleStep(
  execution: Execution,
  active: readonly FrontierEntry[],
  trace: ScheduleTrace | undefined,
): Awaitable<SchedulerOutcome> {
  const scope = new StepScope(execution, active.length);
  const dueSince = execution.clock.monotonic();
  const runs = active.map((entry): EntryRun => ({ scope, entry, node: nodeOf(execution, entry), trace, dueSince }));
  const [only] = runs;
  return only !== undefined && runs.length === 1 ? runOnly(only) : runAll(scope, runs);
}

const neverStarted = ({ entry }: EntryRun): EntryOutcome => ({ status: "cancelled", entry });

function runOnly(run: EntryRun): Awaitable<SchedulerOutcome> {
  const { scope } = run;
  // A cancellation may have come since the boundary: what is started now would not hear of it.
  const outcome = settledBefore(run) ?? (scope.isStopping ? neverStarted(run) : runEntry(run));
  return outcome instanceof Promise ? outcome.then((last) => outcomeOf([last], scope)) : outcomeOf([outcome], scope);
}

async function runAll(scope: StepScope, runs: readonly EntryRun[]): Promise<SchedulerOutcome> {
  // Until it has ended, it is one that was never started.
  const outcomes = runs.map((run) => settledBefore(run) ?? neverStarted(run));
  const ended = (index: number, outcome: EntryOutcome): void => {
    outcomes[index] = outcome;
    watchFailure(scope, outcome);
  };
  const tasks: PoolTask[] = [];
  runs.forEach((run, index) => {
    if (outcomes[index]?.status !== "cancelled") return;
    const start = (): Promise<void> | undefined => {
      const outcome = runEntry(run);
      if (outcome instanceof Promise) return outcome.then((last) => ended(index, last));
      ended(index, outcome);
      return undefined;
    };
    tasks.push({ group: run.node.name, limit: run.node.concurrency, run: start });
  });
  await runPool(tasks, scope.execution.settings.concurrency, () => scope.isStopping);
  return outcomeOf(outcomes, scope);
}

function outcomeOf(outcomes: readonly EntryOutcome[], { results }: StepScope): Awaitable<SchedulerOutcome> {
  const ranNodes: string[] = [];
  const skippedNodes: string[] = [];
  for (const { status, entry } of outcomes) {
    if (status === "completed" || status === "routed") ranNodes.push(entry.node);
    else if (status === "skipped") skippedNodes.push(entry.node);
  }
  const outcome = { outcomes, ranNodes, skippedNodes, kept: () => results.kept() };
  if (results.isBusy) return results.settled().then(() => outcome);
  results.end();
  return outcome;
}
