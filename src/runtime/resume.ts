/** Goes on with a session: after a pause with its answers, after a failure, a cancellation or a crash. */
import type { StoredCheckpoint } from "../checkpoint/checkpointer.ts";
import { maybeCheckpoint } from "../engine/checkpoint.ts";
import { isSessionComplete } from "../engine/complete.ts";
import { type DueStep, entryKey, type Execution, openInterrupts, type SessionState } from "../engine/execution.ts";
import { RunnerError, SpanloomError } from "../errors/errors.ts";
import type { Interrupt } from "../events/event.ts";
import { adopt } from "../support/value.ts";
import { beginInvocation, type Loaded } from "./begin.ts";
import type { CallOptions, Core, Ticket } from "./core.ts";
import { continueWith } from "./graph-change.ts";
import { alignedVersions, restoredImage } from "./input.ts";
import type { Invocation, InvocationResult } from "./invocation.ts";
import { openSession } from "./open-session.ts";
import { nodeNames, refuseOption } from "./settings.ts";

export interface ResumeCall extends CallOptions {
  readonly answer?: unknown;
  readonly answers?: unknown;
  readonly rerun?: unknown;
}

/** The session as it was stored, for this graph. Throws `graph_changed`, or `StateError` `invalid_state`. */
export function restoredState({ ports }: Core, stored: StoredCheckpoint): SessionState {
  const { plan, settings } = ports;
  const { record } = stored;
  const { state, next } = continueWith(plan, stored, settings.onGraphChange);
  const image = restoredImage(plan, state, record.channels, record.versions);
  const seen = new Map(Array.from(record.seen, ([node, versions]) => [node, alignedVersions(plan, record.channels, versions)]));
  return { step: record.step, image, frontier: next, arrivals: record.arrivals, seen };
}

export function restoredDue({ record }: StoredCheckpoint): DueStep {
  const { interrupts, answers, once, pausePassed } = record;
  return { results: new Map(record.results.map((result) => [entryKey(result), result])), once, answers, interrupts, pausePassed };
}

/** Throws `RunnerError` `invalid_input`, with the value's error as its cause. */
function copiedAnswer(answer: unknown, path: string): unknown {
  try {
    return adopt(answer, path).value;
  } catch (cause) {
    throw SpanloomError.is(cause) ? new RunnerError("invalid_input", { reason: cause.message }, { cause }) : cause;
  }
}

/** The new answers by interrupt id, copied. Throws `interrupt_not_found`, `invalid_option` or `invalid_input`. */
function newAnswers(due: DueStep, options: ResumeCall): ReadonlyMap<string, unknown> {
  const open = openInterrupts(due).filter(({ kind }) => kind === "interrupt");
  const ids = open.map(({ id }) => id);
  const given = new Map<string, unknown>();
  // `answer: undefined` is an answer: what counts is that it was given.
  if ("answer" in options) {
    const [only] = ids;
    if (only === undefined || ids.length > 1) throw new RunnerError("interrupt_not_found", { ids: [], open: ids });
    given.set(only, copiedAnswer(options.answer, "answer"));
  }
  const { answers = {} } = options;
  if (typeof answers !== "object" || answers === null) return refuseOption("answers", "must be an object of answers by interrupt id");
  const unknown = Object.keys(answers).filter((id) => openIdOf(open, id) === undefined);
  if (unknown.length > 0) throw new RunnerError("interrupt_not_found", { ids: unknown, open: ids });
  for (const [id, answer] of Object.entries(answers)) {
    given.set(openIdOf(open, id) ?? id, copiedAnswer(answer, `answers[${JSON.stringify(id)}]`));
  }
  return given;
}

/** An interrupt by its id, or by the one that the node gave it if only one is open under that. */
function openIdOf(open: readonly Interrupt[], given: string): string | undefined {
  if (open.some(({ id }) => id === given)) return given;
  const named = open.filter(({ id, node, step }) => id.slice(`${step}/${node}/`.length).replace(/^\d+\//, "") === given);
  return named.length === 1 ? named[0]?.id : undefined;
}

function keptResults({ ports }: Core, due: DueStep, rerun: unknown): DueStep["results"] {
  if (rerun === undefined) return due.results;
  if (rerun === "all") return new Map();
  const nodes = nodeNames(ports.plan, "rerun", rerun);
  return new Map(Array.from(due.results).filter(([, { node }]) => !nodes.has(node)));
}

/** What the step that is due goes on with: pauses are passed, answers are at hand. */
function continuedDue(
  core: Core,
  state: SessionState,
  stored: DueStep,
  options: ResumeCall,
): { readonly due: DueStep; readonly answered: readonly string[] } {
  const added = newAnswers(stored, options);
  const passed = stored.interrupts.some(({ kind }) => kind === "before");
  const due: DueStep = {
    results: keptResults(core, stored, options.rerun),
    once: stored.once,
    answers: new Map([...stored.answers, ...added]),
    interrupts: stored.interrupts.filter(({ kind }) => kind === "interrupt"),
    pausePassed: passed ? state.step + 1 : stored.pausePassed,
  };
  return { due, answered: [...added.keys()] };
}

/** This invocation becomes the owner; with the answers it was given, all in one write. */
async function takeOver(execution: Execution, loaded: Loaded, answered: readonly string[], completed: boolean): Promise<void> {
  const { events, trace, due, resting } = execution;
  const status = completed ? "completed" : resting;
  const { ownerEpoch } = loaded.stored;
  await maybeCheckpoint(execution, trace, { kind: "status", status, due, takeOverFrom: ownerEpoch });
  for (const id of answered) events.emit("interrupt.resolved", { id }, { step: execution.state.step + 1, span: trace });
}

/** Opens an invocation that goes on with a stored session. Rejects, before anything is told, when it cannot be. */
export async function openStored(
  core: Core,
  ticket: Ticket,
  loaded: Loaded,
  options: ResumeCall,
  resting: Execution["resting"],
): Promise<{ readonly invocation: Invocation; readonly prepare: () => Promise<void> }> {
  const { stored } = loaded;
  const state = restoredState(core, stored);
  const { due, answered } = continuedDue(core, state, restoredDue(stored), options);
  // Nothing may be left due of a session whose graph has changed.
  const completed = stored.record.status === "completed" || isSessionComplete(state);
  const epoch = stored.ownerEpoch + 1;
  const status = completed ? "completed" : resting;
  // Nothing refuses it any more.
  await core.release(ticket.sessionId, "taken over");
  const invocation = beginInvocation(core, ticket, { kind: "resume", epoch, state, due, status, resting, loaded });
  return { invocation, prepare: () => takeOver(invocation.execution, loaded, answered, completed) };
}

/** Resumes a session and runs it to its end; a completed one gives its result again. */
export async function resumeSession(core: Core, ticket: Ticket, options: ResumeCall): Promise<InvocationResult> {
  const loaded = await openSession(core, ticket.sessionId);
  const { invocation, prepare } = await openStored(core, ticket, loaded, options, "running");
  return invocation.run(prepare);
}
