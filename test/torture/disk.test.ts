/** Disks that are full, read-only, cut or gone: a typed error, nothing lost, and once the fault is gone the session goes on. */
import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, copyFileSync, mkdirSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it, type TestContext } from "vitest";
import { createRunner, SpanloomError } from "spanloom";
import { sqliteCheckpointer } from "spanloom/sqlite";
import { endOf, expectWhole, failed, finished, halfDone, mayRun, newFolder, runWorker } from "./disk-support.ts";
import { growing, steps } from "./growing.ts";

const nobody = 65_534;
const isRoot = process.getuid?.() === 0;

/** Skips, and says why. */
function needs(context: TestContext, has: boolean, what: string): void {
  if (!has) context.skip(`not tried: ${what}`);
}

describe("a full disk", () => {
  it("fails the run where it was, and the session goes on from there once there is room", async (context) => {
    needs(context, isRoot, "only root can mount a small disk");
    const folder = newFolder();
    const disk = join(folder, "disk");
    mkdirSync(disk);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", disk]);
    try {
      const database = join(disk, "s.db");
      expect(runWorker(database)).toEqual(failed);
      // Full still: nothing is lost, nothing is done.
      expect(runWorker(database)).toEqual(failed);
      execFileSync("mount", ["-o", "remount,size=64m", disk]);
      expect(runWorker(database)).toEqual(finished);
      await expectWhole(database);
    } finally {
      execFileSync("umount", [disk]);
    }
  });

  it("of which the process may write no more in one file is the same", async () => {
    const database = join(newFolder(), "s.db");
    expect(runWorker(database, { fileSize: 300 })).toEqual(failed);
    expect(runWorker(database)).toEqual(finished);
    await expectWhole(database);
  });
});

describe("what may not be written", () => {
  it("a read-only file, and a read-only folder, are told, and left as they are", async (context) => {
    needs(context, isRoot, "only root can be another user for a moment");
    needs(context, mayRun(nobody), "this Node is where another user may not run it");
    const folder = newFolder();
    chmodSync(folder, 0o755);
    const database = join(folder, "s.db");
    expect(runWorker(database)).toEqual(finished);
    const before = statSync(database);
    chmodSync(database, 0o444);
    expect(runWorker(database, { user: nobody })).toEqual(["checkpointer_unavailable"]);
    expect(runWorker(join(folder, "new.db"), { user: nobody })).toEqual(["checkpointer_unavailable"]);
    expect([statSync(database).size, statSync(database).mtimeMs]).toEqual([before.size, before.mtimeMs]);
    chmodSync(database, 0o600);
    for (const path of [folder, database]) chownSync(path, nobody, nobody);
    expect(runWorker(database, { user: nobody })).toEqual(finished);
    await expectWhole(database);
  });
});

describe("a damaged file", () => {
  it.each([0.5, 0.9, 0.01])("that was cut to %d of its length is a typed error, and nothing hangs", async (share) => {
    const database = join(newFolder(), "s.db");
    await halfDone(database);
    const whole = `${database}.whole`;
    copyFileSync(database, whole);
    truncateSync(database, Math.floor(statSync(database).size * share));
    const store = sqliteCheckpointer(database);
    const session = createRunner(growing, { checkpointer: store }).session("s");
    const error = await session.state().catch((cause: unknown) => cause);
    expect(SpanloomError.is(error) ? error.code : error).toMatch(/^(checkpoint_corrupt|checkpointer_unavailable)$/);
    expect((await endOf(store))[0]).toMatch(/^(checkpoint_corrupt|checkpointer_unavailable)$/);
    await store.close();
    await putBack(whole, database);
  });

  it("that is none of a database is a typed error, and is left as it is", async () => {
    const database = join(newFolder(), "s.db");
    await halfDone(database);
    const whole = `${database}.whole`;
    copyFileSync(database, whole);
    const text = "This was a file of sessions. ".repeat(1_000);
    writeFileSync(database, text);
    expect(runWorker(database)).toEqual(["checkpointer_unavailable"]);
    expect(statSync(database).size).toBe(text.length);
    await putBack(whole, database);
  });
});

/** The fault is gone: the session goes on from where it was. */
async function putBack(whole: string, database: string): Promise<void> {
  for (const beside of ["", "-wal", "-shm"]) rmSync(`${database}${beside}`, { force: true });
  copyFileSync(whole, database);
  expect(runWorker(database)).toEqual(finished);
  await expectWhole(database);
}

describe("a file that is gone", () => {
  it.each(["with its folder", "by itself", "with what is beside it"])("%s, while it is used, hangs nobody", async (how) => {
    const database = join(newFolder(), "sub", "s.db");
    const store = sqliteCheckpointer(database);
    const runner = createRunner(growing, { checkpointer: store });
    await runner.session("s").create({});
    await runner.session("s").runStep();
    if (how === "with its folder") rmSync(dirname(database), { recursive: true });
    else for (const beside of how === "by itself" ? [""] : ["", "-wal", "-shm"]) rmSync(`${database}${beside}`);
    expect([["completed"], failed, ["checkpointer_unavailable"]]).toContainEqual(await endOf(store));
    await store.close();
    expect(runWorker(database)).toEqual(finished);
    await expectWhole(database);
  });
});

describe("a clock that jumps back", () => {
  it("moves no step back and loses none", async () => {
    const database = join(newFolder(), "s.db");
    const store = sqliteCheckpointer(database);
    let now = 2_000_000_000_000;
    // An hour back at each look.
    const clock = {
      now: () => (now -= 3_600_000),
      monotonic: () => performance.now(),
      setTimeout: (run: () => void, milliseconds: number) => {
        const timer = setTimeout(run, milliseconds);
        return { clear: () => clearTimeout(timer) };
      },
    };
    const runner = createRunner(growing, { checkpointer: store, clock });
    expect((await runner.invoke({}, { sessionId: "s" })).state.n).toBe(steps);
    await store.close();
    await expectWhole(database);
  });
});
