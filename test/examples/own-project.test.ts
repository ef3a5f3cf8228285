/** The README's way to a project of one's own: its commands fit this package, and make the module that docs/cli.md shows. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";

const textOf = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const [, section = ""] = textOf("README.md").split("\n## In a project of your own\n");
const commands = /^```sh\n([^]*?)^```$/m.exec(section)?.[1] ?? "";

test("makes hello.ts, the first example of docs/cli.md", () => {
  const folder = mkdtempSync(join(tmpdir(), "own-project-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [heredoc = ""] = /^cat > hello\.ts [^]*?^END\n/m.exec(commands) ?? [];
  execFileSync("sh", ["-c", heredoc], { cwd: folder });
  const shown = /^```ts\n\/\/ hello\.ts\n([^]*?)^```$/m.exec(textOf("docs/cli.md"))?.[1];
  expect(readFileSync(join(folder, "hello.ts"), "utf8")).toBe(shown);
});

test("installs the package as it is called now, wherever the clone is", () => {
  const { name, version } = JSON.parse(textOf("package.json"));
  expect(commands).toContain(`npm install ./${name}-${version}.tgz `);
  expect(commands).toContain(" --pack-destination ../app ");
});

test("says which Node it needs", () => {
  const [, needed = ""] = /"node": ">=(.*)"/.exec(textOf("package.json")) ?? [];
  expect(section.split("```")[0]).toContain(`Node ≥ ${needed}`);
});
