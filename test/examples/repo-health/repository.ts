/** Real repositories in temporary folders, each made by one `git fast-import` from a list of commits. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { onTestFinished } from "vitest";

const execute = promisify(execFile);

/** No setting of the machine changes a test. */
const environment = { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1", LC_ALL: "C" };

/** The day on which the tests' reports are made. */
export const today = Date.parse("2026-06-15T12:00:00Z");
export const daysAgo = (days: number): number => today - days * 86_400_000;

export interface Step {
  readonly author?: string;
  /** Milliseconds since the epoch. */
  readonly at?: number;
  /** Default "main". A new one begins at `from`, another branch. */
  readonly branch?: string;
  readonly from?: string;
  readonly merge?: string;
  readonly write?: Readonly<Record<string, string | Buffer>>;
  readonly remove?: readonly string[];
  readonly rename?: readonly (readonly [string, string])[];
  /** Commands of `git fast-import` as they are. */
  readonly more?: string;
}

export async function git(folder: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await execute("git", ["-C", folder, ...args], { env: environment });
  return stdout.trimEnd();
}

/** A folder that goes when the test ends. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "repo-health-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const quoted = (path: string): string => `"${path.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;

function block(text: string | Buffer): Buffer {
  const data = Buffer.from(text);
  return Buffer.concat([Buffer.from(`data ${data.length}\n`), data, Buffer.from("\n")]);
}

/** One commit as `git fast-import` reads it. */
export function commitBlock(step: Step): Buffer {
  const { author = "Ann", at = today, branch = "main", from, merge } = step;
  const who = `${author} <${author.toLowerCase().replaceAll(/[^a-z]+/g, ".")}@example.org> ${Math.floor(at / 1_000)} +0000`;
  return Buffer.concat([
    Buffer.from(`commit refs/heads/${branch}\nauthor ${who}\ncommitter ${who}\n`),
    block("A change"),
    Buffer.from(from === undefined ? "" : `from refs/heads/${from}\n`),
    Buffer.from(merge === undefined ? "" : `merge refs/heads/${merge}\n`),
    ...(step.rename ?? []).map(([before, after]) => Buffer.from(`R ${quoted(before)} ${quoted(after)}\n`)),
    ...(step.remove ?? []).map((path) => Buffer.from(`D ${quoted(path)}\n`)),
    ...Object.entries(step.write ?? {}).flatMap(([path, text]) => [Buffer.from(`M 100644 inline ${quoted(path)}\n`), block(text)]),
    Buffer.from(`${step.more ?? ""}\n`),
  ]);
}

/** Its work tree stays empty: only what is committed is measured. */
export async function fillRepository(folder: string, steps: Iterable<Step>): Promise<void> {
  await git(folder, "init", "--quiet", "--initial-branch=main");
  const importer = spawn("git", ["-C", folder, "fast-import", "--quiet"], { env: environment, stdio: ["pipe", "inherit", "inherit"] });
  const ended = once(importer, "close");
  const blocks = function* () {
    for (const step of steps) yield commitBlock(step);
  };
  await pipeline(Readable.from(blocks()), importer.stdin);
  const [code] = await ended;
  if (code !== 0) throw new Error(`git fast-import ended with ${String(code)}`);
}

/** In a folder that goes when the test ends. */
export async function makeRepository(steps: Iterable<Step>): Promise<string> {
  const folder = await temporaryFolder();
  await fillRepository(folder, steps);
  return folder;
}

/** So many lines, all different from those of another seed. */
export const lines = (count: number, seed = ""): string => Array.from({ length: count }, (_, index) => `line ${index} ${seed}\n`).join("");

/** A signal that never aborts. */
export const signal: AbortSignal = new AbortController().signal;

/** All that a stream gives. */
export async function collect<Item>(items: AsyncIterable<Item>): Promise<readonly Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** A list as a stream. */
export async function* streamed<Item>(items: readonly Item[]): AsyncGenerator<Item> {
  yield* items;
}

/** A program in the place of git, as a script of the shell. */
export async function program(script: string): Promise<string> {
  const path = join(await temporaryFolder(), "git");
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}
