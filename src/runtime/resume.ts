/** Goes on with a session: after a pause with its answers, after a failure, a cancellation or a crash. */
import { maybeCheckpoint } from "../engine/checkpoint.ts";
import { isSessionComplete } from "../engine/complete.ts";
import { type DueStep, type Execution, openInterrupts, questionsOf, type SessionState } from "../engine/execution.ts";
import { RunnerError, SpanloomError } from "../errors/errors.ts";
import type { Interrupt } from "../events/event.ts";
import { adopt } from "../support/value.ts";
import { beginInvocation, type Loaded } from "./begin.ts";
import type { CallOptions, Core, Ticket } from "./core.ts";
import type { Invocation, InvocationResult } from "./invocation.ts";
import { openSession } from "./open-session.ts";
import { restore, storedDue } from "./restore.ts";
import { nodeNames, refuseOption } from "./settings.ts";

export interface ResumeCall extends CallOptions {
  readonly answer?: unknown;
  readonly answers?: unknown;
  readonly rerun?: unknown;
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
  const named = open.filter(({ id, node, step }) => id.slice(questionsOf(step, node ?? "").length).replace(/^\d+\//, "") === given);
  return named.length === 1 ? named[0]?.id : undefined;
}

function keptResults({ ports }: Core, due: DueStep, rerun: unknown): DueStep["results"] {
  if (rerun === undefined) return due.results;
  if (rerun === "all") return new Map();
  const nodes = nodeNames(ports.plan, "rerun", rerun);
  return new Map(Array.from(due.results).filter(([, { node }]) => !nodes.has(node)));
}

/** What the step that is due goes on with: pauses are passed. */
function continuedDue(core: Core, { step }: SessionState, due: DueStep, rerun: unknown): DueStep {
  const passed = due.interrupts.flatMap(({ kind, node }) => (kind === "before" && node !== undefined ? [node] : []));
  const before = due.pausePassed?.step === step + 1 ? due.pausePassed.nodes : [];
  return {
    ...due,
    results: keptResults(core, due, rerun),
    interrupts: due.interrupts.filter(({ kind }) => kind === "interrupt"),
    pausePassed: passed.length === 0 ? due.pausePassed : { step: step + 1, nodes: [...before, ...passed] },
  };
}

interface TakeOver {
  readonly answered: readonly string[];
  readonly completed: boolean;
  /** The newest record is of the graph before: another takes its place. */
  readonly migrated: boolean;
}

/** This invocation becomes the owner; with the answers it was given, all in one write. */
async function takeOver(execution: Execution, { stored }: Loaded, { answered, completed, migrated }: TakeOver): Promise<void> {
  const { events, trace, state, due, resting } = execution;
  const status = completed ? "completed" : resting;
  const save = { status, due, takeOverFrom: stored.ownerEpoch } as const;
  await maybeCheckpoint(execution, trace, migrated ? { ...nothingRan, ...save, state } : { kind: "status", ...save });
  for (const id of answered) {
    const node = due.interrupts.find((asked) => asked.id === id)?.node;
    events.emit("interrupt.resolved", { id }, { step: state.step + 1, span: trace, ...(node === undefined ? {} : { node }) });
  }
}

const nothingRan = { kind: "record", changes: [], size: 0, ranNodes: [], skippedNodes: [], updatedChannels: [] } as const;

/** Opens an invocation that goes on with a stored session. Rejects, before anything is told, when it cannot be. */
export async function openStored(
  core: Core,
  ticket: Ticket,
  loaded: Loaded,
  options: ResumeCall,
  resting: Execution["resting"],
): Promise<{ readonly invocation: Invocation; readonly prepare: () => Promise<void> }> {
  const { stored } = loaded;
  const known = storedDue(stored);
  // By the names that whoever answers was told: a migration comes after.
  const added = newAnswers(known, options);
  const restored = restore(core, stored, { ...known, answers: new Map([...known.answers, ...added]) });
  const { state, changes, migrated } = restored;
  const due = continuedDue(core, state, restored.due, options.rerun);
  const answered = Array.from(added.keys(), restored.idOf);
  // Nothing may be left due of a session whose graph has changed.
  const completed = stored.record.status === "completed" || isSessionComplete(state);
  const epoch = stored.ownerEpoch + 1;
  const status = completed ? "completed" : resting;
  // Nothing refuses it any more.
  await core.release(ticket.sessionId, "taken over");
  const invocation = beginInvocation(core, ticket, { kind: "resume", epoch, state, due, status, resting, loaded, changes });
  return { invocation, prepare: () => takeOver(invocation.execution, loaded, { answered, completed, migrated }) };
}

/** Resumes a session and runs it to its end; a completed one gives its result again. */
export async function resumeSession(core: Core, ticket: Ticket, options: ResumeCall): Promise<InvocationResult> {
  const loaded = await openSession(core, ticket.sessionId);
  const { invocation, prepare } = await openStored(core, ticket, loaded, options, "running");
  return invocation.run(prepare);
}
