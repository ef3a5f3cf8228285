/** What keeps `spanloom run` from beginning: each mistake with its exit code and a sentence that says what to do. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { cli, document, endings, greet, makeFolder, source } from "./child.ts";

const index = JSON.stringify(join(source, "index.ts"));
const oneNode = `import { END, graph, START } from ${index};
const base = graph({ name: "g", channels: {} }).node("plan", () => {}).edge(START, "plan")`;

describe("wrong usage is exit code 2", () => {
  test.each<[string, readonly string[], RegExp]>([
    ["no module", ["run"], /missing required argument 'module'/],
    [
      "a module that there is none of",
      ["run", "grete.ts"],
      /^✗ There is no module .*grete\.ts\. Did you mean "greet\.ts"\? \(module_not_found\)$/m,
    ],
    ["a module without its ending", ["run", "greet"], /Did you mean "greet\.ts"\?/],
    ["a folder", ["run", "."], /It is a folder: name a file in it\./],
    ["no such export", ["run", greet, "--export", "othr"], /has no export "othr"\. Did you mean "other"\? \(export_not_found\)/],
    ["an export that is no graph", ["run", greet, "--export", "runner"], /exports "runner", which is no compiled graph\./],
    ["a graph that is not compiled", ["run", greet, "--export", "builder"], /still being built\. End it with \.compile\(\)\./],
    ["an unknown option", ["run", greet, "--inptu", "{}"], /unknown option '--inptu'\n\(Did you mean --input\?\)/],
    ["an unknown command", ["rnu", greet], /unknown command 'rnu'\n\(Did you mean run\?\)/],
    ["help with an unknown command", ["rnu", "--help"], /^error: unknown command 'rnu'\n\(Did you mean run\?\)\n$/],
    ["help for an unknown command", ["help", "nosuch"], /^error: unknown command 'nosuch'\n$/],
    ["too many arguments", ["run", greet, endings], /too many arguments/],
    ["no number of steps", ["run", greet, "--max-steps", "0"], /--max-steps <n>.*It must be a whole number, 1 or more\./],
    ["a number that is none", ["run", greet, "--concurrency", "many"], /It must be a whole number, 1 or more\./],
    ["no URL", ["run", greet, "--otlp-endpoint", "localhost:4318"], /It must be a URL, such as http:\/\/localhost:4318\./],
    [
      "a database that is no file, whose password is not repeated",
      ["run", greet, "--input", '{"name":"A"}', "--db", "postgres://ada:secret@localhost/runs"],
      /^✗ --db names a PostgreSQL database, which [^@]* Name an SQLite file, or none [^@]*\(database_unsupported\)\n$/,
    ],
    ["what to do that is none", ["run", greet, "--on-existing", "retry"], /Allowed choices are error, next, resume\./],
    ["an empty value", ["run", greet, "--session", ""], /It must not be empty\./],
    ["names with nothing between commas", ["run", greet, "--pause-before", "hello,"], /with commas between them/],
    [
      "no such node",
      ["run", greet, "--input", '{"name":"A"}', "--pause-before", "helo"],
      /--pause-before names "helo", but the graph has no such node\. Did you mean "hello"\? \(unknown_node\)/,
    ],
    ["bad JSON", ["run", greet, "--input", "{oops"], /The input from --input is not valid JSON: .*\(input_not_json\)/],
    ["a list", ["run", greet, "--input", "[1]"], /is a list\. It must be an object/],
    ["a file that there is none of", ["run", greet, "--input", "none.json"], /cannot be read from none\.json: there is no such file/],
    ["bad JSON in a file", ["run", greet, "--input", "bad.json"], /from bad\.json is not valid JSON/],
    ["nothing on standard input", ["run", greet, "--input", "-"], /standard input is not valid JSON: it is empty/],
    [
      "missing input",
      ["run", greet],
      /The input of graph "greet" lacks "name"\. Give it as --input '\{ "name": … \}', or name a file\. \(input_missing\)/,
    ],
    [
      "a channel that the graph has none of",
      ["run", greet, "--input", '{"name":"A","nmae":1}'],
      /^✗ failed 0 steps · .*\nThe input was refused: "nmae" is not a channel of this graph\..*"name".*\(invalid_input\)$/m,
    ],
  ])("%s", async (_name, args, sentence) => {
    const cwd = makeFolder({ "greet.ts": "", "bad.json": "oops" });
    const { code, stdout, stderr } = await cli(args, { cwd });
    expect(stderr).toMatch(sentence);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    // No stack of ours where the mistake is the caller's.
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  test.each(["file", "/proc/nowhere"])("a home that cannot be one: %s", async (home) => {
    const cwd = makeFolder({ file: "" });
    const { code, stdout, stderr } = await cli(["run", greet, "--export", "other", "--home", home], { cwd });
    expect(stderr).toMatch(/^✗ Nothing can be written to .*: .*\. Name another folder with --home\. \(home_unusable\)\n$/);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });
});

test.each<[string, RegExp]>([
  ["folder", /to .*\/folder: it is a folder\. Name/],
  ["file/log.jsonl", /to .*\/file\/log\.jsonl: .*E(NOTDIR|EXIST).*\. Name/],
  ["/proc/nowhere/log.jsonl", /to \/proc\/nowhere\/log\.jsonl: .*\. Name/],
])("an event log that there can be none of, %s, is exit code 2", async (events, where) => {
  const cwd = makeFolder({ file: "", "folder/file": "" });
  const { code, stdout, stderr } = await cli(["run", greet, "--export", "other", "--events", events], { cwd });
  expect(stderr).toMatch(/^✗ The event log cannot be written to .* another file with --events, or none\. \(events_unusable\)\n$/);
  expect(stderr).toMatch(where);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(existsSync(join(cwd, ".spanloom"))).toBe(false);
});

test.each(["resume", "next"])("--on-existing %s: whether an input is missing is the runner's to say", async (what) => {
  const { code, stdout } = await cli(["run", greet, "--json", "--session", "s", "--on-existing", what], { cwd: makeFolder() });
  expect(code).toBe(2);
  expect(document(stdout)).toMatchObject({ status: "failed", error: { code: "invalid_input" } });
});

test("an input that the runner refuses is refused in one sentence", async () => {
  const { stderr } = await cli(["run", greet, "--input", '{"name":"A","nmae":1}', "--events", "none"], { cwd: makeFolder() });
  expect(stderr.split('"nmae" is not a channel')).toHaveLength(2);
});

describe("a module that is no good is exit code 1", () => {
  test.each<[string, string, RegExp]>([
    [
      "that throws",
      'throw new RangeError("at import");',
      /could not be imported: at import \(import_failed\)\n +caused by: RangeError: at import\n +at .*bad\.ts:1/,
    ],
    ["with bad syntax", "const = 5;", /could not be imported: .*\(import_failed\)/],
    ["with what cannot be stripped", "enum Colour { Red }\nexport default Colour;", /could not be imported: .*enum.*\(import_failed\)/],
    ["that imports what is not there", 'import "./nowhere.ts";', /could not be imported: Cannot find module .*nowhere\.ts/],
    [
      "that never ends to load",
      "await new Promise(() => {});",
      /The import of bad\.ts waits for something that can never happen.*\(stalled\)/,
    ],
    ["that ends the process", "process.exit(0);", /The import of bad\.ts was cut off: .*process\.exit\(0\).*\(exited\)/],
    [
      "whose services fail",
      `${oneNode}.edge("plan", END);\nexport default base.compile();\nexport const services = () => { throw new Error("no key"); };`,
      /The `services` function of .*bad\.ts threw: no key \(services_failed\)/,
    ],
    [
      "whose graph does not compile",
      `${oneNode}.edge("plan", "pln" as never);\nexport default base.compile();`,
      /Graph "g" has 1 problem:\n {2}- .*names "pln", but there is no such node\. Did you mean "plan"\?[^]*\(invalid_graph\)/,
    ],
  ])("%s", async (_name, content, sentence) => {
    const cwd = makeFolder({ "bad.ts": content });
    const { code, stdout, stderr } = await cli(["run", "bad.ts", "--json"], { cwd });
    expect(stderr).toMatch(sentence);
    expect(code).toBe(1);
    expect(document(stdout)).toMatchObject({
      status: "failed",
      sessionId: null,
      invocationId: null,
      steps: 0,
      state: null,
      traceFile: null,
    });
    expect(existsSync(join(cwd, ".spanloom"))).toBe(false);
  });

  test.each([
    ["flow.ts", 'import "node:fs";', ".mts"],
    ["flow.js", "export default 1;", ".mjs"],
  ])("that is written as an ES module, while Node reads it as CommonJS: %s, %s", async (name, content, ending) => {
    const cwd = makeFolder({ [name]: content, "package.json": '{ "type": "commonjs" }' });
    const { code, stderr } = await cli(["run", name], { cwd });
    expect(code).toBe(1);
    expect(stderr).toContain(`. Set "type": "module" in package.json, or name it ${ending}. (import_failed)\n`);
  });
});

test.each<[readonly string[], string]>([
  [["run", "--json"], "missing required argument 'module'"],
  [["run", greet, "--inptu", "{}", "--json"], "unknown option '--inptu'\n(Did you mean --input?)"],
  [["run", "--json", greet, "--max-steps", "0"], "option '--max-steps <n>' argument '0' is invalid. It must be a whole number, 1 or more."],
  [
    ["run", greet, "--on-existing", "retry", "--json"],
    "option '--on-existing <what>' argument 'retry' is invalid. Allowed choices are error, next, resume.",
  ],
])("--json prints its document for what cannot be understood: %j", async (args, message) => {
  const { code, stdout, stderr } = await cli(args, { cwd: makeFolder() });
  expect(code).toBe(2);
  expect(stderr).toContain(message);
  const error = { name: "CommandError", code: "wrong_usage", message };
  expect(document(stdout)).toMatchObject({ status: "failed", sessionId: null, invocationId: null, state: null, error });
});

test("--json after -- asks for nothing, and help is no mistake", async () => {
  const { stdout, code } = await cli(["run", "--", greet, "--json"], { cwd: makeFolder() });
  expect({ stdout, code }).toEqual({ stdout: "", code: 2 });
  const help = await cli(["run", "--help", "--json"], { cwd: makeFolder() });
  expect(help.code).toBe(0);
  expect(help.stdout).toMatch(/^Usage: spanloom run/);
});

test("--json tells of wrong usage too, once the arguments are understood", async () => {
  const { code, stdout } = await cli(["run", greet, "--json", "--session", "s"], { cwd: makeFolder() });
  expect(code).toBe(2);
  expect(document(stdout)).toEqual({
    status: "failed",
    sessionId: "s",
    invocationId: null,
    steps: 0,
    step: 0,
    state: null,
    interrupts: [],
    versions: {},
    traceId: null,
    traceFile: null,
    error: { name: "CommandError", code: "input_missing", message: expect.stringContaining('lacks "name"') },
  });
});

describe("help", () => {
  test("of the program lists the commands", async () => {
    const { code, stdout } = await cli(["--help"], { cwd: makeFolder() });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ {2}run \[options\] <module> +run the graph/m);
  });

  test.each(["help", "help run", "--help"])("is given for %s", async (words) => {
    const { code, stderr } = await cli(words.split(" "), { cwd: makeFolder() });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });

  test("of the command lists every option, and the exit codes", async () => {
    const { code, stdout, stderr } = await cli(["run", "--help"], { cwd: makeFolder() });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const options = [
      "export",
      "input",
      "session",
      "pause-before",
      "max-steps",
      "concurrency",
      "otlp",
      "otlp-endpoint",
      "events",
      "quiet",
      "json",
      "db",
      "home",
    ];
    for (const option of options) expect(stdout).toMatch(new RegExp(`^ {2}--${option}[ \\n]`, "m"));
    expect(stdout).toContain("0 completed, 1 failed, 2 wrong usage or input, 3 paused, 130 SIGINT, 143 SIGTERM");
  });

  test("is shown, on standard error, where no command is given", async () => {
    const { code, stdout, stderr } = await cli([], { cwd: makeFolder() });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("Usage: spanloom");
  });

  test("--version is the package's", async () => {
    const { code, stdout } = await cli(["--version"], { cwd: makeFolder() });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
