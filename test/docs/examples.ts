/** The examples of the documentation: found, compiled all at once, and run each in a process of its own. */
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll } from "vitest";

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const root = path("../../");
const execute = promisify(execFile);

export interface Example {
  /** Such as "docs/state.md:29". */
  readonly place: string;
  /** Of the section that it stands in; of the page before the first one. */
  readonly heading: string;
  readonly code: string;
}

/** The text of a page of docs/, such as "state.md". */
export const textOf = (page: string): string => readFileSync(join(root, "docs", page), "utf8");

export const headingsOf = (page: string): readonly string[] =>
  Array.from(textOf(page).matchAll(/^## (.*)$/gm), ([, heading = ""]) => heading);

/** Blocks of the language `ts`. Their code stands at the lines at which it stands on the page. */
export function examplesOf(page: string): readonly Example[] {
  const text = textOf(page);
  return Array.from(text.matchAll(/^```ts\n(.*?)^```$/gms), ({ 1: code = "", index }) => {
    const above = text.slice(0, index);
    const line = above.split("\n").length;
    const heading = /.*^##? ([^\n]*)$/ms.exec(above)?.[1] ?? "";
    return { place: `docs/${page}:${line}`, heading, code: "\n".repeat(line) + code };
  });
}

/** Pages that hold examples. */
export const pages: readonly string[] = readdirSync(join(root, "docs")).filter(
  (file) => file.endsWith(".md") && examplesOf(file).length > 0,
);

/**
 * The lines that an example says that it prints: comments behind a `console.log`, and on lines of their own. What stands between a
 * blank line and code is about that code.
 */
export function promised({ code }: Example): readonly string[] {
  const prose = /(?<=\n\n)(?: *\/\/.*\n)+(?! *\/\/)(?=.*\S)/g;
  return code
    .replaceAll(prose, "")
    .split("\n")
    .flatMap((line) => /console\.log\(.*\)+; \/\/ ?(.*)$/.exec(line)?.[1] ?? /^ *\/\/ (?!@ts-)(.*)$/.exec(line)?.[1] ?? []);
}

/** The lines that were printed, each by the words of the promise where it is kept: a promise that ends in " …" is of how a line begins. */
export function printed(stdout: string, promises: readonly string[]): readonly string[] {
  const shown = stdout.replace(/\n+$/, "");
  const lines = shown === "" ? [] : shown.split("\n");
  return lines.map((line, index) => {
    const promise = promises[index] ?? "";
    return promise.endsWith(" …") && line.startsWith(promise.slice(0, -2)) ? promise : line;
  });
}

const fileOf = ({ place }: Example): string => `${place.replaceAll(/\W/g, "-")}.ts`;

export interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

export interface Workspace {
  /** What the compiler says of all of them. */
  compile(): Promise<string>;
  /** Nothing of the environment of the tests is handed on. Rejects when it does not exit with 0. */
  run(example: Example, options?: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> }): Promise<Output>;
}

/** A folder with these examples, in which "spanloom" is the source. It goes after the last test of the file. */
export function makeWorkspace(examples: readonly Example[]): Workspace {
  const folder = mkdtempSync(join(tmpdir(), "spanloom-docs-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const compilerOptions = { rewriteRelativeImportExtensions: false };
  const configuration = { extends: join(root, "tsconfig.json"), compilerOptions, include: ["*.ts"] };
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(configuration));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  for (const example of examples) writeFileSync(join(folder, fileOf(example)), example.code);
  return {
    async compile() {
      const command = [join(root, "node_modules/typescript/bin/tsc"), "-p", folder, "--pretty", "false"];
      // The compiler exits with an error when it has something to say.
      const said = await execute(process.execPath, command, { cwd: folder }).catch((error: Output) => error);
      return said.stdout + said.stderr;
    },
    run(example, { cwd = folder, env } = {}) {
      const command = ["--disable-warning=ExperimentalWarning", "--import", path("from-source.ts"), join(folder, fileOf(example))];
      // The types of the source are stripped once, not for every example.
      return execute(process.execPath, command, { cwd, env: { NODE_COMPILE_CACHE: join(folder, "cache"), ...env } });
    },
  };
}
