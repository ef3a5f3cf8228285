/** Writes to a session from outside: values alone, or as if a node had written them, so that its exits follow. */
import { maybeCheckpoint, type Save } from "../engine/checkpoint.ts";
import { isSessionComplete } from "../engine/complete.ts";
import { type DueStep, entryKey, type Execution, nothingDue, openInterrupts, type SessionState } from "../engine/execution.ts";
import { computeNextFrontier } from "../engine/frontier.ts";
import { viewOf } from "../engine/state.ts";
import type { PlannedNode } from "../graph/plan.ts";
import type { SessionStatus } from "../events/event.ts";
import { makeExecution, outsideRuns } from "./begin.ts";
import { settle } from "./by-hand.ts";
import type { Core, Ticket } from "./core.ts";
import { type Written, writeInput } from "./input.ts";
import { openSession } from "./open-session.ts";
import { restore } from "./restore.ts";
import { refuseOption } from "./settings.ts";
import { show } from "../support/show.ts";
import { hint } from "../support/suggest.ts";

function nodeOf(core: Core, asNode: unknown): PlannedNode | undefined {
  if (asNode === undefined) return undefined;
  const { plan } = core.ports;
  const index = typeof asNode === "string" ? plan.nodeIndex.get(asNode) : undefined;
  const node = index === undefined ? undefined : plan.nodes[index];
  return node ?? refuseOption("asNode", `names ${show(asNode)}, but there is no such node.${hint(show(asNode), plan.nodeIndex.keys())}`);
}

interface Updated {
  readonly state: SessionState;
  readonly due: DueStep;
}

/** The node's due entries are done, its exits are followed on the state after the write, and all else stays due. */
function leaveAs({ plan }: Execution, node: PlannedNode, state: SessionState, due: DueStep): Updated {
  const others = state.frontier.filter((entry) => entry.node !== node.name);
  const kept = state.frontier.length - others.length;
  const view = () => viewOf(plan, state.image);
  const done = [{ node, result: undefined }];
  const { next, arrivals } = computeNextFrontier({ plan, step: state.step, view, done, arrivals: state.arrivals, carried: others });
  const keys = new Set(others.map(entryKey));
  // Ordinals count per node: those of the others stay as they were.
  const results = kept === 0 ? due.results : new Map(Array.from(due.results).filter(([key]) => keys.has(key)));
  const once = new Map(Array.from(due.once).filter(([key]) => keys.has(key)));
  const interrupts = due.interrupts.filter((interrupt) => interrupt.node !== node.name);
  const gone = new Set(due.interrupts.filter((interrupt) => interrupt.node === node.name).map(({ id }) => id));
  const answers = new Map(Array.from(due.answers).filter(([id]) => !gone.has(id)));
  // Led to once more, it is due anew.
  const nodes = due.pausePassed?.nodes.filter((name) => name !== node.name) ?? [];
  const pausePassed = due.pausePassed === undefined ? undefined : { ...due.pausePassed, nodes };
  const updated = { ...state, frontier: next, arrivals };
  return { state: updated, due: isSessionComplete(updated) ? nothingDue : { results, once, answers, interrupts, pausePassed } };
}

function statusAfter({ state, due }: Updated, before: SessionStatus): SessionStatus {
  if (isSessionComplete(state)) return "completed";
  if (before === "paused") return openInterrupts(due).length > 0 ? "paused" : "idle";
  return before === "completed" || before === "running" ? "idle" : before;
}

/** Throws `RunnerError` `frontier` when a branch of the node does. */
function recordOf(execution: Execution, { image, changes, size, updatedChannels }: Written, node: PlannedNode | undefined): Save {
  const { status, due } = execution;
  const state = { ...execution.state, image };
  const updated = node === undefined ? { state, due } : leaveAs(execution, node, state, due);
  const written = { changes, size, updatedChannels, ranNodes: [], skippedNodes: [] };
  return { kind: "record", ...updated, ...written, status: statusAfter(updated, status) };
}

/** An execution of a session between two steps, that nothing but a write is done with: no invocation, no span, no events. */
async function quietExecution(core: Core, ticket: Ticket): Promise<Execution> {
  const loaded = await openSession(core, ticket.sessionId);
  const { stored } = loaded;
  const { status } = stored.record;
  const resting = status === "running" ? "running" : "idle";
  const { state, due, changes } = restore(core, stored);
  const beginning = { kind: "resume", epoch: stored.ownerEpoch, state, due, status, resting, loaded, changes } as const;
  const execution = makeExecution(core, ticket, beginning, undefined);
  return { ...outsideRuns(execution), events: execution.events.silenced() };
}

/** Writes to the newest checkpoint, by another record after it. */
export async function updateSession(core: Core, ticket: Ticket, values: unknown, asNode: unknown): Promise<void> {
  const node = nodeOf(core, asNode);
  const held = core.held.get(ticket.sessionId);
  const execution = held?.execution ?? (await quietExecution(core, ticket));
  const written = writeInput(core.ports.plan, execution.state.image, values ?? {}, execution.state.step);
  const record = recordOf(execution, written, node);
  const save = async (): Promise<void> => maybeCheckpoint(execution, execution.trace, record);
  if (held === undefined) return save();
  // What the store refuses ends it, as in a step: the session may have another owner.
  try {
    await held.prepare(save);
  } finally {
    settle(core, held);
  }
}
