/** The SQLite store alone: its file, its options, its log, and what it does when others have the file. */
import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it, vi } from "vitest";
import { CheckpointError, createRunner, RunnerError } from "spanloom";
import { sqliteCheckpointer } from "spanloom/sqlite";
import { all, counter, newFile, storeIn, withDatabase } from "./support.ts";

const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_item, index) => index);

describe("the log", () => {
  it("gives every state back, whether it was written as a snapshot or as what changed", async () => {
    const path = newFile();
    const runner = createRunner(counter(700), { checkpointer: storeIn(path) });
    await runner.invoke({}, { sessionId: "s" });
    const states = (await all(runner.session("s").history())).map(({ state }) => state);
    expect(states.map(({ n }) => n)).toEqual(numbers(701).toReversed());
    expect(states.map(({ log }) => log.length)).toEqual(numbers(701).toReversed());
    const snapshots = withDatabase(path, (database) => database.prepare("SELECT count(*) AS count FROM history WHERE snapshot = 1").get());
    expect(snapshots?.["count"]).toBeGreaterThan(2);
    expect(snapshots?.["count"]).toBeLessThan(20);
  });

  it("stores at most two and a half times what was appended, and a constant for each step", async () => {
    const bytes = async (to: number): Promise<number> => {
      const path = newFile();
      await createRunner(counter(to), { checkpointer: storeIn(path), maxSteps: to }).invoke({}, { sessionId: "s" });
      const sum = "SELECT sum(length(state)) AS bytes FROM checkpoints";
      return Number(withDatabase(path, (database) => database.prepare(sum).get())?.["bytes"]);
    };
    const appended = numbers(4_000).reduce((sum, number) => sum + String(number).length + 1, 0);
    // What a step writes beside the item: the header, the channels' names, the counter.
    const constant = 150;
    expect(await bytes(4_000)).toBeLessThan(2.5 * appended + constant * 4_000);
  });

  it("tells others of a running session what its newest record says, though its own row is not written at every step", async () => {
    const path = newFile();
    const graph = counter(50);
    const store = storeIn(path);
    const runner = createRunner(graph, { checkpointer: store });
    const run = runner.stream({}, { sessionId: "s" });
    let seen: unknown;
    for await (const event of run) {
      if (event.type !== "superstep.completed" || event.step !== 20) continue;
      run.cancel();
    }
    await run.result;
    withDatabase(path, (database) => database.exec("UPDATE sessions SET status = 'running', step = 0, updated_at = 0"));
    [seen] = await all(storeIn(path).list());
    const state = await runner.session("s").state();
    expect(seen).toEqual({
      sessionId: "s",
      graph: "counter",
      fingerprint: graph.fingerprint,
      status: "running",
      step: state.step,
      createdAt: state.createdAt,
      updatedAt: state.updatedAt,
    });
  });
});

describe("the file", () => {
  it("is made at the first use, with missing folders, for its owner's eyes alone", async () => {
    const path = join(dirname(newFile()), "deep", "er", "x.db");
    const store = storeIn(path);
    expect(existsSync(path)).toBe(false);
    expect(await store.load("s")).toBeUndefined();
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("is where the working folder was when the store was made", async () => {
    const path = newFile();
    const before = process.cwd();
    process.chdir(dirname(path));
    const store = storeIn("here.db");
    process.chdir(before);
    await store.load("s");
    expect(existsSync(join(dirname(path), "here.db"))).toBe(true);
  });

  it("says what it is, and which schema it has", async () => {
    const path = newFile();
    await storeIn(path).load("s");
    const [version, application] = withDatabase(path, (database) => [
      database.prepare("PRAGMA user_version").get()?.["user_version"],
      database.prepare("PRAGMA application_id").get()?.["application_id"],
    ]);
    expect([version, application]).toEqual([1, 0x5370616e]);
  });

  it("has pages of a kilobyte, and is worked with as well if it was given others", async () => {
    const path = newFile();
    const pageSize = (): unknown => withDatabase(path, (database) => database.prepare("PRAGMA page_size").get())?.["page_size"];
    const store = storeIn(path);
    await createRunner(counter(3), { checkpointer: store }).invoke({}, { sessionId: "s" });
    await store.close();
    expect(pageSize()).toBe(1024);
    withDatabase(path, (database) =>
      database.exec("PRAGMA journal_mode = DELETE; PRAGMA page_size = 8192; VACUUM; PRAGMA journal_mode = WAL"),
    );
    const runner = createRunner(counter(3), { checkpointer: storeIn(path) });
    await runner.invoke({}, { sessionId: "t" });
    expect((await all(runner.sessions())).map(({ step }) => step)).toEqual([3, 3]);
    expect(pageSize()).toBe(8192);
  });

  it("of a newer schema is refused, and left as it is", async () => {
    const path = newFile();
    await createRunner(counter(1), { checkpointer: storeIn(path) }).invoke({}, { sessionId: "s" });
    withDatabase(path, (database) => database.exec("PRAGMA user_version = 999"));
    const error = await createRunner(counter(1), { checkpointer: storeIn(path) })
      .invoke({}, { sessionId: "t" })
      .catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(CheckpointError);
    expect(error).toMatchObject({ code: "schema_too_new", facts: { backend: "sqlite", found: 999, known: 1 } });
    expect(withDatabase(path, (database) => database.prepare("SELECT count(*) AS count FROM sessions").get())?.["count"]).toBe(1);
  });

  it.each([
    ["another application's tables", (path: string) => withDatabase(path, (database) => database.exec("CREATE TABLE theirs (a)"))],
    [
      "no database at all",
      (path: string) => writeFileSync(path, "a text that is longer than the header of a database file, which has 100 bytes. ".repeat(3)),
    ],
    ["a folder", (path: string) => mkdirSync(path)],
  ])("that is %s fails the first use with `checkpointer_unavailable`", async (_what, make) => {
    const path = newFile();
    make(path);
    const runner = createRunner(counter(1), { checkpointer: storeIn(path) });
    const unavailable = { code: "checkpointer_unavailable", facts: { backend: "sqlite" } };
    await expect(runner.invoke({}, { sessionId: "s" })).rejects.toMatchObject(unavailable);
    await expect(runner.invoke({})).rejects.toMatchObject({ code: "checkpoint_failed", cause: unavailable });
  });

  it("that another process makes at the same moment is not taken for another application's", async () => {
    const path = newFile();
    const prepare = DatabaseSync.prototype.prepare;
    let other: unknown;
    vi.spyOn(DatabaseSync.prototype, "prepare").mockImplementation(function interrupted(this: DatabaseSync, sql) {
      // In the middle of the look at what the file is.
      if (other === undefined && sql.includes("sqlite_schema")) {
        other = "begun";
        other = storeIn(path, { busyTimeout: "20s" }).load("s");
      }
      return prepare.call(this, sql);
    });
    const loaded = await storeIn(path, { busyTimeout: "20s" }).load("s");
    vi.restoreAllMocks();
    expect([loaded, await other]).toEqual([undefined, undefined]);
    expect(withDatabase(path, (database) => database.prepare("PRAGMA user_version").get()?.["user_version"])).toBe(1);
  });

  it("is kept in memory as `:memory:`, each store by itself", async () => {
    const [one, other] = [storeIn(":memory:"), storeIn(":memory:")];
    await createRunner(counter(2), { checkpointer: one }).invoke({}, { sessionId: "s" });
    expect([await one.load("s"), await other.load("s")].map((stored) => stored?.record.step)).toEqual([2, undefined]);
  });

  it("is not opened again once the store is closed", async () => {
    const path = newFile();
    const store = storeIn(path);
    const runner = createRunner(counter(1), { checkpointer: store });
    await runner.invoke({}, { sessionId: "s" });
    await store.close();
    await store.close();
    await expect(runner.session("s").state()).rejects.toMatchObject({
      code: "checkpointer_unavailable",
      facts: { reason: "it is closed" },
    });
    chmodSync(path, 0o600);
    expect((await storeIn(path).load("s"))?.record.status).toBe("completed");
  });
});

describe("a transaction that cannot even be rolled back", () => {
  it("does not stay open: the file is opened anew, and what was stored is there", async () => {
    const store = storeIn(newFile());
    await createRunner(counter(3), { checkpointer: store }).invoke({}, { sessionId: "s" });
    const { record } = (await store.load("s")) ?? {};
    if (record === undefined) throw new Error("nothing was stored");
    const exec = vi.spyOn(DatabaseSync.prototype, "exec").mockImplementationOnce(() => {
      throw new Error("disk I/O error");
    });
    const late = async (): Promise<unknown> => store.amend("s", { checkpointId: "another", epoch: 1 }, { time: 1 });
    await expect(late()).rejects.toMatchObject({ code: "checkpoint_conflict" });
    expect(exec.mock.calls).toEqual([["ROLLBACK"]]);
    exec.mockRestore();
    expect((await store.load("s"))?.record).toEqual(record);
    expect(await createRunner(counter(3), { checkpointer: store }).session("s").fork()).toBeDefined();
  });
});

describe("options", () => {
  it.each([
    ["path", ["", {}]],
    ["path", ["a\0b", {}]],
    ["path", [7, {}]],
    ["options", ["x", "normal"]],
    ["synchronous", ["x", { synchronous: "off" }]],
    ["busyTimeout", ["x", { busyTimeout: "soon" }]],
    ["busyTimeout", ["x", { busyTimeout: -1 }]],
    ["codec", ["x", { codec: { id: "a" } }]],
    ["codec.id", ["x", { codec: { id: "json", encode: () => {}, decode: () => {} } }]],
    ["codec.id", ["x", { codec: { id: "a b", encode: () => {}, decode: () => {} } }]],
  ])("%s is checked when the store is made: %j", (option, given) => {
    // What only a caller in JavaScript can give.
    const make = sqliteCheckpointer as unknown as (...args: readonly unknown[]) => unknown;
    let error: unknown;
    try {
      make(...given);
    } catch (cause) {
      error = cause;
    }
    expect(error).toBeInstanceOf(RunnerError);
    expect(error).toMatchObject({ code: "invalid_option", facts: { option } });
  });

  it.each([
    ["normal", {}],
    ["normal", { synchronous: "normal" }],
    ["full", { synchronous: "full" }],
  ] as const)("the connection is set to `synchronous = %s` by %j", async (synchronous, options) => {
    // No other connection can see it.
    const exec = vi.spyOn(DatabaseSync.prototype, "exec");
    await storeIn(newFile(), options).load("s");
    const asked = exec.mock.calls.map(([sql]) => sql);
    exec.mockRestore();
    expect(asked).toContain(`PRAGMA synchronous = ${synchronous}`);
  });
});

describe("a file that another has locked", () => {
  it("is waited for while the event loop turns, up to `busyTimeout`", async () => {
    const path = newFile();
    const store = storeIn(path, { busyTimeout: 300 });
    await store.load("s");
    const error = await withLock(path, async () =>
      createRunner(counter(1), { checkpointer: store })
        .invoke({})
        .catch((cause: unknown) => cause),
    );
    expect(error).toMatchObject({ code: "checkpoint_failed", cause: { code: "checkpointer_unavailable" } });
    expect(String(error)).toContain("300 ms");
  });

  it("is gone on with as soon as it is free", async () => {
    const path = newFile();
    const store = storeIn(path, { busyTimeout: "20s" });
    await store.load("s");
    let running: Promise<{ readonly status: string }> | undefined;
    let turns = 0;
    await withLock(path, async () => {
      running = createRunner(counter(5), { checkpointer: store }).invoke({});
      while (turns < 30) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        turns += 1;
      }
    });
    expect(await running).toMatchObject({ status: "completed" });
  });
});

async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const other = new DatabaseSync(path);
  other.exec("BEGIN IMMEDIATE");
  try {
    return await work();
  } finally {
    other.exec("ROLLBACK");
    other.close();
  }
}
