/** The next input of a session: another entry under the same lineage. */
import { nothingDue } from "../engine/execution.ts";
import { RunnerError } from "../errors/errors.ts";
import { isInputNode, type Plan } from "../graph/plan.ts";
import { beginInvocation } from "./begin.ts";
import type { CallOptions, Core, Ticket } from "./core.ts";
import { writeInput } from "./input.ts";
import type { InvocationResult } from "./invocation.ts";
import { openSession } from "./open-session.ts";
import { asking } from "./reading.ts";
import { restore } from "./restore.ts";
import { flag, nodeNames, refuseOption } from "./settings.ts";
import { type Entries, enter, startSession } from "./start.ts";

export interface NextCall extends CallOptions {
  readonly entry?: unknown;
  readonly discardPending?: unknown;
}

/** The nodes that the input enters at. Throws `invalid_option`. */
function entriesOf(plan: Plan, entry: unknown): Entries {
  if (entry === undefined) return undefined;
  const names = nodeNames(plan, "entry", Array.isArray(entry) ? entry : [entry]);
  if (names.size === 0) return refuseOption("entry", "names no node");
  for (const name of names) {
    if (isInputNode(plan, name)) refuseOption("entry", `names "${name}", which only a send can reach`);
  }
  return Array.from(names, (node) => Object.freeze({ node, ordinal: 0, sent: false, item: undefined, failure: undefined }));
}

/** Runs the next input to its end; the first one if there is no such session. */
export async function nextInput(core: Core, ticket: Ticket, input: unknown, options: NextCall): Promise<InvocationResult> {
  const { sessionId } = ticket;
  const { plan, store } = core.ports;
  const entries = entriesOf(plan, options.entry);
  const discardPending = flag("discardPending", options.discardPending, false);
  const stored = await asking(store, (from) => from.load(sessionId));
  if (stored === undefined) return startSession(core, ticket, { input, idGiven: true, entries });
  const loaded = await openSession(core, sessionId);
  const { record, ownerEpoch } = loaded.stored;
  if (record.status !== "completed" && !discardPending) {
    throw new RunnerError("session_pending", { sessionId, status: record.status });
  }
  const { state, changes } = restore(core, loaded.stored);
  const written = writeInput(plan, state.image, input ?? {}, state.step);
  const running = { status: "running", resting: "running" } as const;
  const beginning = { kind: "next", epoch: ownerEpoch + 1, state, due: nothingDue, ...running, loaded, changes } as const;
  await core.release(sessionId, "taken over");
  const invocation = beginInvocation(core, ticket, beginning);
  return invocation.run(() => enter(invocation.execution, written, entries, ownerEpoch));
}
