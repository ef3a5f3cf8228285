/** One process that brings one session to its end, unless it is killed: `node worker.ts '{…}'`. */
import { createRunner, type Interrupt, SpanloomError } from "spanloom";
import { sqliteCheckpointer } from "spanloom/sqlite";
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
const { graph, inputs } = cases[order.name](world);
const store = sqliteCheckpointer(order.database, { busyTimeout: "60s" });
const runner = createRunner(graph, { checkpointer: watched(store, points, world), concurrency: 4 });
const session = runner.session(order.sessionId);

/** How many inputs the session has had: the first record of each says it. */
async function inputsTaken(): Promise<number> {
  let taken = 0;
  for await (const { ranNodes, parentId, step } of session.history())
    if (ranNodes.length === 0 && (parentId === undefined || step > 0)) taken += 1;
  return taken;
}

const answersTo = (open: readonly Interrupt[]): Readonly<Record<string, unknown>> =>
  Object.fromEntries(open.map(({ id, payload }) => [id, Number(payload) + 1]));

/** One invocation more; `false` when there is nothing left to do. */
async function goOn(): Promise<boolean> {
  const snapshot = await session.state().catch((error: unknown) => {
    if (SpanloomError.is(error, "session_not_found")) return undefined;
    throw error;
  });
  if (snapshot === undefined) await session.start(inputs[0] ?? {}).result;
  else if (snapshot.status !== "completed") {
    // One at a time, so that some stay open.
    const open = snapshot.interrupts.slice(0, 1);
    await session.resume(open.length === 0 ? {} : { answers: answersTo(open) }).result;
  } else {
    const taken = await inputsTaken();
    const { state } = snapshot;
    world.note({
      kind: "completed",
      inputs: taken,
      state: { ...state, errors: state.errors.map((each: { error: unknown }) => each.error) },
    });
    if (taken >= inputs.length) return false;
    await session.next(inputs[taken] ?? {}).result;
  }
  return true;
}

async function work(): Promise<void> {
  for (let going = true; going;) {
    try {
      going = await goOn();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      world.note({ kind: "failed", code: SpanloomError.is(error) ? error.code : "unknown", message: error.message });
      // What nodes throw is gone on from; anything else is for whoever reads the journal.
      if (!SpanloomError.is(error, "scheduler")) process.exit(1);
    }
  }
}

process.send?.({ ready: true } satisfies Message);
await work();
await runner.close();
await store.close();
if (process.send !== undefined) process.send({ counts: [...points.counts] } satisfies Message, () => process.disconnect());
