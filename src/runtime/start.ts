/** Begins a session: from an input to its first record, and on. */
import type { FrontierEntry } from "../checkpoint/checkpointer.ts";
import { isUnsaved, maybeCheckpoint } from "../engine/checkpoint.ts";
import { isSessionComplete } from "../engine/complete.ts";
import { type Execution, noArrivals, nothingDue, type SessionState } from "../engine/execution.ts";
import { computeEntryFrontier } from "../engine/frontier.ts";
import { viewOf } from "../engine/state.ts";
import { RunnerError } from "../errors/errors.ts";
import { START } from "../graph/names.ts";
import { beginInvocation } from "./begin.ts";
import type { Core, Ticket } from "./core.ts";
import { firstState, type Written } from "./input.ts";
import type { Invocation, InvocationResult } from "./invocation.ts";
import { checkGraph } from "./open-session.ts";
import { asking } from "./reading.ts";

const nothingSeen: SessionState["seen"] = new Map();
const none: readonly string[] = Object.freeze([]);

/** Throws `session_exists`, or `wrong_graph` when the id is taken by another graph's session. */
async function checkAbsent(core: Core, sessionId: string): Promise<void> {
  const held = core.held.get(sessionId);
  // One that is stepped by hand exists.
  if (held !== undefined && isUnsaved(held.execution)) throw new RunnerError("session_exists", { sessionId });
  const stored = await asking(core.ports.store, (from) => from.load(sessionId));
  // Whoever removed it may have been another.
  if (stored === undefined) return core.release(sessionId, "deleted");
  checkGraph(stored.record, core.ports.plan.name);
  throw new RunnerError("session_exists", { sessionId });
}

/** The nodes that an input enters at, when they are not those that START leads to. */
export type Entries = readonly FrontierEntry[] | undefined;

/** Makes the record of an input: who is due first, on the state that it made. `takeOverFrom` as in `maybeCheckpoint`. */
export async function enter(execution: Execution, written: Written, entries: Entries, takeOverFrom?: number): Promise<void> {
  const { trace, state, resting } = execution;
  const frontier = entries ?? entryFrontier(execution, written);
  const entered: SessionState = { ...state, image: written.image, frontier, arrivals: noArrivals };
  const status = isSessionComplete(entered) ? "completed" : resting;
  const { changes, size, updatedChannels } = written;
  const save = { kind: "record", state: entered, due: nothingDue, status, changes, size, updatedChannels } as const;
  const ran = { ranNodes: none, skippedNodes: none };
  await maybeCheckpoint(execution, trace, { ...save, ...ran, ...(takeOverFrom === undefined ? {} : { takeOverFrom }) });
}

function entryFrontier({ plan, state, events, trace }: Execution, { image }: Written): readonly FrontierEntry[] {
  const { step } = state;
  const { next, branches } = computeEntryFrontier(plan, () => viewOf(plan, image), noArrivals, step);
  for (const { labels, targets } of branches) events.emit("branch.taken", { labels, targets }, { step, node: START, span: trace });
  return next;
}

/** What a session begins with. */
export interface NewSession {
  readonly input: unknown;
  /** By the caller: it may be taken. */
  readonly idGiven: boolean;
  readonly entries?: Entries;
}

/** Opens the invocation of a new session. Rejects, before anything is told, for a bad input or an id that is taken. */
export async function openNew(
  core: Core,
  ticket: Ticket,
  { input, idGiven, entries }: NewSession,
  resting: Execution["resting"],
): Promise<{ readonly invocation: Invocation; readonly prepare: () => Promise<void> }> {
  const written = firstState(core.ports.plan, input);
  if (idGiven) await checkAbsent(core, ticket.sessionId);
  const state: SessionState = { step: 0, image: written.image, frontier: [], arrivals: noArrivals, seen: nothingSeen };
  const beginning = { kind: "start", epoch: 1, state, due: nothingDue, status: resting, resting, loaded: undefined, changes: [] } as const;
  const invocation = beginInvocation(core, ticket, beginning);
  return { invocation, prepare: () => enter(invocation.execution, written, entries) };
}

/** Starts a session and runs it to its end. */
export async function startSession(core: Core, ticket: Ticket, session: NewSession): Promise<InvocationResult> {
  const { invocation, prepare } = await openNew(core, ticket, session, "running");
  return invocation.run(prepare);
}
