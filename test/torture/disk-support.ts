/** What the tests of bad disks share: processes that run one session on a file, and a look at what is left of it. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished } from "vitest";
import { type Checkpointer, createRunner, SpanloomError } from "spanloom";
import { sqliteCheckpointer } from "spanloom/sqlite";
import { growing, steps } from "./growing.ts";

const worker = fileURLToPath(new URL("disk-worker.ts", import.meta.url));
const fromSource = new URL("../docs/from-source.ts", import.meta.url).href;
const args = ["--disable-warning=ExperimentalWarning", "--import", fromSource, worker];

export const finished = ["completed", steps];
export const failed = ["checkpoint_failed", "checkpointer_unavailable"];

export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "spanloom-disk-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

interface Limits {
  /** The largest file that it may write, in blocks of 1 KiB. */
  readonly fileSize?: number;
  readonly user?: number;
}

const wordsOf = (stdout: string, stderr: string): readonly unknown[] =>
  stdout === "" ? [stderr] : (JSON.parse(stdout) as readonly unknown[]);

/** What the worker said, or all that came on its standard error. */
export function runWorker(database: string, { fileSize, user }: Limits = {}): readonly unknown[] {
  const node = [process.execPath, ...args, database];
  const [program, given] = fileSize === undefined ? ["env", node] : ["bash", ["-c", `ulimit -f ${fileSize}; exec "$@"`, "bash", ...node]];
  const { stdout, stderr } = spawnSync(program, given, {
    encoding: "utf8",
    timeout: 60_000,
    ...(user === undefined ? {} : { uid: user, gid: user }),
  });
  return wordsOf(stdout, stderr);
}

/** Whether another user may run this Node at all. */
export const mayRun = (user: number): boolean => spawnSync(process.execPath, ["--version"], { uid: user, gid: user }).status === 0;

/** The same, at the same time as others. */
export function startWorker(database: string, sessionId: string): Promise<readonly unknown[]> {
  const child = spawn(process.execPath, [...args, database, sessionId]);
  const said = { out: "", error: "" };
  child.stdout.on("data", (data: Buffer) => void (said.out += String(data)));
  child.stderr.on("data", (data: Buffer) => void (said.error += String(data)));
  return new Promise((resolve) => child.once("close", () => resolve(wordsOf(said.out, said.error))));
}

/** Every record of the session is there and whole. */
export async function expectWhole(database: string, sessionId = "s"): Promise<void> {
  const store = sqliteCheckpointer(database);
  const seen: number[] = [];
  for await (const { state } of createRunner(growing, { checkpointer: store }).session(sessionId).history()) seen.push(state.log.length);
  await store.close();
  expect(seen).toEqual(Array.from({ length: steps + 1 }, (_item, index) => steps - index));
  const file = new DatabaseSync(database);
  expect(file.prepare("PRAGMA integrity_check").get()).toMatchObject({ integrity_check: "ok" });
  file.close();
}

/** A session that has done so many of its steps, in a file that nobody has open any more. */
export async function halfDone(database: string, done = steps / 2): Promise<void> {
  const store = sqliteCheckpointer(database);
  const session = createRunner(growing, { checkpointer: store }).session("s");
  await session.create({});
  for (let step = 0; step < done; step += 1) await session.runStep();
  await store.close();
}

/** The status of the session's end, or the codes of the error and its cause. */
export async function endOf(store: Checkpointer): Promise<readonly string[]> {
  try {
    const { status } = await createRunner(growing, { checkpointer: store }).session("s").resume().result;
    return [status];
  } catch (error) {
    return [error, error instanceof Error ? error.cause : undefined].flatMap((each) => (SpanloomError.is(each) ? [each.code] : []));
  }
}
