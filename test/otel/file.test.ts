/** Telemetry in files: OTLP-JSON lines, appended, without a network. */
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { logs, metrics } from "@opentelemetry/api";
import { afterEach, describe, expect, it, vi } from "vitest";
import { startTelemetry } from "../../src/otel.ts";
import { pathOf } from "../../src/otel/file.ts";
import {
  deadEndpoint,
  linesOf,
  listenToComplaints,
  makeSpans,
  namesOf,
  spansOf,
  startCollector,
  temporaryFolder,
  tracesTo,
} from "./support.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("a file", () => {
  it("holds traces alone, with ids as hexadecimal digits; metrics and logs lie beside it", async () => {
    const folder = temporaryFolder();
    const file = join(folder, "new", "folder", "run.otlp.jsonl");
    const telemetry = startTelemetry({ serviceName: "shop", file });
    makeSpans(1300);
    metrics.getMeter("test").createCounter("orders").add(3);
    logs.getLogger("test").emit({ body: "hello" });
    expect(await telemetry.shutdown({ timeout: "60s" })).toEqual({ lostSpans: 0, lostEvents: 0 });
    const lines = linesOf(file);
    expect(lines.map((line) => Object.keys(line))).toEqual([["resourceSpans"], ["resourceSpans"], ["resourceSpans"]]);
    expect(namesOf(lines)).toHaveLength(1300);
    expect(spansOf(lines)[0]).toMatchObject({
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
      spanId: expect.stringMatching(/^[0-9a-f]{16}$/),
    });
    expect(readFileSync(join(folder, "new", "folder", "run.metrics.jsonl"), "utf8")).toMatch(/^\{"resourceMetrics":.*"orders".*\}\n$/);
    expect(readFileSync(join(folder, "new", "folder", "run.logs.jsonl"), "utf8")).toMatch(/^\{"resourceLogs":.*"hello".*\}\n$/);
  });

  it.each([
    ["run.otlp.jsonl", "run.logs.jsonl"],
    ["run.jsonl", "run.logs.jsonl"],
    ["run.json", "run.logs.jsonl"],
    ["run.otlp.json", "run.logs.jsonl"],
    ["run", "run.logs.jsonl"],
    ["run.txt", "run.logs.jsonl"],
    ["run.otlp", "run.logs.jsonl"],
    ["a/run.2.txt", "a/run.2.logs.jsonl"],
    ["a/.otlp.jsonl", "a/.otlp.logs.jsonl"],
    ["/.run", "/.run.logs.jsonl"],
    ["a.jsonl/run", "a.jsonl/run.logs.jsonl"],
  ])("named %s has its logs in %s", (file, expected) => {
    expect(pathOf(file, "traces")).toBe(file);
    expect(pathOf(file, "logs")).toBe(expected);
  });

  it("is for its owner alone, is appended to, and is not made before there is something to write", async () => {
    const folder = temporaryFolder();
    const file = join(folder, "run.jsonl");
    for (const prefix of ["first", "second"]) {
      const telemetry = startTelemetry({ serviceName: "shop", file });
      if (prefix === "first") expect(readdirSync(folder)).toEqual([]);
      makeSpans(1, prefix);
      await telemetry.shutdown();
    }
    expect(namesOf(linesOf(file))).toEqual(["first 0", "second 0"]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(["run.jsonl"]);
  });

  it("needs no network, whatever the variables say; with an endpoint, both get all", async () => {
    const collector = await startCollector();
    vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint);
    const file = join(temporaryFolder(), "run.jsonl");
    const alone = startTelemetry({ serviceName: "shop", file });
    makeSpans(1, "alone");
    expect(await alone.shutdown()).toEqual({ lostSpans: 0, lostEvents: 0 });
    expect(collector.requests).toEqual([]);
    const both = startTelemetry({ serviceName: "shop", file, endpoint: collector.endpoint });
    makeSpans(1, "both");
    expect(await both.shutdown()).toEqual({ lostSpans: 0, lostEvents: 0 });
    expect(namesOf(linesOf(file))).toEqual(["alone 0", "both 0"]);
    expect(namesOf(tracesTo(collector))).toEqual(["both 0"]);
  });

  it("gets all even if the collector beside it is down, whose losses count", async () => {
    listenToComplaints();
    const file = join(temporaryFolder(), "run.jsonl");
    const telemetry = startTelemetry({ serviceName: "shop", file, endpoint: await deadEndpoint() });
    makeSpans(3);
    expect(await telemetry.shutdown({ timeout: 300 })).toEqual({ lostSpans: 3, lostEvents: 0 });
    expect(namesOf(linesOf(file))).toHaveLength(3);
  });

  it("may be moved away or deleted at any time", async () => {
    const folder = temporaryFolder();
    const file = join(folder, "run.jsonl");
    const telemetry = startTelemetry({ serviceName: "shop", file });
    makeSpans(1, "first");
    await telemetry.flush();
    renameSync(file, join(folder, "old.jsonl"));
    makeSpans(1, "second");
    expect(await telemetry.shutdown()).toEqual({ lostSpans: 0, lostEvents: 0 });
    expect(namesOf(linesOf(file))).toEqual(["second 0"]);
  });

  it("gets all that waits even from a shutdown without any time, and nothing is said", async () => {
    const complaints = listenToComplaints();
    const file = join(temporaryFolder(), "run.jsonl");
    const telemetry = startTelemetry({ serviceName: "shop", file });
    makeSpans(5000);
    expect(await telemetry.shutdown({ timeout: 0 })).toEqual({ lostSpans: 0, lostEvents: 0 });
    expect(namesOf(linesOf(file))).toHaveLength(5000);
    expect(complaints).toEqual([]);
  });
});

describe("a last line that does not end", () => {
  it("is cut if a crash left it", async () => {
    const file = join(temporaryFolder(), "run.jsonl");
    writeFileSync(file, `{"resourceSpans":[]}\n{"resourceSpans":[{"resource":${"x".repeat(100_000)}`);
    const telemetry = startTelemetry({ serviceName: "shop", file });
    makeSpans(1);
    await telemetry.shutdown();
    expect(linesOf(file)).toHaveLength(2);
    expect(namesOf(linesOf(file))).toEqual(["span 0"]);
  });

  it.each(['{"resourceSpans":[]}', "somebody's notes"])("is ended if it is whole, or none of ours: %s", async (text) => {
    const file = join(temporaryFolder(), "run.jsonl");
    writeFileSync(file, text);
    const telemetry = startTelemetry({ serviceName: "shop", file });
    makeSpans(1);
    await telemetry.shutdown();
    const written = readFileSync(file, "utf8");
    expect(written.startsWith(`${text}\n{"resourceSpans":`)).toBe(true);
    expect(written.split("\n")).toEqual([text, expect.stringContaining("span 0"), ""]);
  });
});

describe("a file that cannot be written", () => {
  it.each([
    ["a folder", (folder: string) => folder],
    ["below a file", (folder: string) => join(folder, "taken", "run.jsonl")],
  ])("is refused at once: %s", (_name, path) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "taken"), "");
    expect(() => startTelemetry({ serviceName: "shop", file: path(folder) })).toThrow(
      expect.objectContaining({ code: "invalid_option", facts: expect.objectContaining({ option: "file" }) }),
    );
  });

  it("later, because its folder is gone: what is lost is counted, and told once", async () => {
    const folder = join(temporaryFolder(), "traces");
    mkdirSync(folder);
    const complaints = listenToComplaints();
    const telemetry = startTelemetry({ serviceName: "shop", file: join(folder, "run.jsonl") });
    rmSync(folder, { recursive: true });
    makeSpans(3);
    await telemetry.flush();
    makeSpans(3);
    expect(await telemetry.shutdown()).toEqual({ lostSpans: 6, lostEvents: 0 });
    expect(complaints).toHaveLength(1);
    expect(complaints[0]).toContain(`traces cannot be written to ${join(folder, "run.jsonl")}: ENOENT`);
    expect(existsSync(folder)).toBe(false);
  });

  it("later, because the disk is full: what is lost is counted, and told once", async () => {
    // Every write to it fails for want of space; where there is no such device, a folder takes its place.
    const full = "/dev/full";
    const file = existsSync(full) ? full : join(temporaryFolder(), "run.jsonl");
    const complaints = listenToComplaints();
    const telemetry = startTelemetry({ serviceName: "shop", file });
    if (file !== full) mkdirSync(file);
    makeSpans(600);
    expect(await telemetry.shutdown()).toEqual({ lostSpans: 600, lostEvents: 0 });
    expect(complaints).toHaveLength(1);
    if (file === full) expect(complaints[0]).toContain("ENOSPC");
  });

  it("does not keep two processes from appending to one file", async () => {
    const file = join(temporaryFolder(), "run.jsonl");
    const telemetry = startTelemetry({ serviceName: "shop", file });
    makeSpans(1, "ours");
    await telemetry.flush();
    appendFileSync(file, '{"resourceSpans":[]}\n');
    makeSpans(1, "ours again");
    await telemetry.shutdown();
    expect(linesOf(file)).toHaveLength(3);
  });
});
