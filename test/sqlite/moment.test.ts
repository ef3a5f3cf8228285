/** What the SQLite store holds from one write to the next of a turn of the event loop, and that nobody else is hindered or overlooked by it. */
import { statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { channel, type Checkpointer, createRunner, END, graph, START } from "spanloom";
import { Writer } from "../../src/testing/conformance/fixtures.ts";
import { all, counter, newFile, storeIn, withDatabase } from "./support.ts";

/** Whether a reader keeps the log from being reset. */
function isHeld(path: string): boolean {
  const row = withDatabase(path, (database) => database.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get());
  return row?.["busy"] === 1;
}

interface Held {
  readonly path: string;
  readonly store: Checkpointer;
  readonly writer: Writer;
}

/** A session that is written several times within the turn that goes on. */
async function held(): Promise<Held> {
  const path = newFile();
  const store = storeIn(path);
  const writer = new Writer({ store });
  await writer.grow(6);
  expect(isHeld(path)).toBe(true);
  return { path, store, writer };
}

const time = 2_000;
const conflict = { code: "checkpoint_conflict", facts: { sessionId: "s" } };

describe("a moment of the file that is held", () => {
  it("ends with the turn, also when timers are faked", async () => {
    const { path, writer } = await held();
    await nextTurn();
    expect(isHeld(path)).toBe(false);
    vi.useFakeTimers();
    try {
      await writer.grow(3);
      expect(isHeld(path)).toBe(true);
      await nextTurn();
      expect(isHeld(path)).toBe(false);
    } finally {
      vi.useRealTimers();
    }
  });

  it("is not begun by one write in a turn", async () => {
    const { path, writer } = await held();
    await nextTurn();
    await writer.grow(1);
    expect(isHeld(path)).toBe(false);
  });

  it("hides nothing that another connection has written", async () => {
    const { path, store, writer } = await held();
    const other = new Writer({ store: storeIn(path) }, "t");
    await other.grow(2);
    expect(isHeld(path)).toBe(true);
    expect((await store.load("t"))?.record.step).toBe(1);
    await writer.grow(3);
    await other.grow(3);
    expect((await all(store.list())).map(({ sessionId, step }) => [sessionId, step])).toEqual([
      ["s", 8],
      ["t", 4],
    ]);
    for (const { sessionId, history } of [writer, other]) {
      const states = (await all(storeIn(path).history(sessionId))).map(({ state }) => state);
      expect(states).toEqual(history.map(({ state }) => state));
    }
  });

  it("is given up for one that another connection has made, without waiting, and not begun again in that turn", async () => {
    const path = newFile();
    const writer = new Writer({ store: storeIn(path, { busyTimeout: 0 }) });
    await writer.grow(6);
    await new Writer({ store: storeIn(path) }, "t").grow(1);
    await writer.grow(6);
    expect(isHeld(path)).toBe(false);
    await nextTurn();
    await writer.grow(3);
    expect(isHeld(path)).toBe(true);
  });

  describe("lets no older owner write once another has taken the session over", () => {
    const takeOver = async ({ path, writer }: Held): Promise<void> => {
      const { checkpointId } = writer.fence;
      await storeIn(path).amend("s", { checkpointId, epoch: 1 }, { status: "running", epoch: 2, time });
    };
    const expectRefused = async ({ path, writer }: Held): Promise<void> => {
      const { checkpointId } = writer.fence;
      await expect(writer.grow(1)).rejects.toMatchObject(conflict);
      await expect(writer.grow(1)).rejects.toMatchObject(conflict);
      expect(await storeIn(path).load("s")).toMatchObject({ ownerEpoch: 2, record: { checkpointId } });
    };

    it("while the moment is held", async () => {
      const session = await held();
      await takeOver(session);
      await expectRefused(session);
    });

    it("in another turn", async () => {
      const session = await held();
      await nextTurn();
      await session.writer.grow(1);
      await nextTurn();
      await takeOver(session);
      await expectRefused(session);
    });

    it("when another session holds a moment of a later turn", async () => {
      const session = await held();
      await nextTurn();
      await takeOver(session);
      await new Writer(session, "u").grow(6);
      expect(isHeld(session.path)).toBe(true);
      await expectRefused(session);
    });
  });

  it("lets nobody write to a session that another has deleted, or written to", async () => {
    const { path, writer } = await held();
    await storeIn(path).delete("s");
    await expect(writer.grow(1)).rejects.toMatchObject(conflict);
    expect(await storeIn(path).load("s")).toBeUndefined();

    const { path: second, store, writer: ours } = await held();
    const record = ours.record({ checkpointId: "theirs" });
    await storeIn(second).save(ours.fence, record, ours.delta());
    await expect(ours.grow(1)).rejects.toMatchObject(conflict);
    expect((await store.load("s"))?.record.checkpointId).toBe("theirs");
  });

  it("waits, as ever, for another that is writing", async () => {
    const { path, writer } = await held();
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    const saving = writer.grow(2);
    for (let turn = 0; turn < 5; turn += 1) await nextTurn();
    other.exec("ROLLBACK");
    other.close();
    await saving;
    expect((await storeIn(path).load("s"))?.record.step).toBe(7);
  });

  it("is let go of when the store is closed", async () => {
    const { path, store } = await held();
    await store.close();
    expect(isHeld(path)).toBe(false);
    await nextTurn();
  });

  it("is given up when a write fails, and the session goes on once there is room", async () => {
    const { path, store, writer } = await held();
    withDatabase(path, (database) =>
      database.exec("CREATE TRIGGER full BEFORE INSERT ON checkpoints BEGIN SELECT raise(ROLLBACK, 'database or disk is full'); END"),
    );
    await expect(writer.grow(1)).rejects.toMatchObject({ code: "checkpointer_unavailable" });
    withDatabase(path, (database) => database.exec("DROP TRIGGER full"));
    await writer.grow(3);
    expect((await store.load("s"))?.record.step).toBe(8);
  });
});

/** So many steps that wait for nothing. */
const loop = (steps: number, onTurn: (turn: number) => void = () => {}) =>
  graph({ name: "loop", channels: { n: channel.value(0) } })
    .node("turn", ({ n }) => {
      onTurn(n);
      return { n: n + 1 };
    })
    .edge(START, "turn")
    .branch("turn", { again: "turn", end: END }, ({ n }) => (n < steps ? "again" : "end"))
    .compile();

describe("a run of many steps that wait for nothing", () => {
  it("keeps the log from growing", async () => {
    const path = newFile();
    const runner = createRunner(loop(25_000), { checkpointer: storeIn(path), maxSteps: 25_000 });
    await runner.invoke({}, { sessionId: "s" });
    // Without being reset it would have a page of a kilobyte for each step, and more.
    expect(statSync(`${path}-wal`).size).toBeLessThan(24 * 2 ** 20);
  });

  it("shares the file with runs on another connection", async () => {
    const path = newFile();
    const other = createRunner(counter(20, "other"), { checkpointer: storeIn(path) });
    const others: Promise<unknown>[] = [];
    const busy = loop(200, (turn) => {
      if (turn % 10 === 0) others.push(other.invoke({}, { sessionId: `other-${turn}` }));
    });
    const { state } = await createRunner(busy, { checkpointer: storeIn(path) }).invoke({}, { sessionId: "s" });
    await Promise.all(others);
    expect(state.n).toBe(200);
    const sessions = await all(storeIn(path).list());
    expect(sessions.map(({ status }) => status)).toEqual(Array.from({ length: 21 }, () => "completed"));
  });
});
