/** How a process ends that has telemetry: as it would without, but with everything sent that could be. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { deadEndpoint, linesOf, namesOf, startApp, startCollector, temporaryFolder, tracesTo } from "./support.ts";

describe("a process that comes to its end", () => {
  it("flushes to a collector first", async () => {
    const collector = await startCollector();
    const ended = await startApp({ options: { serviceName: "app", endpoint: collector.endpoint }, spans: 600, end: "natural" }).ended;
    expect(ended).toEqual({ code: 0, signal: null, stdout: "", stderr: "" });
    expect(namesOf(tracesTo(collector))).toHaveLength(600);
  });

  it("keeps its exit code", async () => {
    const collector = await startCollector();
    const ended = await startApp({ options: { serviceName: "app", endpoint: collector.endpoint }, spans: 1, end: "exitCode" }).ended;
    expect(ended).toMatchObject({ code: 3, signal: null });
    expect(namesOf(tracesTo(collector))).toHaveLength(1);
  });

  it("is not kept by a collector that is not there, nor by one that hangs", async () => {
    const hanging = await startCollector(() => {});
    for (const endpoint of [await deadEndpoint(), hanging.endpoint]) {
      const ended = await startApp({ options: { serviceName: "app", endpoint }, spans: 600, end: "natural" }).ended;
      expect(ended).toMatchObject({ code: 0, signal: null });
      expect(ended.stderr.split("\n")).toEqual([expect.stringContaining(`traces cannot be sent to ${endpoint}/v1/traces: `), ""]);
    }
  });

  it.each([
    ["is not waited for again after a flush in vain", 0, []],
    ["is waited for if there are new spans since", 1, ["Timeout"]],
  ])("%s", async (_name, more, held) => {
    const { endpoint } = await startCollector(() => {});
    const ended = await startApp({ options: { serviceName: "app", endpoint }, spans: 600, more, end: "flush" }).ended;
    expect(ended).toMatchObject({ code: 0, signal: null });
    expect(JSON.parse(ended.stdout)).toEqual({ held });
    expect(ended.stderr.match(/\n/g)).toHaveLength(1);
  });

  it("is waited for after a flush of everything: what was counted since is sent, too", async () => {
    const collector = await startCollector();
    const ended = await startApp({ options: { serviceName: "app", endpoint: collector.endpoint }, spans: 1, end: "count" }).ended;
    expect(ended).toEqual({ code: 0, signal: null, stdout: "", stderr: "" });
    expect(collector.requests.filter(({ path }) => path === "/v1/metrics")).toHaveLength(1);
  });

  it.each([
    ["natural", 0],
    ["exit", 5],
    ["throw", 1],
  ])("has its trace in the file: %s", async (end, code) => {
    const file = join(temporaryFolder(), "run.jsonl");
    const ended = await startApp({ options: { serviceName: "app", file }, spans: 600, end }).ended;
    expect(ended).toMatchObject({ code, signal: null });
    expect(namesOf(linesOf(file))).toHaveLength(600);
  });
});

describe("a shutdown", () => {
  it.each([
    ["hangs", () => startCollector(() => {}).then(({ endpoint }) => endpoint)],
    ["is not there", deadEndpoint],
    ["is not ready", () => startCollector((response) => void response.writeHead(503).end()).then(({ endpoint }) => endpoint)],
    [
      "asks to wait",
      () => startCollector((response) => void response.writeHead(503, { "retry-after": "60" }).end()).then(({ endpoint }) => endpoint),
    ],
    ["works", () => startCollector().then(({ endpoint }) => endpoint)],
  ])("leaves nothing that holds the process, if the collector %s", async (state, makeEndpoint) => {
    const endpoint = await makeEndpoint();
    const ended = await startApp({
      options: { serviceName: "app", endpoint },
      spans: 600,
      end: "shutdown",
      timeout: state === "works" ? "60s" : 300,
    }).ended;
    expect(ended).toMatchObject({ code: 0, signal: null });
    const lostSpans = state === "works" ? 0 : 600;
    expect(JSON.parse(ended.stdout)).toEqual({ losses: { lostSpans, lostEvents: 0 }, held: [] });
  });
});

describe("a signal", () => {
  it.each(["SIGINT", "SIGTERM"] as const)("%s acts after the flush, if it was asked for", async (signal) => {
    const collector = await startCollector();
    const app = startApp({ options: { serviceName: "app", endpoint: collector.endpoint, signals: true }, spans: 3, end: "wait" });
    await app.printed("ready");
    app.kill(signal);
    expect(await app.ended).toMatchObject({ code: null, signal });
    expect(namesOf(tracesTo(collector))).toHaveLength(3);
  });

  it("acts at once otherwise", async () => {
    const collector = await startCollector();
    const plan = { options: { serviceName: "app", endpoint: collector.endpoint }, spans: 3, end: "wait" };
    const app = startApp(plan, { OTEL_BSP_SCHEDULE_DELAY: "3600000" });
    await app.printed("ready");
    app.kill("SIGTERM");
    expect(await app.ended).toMatchObject({ code: null, signal: "SIGTERM" });
    expect(collector.requests).toEqual([]);
  });

  it("acts although the collector hangs, which is told", async () => {
    const collector = await startCollector(() => {});
    const app = startApp({ options: { serviceName: "app", endpoint: collector.endpoint, signals: true }, spans: 3, end: "wait" });
    await app.printed("ready");
    app.kill("SIGTERM");
    const ended = await app.ended;
    expect(ended).toMatchObject({ code: null, signal: "SIGTERM" });
    expect(ended.stderr.split("\n")).toEqual([expect.stringContaining(`traces cannot be sent to ${collector.endpoint}/v1/traces: `), ""]);
  });

  it("is the application's affair, if it listens, if only once: the flush ends nothing", async () => {
    const collector = await startCollector();
    const app = startApp({
      options: { serviceName: "app", endpoint: collector.endpoint, signals: true },
      spans: 3,
      end: "waitWithHandler",
    });
    await app.printed("ready");
    app.kill("SIGTERM");
    expect(await app.ended).toMatchObject({ code: 7, signal: null, stdout: "ready\nhandled\n" });
    expect(namesOf(tracesTo(collector))).toHaveLength(3);
  });

  it("that the application ignores is still ignored", async () => {
    const collector = await startCollector();
    const app = startApp({ options: { serviceName: "app", endpoint: collector.endpoint, signals: true }, spans: 3, end: "waitStubbornly" });
    await app.printed("ready");
    app.kill("SIGTERM");
    await app.printed("ignored");
    await collector.when(() => namesOf(tracesTo(collector)).length === 3);
    app.kill("SIGINT");
    expect(await app.ended).toMatchObject({ code: 9, signal: null });
  });
});
