/** Runs that do not complete: their exit codes, what is said, and that nothing half-written is left. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import { readSpans } from "../../src/cli/otlp-spans.ts";
import { cli, document, endings, makeFolder, spin, start, warns } from "./child.ts";

const run = (ending: string, ...more: readonly string[]): readonly string[] => [
  "run",
  endings,
  "--input",
  JSON.stringify({ ending }),
  ...more,
];
const traces = (cwd: string): readonly string[] => readdirSync(join(cwd, ".spanloom/traces"));

/** The outcome that the trace tells. */
function outcomeOf(traceFile: unknown): unknown {
  const root = readSpans(readFileSync(String(traceFile), "utf8")).find(({ parentSpanId }) => parentSpanId === "");
  return root?.attributes["spanloom.invocation.outcome"];
}

describe("failed: exit code 1", () => {
  test("by a node: its error, where it was thrown, and its causes", async () => {
    const cwd = makeFolder();
    const { code, stdout, stderr } = await cli(run("fail", "--session", "demo"), { cwd });
    expect(code).toBe(1);
    // That of the last barrier.
    expect(document(stdout)).toEqual({ ending: "fail", rounds: 0, errors: [] });
    expect(stderr).toMatch(/^ {2}✗ first TypeError: the node's own$/m);
    expect(stderr).toMatch(/^✗ failed session demo · 0 steps · /m);
    expect(stderr).toMatch(
      /^Node "first" failed in step 1: the node's own \(scheduler\)\n {2}caused by: TypeError: the node's own\n {6}at .*endings\.ts:\d+/m,
    );
    expect(stderr).toMatch(/^ {4}caused by: Error: deeper$/m);
    // The stack is the user's own code alone.
    expect(stderr).not.toMatch(/at .*(src\/engine|node_modules)/);
    expect(stderr).toMatch(/^[▸ ] +execute_node first ✗ TypeError/m);
  });

  test("--json tells the error and the state of the last barrier", async () => {
    const { code, stdout } = await cli(run("fail", "--json"), { cwd: makeFolder() });
    expect(code).toBe(1);
    const printed = document(stdout);
    expect(printed).toMatchObject({
      status: "failed",
      steps: 0,
      step: 0,
      state: { ending: "fail", rounds: 0 },
      versions: { ending: 1, rounds: 1, errors: 1 },
      error: {
        name: "RunnerError",
        code: "scheduler",
        cause: { name: "TypeError", code: "E_OWN", message: "the node's own", cause: { message: "deeper" } },
      },
    });
    expect(outcomeOf(printed["traceFile"])).toBe("failed");
  });

  test("by --max-steps", async () => {
    const { code, stdout } = await cli(run("loop", "--json", "--max-steps", "3"), { cwd: makeFolder() });
    expect(code).toBe(1);
    expect(document(stdout)).toMatchObject({ status: "failed", steps: 3, step: 3, state: { rounds: 3 }, error: { code: "max_steps" } });
  });

  test("by --max-steps: every step is counted, the last ones are drawn, and the advice is this command's", async () => {
    const { code, stdout, stderr } = await cli(["run", spin, "--json", "--quiet"], { cwd: makeFolder() });
    expect(code).toBe(1);
    expect(document(stdout)).toMatchObject({ status: "failed", steps: 1000, step: 1000, error: { code: "max_steps" } });
    expect(stderr).toMatch(/^✗ failed session \S+ · 1000 steps · /m);
    expect(stderr).toMatch(/^The run did not end within 1000 supersteps\. Raise --max-steps if so many are meant\. \(max_steps\)$/m);
    for (const step of [998, 999, 1000]) expect(stderr).toMatch(new RegExp(`^. +superstep ${step} `, "m"));
    expect(stderr).toMatch(/^ +… \d+ more supersteps$/m);
  });

  test("by a node, after many steps: every one that was completed is counted", async () => {
    const { stdout } = await cli(["run", spin, "--json", "--input", '{"failAt":900}'], { cwd: makeFolder() });
    expect(document(stdout)).toMatchObject({ status: "failed", steps: 900, step: 900, error: { code: "scheduler" } });
  });

  test("by an error outside of every node", async () => {
    for (const [ending, message] of [
      ["crash", "outside of every node"],
      ["reject", "nobody waits for it"],
    ] as const) {
      const { code, stdout, stderr } = await cli(run(ending, "--json"), { cwd: makeFolder() });
      expect(code).toBe(1);
      expect(stderr).toContain(`An error was thrown outside every node, and nothing caught it: ${message} (crashed)`);
      const printed = document(stdout);
      expect(printed).toMatchObject({ status: "failed", error: { code: "crashed", cause: { name: "RangeError", message } } });
      expect(existsSync(String(printed["traceFile"]))).toBe(true);
    }
  });

  test("because nothing is left that could settle it", async () => {
    const { code, stdout, stderr } = await cli(run("stall", "--json"), { cwd: makeFolder() });
    expect(code).toBe(1);
    expect(stderr).toContain('The run waits, in node "first", for something that can never happen');
    expect(document(stdout)).toMatchObject({ status: "failed", error: { code: "stalled" } });
  });

  test("because a node ended the process, even with 0: nothing is reported complete that was not", async () => {
    const cwd = makeFolder();
    const { code, stdout, stderr } = await cli(run("exit", "--json", "--session", "demo"), { cwd });
    expect(code).toBe(1);
    expect(stderr).toContain("The run was cut off: the process was ended by process.exit(0).");
    const printed = document(stdout);
    expect(printed).toMatchObject({ status: "failed", sessionId: "demo", error: { code: "exited" } });
    expect(traces(cwd)).toEqual([basename(String(printed["traceFile"]))]);
  });
});

test.each([
  ["exit 3", 0],
  ["second exits", 1],
])(
  "a node that ends the process with another code, %j: exit code 1, and every step that was completed is counted",
  async (ending, steps) => {
    const cwd = makeFolder();
    const { code, stdout } = await cli(run(ending, "--json", "--session", "demo"), { cwd });
    expect(code).toBe(1);
    const printed = document(stdout);
    expect(printed).toMatchObject({ status: "failed", error: { code: "exited" }, sessionId: "demo", steps, step: steps });
    expect(printed).toMatchObject({ state: { ending, rounds: steps }, versions: { rounds: 1 + steps } });
    const spans = readSpans(readFileSync(String(printed["traceFile"]), "utf8"));
    expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([printed["traceId"]]));
    expect(spans.filter(({ name }) => name === "superstep")).toHaveLength(steps);
    // Without --json too.
    expect(document((await cli(run(ending), { cwd })).stdout)).toMatchObject({ rounds: steps });
  },
);

describe("paused: exit code 3", () => {
  test("by --pause-before: what it waits for, and the state so far", async () => {
    const { code, stdout, stderr } = await cli(run("well", "--pause-before", "after", "--session", "demo"), { cwd: makeFolder() });
    const { stdout: told } = await cli(run("well", "--pause-before", "after", "--json"), { cwd: makeFolder() });
    expect(document(told)["interrupts"]).toEqual([{ id: "2/before/after", node: "after", step: 2, payload: null, kind: "before" }]);
    expect(code).toBe(3);
    expect(document(stdout)).toMatchObject({ ending: "well", rounds: 1 });
    expect(stderr).toMatch(/^‖ paused session demo · 1 step · .*\n {2}\? paused before after \(2\/before\/after\)$/m);
  });

  test("by a question", async () => {
    const { code, stdout, stderr } = await cli(run("interrupt", "--json"), { cwd: makeFolder() });
    expect(code).toBe(3);
    const printed = document(stdout);
    expect(printed).toMatchObject({ status: "paused", steps: 0 });
    expect(printed["interrupts"]).toEqual([
      { id: expect.stringMatching(/^1\/first\/0\//), node: "first", step: 1, payload: { question: "who?" }, kind: "interrupt" },
    ]);
    expect(outcomeOf(printed["traceFile"])).toBe("paused");
    expect(stderr.endsWith(`\nAnswer it, and go on: spanloom resume ${String(printed["sessionId"])} --answer '<json>'\n`)).toBe(true);
  });
});

describe("signals", () => {
  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("the first %s stops at the next boundary, with a checkpoint, and says so", async (signal, expected) => {
    const { child, ended, saying } = start(run(`until ${signal}`, "--json"), { cwd: makeFolder() });
    await saying("step 1 first");
    child.kill(signal);
    const { code, stdout, stderr } = await ended;
    expect(code).toBe(expected);
    expect(stderr).toContain(`${signal}: stopping at the end of this superstep. Once more stops at once.\n`);
    expect(stderr).toMatch(/^■ cancelled /m);
    const printed = document(stdout);
    expect(printed).toMatchObject({ status: "cancelled", steps: 1, step: 1, state: { rounds: 1 } });
    expect(printed).not.toHaveProperty("error");
    expect(outcomeOf(printed["traceFile"])).toBe("cancelled");
    const saves = readSpans(readFileSync(String(printed["traceFile"]), "utf8")).filter(({ name }) => name === "checkpoint");
    expect(saves.map(({ attributes }) => attributes["spanloom.step"])).toContain(1);
  });

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("the second, %s, stops at once, and leaves the trace so far", async (signal, expected) => {
    const cwd = makeFolder();
    const { child, ended, saying } = start(run("second for ever", "--json", "--session", "demo"), { cwd });
    await saying("step 2 after");
    child.kill("SIGINT");
    await saying("SIGINT: stopping");
    child.kill(signal);
    const { code, stdout, stderr } = await ended;
    expect(code).toBe(expected);
    const printed = document(stdout);
    expect(printed).toMatchObject({ status: "cancelled", sessionId: "demo", steps: 1, step: 1, state: { rounds: 1 } });
    expect(printed["versions"]).toMatchObject({ rounds: 2 });
    const { invocationId, traceId, traceFile } = printed;
    expect(traceFile).toBe(join(cwd, `.spanloom/traces/${String(invocationId)}.otlp.jsonl`));
    expect(traces(cwd)).toEqual([`${String(invocationId)}.otlp.jsonl`]);
    const spans = readSpans(readFileSync(String(traceFile), "utf8"));
    expect(spans.map(({ name }) => name)).toContain("execute_node first");
    expect(new Set(spans.map((span) => span.traceId))).toEqual(new Set([traceId]));
    const last = `Trace: ${String(traceFile)}\nGo on: spanloom resume demo\n`;
    expect(stderr.endsWith(`\n■ stopped at once · node "after" was still running (step 2)\n${last}`)).toBe(true);
  });

  test("before anything runs, the first stops at once", async () => {
    const cwd = makeFolder({ "slow.ts": 'console.error("importing"); setInterval(() => {}, 60_000); await new Promise(() => {});' });
    const { child, ended, saying } = start(["run", "slow.ts", "--json"], { cwd });
    await saying("importing");
    child.kill("SIGINT");
    const { code, stdout, stderr } = await ended;
    expect(code).toBe(130);
    expect(document(stdout)).toMatchObject({ status: "cancelled", sessionId: null, invocationId: null });
    expect(stderr).toMatch(/^■ stopped at once\n$/m);
  });
});

test.each([[[]], [["--quiet"]]])("what was warned of is said again at the end, once each %j", async (more) => {
  const { code, stderr } = await cli(["run", warns, ...more], { cwd: makeFolder() });
  expect(code).toBe(0);
  const [, summary = ""] = stderr.split("✓ completed");
  expect(summary.split("\n").slice(1, 4)).toEqual([
    '! left warn nearly full {"percent":93} × 2',
    "! left error lost one",
    "! both never ran: it still waited for right",
  ]);
  expect(summary).not.toContain("all is well");
});

describe("what cannot be kept is said, and fails no run", () => {
  test("an event log that takes nothing: how much is lost, where and why", async () => {
    const { code, stderr, stdout } = await cli(run("well", "--events", "/dev/full"), { cwd: makeFolder() });
    expect(code).toBe(0);
    expect(document(stdout)).toMatchObject({ rounds: 2 });
    expect(stderr).toMatch(/^! \d+ events could not be written to the event log, \/dev\/full: .*ENOSPC/m);
  });

  test("a full disk: no trace is named that there is none of", async () => {
    const cwd = makeFolder();
    // Files of no byte at all: every write fails as it does on a full disk.
    const { code, stderr, stdout } = await cli(run("well", "--json", "--db", "none"), { cwd, fileSize: 0 });
    expect(code).toBe(0);
    expect(document(stdout)).toMatchObject({ status: "completed", traceFile: null });
    expect(stderr).toMatch(/^! \d+ spans of the trace could not be delivered\.$/m);
    expect(stderr).toMatch(/^! \d+ events could not be written to the event log, .*\.spanloom\/events\/[\w-]+\.jsonl: .*EFBIG/m);
    expect(stderr).not.toContain("Trace:");
    expect(traces(cwd)).toEqual([]);
  });
});
