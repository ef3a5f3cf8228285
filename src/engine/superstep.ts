/** `runOneSuperstep`: schedule, then barrier, then frontier, each under its span. It saves nothing and changes nothing: that is `runStep`'s. */
import type { EntryResult, FrontierEntry } from "../checkpoint/checkpointer.ts";
import { RunnerError } from "../errors/errors.ts";
import type { Awaitable } from "../support/types.ts";
import type { ScheduleTrace, SuperstepTrace } from "../telemetry/instrumentation.ts";
import { applyBarrierAndUpdate } from "./barrier.ts";
import type { Execution } from "./execution.ts";
import { computeNextFrontier, type DoneEntry } from "./frontier.ts";
import type { BarrierOutcome, EntryOutcome, FrontierOutcome, SchedulerOutcome } from "./outcome.ts";
import { type DueEntries, nodeOf, scheduleStep } from "./schedule.ts";
import { phaseFailure } from "./span-failure.ts";
import { viewOf, versionsOf } from "./state.ts";
import { stopOf, type StepStop } from "./step-stop.ts";

export type SuperstepOutcome =
  | { readonly kind: "done"; readonly scheduler: SchedulerOutcome; readonly barrier: BarrierOutcome; readonly frontier: FrontierOutcome }
  /** The state stays as it was; what finished is kept. */
  | { readonly kind: "stopped"; readonly scheduler: SchedulerOutcome; readonly stop: StepStop };

/** At once, if all nodes return at once. Rejects when results of entries could not be stored. */
export function runOneSuperstep(execution: Execution, due: DueEntries, trace: SuperstepTrace | undefined): Awaitable<SuperstepOutcome> {
  const schedule = trace?.schedule(execution.state.step + 1, due.active.length);
  const scheduled = scheduleStep(execution, due.active, schedule);
  if (!(scheduled instanceof Promise)) return conclude(execution, due, scheduled, { trace, schedule });
  return scheduled.then(
    (scheduler) => conclude(execution, due, scheduler, { trace, schedule }),
    (error: unknown) => {
      // No node failed.
      endFailed(schedule, execution, due.active, error, undefined);
      throw error;
    },
  );
}

interface Traces {
  readonly trace: SuperstepTrace | undefined;
  readonly schedule: ScheduleTrace | undefined;
}

function conclude(execution: Execution, due: DueEntries, scheduler: SchedulerOutcome, { trace, schedule }: Traces): SuperstepOutcome {
  const stop = stopOf(execution, scheduler);
  if (stop !== undefined && "error" in stop)
    endFailed(schedule, execution, due.active, stop.error, scheduler.outcomes.find(isFailure)?.entry.node);
  else schedule?.end();
  if (stop !== undefined) return { kind: "stopped", scheduler, stop };
  try {
    const barrier = barrierPhase(execution, scheduler, trace);
    const frontier = frontierPhase(execution, scheduler, barrier, due.deferred, trace);
    return { kind: "done", scheduler, barrier, frontier };
  } catch (error) {
    return { kind: "stopped", scheduler, stop: { kind: "failed", error } };
  }
}

function endFailed(
  trace: ScheduleTrace | undefined,
  { plan, state }: Execution,
  active: readonly FrontierEntry[],
  error: unknown,
  node: string | undefined,
): void {
  const frontierNodes = active.map((entry) => entry.node);
  trace?.end({ ...phaseFailure(error, "checkpoint_failed"), node, frontierNodes, versions: versionsOf(plan, state.image.versions) });
}

const isFailure = ({ status }: EntryOutcome): boolean => status === "failed" || status === "timed_out" || status === "refused";

function barrierPhase(
  { plan, state }: Execution,
  { outcomes, ranNodes }: SchedulerOutcome,
  parent: SuperstepTrace | undefined,
): BarrierOutcome {
  const step = state.step + 1;
  const trace = parent?.barrier(step);
  const results: EntryResult[] = [];
  let errorsInPartials = 0;
  for (const outcome of outcomes) {
    if (outcome.status !== "completed" && outcome.status !== "routed") continue;
    results.push(outcome.result);
    errorsInPartials += outcome.result.errors.length;
  }
  try {
    const outcome = applyBarrierAndUpdate(plan, state.image, results, step);
    trace?.end({ ranNodes: ranNodes.length, errorsInPartials, updatedChannels: outcome.updatedChannels });
    return outcome;
  } catch (error) {
    trace?.end({ ranNodes: ranNodes.length, errorsInPartials, updatedChannels: [], failure: phaseFailure(error) });
    throw error;
  }
}

function frontierPhase(
  execution: Execution,
  { outcomes }: SchedulerOutcome,
  barrier: BarrierOutcome,
  carried: readonly FrontierEntry[],
  parent: SuperstepTrace | undefined,
): FrontierOutcome {
  const { plan, state, events } = execution;
  const step = state.step + 1;
  const trace = parent?.frontier(step);
  const done = outcomes.map((outcome): DoneEntry => ({
    node: nodeOf(execution, outcome.entry),
    result: "result" in outcome ? outcome.result : undefined,
  }));
  let evaluated = 0;
  // Each branch asks for the state once.
  const view = () => {
    evaluated += 1;
    return viewOf(plan, barrier.image);
  };
  let outcome: FrontierOutcome;
  try {
    outcome = computeNextFrontier({ plan, step, view, done, arrivals: state.arrivals, carried });
  } catch (error) {
    trace?.end({ commands: barrier.commands, conditionalEdges: evaluated, nextFrontier: 0, failure: phaseFailure(error) });
    // The user's own branch is named by the error; anything else is a fault of ours and stays as it is.
    throw error instanceof RunnerError ? error : new RunnerError("frontier", { step, node: "", reason: String(error) }, { cause: error });
  }
  for (const { from, labels, targets } of outcome.branches) {
    events.emit("branch.taken", { labels, targets }, { step, node: from, span: trace });
  }
  for (const starved of outcome.starved) {
    trace?.event("join.starved", { ...starved });
    events.emit("join.starved", starved, { step, span: trace });
  }
  trace?.end({ commands: barrier.commands, conditionalEdges: outcome.conditionalEdges, nextFrontier: outcome.next.length });
  return outcome;
}
