/** docs/tracing.md says what the registry says, and its example runs. */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { tables, unpadded } from "./tracing-docs.ts";

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const docs = readFileSync(path("../../docs/tracing.md"), "utf8");

test.each(Object.keys(tables))("the table of %s is the registry's", (name) => {
  const [, after = ""] = docs.split(`<!-- table: ${name} -->\n\n`);
  const [found = ""] = after.split("\n\n");
  expect(unpadded(found)).toBe(unpadded(tables[name] ?? ""));
});

test("the example prints what a run of one node is made of", async () => {
  const folder = mkdtempSync(join(tmpdir(), "spanloom-docs-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const installed = join(folder, "node_modules/spanloom");
  mkdirSync(installed, { recursive: true });
  const exports = { ".": "./src/index.ts", "./testing": "./src/testing.ts" };
  writeFileSync(join(installed, "package.json"), JSON.stringify({ name: "spanloom", type: "module", exports }));
  symlinkSync(path("../../src"), join(installed, "src"));
  writeFileSync(join(folder, "example.mts"), /^```ts\n([^]*?)^```$/m.exec(docs)?.[1] ?? "");
  const { stdout } = await promisify(execFile)(process.execPath, ["example.mts"], { cwd: folder });
  const phases = "superstep › schedule › execute_node greet › barrier › frontier › checkpoint";
  expect(stdout).toBe(`invoke_workflow hello › checkpoint › ${phases}\n`);
});
