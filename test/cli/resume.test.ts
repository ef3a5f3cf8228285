/** `spanloom resume`: one process begins, another goes on, and the end is as if there had been one. */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { asks, cli, document, endings, hasEscapes, makeFolder, start, steps } from "./child.ts";

const whole = { log: ["one", "two", "three"] };
const input = JSON.stringify({ hold: "hold" });

describe("answers", () => {
  test("a question is answered in another process, which completes", async () => {
    const cwd = makeFolder();
    const begin = ["run", endings, "--input", '{"ending":"interrupt"}', "--session", "demo"];
    expect((await cli(begin, { cwd })).code).toBe(3);
    const { code, stdout, stderr } = await cli(["resume", "demo", "--answer", '"me"', "--json"], { cwd });
    expect(code).toBe(0);
    const printed = document(stdout);
    expect(printed).toMatchObject({ status: "completed", sessionId: "demo", steps: 2, step: 2, state: { rounds: 2 }, interrupts: [] });
    expect(existsSync(String(printed["traceFile"]))).toBe(true);
    expect(stderr).toMatch(/^✓ completed session demo · 2 steps · /m);
    expect(stderr).not.toContain("spanloom resume");
  });

  test("several at once, by the ids that the run said, or by those that the nodes gave; the last one alone", async () => {
    const cwd = makeFolder();
    const begun = await cli(["run", asks, "--session", "demo", "--json"], { cwd });
    expect(begun.code).toBe(3);
    const { interrupts } = document(begun.stdout) as { readonly interrupts: readonly { readonly id: string; readonly node: string }[] };
    expect(interrupts.map(({ node }) => node)).toEqual(["left", "right"]);
    const [left, right] = interrupts;
    expect(begun.stderr).toContain(
      `\nAnswer them, and go on: spanloom resume demo --answers '{"${String(left?.id)}":"…","${String(right?.id)}":"…"}'\n`,
    );
    const one = await cli(["resume", "demo", "--answers", JSON.stringify({ [String(left?.id)]: 1 }), "--json"], { cwd });
    expect({ code: one.code, printed: document(one.stdout) }).toMatchObject({ code: 3, printed: { interrupts: [{ node: "right" }] } });
    const other = await cli(["resume", "demo", "--answers", '{"right":2}', "--json"], { cwd });
    expect({ code: other.code, printed: document(other.stdout) }).toMatchObject({ code: 3, printed: { interrupts: [{ node: "last" }] } });
    const end = await cli(["resume", "demo", "--answer", "null"], { cwd });
    expect(end.code).toBe(0);
    expect(document(end.stdout)).toEqual({ log: ["left 1", "right 2", "last null"], errors: [] });
  });

  test.each<[string, readonly string[], RegExp]>([
    ["no JSON", ["--answer", "yes"], /The value of --answer is not valid JSON: .* --answer '"yes"'\. \(answer_not_json\)/],
    ["nothing", ["--answer", ""], /The value of --answer is not valid JSON: it is empty/],
    ["no object", ["--answers", "[1]"], /--answers is a list\. It must be an object .*\(answers_not_an_object\)/],
    ["two kinds", ["--answer", "1", "--answers", "{}"], /'--answer <json>' cannot be used with option '--answers <json>'/],
    ["one for two questions", ["--answer", "1"], /needs exactly one open interrupt.*\(interrupt_not_found\)/],
    ["one that nobody asked for", ["--answers", '{"lft":1}'], /No interrupt "lft" is open\. .*\(interrupt_not_found\)/],
    ["an unknown option", ["--anwser", "1"], /unknown option '--anwser'\n\(Did you mean --answer\?\)/],
    ["no such node", ["--pause-before", "lst"], /--pause-before names "lst".*Did you mean "last"\? \(unknown_node\)/],
  ])("%s: exit code 2, and the questions stay open", async (_name, args, sentence) => {
    const cwd = makeFolder();
    await cli(["run", asks, "--session", "demo", "--quiet"], { cwd });
    const { code, stdout, stderr } = await cli(["resume", "demo", ...args], { cwd });
    expect(stderr).toMatch(sentence);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    const shown = await cli(["show", "demo", "--json"], { cwd });
    expect(document(shown.stdout)).toMatchObject({ status: "paused", interrupts: [{ node: "left" }, { node: "right" }] });
  });
});

describe("a run that was stopped", () => {
  test("by SIGINT goes on where it was", async () => {
    const cwd = makeFolder({ hold: "" });
    const { child, ended, saying } = start(["run", steps, "--input", input, "--session", "demo"], { cwd });
    await saying("step 2 two");
    child.kill("SIGINT");
    await saying("SIGINT: stopping");
    rmSync(join(cwd, "hold"));
    const { code, stderr } = await ended;
    expect(code).toBe(130);
    expect(stderr.endsWith("\nGo on: spanloom resume demo\n")).toBe(true);
    const resumed = await cli(["resume", "demo", "--json"], { cwd });
    expect(resumed.code).toBe(0);
    expect(document(resumed.stdout)).toMatchObject({ steps: 1, step: 3, state: whole });
  });

  test("by a second signal in a session that goes on: the steps are those of this invocation", async () => {
    const cwd = makeFolder({ hold: "" });
    await cli(["run", steps, "--input", input, "--session", "demo", "--pause-before", "two"], { cwd });
    const { child, ended, saying } = start(["resume", "demo", "--json"], { cwd });
    await saying("step 2 two");
    child.kill("SIGINT");
    await saying("SIGINT: stopping");
    child.kill("SIGINT");
    const { code, stdout } = await ended;
    expect(code).toBe(130);
    expect(document(stdout)).toMatchObject({ status: "cancelled", sessionId: "demo", steps: 0, step: 1, state: { log: ["one"] } });
  });

  test("by SIGKILL, in the middle of a step, comes to the same end", async () => {
    const cwd = makeFolder({ hold: "" });
    const { child, ended, saying } = start(["run", steps, "--input", input, "--session", "demo"], { cwd });
    await saying("step 2 two");
    child.kill("SIGKILL");
    await ended;
    rmSync(join(cwd, "hold"));
    const listed = await cli(["sessions", "--json", "--status", "running"], { cwd });
    expect(JSON.parse(listed.stdout)).toMatchObject([{ sessionId: "demo", step: 1 }]);
    const { code, stdout } = await cli(["resume", "demo", "--json"], { cwd });
    expect(code).toBe(0);
    const undisturbed = await cli(["run", steps, "--input", input, "--json"], { cwd });
    const { state, versions, step } = document(undisturbed.stdout);
    expect(document(stdout)).toMatchObject({ status: "completed", state, versions, step });
  });

  test("by a failure says how to go on, and fails again while its cause stays", async () => {
    const cwd = makeFolder();
    const { code, stderr } = await cli(["run", endings, "--input", '{"ending":"fail"}', "--session", "demo"], { cwd });
    expect(code).toBe(1);
    expect(stderr.endsWith("\nGo on: spanloom resume demo\n")).toBe(true);
    expect((await cli(["resume", "demo"], { cwd })).code).toBe(1);
  });

  test("pauses again where --pause-before says so, and a completed one gives its result again", async () => {
    const cwd = makeFolder();
    await cli(["run", steps, "--session", "demo", "--pause-before", "two"], { cwd });
    const paused = await cli(["resume", "demo", "--pause-before", "three"], { cwd });
    expect({ code: paused.code, state: document(paused.stdout) }).toMatchObject({ code: 3, state: { log: ["one", "two"] } });
    for (const count of [1, 0]) {
      const { code, stdout } = await cli(["resume", "demo", "--json"], { cwd });
      expect({ code, printed: document(stdout) }).toMatchObject({ code: 0, printed: { steps: count, step: 3, state: whole } });
    }
  });
});

describe("two processes at once on one session: one wins", () => {
  test("who goes on with it ends the run of the other", async () => {
    const cwd = makeFolder({ hold: "" });
    const first = start(["run", steps, "--input", input, "--session", "demo"], { cwd });
    await first.saying("step 2 two");
    const second = start(["resume", "demo"], { cwd });
    await second.saying("step 2 two");
    rmSync(join(cwd, "hold"));
    const [lost, won] = await Promise.all([first.ended, second.ended]);
    expect([lost.code, won.code]).toEqual([1, 0]);
    expect(lost.stderr).toContain('Another owner has taken over session "demo": this write changed nothing.');
    expect(lost.stderr).not.toContain("spanloom resume");
    expect(document(won.stdout)).toMatchObject(whole);
  });

  test("of two that begin it, one does, and the other changes nothing", async () => {
    const cwd = makeFolder();
    const ends = await Promise.all([1, 2].map(() => cli(["run", steps, "--session", "demo", "--json"], { cwd })));
    expect(ends.filter(({ code }) => code === 0)).toHaveLength(1);
    const { stdout } = await cli(["show", "demo", "--json"], { cwd });
    expect(document(stdout)).toMatchObject({ status: "completed", state: whole, step: 3 });
  });
});

describe("the module", () => {
  const copyOf = (source: string): string =>
    readFileSync(source, "utf8").replace("../../../src/index.ts", new URL("../../src/index.ts", import.meta.url).href);

  test("is found from any folder, by the path that it had; one that has moved is named with --module, once", async () => {
    const cwd = makeFolder({ "flow.ts": copyOf(asks), "package.json": '{ "type": "module" }', "elsewhere/file": "" });
    const home = join(cwd, ".spanloom");
    await cli(["run", "flow.ts", "--session", "demo"], { cwd });
    const elsewhere = { cwd: join(cwd, "elsewhere") };
    const there = await cli(["resume", "demo", "--home", home, "--answers", '{"left":1}'], elsewhere);
    expect(there.code).toBe(3);
    expect(there.stderr).toContain(`spanloom resume demo --answer '<json>' --home ${home}\n`);

    renameSync(join(cwd, "flow.ts"), join(cwd, "moved.ts"));
    const gone = await cli(["resume", "demo", "--answer", "2"], { cwd });
    expect({ code: gone.code, stdout: gone.stdout }).toEqual({ code: 2, stdout: "" });
    expect(gone.stderr).toMatch(/^✗ The module that session "demo" was run with is gone: .*flow\.ts\. .* --module\. \(module_gone\)\n/);
    expect((await cli(["resume", "demo", "--answer", "2", "--module", "moved.ts"], { cwd })).code).toBe(3);
    const end = await cli(["resume", "demo", "--answer", "3"], { cwd });
    expect({ code: end.code, state: document(end.stdout) }).toMatchObject({ code: 0, state: { log: ["left 1", "right 2", "last 3"] } });
  });

  test("of a session that another program began is asked for", async () => {
    const cwd = makeFolder();
    await cli(["run", asks, "--session", "demo"], { cwd });
    const folder = join(cwd, ".spanloom/sessions");
    for (const damage of ["", "{}"]) {
      for (const file of readdirSync(folder)) writeFileSync(join(folder, file), damage);
      const { code, stdout, stderr } = await cli(["resume", "demo", "--answers", "{}", "--json"], { cwd });
      expect(code).toBe(2);
      expect(stderr).toContain("Name it with --module, and its export with --export. (module_unknown)\n");
      expect(document(stdout)).toMatchObject({ status: "failed", sessionId: "demo", error: { code: "module_unknown" } });
    }
    expect((await cli(["resume", "demo", "--answers", '{"left":1}', "--module", asks], { cwd })).code).toBe(3);
  });

  test("of another graph is refused, and the session keeps its own", async () => {
    const cwd = makeFolder();
    await cli(["run", asks, "--session", "demo"], { cwd });
    const { code, stdout, stderr } = await cli(["resume", "demo", "--module", steps, "--json"], { cwd });
    expect(code).toBe(2);
    expect(stderr).toMatch(/belongs to graph "asks", not to "steps"\..*\(wrong_graph\)$/m);
    expect(document(stdout)).toMatchObject({ status: "failed", invocationId: null, state: null });
    expect((await cli(["resume", "demo", "--answers", '{"left":1}'], { cwd })).code).toBe(3);
  });
});

test("a session that is there already is refused by run, which changes and tells nothing of it", async () => {
  const cwd = makeFolder();
  await cli(["run", steps, "--session", "demo"], { cwd });
  const again = await cli(["run", steps, "--session", "demo", "--json"], { cwd });
  expect(again.code).toBe(2);
  expect(again.stderr).toMatch(/^Session "demo" exists already\. .* see spanloom resume, and --on-existing .*\(session_exists\)$/m);
  expect(again.stderr).not.toContain("Go on: ");
  expect(document(again.stdout)).toMatchObject({ status: "failed", state: null, invocationId: null, error: { code: "session_exists" } });
  const next = await cli(["run", steps, "--session", "demo", "--on-existing", "next", "--json"], { cwd });
  expect(document(next.stdout)).toMatchObject({ status: "completed", steps: 3, step: 6, state: { log: [...whole.log, ...whole.log] } });
});

test.each(["it's", "two\nlines", "a b", "🧵 $HOME", "-x", "--", "sessions/../up", "ä\u001b[31m"])("any id will do: %j", async (id) => {
  const cwd = makeFolder();
  const begun = await cli(["run", asks, `--session=${id}`, "--json"], { cwd });
  expect(begun.code).toBe(3);
  expect(document(begun.stdout)["sessionId"]).toBe(id);
  // What is said can be given to a shell.
  const [, said = ""] = /^Answer them, and go on: spanloom (.*)$/m.exec(begun.stderr) ?? [];
  const words = said.replaceAll(/"(\d\/[^"]+)":"…"/g, '"$1":1');
  const { code, stdout } = await cli([words], { cwd, shell: true });
  expect({ code, printed: document(stdout) }).toMatchObject({ code: 3, printed: { log: ["left 1", "right 1"] } });
  expect(hasEscapes(begun.stderr)).toBe(false);
});

test("help has an example", async () => {
  const { code, stdout } = await cli(["resume", "--help"], { cwd: makeFolder() });
  expect(code).toBe(0);
  expect(stdout).toContain(`\nExample: spanloom resume demo --answer '"yes"'\n`);
});
