/** `spanloom run --otlp`: the trace goes to a collector, and not to a file. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readSpans } from "../../src/cli/otlp-spans.ts";
import { startCollector } from "../otel/support.ts";
import { cli, document, endings, makeFolder, source, start, type Started } from "./child.ts";

const well = ["run", endings, "--input", '{"ending":"well"}', "--json"];

test.each<[string, (endpoint: string) => { readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> }]>([
  ["--otlp-endpoint, which implies --otlp", (endpoint) => ({ args: ["--otlp-endpoint", endpoint], env: {} })],
  ["OTEL_EXPORTER_OTLP_ENDPOINT", (endpoint) => ({ args: ["--otlp"], env: { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } })],
])("to %s", async (_name, given) => {
  const collector = await startCollector();
  const cwd = makeFolder();
  const { args, env } = given(collector.endpoint);
  const { code, stdout, stderr } = await cli([...well, ...args], { cwd, env });
  expect(code).toBe(0);
  const printed = document(stdout);
  expect(printed).toMatchObject({ status: "completed", traceFile: null });
  const sent = collector.requests.filter(({ path }) => path === "/v1/traces").map(({ body }) => body.toString("utf8"));
  const spans = readSpans(sent.join("\n"));
  expect(spans.map(({ name }) => name)).toContain("invoke_workflow endings");
  expect(spans).toHaveLength(14);
  expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([printed["traceId"]]));
  expect(sent.join("")).toContain('"service.name"');
  expect(stderr).toContain(`Trace: ${String(printed["traceId"])}, sent to ${collector.endpoint}/v1/traces\n`);
  expect(stderr).toMatch(/^▸ invoke_workflow endings .*█/m);
  expect(readdirSync(cwd)).toEqual([".spanloom"]);
  expect(existsSync(join(cwd, ".spanloom/traces"))).toBe(false);
});

test("without --otlp nothing is sent, whatever the environment says", async () => {
  const collector = await startCollector();
  const { stdout } = await cli(well, { cwd: makeFolder(), env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint } });
  expect(existsSync(String(document(stdout)["traceFile"]))).toBe(true);
  expect(collector.requests).toEqual([]);
});

test("a collector that is down: said, counted, and no failure of the run", async () => {
  const { code, stdout, stderr } = await cli([...well, "--otlp-endpoint", "http://127.0.0.1:9"], { cwd: makeFolder() });
  expect(code).toBe(0);
  expect(document(stdout)).toMatchObject({ status: "completed" });
  expect(stderr).toMatch(/^spanloom telemetry: .*127\.0\.0\.1:9/m);
  expect(stderr).toMatch(/^! 14 spans of the trace could not be delivered\.$/m);
  expect(stderr).toMatch(/^▸ invoke_workflow endings /m);
  expect(stderr).not.toContain(", sent to");
  expect(stderr).toMatch(/^Trace: [0-9a-f]{32}$/m);
});

test("the copy for the waterfall does not stay", async () => {
  const collector = await startCollector();
  const cwd = makeFolder({ "scratch/.keep": "" });
  const env = { TMPDIR: join(cwd, "scratch") };
  await cli([...well, "--otlp-endpoint", collector.endpoint], { cwd, env });
  expect(readdirSync(join(cwd, "scratch"))).toEqual([".keep"]);
  const { stderr, code } = await cli([...well, "--otlp-endpoint", collector.endpoint], { cwd, env: { TMPDIR: join(cwd, "none") } });
  expect(code).toBe(0);
  expect(stderr).toContain("sent to");
  expect(stderr).not.toContain("▸");
});

test("an address for traces alone is the one that is named, and credentials are not", async () => {
  const collector = await startCollector();
  const own = collector.endpoint.replace("http://", "http://user:secret@");
  const env = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${own}/own?key=secret`, OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint };
  const { stderr } = await cli([...well, "--otlp"], { cwd: makeFolder(), env });
  expect(collector.requests.map(({ path }) => path)).toContain("/own?key=secret");
  expect(stderr).toContain(`, sent to ${collector.endpoint}/own\n`);
  const named = await cli([...well, "--otlp-endpoint", own], { cwd: makeFolder() });
  expect(named.stderr).toContain(`, sent to ${collector.endpoint}/v1/traces\n`);
  expect(stderr + named.stderr).not.toContain("secret");
});

describe("what comes when the run has ended, and a collector does not answer", () => {
  /** A run that waits for nothing but that. */
  async function startMute(args: readonly string[], cwd: string, meanwhile: (started: Started) => Promise<void> = async () => {}) {
    const collector = await startCollector(() => {});
    // Nothing is sent before the end.
    const env = { OTEL_BSP_SCHEDULE_DELAY: "600000" };
    const started = start(["run", ...args, "--json", "--otlp-endpoint", collector.endpoint], { cwd, env });
    await meanwhile(started);
    await collector.when(() => collector.requests.some(({ path }) => path === "/v1/traces"));
    return started;
  }
  const ending = (name: string): readonly string[] => [endings, "--input", JSON.stringify({ ending: name })];

  test.each(["SIGINT", "SIGTERM"] as const)("%s ends the waiting, and changes nothing of the outcome", async (signal) => {
    const { child, ended } = await startMute([...ending("well"), "--session", "demo"], makeFolder());
    child.kill(signal);
    const { code, stdout, stderr } = await ended;
    expect(code).toBe(0);
    expect(document(stdout)).toMatchObject({ status: "completed", steps: 2, step: 2, state: { rounds: 2 }, versions: { rounds: 3 } });
    expect(stderr).toMatch(/^✓ completed session demo · 2 steps/m);
    expect(stderr).toContain("! The collector was not waited for: spans of the trace may be missing there.\n");
    expect(stderr).not.toContain("stopp");
    expect(stderr).not.toContain(", sent to");
  });

  test("a signal keeps the code of a run that failed", async () => {
    const { child, ended } = await startMute(ending("fail"), makeFolder());
    child.kill("SIGINT");
    const { code, stdout } = await ended;
    expect(code).toBe(1);
    expect(document(stdout)).toMatchObject({ status: "failed", state: { rounds: 0 }, error: { code: "scheduler" } });
  });

  test("a second signal keeps what the first has brought about", async () => {
    const { child, ended } = await startMute(ending("until SIGINT"), makeFolder(), async ({ child: running, saying }) => {
      await saying("step 1 first");
      running.kill("SIGINT");
    });
    child.kill("SIGTERM");
    const { code, stdout } = await ended;
    expect(code).toBe(130);
    expect(document(stdout)).toMatchObject({ status: "cancelled", steps: 1, state: { rounds: 1 } });
  });

  test("process.exit of the module's own does not lose the outcome", async () => {
    const exits = `import { channel, END, graph, START } from ${JSON.stringify(join(source, "index.ts"))};
process.on("SIGUSR2", () => process.exit(5));
export default graph({ name: "exits", channels: { text: channel.value("") } })
  .node("say", () => ({ text: "said" })).edge(START, "say").edge("say", END).compile();`;
    const { child, ended } = await startMute(["exits.ts"], makeFolder({ "exits.ts": exits }));
    child.kill("SIGUSR2");
    const { code, stdout, stderr } = await ended;
    expect(code).toBe(0);
    expect(document(stdout)).toMatchObject({ status: "completed", steps: 1, state: { text: "said" } });
    expect(stderr).toMatch(/^✓ completed$/m);
  });
});
