/** Runs every example of docs/running.md as it stands there: it prints what its comments say, and the compiler takes it. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as timers from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { formatWithOptions } from "node:util";
import * as spanloom from "spanloom";
import * as testing from "spanloom/testing";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const document = readFileSync(join(root, "docs/running.md"), "utf8");
const modules: Readonly<Record<string, unknown>> = {
  spanloom,
  "spanloom/testing": testing,
  "node:timers/promises": timers,
};

interface Example {
  readonly name: string;
  readonly code: string;
}

const sections = document.split(/^## /m).slice(1);
const examples: readonly Example[] = sections.flatMap((section) =>
  Array.from(section.matchAll(/^```ts\n(.*?)^```$/gms), ([, code = ""], index) => ({
    name: `${section.split("\n")[0] ?? ""} (${index + 1})`,
    code,
  })),
);

/** Comments behind a `console.log`, and on lines of their own. */
const promised = (code: string): readonly string[] =>
  code.split("\n").flatMap((line) => /console\.log\(.*\); \/\/ (.*)$/.exec(line)?.[1] ?? /^\/\/ (.*)$/.exec(line)?.[1] ?? []);

/** As the body of an asynchronous function: imports become look-ups. */
const bodyOf = (code: string): string =>
  stripTypeScriptTypes(code).replace(
    /^import \{([^}]*)\} from "([^"]+)";$/gm,
    (_line, names: string, from: string) => `const {${names.replaceAll(" as ", ": ")}} = modules["${from}"];`,
  );

async function printed(code: string): Promise<readonly string[]> {
  const lines: string[] = [];
  const log = (...values: readonly unknown[]): void => void lines.push(formatWithOptions({ breakLength: Infinity }, ...values));
  const asynchronous: unknown = Object.getPrototypeOf(async () => {}).constructor;
  const run: unknown = Reflect.construct(asynchronous as typeof Function, ["modules", "console", bodyOf(code)]);
  await (run as (...given: readonly unknown[]) => Promise<void>)(modules, { log });
  return lines;
}

/** What the compiler says of them. */
function compiled(): string {
  const folder = mkdtempSync(join(tmpdir(), "running-"));
  try {
    const paths = { spanloom: [join(root, "src/index.ts")], "spanloom/*": [join(root, "src/*.ts")] };
    const compilerOptions = { paths, typeRoots: [join(root, "node_modules/@types")], rewriteRelativeImportExtensions: false };
    const configuration = { extends: join(root, "tsconfig.json"), compilerOptions, include: ["*.ts"], exclude: [] };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(configuration));
    writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
    examples.forEach(({ code }, index) => writeFileSync(join(folder, `example-${index}.ts`), code));
    const command = [join(root, "node_modules/typescript/bin/tsc"), "-p", folder, "--pretty", "false"];
    return spawnSync(process.execPath, command, { encoding: "utf8", cwd: folder }).stdout;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("docs/running.md", () => {
  it("has an example in every section", () => {
    expect(new Set(examples.map(({ name }) => name.split(" (")[0])).size).toBe(sections.length);
  });

  for (const { name, code } of examples) {
    it(`prints what it says: ${name}`, async () => {
      expect(promised(code)).not.toEqual([]);
      expect(await printed(code)).toEqual(promised(code));
    });
  }

  it("holds examples that the compiler takes", () => {
    expect(compiled()).toBe("");
  });
});
