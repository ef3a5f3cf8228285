/** Dynamic fan-out on a file: what one more entry costs, and how the results of entries that finish together are stored. */
import { channel, type Checkpointer, createRunner, END, graph, input, START } from "../../../src/index.ts";
import { now } from "../harness/clock.ts";
import type { Subjects } from "../harness/row.ts";
import { openRawLog } from "../harness/scratch.ts";
import { type OpenStore, openStore, resultBytes } from "../harness/store.ts";
import { openFanOut } from "./fan-out.ts";

const wide = 10_000;
const narrow = 8;
const narrowRounds = 250;

/** What one more entry costs, in microseconds: among 10 000, and as the floor among eight. */
export async function openDurableMarginal(): Promise<Subjects> {
  const store = openStore();
  const fanOut = openFanOut({ checkpointer: store.checkpointer });
  const timed = async (width: number, rounds: number): Promise<number> => ((await fanOut.run(width, rounds)) * 1000) / rounds;
  return {
    measured: async () => ((await timed(wide, 1)) - (await timed(1, narrowRounds))) / (wide - 1),
    floor: async () => ((await timed(narrow, narrowRounds)) - (await timed(1, narrowRounds))) / (narrow - 1),
    close: async () => {
      await fanOut.close();
      await store.close();
    },
  };
}

const together = 1000;

/** What the store was asked to do with results. */
interface Writes {
  count: number;
  milliseconds: number;
  /** Of the first, in the file: the step's end removes them. */
  bytes: number;
}

function watched(store: OpenStore, writes: Writes): Checkpointer {
  const { checkpointer } = store;
  return {
    ...checkpointer,
    async addResults(...added) {
      const start = now();
      await checkpointer.addResults(...added);
      writes.milliseconds += now() - start;
      writes.count += 1;
      if (writes.bytes === 0) writes.bytes = store.look(resultBytes);
    },
  };
}

interface Together {
  readonly writes: Writes;
  /** One superstep whose entries all finish in one turn of the event loop. */
  run(): Promise<void>;
  close(): Promise<void>;
}

function openTogether(store: OpenStore): Together {
  const writes: Writes = { count: 0, milliseconds: 0, bytes: 0 };
  let gate = Promise.withResolvers<void>();
  let inside = 0;
  const compiled = graph({
    name: "together",
    channels: { done: channel.reduce(0, (total, added: number) => total + added) },
    inputs: { work: input<{ readonly index: number }>() },
  })
    .node("plan", (_state, { goto, send }) => goto(Array.from({ length: together }, (_, index) => send("work", { index }))), {
      jumps: ["work"],
    })
    .node("work", async () => {
      inside += 1;
      if (inside === together) gate.resolve();
      await gate.promise;
      return { done: 1 };
    })
    .edge(START, "plan")
    .edge("work", END)
    .compile();
  const runner = createRunner(compiled, { checkpointer: watched(store, writes), concurrency: together });
  return {
    writes,
    async run() {
      [gate, inside] = [Promise.withResolvers<void>(), 0];
      const { state } = await runner.invoke({});
      if (state.done !== together) throw new Error(`${state.done} of ${together} entries ran`);
    },
    close: async () => void (await runner.close()),
  };
}

/** What the store takes for 1 000 results. The floor inserts as many texts of their bytes in one transaction. Milliseconds. */
export async function openResults(): Promise<Subjects> {
  const store = openStore();
  const { writes, run, close } = openTogether(store);
  await run();
  const log = openRawLog(store.scratch.path("floor.db"), Math.round(writes.bytes / together));
  return {
    measured: async () => {
      writes.milliseconds = 0;
      await run();
      return writes.milliseconds;
    },
    floor: async () => {
      const start = now();
      log.insertAll(together);
      return now() - start;
    },
    close: async () => {
      await close();
      log.close();
      await store.close();
    },
  };
}

/** In how many transactions they are. */
export async function openResultWrites(): Promise<Subjects> {
  const store = openStore();
  const { writes, run, close } = openTogether(store);
  return {
    measured: async () => {
      writes.count = 0;
      await run();
      return writes.count;
    },
    close: async () => {
      await close();
      await store.close();
    },
  };
}
