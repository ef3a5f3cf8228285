/** Runs every example of docs/sessions.md as it stands there: it prints what its comments say, and the compiler takes it. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));
const fromSource = fileURLToPath(new URL("../docs/from-source.ts", import.meta.url));
const sections = (await readFile(join(root, "docs/sessions.md"), "utf8")).split(/^## /mu).slice(1);
const examples = sections.map((section) => ({
  title: section.split("\n")[0] ?? "",
  code: /^```ts\n(.*?)^```$/msu.exec(section)?.[1] ?? "",
}));

/** Comments behind a `console.log`, and on lines of their own. */
const promised = (code: string): readonly string[] =>
  code.split("\n").flatMap((line) => /console\.log\(.*\)+; \/\/ ?(.*)$/u.exec(line)?.[1] ?? /^\/\/ (.*)$/u.exec(line)?.[1] ?? []);

describe("docs/sessions.md", () => {
  it("has one example in every section", () => {
    for (const section of sections) expect(section.split("```ts\n")).toHaveLength(2);
  });

  it.each(examples)("prints what it says: $title", async ({ code }) => {
    const node = ["--import", fromSource, "--input-type=module-typescript", "--no-warnings", "--eval", code];
    const { stdout, stderr } = await run(process.execPath, node, { cwd: root });
    expect(promised(code).length).toBeGreaterThan(0);
    expect([stdout.trimEnd().split("\n"), stderr]).toEqual([promised(code), ""]);
  });

  it("has examples that the compiler takes", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sessions-"));
    try {
      const paths = { spanloom: [join(root, "src/index.ts")] };
      const compilerOptions = { paths, typeRoots: [join(root, "node_modules/@types")], rewriteRelativeImportExtensions: false };
      const configuration = { extends: join(root, "tsconfig.json"), compilerOptions, include: ["*.ts"], exclude: [] };
      await writeFile(join(folder, "tsconfig.json"), JSON.stringify(configuration));
      await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
      await Promise.all(examples.map(({ code }, index) => writeFile(join(folder, `example-${index}.ts`), code)));
      const tsc = [join(root, "node_modules/typescript/bin/tsc"), "-p", folder, "--pretty", "false"];
      const said = await run(process.execPath, tsc).catch((error: { readonly stdout: string }) => error);
      expect(said.stdout).toBe("");
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
