/** One process that brings one session to its end, unless it is killed: `node worker.ts '{…}'`. */
import { createRunner, type Interrupt, type Run, type Session, type SessionSnapshot, SpanloomError } from "spanloom";
import { sqliteCheckpointer } from "spanloom/sqlite";
import { forkSuffix, type LooseGraph } from "./case.ts";
import { type Fault, passings, watched, watchSqlite } from "./faults.ts";
import { type CaseName, cases } from "./graphs.ts";
import { openWorld } from "./world.ts";

export interface Order {
  readonly name: CaseName;
  readonly database: string;
  /** Of the journal. */
  readonly folder: string;
  readonly sessionId: string;
  readonly fault: Fault | undefined;
}

export type Message = { readonly ready: true } | { readonly counts: readonly (readonly [string, number])[] };

// Whoever starts it gives it an order.
const order = JSON.parse(process.argv[2] ?? "") as Order;
const points = passings(order.fault);
watchSqlite(points);
const world = openWorld(order.folder, points.pass);
const { graph, inputs, forkAt } = cases[order.name](world);
const store = sqliteCheckpointer(order.database, { busyTimeout: "60s" });
const runner = createRunner(graph, { checkpointer: watched(store, points, world), concurrency: 4 });

const answersTo = (open: readonly Interrupt[]): Readonly<Record<string, unknown>> =>
  Object.fromEntries(open.map(({ id, payload }) => [id, Number(payload) + 1]));

/** `undefined` when there is no such session. */
async function stateOf(session: Session<LooseGraph>): Promise<SessionSnapshot<LooseGraph> | undefined> {
  return session.state().catch((error: unknown) => {
    if (SpanloomError.is(error, "session_not_found")) return undefined;
    throw error;
  });
}

/** How many inputs the session has had: the first record of each is of the step before it. */
async function inputsTaken(session: Session<LooseGraph>): Promise<number> {
  let taken = 1;
  let later: number | undefined;
  for await (const { step } of session.history()) {
    if (step === later) taken += 1;
    later = step;
  }
  return taken;
}

/** One invocation. Gives after how many inputs it was told as complete, if it was. */
async function invoke(
  session: Session<LooseGraph>,
  by: "start" | "resume" | "next",
  begin: () => Run<LooseGraph>,
): Promise<number | undefined> {
  world.note({ kind: "begins", session: session.id, by });
  const { status, state } = await begin().result;
  if (status !== "completed") return undefined;
  const taken = await inputsTaken(session);
  const errors = state.errors.map((each: { readonly error: unknown }) => each.error);
  world.note({ kind: "completed", session: session.id, inputs: taken, state: { ...state, errors } });
  return taken;
}

/** An invocation or two more; `false` when there is nothing left to do. A session that is complete is resumed all the same. */
async function goOn(session: Session<LooseGraph>): Promise<boolean> {
  const snapshot = await stateOf(session);
  if (snapshot === undefined) {
    await invoke(session, "start", () => session.start(inputs[0] ?? {}));
    return true;
  }
  // One at a time, so that some stay open.
  const open = snapshot.interrupts.slice(0, 1);
  const taken = await invoke(session, "resume", () => session.resume(open.length === 0 ? {} : { answers: answersTo(open) }));
  if (taken === undefined) return true;
  if (taken >= inputs.length) return false;
  await invoke(session, "next", () => session.next(inputs[taken] ?? {}));
  return true;
}

async function toEnd(session: Session<LooseGraph>): Promise<void> {
  for (let going = true; going;) {
    try {
      going = await goOn(session);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const code = SpanloomError.is(error) ? error.code : "unknown";
      world.note({ kind: "failed", session: session.id, code, message: error.message });
      // What nodes throw is gone on from; anything else is for whoever reads the journal.
      if (code !== "scheduler") process.exit(1);
    }
  }
}

/** Goes on from a step that is done long since, in a session of its own. */
async function forked(session: Session<LooseGraph>, from: number): Promise<Session<LooseGraph>> {
  const sessionId = `${session.id}${forkSuffix}`;
  const known = runner.session(sessionId);
  if ((await stateOf(known)) !== undefined) return known;
  for await (const { step, checkpointId } of session.history()) if (step === from) return session.fork({ checkpointId, sessionId });
  throw new Error(`there is no record of step ${from}`);
}

async function work(): Promise<void> {
  const session = runner.session(order.sessionId);
  await toEnd(session);
  if (forkAt !== undefined) await toEnd(await forked(session, forkAt));
}

process.send?.({ ready: true } satisfies Message);
await work();
await runner.close();
await store.close();
if (process.send !== undefined) process.send({ counts: [...points.counts] } satisfies Message, () => process.disconnect());
