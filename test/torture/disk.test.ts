/** Disks that are full, read-only, cut or gone: a typed error, nothing lost, and once the fault is gone the session goes on. */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, chownSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished, type TestContext } from "vitest";
import { createRunner, SpanloomError } from "spanloom";
import { sqliteCheckpointer } from "spanloom/sqlite";
import { growing, steps } from "./growing.ts";

const worker = fileURLToPath(new URL("disk-worker.ts", import.meta.url));
const fromSource = new URL("../docs/from-source.ts", import.meta.url).href;
const nobody = 65_534;
const isRoot = process.getuid?.() === 0;

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "spanloom-disk-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

interface Limits {
  /** The largest file that it may write, in blocks of 1 KiB. */
  readonly fileSize?: number;
  readonly user?: number;
}

/** What the worker said, and all that came on its standard error. */
function runWorker(database: string, { fileSize, user }: Limits = {}): readonly unknown[] {
  const command = [process.execPath, "--disable-warning=ExperimentalWarning", "--import", fromSource, worker, database];
  const whole = fileSize === undefined ? command : ["bash", "-c", `ulimit -f ${fileSize}; exec "$@"`, "bash", ...command];
  const [program = "", ...args] = whole;
  const { stdout, stderr } = spawnSync(program, args, {
    encoding: "utf8",
    timeout: 60_000,
    ...(user === undefined ? {} : { uid: user, gid: user }),
  });
  return stdout === "" ? [stderr] : (JSON.parse(stdout) as readonly unknown[]);
}

const finished = ["completed", steps];
const failed = ["checkpoint_failed", "checkpointer_unavailable"];

/** Every record of the session is there and whole. */
async function expectWhole(database: string): Promise<void> {
  const store = sqliteCheckpointer(database);
  const seen: number[] = [];
  for await (const { state } of createRunner(growing, { checkpointer: store }).session("s").history()) seen.push(state.log.length);
  await store.close();
  expect(seen).toEqual(Array.from({ length: steps + 1 }, (_item, index) => steps - index));
  const file = new DatabaseSync(database);
  expect(file.prepare("PRAGMA integrity_check").get()).toMatchObject({ integrity_check: "ok" });
  file.close();
}

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
    // Of a signal that ends the process, its next is to resume as of a kill.
    const said = runWorker(database, { fileSize: 300 });
    expect(said).not.toEqual(finished);
    expect(runWorker(database)).toEqual(finished);
    await expectWhole(database);
  });
});

describe("what may not be written", () => {
  it("a read-only file, and a read-only folder, are told, and left as they are", async (context) => {
    needs(context, isRoot, "only root can be another user for a moment");
    const canRun = spawnSync(process.execPath, ["-e", ""], { uid: nobody, gid: nobody }).status === 0;
    needs(context, canRun, "another user may not run this Node, which is in a folder of root's own");
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
    const folder = newFolder();
    const whole = join(folder, "whole.db");
    expect(runWorker(whole)).toEqual(finished);
    const cut = join(folder, "cut.db");
    copyFileSync(whole, cut);
    truncateSync(cut, Math.floor(statSync(whole).size * share));
    const store = sqliteCheckpointer(cut);
    const error = await createRunner(growing, { checkpointer: store })
      .session("s")
      .state()
      .catch((cause: unknown) => cause);
    await store.close();
    expect(SpanloomError.is(error) ? error.code : error).toMatch(/^(checkpoint_corrupt|checkpointer_unavailable)$/);
  });
});

describe("a file that is gone", () => {
  it("with its folder, while it is used, hangs nobody", async () => {
    const database = join(newFolder(), "sub", "s.db");
    const store = sqliteCheckpointer(database);
    const runner = createRunner(growing, { checkpointer: store });
    await runner.session("s").create({});
    rmSync(dirname(database), { recursive: true });
    const outcome = await runner
      .session("s")
      .runUntilComplete()
      .then(
        ({ status }) => status,
        (error: unknown) => (SpanloomError.is(error) ? error.code : error),
      );
    await store.close();
    expect(["completed", "checkpoint_failed", "checkpointer_unavailable"]).toContain(outcome);
    expect(runWorker(database)).toEqual(finished);
  });
});

describe("many at once", () => {
  it("that make the same file all have their sessions in it", async () => {
    const database = join(newFolder(), "s.db");
    const stores = Array.from({ length: 8 }, () => sqliteCheckpointer(database));
    const runs = stores.map((checkpointer, index) => createRunner(growing, { checkpointer }).invoke({}, { sessionId: `s${index}` }));
    expect((await Promise.all(runs)).map(({ state }) => state.n)).toEqual(stores.map(() => steps));
    const listed = [];
    for await (const { sessionId } of createRunner(growing, { checkpointer: stores[0] ?? sqliteCheckpointer(database) }).sessions())
      listed.push(sessionId);
    expect(listed.toSorted()).toEqual(stores.map((_store, index) => `s${index}`));
    for (const store of stores) await store.close();
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
