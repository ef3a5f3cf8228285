/** docs/cli.md tells what the command does: its example is run by it, and its lists are compared. */
import { expect, test } from "vitest";
import { exitCodes } from "../../src/cli/exit-codes.ts";
import { cli, document, greet, makeFolder } from "../cli/child.ts";
import { textOf } from "./examples.ts";

const docs = textOf("cli.md");
const fromSource = new URL("from-source.ts", import.meta.url).href;
const blocks = (language: string): readonly string[] =>
  Array.from(docs.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, "gm")), ([, content]) => content ?? "");

/** The first column of the table below a heading. */
function column(heading: string): readonly string[] {
  const [, section = ""] = docs.split(`\n## ${heading}\n`);
  const rows = (section.split("\n## ")[0] ?? "").split("\n").filter((line) => line.startsWith("| "));
  return rows.slice(2).map((line) => (/^\| (.*?) (?<!\\)\|/.exec(line)?.[1] ?? "").replaceAll("\\|", "|").replaceAll("`", "").trim());
}

test("the example does what it says", async () => {
  const cwd = makeFolder({ "hello.ts": blocks("ts")[0] ?? "", "package.json": '{ "type": "module" }' });
  const [, module = "", input = ""] = /^npx spanloom run (\S+) --input '(.*)'$/.exec((blocks("sh")[0] ?? "").trim()) ?? [];
  const env = { NODE_OPTIONS: `--import ${fromSource}` };
  const { code, stdout, stderr } = await cli(["run", module, "--input", input], { cwd, env });
  expect(code).toBe(0);
  expect(stdout).toBe(blocks("json")[0]);
  // The same lines, but for ids, times and bars.
  const shape = (text: string): readonly string[] =>
    text
      .trimEnd()
      .split("\n")
      .map((line) =>
        line
          .replace(/[0-9a-f]{8}-\S+/g, "ID")
          .replace(/ +[\d.]+ m?s.*$/, "")
          .replace(/^Trace: .*/, "Trace")
          .replace(/^▸ /, "  "),
      );
  expect(shape(stderr)).toEqual(shape(blocks("text")[0] ?? ""));
});

/** Those that every command on stored sessions has. */
const storage = ["--db <path>", "--home <dir>", "--help"];

async function optionsOf(command: string): Promise<readonly string[]> {
  const { stdout } = await cli([command, "--help"], { cwd: makeFolder() });
  return Array.from(stdout.matchAll(/^ {2}(--[\w-]+(?: <.*?>)?)(?: |$)/gm), ([, option = ""]) => option);
}

test("every option is told, with its argument, and no other", async () => {
  const ofRun = await optionsOf("run");
  expect(column("Options of `run <module>`")).toEqual(ofRun);
  for (const usage of ["resume <session>", "sessions", "show <session>", "fork <session>", "prune"]) {
    const [command = ""] = usage.split(" ");
    const told = column(`Options of \`${usage}\``);
    const known = command === "resume" ? ofRun.filter((option) => !told.includes(option)) : [];
    const options = (await optionsOf(command)).filter((option) => !storage.includes(option) && !known.includes(option));
    expect({ command, told }).toEqual({ command, told: options });
  }
  expect(await optionsOf("delete")).toEqual(storage);
});

test("resume has the options of run, but those that begin a session", async () => {
  const beginning = ["--input <json|file|->", "--session <id>", "--on-existing <what>"];
  const options = (await optionsOf("run")).filter((option) => !beginning.includes(option)).map((option) => option.replace("|none>", ">"));
  expect((await optionsOf("resume")).map((option) => option.replace("|none>", ">"))).toEqual(expect.arrayContaining(options));
});

test("every member of the JSON document is told, and no other", async () => {
  const { stdout } = await cli(["run", greet, "--json"], { cwd: makeFolder() });
  expect(column("What it prints").flatMap((cell) => cell.split(", "))).toEqual(Object.keys(document(stdout)));
});

test("every exit code is told, and no other", () => {
  expect(column("Exit codes").flatMap((cell) => cell.split(", ").map(Number))).toEqual(Object.values(exitCodes));
});
