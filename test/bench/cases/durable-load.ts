/** What it takes to read a session of 10 000 supersteps: one whose list grows, and one of a large state with as many small changes. */
import { channel, createRunner, END, graph, START } from "../../../src/index.ts";
import { now } from "../harness/clock.ts";
import type { Subjects } from "../harness/row.ts";
import { openRaw } from "../harness/scratch.ts";
import { openStore, type OpenStore } from "../harness/store.ts";
import { itemOf, openLog } from "./log.ts";

const steps = 10_000;
const sessionId = "session";

/** A large state that stays, and a number that each superstep sets: nothing is written that would make a new snapshot worth its bytes. */
async function writeLargeSession({ checkpointer }: OpenStore): Promise<void> {
  const text = "a paragraph of a document that the session holds from its beginning to its end";
  const document = Array.from({ length: steps }, (_, index) => ({ index, text }));
  const compiled = graph({ name: "large", channels: { document: channel.value(document), turn: channel.value(0) } })
    .node("turn", ({ turn }) => ({ turn: turn + 1 }))
    .edge(START, "turn")
    .branch("turn", { again: "turn", done: END }, ({ turn }) => (turn < steps ? "again" : "done"))
    .compile();
  const runner = createRunner(compiled, { maxSteps: steps + 1, checkpointer });
  await runner.invoke({}, { sessionId });
  await runner.close();
}

async function writeGrowingSession({ checkpointer }: OpenStore): Promise<void> {
  const log = openLog(checkpointer);
  await log.run(sessionId, steps, (turn) => [itemOf(turn)]);
  await log.close();
}

/* The rows from the newest snapshot on: what is read, whoever reads it. */
const fromSnapshot = `SELECT state FROM checkpoints WHERE id >= (SELECT max(id) FROM checkpoints WHERE snapshot = 1) ORDER BY id`;

/** The floor reads the same rows and parses the JSON in them. Milliseconds. */
async function openLoad(write: (store: OpenStore) => Promise<void>): Promise<Subjects> {
  const store = openStore();
  await write(store);
  const database = openRaw(store.scratch.path("sessions.db"));
  const statement = database.prepare(fromSnapshot);
  // Faster than rows by name, and than one at a time.
  statement.setReturnArrays(true);
  return {
    measured: async () => {
      const start = now();
      const found = await store.checkpointer.load(sessionId);
      const milliseconds = now() - start;
      if (found?.record.step !== steps) throw new Error(`step ${found?.record.step} of ${steps} was loaded`);
      return milliseconds;
    },
    floor: async () => {
      const start = now();
      // The one column is a list in JSON behind a header.
      for (const [state] of statement.all() as unknown as readonly (readonly [string])[]) JSON.parse(state.slice(state.indexOf("[")));
      return now() - start;
    },
    close: async () => {
      database.close();
      await store.close();
    },
  };
}

export const openGrowingLoad = (): Promise<Subjects> => openLoad(writeGrowingSession);

export const openLargeLoad = (): Promise<Subjects> => openLoad(writeLargeSession);
