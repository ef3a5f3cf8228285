/** Runs every example of docs/state.md as it stands there, and compares what it prints with what it says that it prints. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { formatWithOptions } from "node:util";
import * as spanloom from "spanloom";
import { describe, expect, it } from "vitest";
import * as zod from "zod";

const root = fileURLToPath(new URL("../../", import.meta.url));
const document = readFileSync(join(root, "docs/state.md"), "utf8");
const modules: Readonly<Record<string, unknown>> = { spanloom, zod };

interface Example {
  readonly heading: string;
  readonly code: string;
}

const examples: readonly Example[] = document
  .split(/^## /m)
  .flatMap((section) =>
    Array.from(section.matchAll(/^```ts\n(.*?)^```$/gms), ([, code = ""]) => ({ heading: section.split("\n")[0] ?? "", code })),
  );

/** Comments behind a `console.log`, or on lines of their own after it. */
function promised(code: string): readonly string[] {
  return code.split("\n").flatMap((line) => {
    const said = /console\.log\(.*\); \/\/ (.*)$/.exec(line)?.[1] ?? /^\/\/ (.*)$/.exec(line)?.[1];
    return said === undefined ? [] : [said];
  });
}

/** As the body of an asynchronous function: static imports become look-ups in `modules`. */
function body(code: string): string {
  return stripTypeScriptTypes(code).replace(/^import (\{[^}]*\}) from "([^"]+)";$/gm, 'const $1 = modules["$2"];');
}

async function printed(code: string): Promise<readonly string[]> {
  const lines: string[] = [];
  const log = (...values: readonly unknown[]): void => void lines.push(formatWithOptions({ breakLength: Infinity }, ...values));
  const run: unknown = Reflect.construct(Object.getPrototypeOf(async () => {}).constructor as typeof Function, [
    "modules",
    "console",
    body(code),
  ]);
  await (run as (modules: unknown, console: unknown) => Promise<void>)(modules, { log });
  return lines;
}

/** What the compiler prints for the examples: nothing. */
function compilerSays(sources: readonly Example[]): string {
  const folder = mkdtempSync(join(tmpdir(), "spanloom-docs-"));
  try {
    const paths = { spanloom: [join(root, "src/index.ts")], zod: [join(root, "node_modules/zod/index.d.ts")] };
    const compilerOptions = { paths, typeRoots: [join(root, "node_modules/@types")], rewriteRelativeImportExtensions: false };
    const configuration = { extends: join(root, "tsconfig.json"), compilerOptions, include: ["*.ts"], exclude: [] };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(configuration));
    writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
    sources.forEach(({ code }, index) => writeFileSync(join(folder, `example-${index}.ts`), code));
    const compiler = [join(root, "node_modules/typescript/bin/tsc"), "-p", folder, "--pretty", "false"];
    return spawnSync(process.execPath, compiler, { encoding: "utf8", cwd: folder }).stdout;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("docs/state.md", () => {
  it("has an example in each section but the last", () => {
    const headings = Array.from(document.matchAll(/^## (.*)$/gm), ([, heading]) => heading);
    expect(examples.map(({ heading }) => heading)).toEqual(headings.slice(0, -1));
  });

  for (const { heading, code } of examples) {
    it(`prints what it says it prints: ${heading}`, async () => {
      expect(promised(code)).not.toEqual([]);
      expect(await printed(code)).toEqual(promised(code));
    });
  }

  it("has examples that the compiler takes", () => {
    expect(compilerSays(examples)).toBe("");
  });
});
