/** `runUntilComplete`: supersteps until the session is complete, pauses, fails, or is told to stop. */
import { RunnerError } from "../errors/errors.ts";
import { maybeCheckpoint } from "./checkpoint.ts";
import { finalizeStateSnapshot, isSessionComplete, type StateSnapshot } from "./complete.ts";
import type { Execution } from "./execution.ts";
import { turnIfDue } from "../support/turn.ts";
import { runStep } from "./step.ts";

/** Runs on. Throws `RunnerError` when a step fails, or when `maxSteps` supersteps did not suffice. */
export async function runUntilComplete(execution: Execution): Promise<StateSnapshot> {
  while (!isSessionComplete(execution.state)) {
    const waiting = boundary(execution);
    if (waiting !== undefined) await waiting;
    if (execution.status !== "running") break;
    await runStep(execution);
    if (execution.status !== "running") break;
  }
  return finalizeStateSnapshot(execution);
}

/**
 * Between two supersteps, `undefined` when there is nothing to wait for: sinks that block and an event loop that is held up are waited for, a
 * cancellation is obeyed (the status is then "cancelled"), and the number of steps is limited (throws `RunnerError` `max_steps`).
 */
export function boundary(execution: Execution): Promise<void> | undefined {
  const room = execution.sinks.boundary() ?? turnIfDue();
  const free = room === undefined && !execution.cancellation.atBoundary && execution.steps < execution.settings.maxSteps;
  return free ? undefined : heedBoundary(execution, room);
}

async function heedBoundary(execution: Execution, room: Promise<void> | undefined): Promise<void> {
  if (room !== undefined) await room;
  if (execution.cancellation.atBoundary) {
    await maybeCheckpoint(execution, execution.trace, { kind: "status", status: "cancelled", due: execution.due });
    return;
  }
  await checkMaxSteps(execution);
}

/** A step over the limit is refused, and the session can be resumed. */
async function checkMaxSteps(execution: Execution): Promise<void> {
  const { settings, steps, state, sessionId } = execution;
  if (steps < settings.maxSteps) return;
  const error = new RunnerError("max_steps", { maxSteps: settings.maxSteps, step: state.step, sessionId });
  await maybeCheckpoint(execution, execution.trace, { kind: "status", status: "failed", due: execution.due, failure: error });
  throw error;
}
