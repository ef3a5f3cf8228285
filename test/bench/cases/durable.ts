/** What a superstep costs that does nothing and is on the file before the next one begins: bare, and traced. */
import { openRawLog } from "../harness/scratch.ts";
import { openStore, usualRecordBytes } from "../harness/store.ts";
import { type BareRun, bareLoop } from "../harness/bare-spans.ts";
import { now } from "../harness/clock.ts";
import type { Peer } from "../harness/peer.ts";
import type { Subjects } from "../harness/row.ts";
import { openTracing } from "../harness/traced.ts";
import { type Loop, openLoop } from "./loop.ts";

const turns = 4000;
/* A step of the peer's takes a thousand microseconds. */
const peerTurns = 200;
const spansPerSuperstep = 6;

const perTurn = (milliseconds: number, count: number): number => (milliseconds * 1000) / count;

/** The floor inserts as many bytes as the record of such a superstep has, in a transaction each. Microseconds. */
export async function openDurable(peer: Peer | undefined): Promise<Subjects> {
  const store = openStore();
  const loop = openLoop({ checkpointer: store.checkpointer });
  await loop.run(turns);
  const log = openRawLog(store.scratch.path("floor.db"), store.look(usualRecordBytes));
  const theirs = peer?.openDurable(store.scratch.path("peer.db"));
  return {
    measured: async () => perTurn(await loop.run(turns), turns),
    floor: async () => {
      const start = now();
      for (let turn = 0; turn < turns; turn += 1) log.insert();
      return perTurn(now() - start, turns);
    },
    ...(theirs && { peer: async () => perTurn(await theirs.runLoop(peerTurns, now), peerTurns) }),
    close: async () => {
      await loop.close();
      log.close();
      theirs?.close();
      await store.close();
    },
  };
}

/**
 * What the file adds to a superstep of the default store. The floor is what the insert adds when the node makes it: amid other work it takes
 * longer than right after another, since that work uses the processor's caches too. Microseconds.
 */
export async function openDurableAdded(): Promise<Subjects> {
  const store = openStore();
  const durable = openLoop({ checkpointer: store.checkpointer });
  await durable.run(turns);
  const log = openRawLog(store.scratch.path("floor.db"), store.look(usualRecordBytes));
  const [bare, inserting] = [openLoop(), openLoop({ onTurn: () => log.insert() })];
  const added = async (loop: Loop): Promise<number> => perTurn((await loop.run(turns)) - (await bare.run(turns)), turns);
  return {
    measured: () => added(durable),
    floor: () => added(inserting),
    close: async () => {
      await Promise.all([durable, bare, inserting].map((loop) => loop.close()));
      log.close();
      await store.close();
    },
  };
}

/** The floor makes the six spans by hand, around an insert of as many bytes. Microseconds. */
export async function openDurableTraced(): Promise<Subjects> {
  const store = openStore();
  const tracing = openTracing();
  const loop = openLoop({ checkpointer: store.checkpointer, tracerProvider: tracing.provider });
  await loop.run(turns);
  const log = openRawLog(store.scratch.path("floor.db"), store.look(usualRecordBytes));
  const run: BareRun = { tracer: tracing.provider.getTracer("bare"), sessionId: crypto.randomUUID(), node: "turn" };
  await tracing.flush(turns * spansPerSuperstep);
  const flushed = async (milliseconds: number): Promise<number> => {
    const start = now();
    await tracing.flush(turns * spansPerSuperstep);
    return perTurn(milliseconds + now() - start, turns);
  };
  return {
    measured: async () => flushed(await loop.run(turns)),
    floor: async () => {
      const start = now();
      await bareLoop(run, turns, () => log.insert());
      return flushed(now() - start);
    },
    close: async () => {
      await loop.close();
      log.close();
      await tracing.close();
      await store.close();
    },
  };
}
