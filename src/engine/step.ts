/** `runStep`: one superstep with its pauses and its checkpoint, whatever becomes of it. */
import { RunnerError } from "../errors/errors.ts";
import type { Interrupt } from "../events/event.ts";
import type { Awaitable } from "../support/types.ts";
import type { SuperstepTrace } from "../telemetry/instrumentation.ts";
import { maybeCheckpoint, type Save } from "./checkpoint.ts";
import { isSessionComplete } from "./complete.ts";
import { type DueStep, type Execution, nothingDue, type SessionState, shownInterrupts } from "./execution.ts";
import type { EntryOutcome, SchedulerOutcome, StepReport } from "./outcome.ts";
import { pauseAfterStep, pauseBeforeStep } from "./pauses.ts";
import { dueEntries } from "./schedule.ts";
import { phaseFailure } from "./span-failure.ts";
import { versionsOf } from "./state.ts";
import { interruptsOf, type StepStop } from "./step-stop.ts";
import { runOneSuperstep, type SuperstepOutcome } from "./superstep.ts";

type Done = Extract<SuperstepOutcome, { kind: "done" }>;

/**
 * Runs the superstep that is due. Afterwards `execution.status` says whether to go on ("running"), or how it ended: "completed", "paused" or
 * "cancelled". Throws `RunnerError` when the step failed; the status is then "failed", and the state as it was.
 */
export async function runStep(execution: Execution): Promise<StepReport> {
  const due = dueEntries(execution);
  const before = pauseBeforeStep(execution, due.active);
  if (before.length > 0) {
    await pause(execution, { ...execution.due, interrupts: [...execution.due.interrupts, ...before] }, before);
    return reportOf(execution, undefined);
  }
  const step = execution.state.step + 1;
  const trace = execution.trace?.superstep(step);
  execution.events.emit("superstep.started", { frontier: due.active.map(({ node }) => node) }, { step, span: trace });
  const started = execution.clock.monotonic();
  let failure: unknown;
  let outcome: SuperstepOutcome | undefined;
  try {
    const running = runOneSuperstep(execution, due, trace);
    outcome = running instanceof Promise ? await running : running;
    if (outcome.kind === "done") {
      const saving = advance(execution, outcome, trace, started);
      if (saving instanceof Promise) await saving;
    } else if ("error" in outcome.stop) failure = outcome.stop.error;
  } catch (error) {
    failure = checkpointFailure(execution, error);
    execution.status = "failed";
  }
  const ran = outcome?.scheduler.ranNodes.length ?? 0;
  const skipped = outcome?.scheduler.skippedNodes.length ?? 0;
  trace?.end({ ranNodes: ran, skippedNodes: skipped, failure: failure === undefined ? undefined : phaseFailure(failure) });
  if (outcome?.kind === "stopped") await stopped(execution, outcome.scheduler, outcome.stop);
  if (failure !== undefined) throw failure;
  if (outcome?.kind !== "done") return reportOf(execution, undefined);
  if (execution.status === "paused") await pause(execution, execution.due, execution.due.interrupts);
  return reportOf(execution, outcome);
}

/** Results that cannot be stored fail the step as a checkpoint does. */
function checkpointFailure({ sessionId, state }: Execution, error: unknown): RunnerError {
  if (error instanceof RunnerError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new RunnerError("checkpoint_failed", { sessionId, step: state.step + 1, reason }, { cause: error });
}

/** Phase 4, and the state moves on. */
function advance(execution: Execution, outcome: Done, trace: SuperstepTrace | undefined, started: number): Awaitable<void> {
  const { scheduler, barrier, frontier } = outcome;
  const state = nextState(execution, outcome);
  const { ranNodes, skippedNodes } = scheduler;
  const { updatedChannels, changes, size } = barrier;
  const ran = { ranNodes, skippedNodes, updatedChannels };
  const saving = maybeCheckpoint(execution, trace, {
    kind: "record",
    state,
    ...restingAfter(execution, state, ranNodes),
    changes,
    size,
    ...ran,
  });
  const completed = (): void => {
    execution.steps += 1;
    const nextFrontier = frontier.next.map(({ node }) => node);
    execution.progressedAt = execution.clock.monotonic();
    const data = { ...ran, nextFrontier, duration: execution.progressedAt - started };
    execution.events.emit("superstep.completed", data, { step: state.step, span: trace });
  };
  return saving instanceof Promise ? saving.then(completed) : completed();
}

/** A pause that follows is in the step's own record: killed before it is told, the session is paused all the same. */
function restingAfter(execution: Execution, state: SessionState, ranNodes: readonly string[]): Pick<Save, "status" | "due"> {
  // A session that has just completed does not pause.
  if (isSessionComplete(state)) return { status: "completed", due: nothingDue };
  const interrupts = pauseAfterStep(execution, state.step, ranNodes);
  return interrupts.length === 0
    ? { status: execution.resting, due: nothingDue }
    : { status: "paused", due: { ...nothingDue, interrupts } };
}

function nextState(execution: Execution, { scheduler, barrier, frontier }: Done): SessionState {
  const { step } = execution.state;
  return {
    step: step + 1,
    image: barrier.image,
    frontier: frontier.next,
    arrivals: frontier.arrivals,
    seen: seenAfter(execution, scheduler.outcomes),
  };
}

/** The versions with which it started, for every gated node that did. */
function seenAfter({ plan, state }: Execution, outcomes: readonly EntryOutcome[]): SessionState["seen"] {
  let seen: Map<string, readonly number[]> | undefined;
  for (const outcome of outcomes) {
    const { node } = outcome.entry;
    const index = plan.nodeIndex.get(node);
    if (outcome.status === "skipped" || index === undefined || plan.nodes[index]?.gated !== true) continue;
    seen ??= new Map(state.seen);
    // A result that is kept from an earlier try was made of the state of then.
    seen.set(node, ("result" in outcome ? outcome.result.seen : undefined) ?? state.image.versions);
  }
  return seen ?? state.seen;
}

async function pause(execution: Execution, due: DueStep, announced: readonly Interrupt[]): Promise<void> {
  const { events } = execution;
  for (const interrupt of announced) events.emit("interrupt.requested", interrupt, { step: interrupt.step, node: interrupt.node });
  for (const interrupt of announced) execution.trace?.event("interrupt.requested", { ...interrupt });
  await maybeCheckpoint(execution, execution.trace, { kind: "status", status: "paused", due });
}

/** The step is the same again on resume: what finished is kept with it, and so is what was asked. */
async function stopped(execution: Execution, scheduler: SchedulerOutcome, stop: StepStop): Promise<void> {
  const due = dueAfter(execution, scheduler);
  if (stop.kind === "failed") {
    await maybeCheckpoint(execution, execution.trace, { kind: "status", status: "failed", due, failure: stop.error });
  } else {
    const status = stop.kind === "cancelled" ? "cancelled" : "paused";
    await maybeCheckpoint(execution, execution.trace, { kind: "status", status, due });
  }
}

function dueAfter({ due }: Execution, scheduler: SchedulerOutcome): DueStep {
  const { results, once } = scheduler.kept();
  const asked = new Map(due.interrupts.map((interrupt) => [interrupt.id, interrupt]));
  for (const interrupt of interruptsOf(scheduler)) asked.set(interrupt.id, interrupt);
  const answers = new Map(due.answers);
  // A refused answer is none: its question is open again.
  for (const outcome of scheduler.outcomes) if (outcome.status === "refused") answers.delete(outcome.interruptId);
  return {
    ...due,
    results: new Map(results.map((result) => [`${result.node}/${result.ordinal}`, result])),
    once,
    interrupts: [...asked.values()],
    answers,
  };
}

const none: readonly string[] = Object.freeze([]);

/** Of a superstep that was not done, the number is that of the one that is due. */
function reportOf(execution: Execution, outcome: Done | undefined): StepReport {
  const { state, plan, due, status, checkpointId, settings } = execution;
  return {
    step: outcome === undefined ? state.step + 1 : state.step,
    ranNodes: outcome?.scheduler.ranNodes ?? none,
    skippedNodes: outcome?.scheduler.skippedNodes ?? none,
    updatedChannels: outcome?.barrier.updatedChannels ?? none,
    nextFrontier: state.frontier.map(({ node }) => node),
    versions: versionsOf(plan, state.image.versions),
    completed: status === "completed",
    interrupts: shownInterrupts(due),
    checkpointId: settings.autosave ? checkpointId : undefined,
  };
}
