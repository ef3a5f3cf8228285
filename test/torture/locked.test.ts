/** Files that other processes have locked, or make at the same moment: a bounded wait, then a typed error, and nothing is lost. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { createRunner } from "spanloom";
import { sqliteCheckpointer } from "spanloom/sqlite";
import { endOf, expectWhole, failed, finished, halfDone, newFolder, runWorker, startWorker } from "./disk-support.ts";
import { growing, steps } from "./growing.ts";

async function lock(database: string): Promise<ChildProcess> {
  const other = fork(fileURLToPath(new URL("locker.ts", import.meta.url)), [database], {
    execArgv: ["--disable-warning=ExperimentalWarning"],
  });
  await once(other, "message");
  return other;
}

/** The lock is gone once the process is. */
async function unlock(other: ChildProcess, by: "message" | "kill"): Promise<void> {
  const ended = once(other, "close");
  if (by === "kill") other.kill("SIGKILL");
  else other.send("free");
  await ended;
}

/** Lets the event loop turn. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setTimeout(resolve, 1));
}

describe("a file that another process has locked", () => {
  it.each(["message", "kill"] as const)(
    "is waited for while the event loop turns, and gone on with once the lock is gone: %s",
    async (by) => {
      const database = join(newFolder(), "s.db");
      await halfDone(database);
      const store = sqliteCheckpointer(database, { busyTimeout: "60s" });
      const other = await lock(database);
      let isOver = false;
      const end = endOf(store).finally(() => (isOver = true));
      await turns(30);
      expect(isOver).toBe(false);
      await unlock(other, by);
      expect(await end).toEqual(["completed"]);
      await store.close();
      await expectWhole(database);
    },
  );

  it("past `busyTimeout` fails the run, which is then where it was", async () => {
    const database = join(newFolder(), "s.db");
    await halfDone(database);
    const store = sqliteCheckpointer(database, { busyTimeout: 100 });
    const other = await lock(database);
    expect(await endOf(store)).toEqual(failed);
    expect((await store.load("s"))?.record.step, "it can be read meanwhile").toBe(steps / 2);
    await unlock(other, "message");
    expect(await endOf(store)).toEqual(["completed"]);
    await store.close();
    await expectWhole(database);
  });
});

describe("many at once", () => {
  it("that make the same file all have their sessions in it", async () => {
    const database = join(newFolder(), "s.db");
    const stores = Array.from({ length: 8 }, () => sqliteCheckpointer(database, { busyTimeout: "60s" }));
    const runs = stores.map((checkpointer, index) => createRunner(growing, { checkpointer }).invoke({}, { sessionId: `s${index}` }));
    expect((await Promise.all(runs)).map(({ state }) => state.n)).toEqual(stores.map(() => steps));
    for (const store of stores) await store.close();
    for (const index of stores.keys()) await expectWhole(database, `s${index}`);
  });

  it("in processes of their own too", async () => {
    const database = join(newFolder(), "sub", "s.db");
    const ids = ["left", "middle", "right"];
    expect(await Promise.all(ids.map((id) => startWorker(database, id)))).toEqual(ids.map(() => finished));
    for (const id of ids) await expectWhole(database, id);
    expect(runWorker(database)).toEqual(finished);
  });
});
