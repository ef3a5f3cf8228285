/** The command line as a process of its own, in a folder of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished } from "vitest";

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
export const main = path("../../src/cli/main.ts");
export const source = path("../../src/");
export const greet = path("fixtures/greet.ts");
export const wide = path("fixtures/wide.ts");
export const spin = path("fixtures/spin.ts");
export const warns = path("fixtures/warns.ts");
export const endings = path("fixtures/endings.ts");

export const steps = path("fixtures/steps.ts");
export const asks = path("fixtures/asks.ts");

/** A folder that goes with the test. */
export function makeFolder(files: Readonly<Record<string, string>> = {}): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "spanloom-cli-")));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

export interface Ended {
  /** As a shell tells it: 128 and the signal's number for a process that was killed. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves once standard error holds the text. */
  saying(text: string): Promise<void>;
}

export interface ChildOptions {
  readonly cwd: string;
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The largest file that it may write, in blocks. */
  readonly fileSize?: number;
  /** The only argument is a text for a shell, as if it had been typed after the program's name. */
  readonly shell?: boolean;
}

/** The program, or a shell that limits it first. */
function commandOf(
  args: readonly string[],
  { fileSize, shell = false }: ChildOptions,
): readonly [command: string, args: readonly string[]] {
  if (shell) return ["bash", ["-c", `exec "$0" "$1" ${args.join(" ")}`, process.execPath, main]];
  const whole = [process.execPath, main, ...args];
  return fileSize === undefined ? [process.execPath, whole.slice(1)] : ["sh", ["-c", `ulimit -f ${fileSize} && exec "$@"`, "sh", ...whole]];
}

/** Nothing of the environment that the tests themselves run in. */
function environment(env: ChildOptions["env"]): NodeJS.ProcessEnv {
  const { PATH = "", HOME = "" } = process.env;
  return { PATH, HOME, ...env };
}

/** Starts `spanloom` with these arguments. */
export function start(args: readonly string[], options: ChildOptions): Started {
  const { cwd, stdin, env } = options;
  const [command, given] = commandOf(args, options);
  const child = spawn(command, given, { cwd, env: environment(env), stdio: ["pipe", "pipe", "pipe"] });
  const said = { stdout: "", stderr: "" };
  const waiting = new Set<() => void>();
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      said[name] += text;
      for (const look of waiting) look();
    });
  }
  // A child that reads nothing closes its end.
  child.stdin.on("error", () => {}).end(stdin ?? "");
  const ended = new Promise<Ended>((resolve) => {
    child.on("close", (code) => {
      for (const look of waiting) look();
      resolve({ code: code ?? undefined, ...said });
    });
  });
  const saying = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (said.stderr.includes(text)) resolve();
        else if (child.exitCode !== null || child.signalCode !== null) reject(new Error(`never said ${text}, but:\n${said.stderr}`));
        else return;
        waiting.delete(look);
      };
      waiting.add(look);
      look();
    });
  onTestFinished(() => void child.kill("SIGKILL"));
  return { child, ended, saying };
}

/** Runs it to its end. */
export const cli = (args: readonly string[], options: ChildOptions): Promise<Ended> => start(args, options).ended;

/** The one JSON document on standard output. */
export function document(stdout: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(stdout);
  expect(value).toBeTypeOf("object");
  return value as Readonly<Record<string, unknown>>;
}

/** Whether a text holds anything that moves a cursor or colours. */
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
export const hasEscapes = (text: string): boolean => /[\u001b\u009b]/.test(text);
