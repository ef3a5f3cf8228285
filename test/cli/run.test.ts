/** `spanloom run` from end to end, where all goes well: what it reads, prints and keeps. */
import { existsSync, readdirSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readSpans } from "../../src/cli/otlp-spans.ts";
import { cli, document, greet, hasEscapes, makeFolder, source, start, wide } from "./child.ts";

const ada = '{"name":"Ada"}';
const state = { name: "Ada", words: ["Hello", "Ada"], at: "1970-01-01T00:00:00.000Z", errors: [] };
const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);
const filesIn = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" }).toSorted((a, b) => (a < b ? -1 : 1));

test("a run: the final state alone on standard output, all else on standard error, in plain lines", async () => {
  const cwd = makeFolder();
  const { code, stdout, stderr } = await cli(["run", greet, "--input", ada, "--session", "demo"], { cwd });
  expect(code).toBe(0);
  expect(document(stdout)).toEqual(state);
  expect(hasEscapes(stderr + stdout)).toBe(false);
  const [traceFile = ""] = readdirSync(join(cwd, ".spanloom/traces"));
  const duration = "[\\d.]+ m?s";
  const expected = [
    "greet session demo",
    "step 1 hello",
    '  hello · progress \\{"done":1\\}',
    `  ✓ hello ${duration}`,
    "  → words",
    "step 2 name",
    `  ✓ name ${duration}`,
    `✓ completed session demo · 2 steps · ${duration}`,
    `▸ invoke_workflow greet +${duration} █+`,
    `.   superstep 1 +${duration} .*[█▏]+`,
    `.     schedule +${duration} .*[█▏]+`,
    `.       execute_node hello +${duration} .*[█▏]+`,
    `Trace: ${join(cwd, ".spanloom/traces", traceFile)}`,
    "  To open it in Jaeger: Search → Upload → JSON File, and choose this file.",
  ];
  for (const line of expected) expect(stderr).toMatch(new RegExp(`^${line}$`, "m"));
  // What a node writes with console is no result.
  expect(stderr).toContain("from the node\n");
});

test("a run leaves one trace and one event log, named by the invocation and for the owner's eyes alone", async () => {
  const cwd = makeFolder();
  const { code, stdout } = await cli(["run", greet, "--input", ada, "--json"], { cwd });
  expect(code).toBe(0);
  const { invocationId, sessionId, traceId } = document(stdout);
  const home = join(cwd, ".spanloom");
  const events = join(home, `events/${String(invocationId)}.jsonl`);
  const trace = join(home, `traces/${String(invocationId)}.otlp.jsonl`);
  const [module = ""] = readdirSync(join(home, "sessions"));
  expect(module).toMatch(/^[0-9a-f]{64}\.json$/);
  expect(filesIn(home)).toEqual([
    "events",
    `events/${String(invocationId)}.jsonl`,
    "sessions",
    "sessions.db",
    `sessions/${module}`,
    "traces",
    `traces/${String(invocationId)}.otlp.jsonl`,
  ]);
  expect(["", "events", "sessions", "traces"].map((name) => modeOf(join(home, name)))).toEqual(["700", "700", "700", "700"]);
  const kept = [events, trace, join(home, "sessions.db"), join(home, "sessions", module)];
  expect(kept.map(modeOf)).toEqual(["600", "600", "600", "600"]);

  const spans = readSpans(readFileSync(trace, "utf8"));
  expect(spans.map(({ name }) => name).toSorted((a, b) => (a < b ? -1 : 1))).toEqual([
    "barrier",
    "barrier",
    "checkpoint",
    "checkpoint",
    "checkpoint",
    "execute_node hello",
    "execute_node name",
    "frontier",
    "frontier",
    "invoke_workflow greet",
    "schedule",
    "schedule",
    "superstep",
    "superstep",
  ]);
  expect(new Set(spans.map((span) => span.traceId))).toEqual(new Set([traceId]));
  // Jaeger's page takes no line that is no traces object.
  for (const line of readFileSync(trace, "utf8").trimEnd().split("\n")) expect(JSON.parse(line)).toHaveProperty("resourceSpans");

  const written = readFileSync(events, "utf8")
    .trimEnd()
    .split("\n")
    .map((line): unknown => JSON.parse(line));
  expect(written[0]).toMatchObject({ type: "session.created", seq: 1, sessionId, invocationId, traceId });
  expect(written.at(-1)).toMatchObject({ type: "invocation.completed", seq: written.length });
});

test("--json: one document of exactly these members, in this order", async () => {
  const cwd = makeFolder();
  const { code, stdout, stderr } = await cli(["run", greet, "--input", ada, "--session", "demo", "--json", "--quiet"], { cwd });
  expect(code).toBe(0);
  const printed = document(stdout);
  expect(Object.keys(printed)).toEqual([
    "status",
    "sessionId",
    "invocationId",
    "steps",
    "step",
    "state",
    "interrupts",
    "versions",
    "traceId",
    "traceFile",
  ]);
  expect(printed).toMatchObject({ status: "completed", sessionId: "demo", steps: 2, step: 2, state, interrupts: [] });
  expect(printed["versions"]).toEqual({ name: 1, words: 3, at: 1, errors: 1 });
  expect(printed["traceId"]).toMatch(/^[0-9a-f]{32}$/);
  expect(printed["traceFile"]).toBe(join(cwd, `.spanloom/traces/${String(printed["invocationId"])}.otlp.jsonl`));
  // --quiet: no live view.
  expect(stderr).not.toMatch(/^step 1/m);
  expect(stderr).toContain("✓ completed");
});

test("standard output holds the result alone, whatever the module writes with console, and whenever", async () => {
  const talks = `import { END, graph, START } from ${JSON.stringify(join(source, "index.ts"))};
const { log } = console;
console.log("at import");
export const services = () => void console.info("in services");
export default graph({ name: "talks", channels: {} })
  .node("talk", () => { log("in the node"); queueMicrotask(() => console.log("after the node")); setImmediate(log, "later"); })
  .edge(START, "talk").edge("talk", END).compile();
process.on("exit", () => log("at exit"));`;
  const { code, stdout, stderr } = await cli(["run", "talks.ts", "--json", "--quiet"], { cwd: makeFolder({ "talks.ts": talks }) });
  expect(code).toBe(0);
  expect(document(stdout)).toMatchObject({ status: "completed" });
  for (const line of ["at import", "in services", "in the node", "after the node"]) expect(stderr).toContain(`${line}\n`);
});

test("what concerns stored sessions may be said where there are none", async () => {
  const said = ["--db", "none", "--on-existing", "next", "--on-graph-change", "warn"];
  const { code, stdout } = await cli(["run", greet, "--input", ada, "--session", "demo", "--json", ...said], { cwd: makeFolder() });
  expect(code).toBe(0);
  expect(document(stdout)).toMatchObject({ status: "completed", sessionId: "demo", state });
});

test("--home and --events say where what is kept goes", async () => {
  const cwd = makeFolder();
  const args = ["run", greet, "--input", ada, "--json", "--home", "kept/here", "--events", "logs/all.jsonl"];
  const { stdout } = await cli(args, { cwd });
  const { traceFile } = document(stdout);
  expect(filesIn(cwd).filter((name) => name.endsWith(".jsonl"))).toEqual([
    `kept/here/traces/${String(document(stdout)["invocationId"])}.otlp.jsonl`,
    "logs/all.jsonl",
  ]);
  expect(existsSync(String(traceFile))).toBe(true);
  const lines = readFileSync(join(cwd, "logs/all.jsonl"), "utf8").split("\n").length;
  await cli(args, { cwd });
  expect(readFileSync(join(cwd, "logs/all.jsonl"), "utf8").split("\n")).toHaveLength(lines * 2 - 1);
});

test("--events none keeps no event log", async () => {
  const cwd = makeFolder();
  await cli(["run", greet, "--input", ada, "--events", "none"], { cwd });
  expect(filesIn(cwd)).not.toContain(".spanloom/events");
});

describe("input", () => {
  test.each<[string, readonly string[], string | undefined]>([
    ["a file, by a path from the working folder", ["--input", "in.json"], undefined],
    ["standard input", ["--input", "-"], ada],
  ])("from %s", async (_name, args, stdin) => {
    const cwd = makeFolder({ "in.json": ada });
    const { code, stdout } = await cli(["run", greet, ...args], stdin === undefined ? { cwd } : { cwd, stdin });
    expect({ code, state: document(stdout) }).toEqual({ code: 0, state });
  });

  test("of a graph that needs none may be left out; and --export chooses among a module's graphs", async () => {
    const { code, stdout } = await cli(["run", greet, "--export", "other"], { cwd: makeFolder() });
    expect({ code, state: document(stdout) }).toEqual({ code: 0, state: { errors: [] } });
  });
});

test("the only graph of a module is run, with as many nodes at once as --concurrency lets", async () => {
  const peaks: unknown[] = [];
  for (const more of [[], ["--concurrency", "2"], ["--concurrency", "1"]]) {
    const { stdout } = await cli(["run", wide, ...more], { cwd: makeFolder() });
    peaks.push(document(stdout)["peak"]);
  }
  expect(peaks).toEqual([3, 2, 1]);
});

test("a module of a project that has the package installed, by a path from the working folder", async () => {
  const program = (ending: string, more: string): string => `
    import { channel, END, graph, START } from "spanloom";
    export const ${ending} = graph({ name: "${ending}", channels: { text: channel.value("") } })
      .node("say", () => ({ text: "${ending}" }))
      .edge(START, "say").edge("say", END).compile();
    ${more}`;
  const cwd = makeFolder({
    "flow/typed.ts": program("typed", "interface Gone { readonly by: 'stripping' }\nexport type { Gone };"),
    "flow/plain.mjs": program("plain", ""),
    "package.json": '{ "type": "module" }',
    "node_modules/spanloom/package.json": '{ "name": "spanloom", "type": "module", "exports": { ".": "./src/index.ts" } }',
  });
  symlinkSync(source, join(cwd, "node_modules/spanloom/src"));
  for (const [module, text] of [
    ["flow/typed.ts", "typed"],
    ["./flow/plain.mjs", "plain"],
  ] as const) {
    const { code, stdout, stderr } = await cli(["run", module], { cwd });
    expect({ code, stdout, stderr: code === 0 ? "" : stderr }).toMatchObject({ code: 0, stderr: "" });
    expect(document(stdout)).toMatchObject({ text });
  }
});

test("a reader that goes away is no crash, on either stream", async () => {
  for (const name of ["stdout", "stderr"] as const) {
    const { child, ended } = start(["run", greet, "--input", ada, "--json"], { cwd: makeFolder() });
    child[name]?.destroy();
    expect((await ended).code).toBe(0);
  }
});

test("OTEL_SDK_DISABLED: no trace, and no file that says it was one", async () => {
  const cwd = makeFolder();
  const { code, stdout, stderr } = await cli(["run", greet, "--input", ada, "--json"], { cwd, env: { OTEL_SDK_DISABLED: "true" } });
  expect(code).toBe(0);
  expect(document(stdout)).toMatchObject({ status: "completed", traceId: null, traceFile: null });
  expect(stderr).not.toContain("Trace:");
  expect(readdirSync(join(cwd, ".spanloom/traces"))).toEqual([]);
});

test("that SQLite is experimental, as Node 22 says, is not shown; other warnings of Node are", async () => {
  const warns = ["SQLite is an experimental feature and might change at any time", "Another is an experimental feature"];
  const lines = warns.map((text) => `process.emitWarning(${JSON.stringify(text)}, "ExperimentalWarning");`);
  const module = `${lines.join("\n")}\nexport * from ${JSON.stringify(wide)};`;
  const { code, stderr } = await cli(["run", "flow.mts"], { cwd: makeFolder({ "flow.mts": module }) });
  expect(code).toBe(0);
  expect(stderr).toContain("ExperimentalWarning: Another is an experimental feature");
  expect(stderr).not.toContain("SQLite");
});
