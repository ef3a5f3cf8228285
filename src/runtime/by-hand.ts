/** Sessions stepped by hand: one invocation, held between the steps, until it completes or pauses. */
import type { StepReport } from "../engine/outcome.ts";
import { RunnerError } from "../errors/errors.ts";
import type { Core, Ticket } from "./core.ts";
import type { Invocation, InvocationResult } from "./invocation.ts";
import { openSession } from "./open-session.ts";
import { openStored } from "./resume.ts";
import { type NewSession, openNew } from "./start.ts";
import { servicesOf } from "./begin.ts";

const nothing = (): Promise<void> => Promise.resolve();

/** Makes a session, with its first record, and holds it. */
export async function createByHand(core: Core, ticket: Ticket, session: NewSession): Promise<void> {
  const { invocation, prepare } = await openNew(core, ticket, session, "idle");
  await invocation.prepare(prepare);
  core.held.set(ticket.sessionId, invocation);
}

interface Opened {
  readonly invocation: Invocation;
  readonly prepare: () => Promise<void>;
}

/** The invocation that is held, or one that takes the session over. */
async function openByHand(core: Core, ticket: Ticket): Promise<Opened> {
  const held = core.held.get(ticket.sessionId);
  if (held !== undefined) return { invocation: held, prepare: nothing };
  const loaded = await openSession(core, ticket.sessionId);
  if (loaded.stored.record.status === "completed") throw new RunnerError("session_finished", { sessionId: ticket.sessionId });
  const opened = await openStored(core, ticket, loaded, {}, "idle");
  core.held.set(ticket.sessionId, opened.invocation);
  return opened;
}

/** This call's signal and services hold for its own step. */
function borrow(core: Core, ticket: Ticket, { execution }: Invocation): () => void {
  const { cancellation, services } = execution;
  execution.cancellation = ticket.cancellation;
  execution.services = servicesOf(core, ticket);
  return () => {
    execution.cancellation = cancellation;
    execution.services = services;
  };
}

/** One that is over is held no more. */
export function settle(core: Core, invocation: Invocation): void {
  if (invocation.over) core.held.delete(invocation.execution.sessionId);
}

/** One superstep. */
export async function stepByHand(core: Core, ticket: Ticket): Promise<StepReport> {
  const { invocation, prepare } = await openByHand(core, ticket);
  core.track(invocation);
  const giveBack = borrow(core, ticket, invocation);
  try {
    return await invocation.step(prepare);
  } finally {
    giveBack();
    settle(core, invocation);
  }
}

/** The rest of the supersteps. */
export async function completeByHand(core: Core, ticket: Ticket): Promise<InvocationResult> {
  const { invocation, prepare } = await openByHand(core, ticket);
  core.track(invocation);
  borrow(core, ticket, invocation);
  invocation.execution.resting = "running";
  invocation.execution.status = "running";
  try {
    return await invocation.run(prepare);
  } finally {
    settle(core, invocation);
  }
}
