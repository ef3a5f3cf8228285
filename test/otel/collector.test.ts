/** What reaches a collector: over HTTP, in the encoding and with the facts that options and variables say. */
import { logs, metrics, trace } from "@opentelemetry/api";
import { AlwaysOffSampler } from "@opentelemetry/sdk-trace";
import { afterEach, describe, expect, it, vi } from "vitest";
import { startTelemetry } from "../../src/otel.ts";
import { deadEndpoint, listenToComplaints, makeSpans, namesOf, resourceOf, spansOf, startCollector, tracesTo } from "./support.ts";

const setEnvironment = (variables: Readonly<Record<string, string>>): void => {
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
};

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("a collector gets", () => {
  it("spans, metrics and log records as OTLP-JSON, each at its own path", async () => {
    const collector = await startCollector();
    const telemetry = startTelemetry({ serviceName: "shop", endpoint: collector.endpoint });
    makeSpans(1);
    metrics.getMeter("test").createCounter("orders").add(3);
    logs.getLogger("test").emit({ body: "hello" });
    expect(await telemetry.shutdown()).toEqual({ lostSpans: 0, lostEvents: 0 });
    expect(collector.requests.map(({ path }) => path).toSorted()).toEqual(["/v1/logs", "/v1/metrics", "/v1/traces"]);
    expect(new Set(collector.requests.map(({ headers }) => headers["content-type"]))).toEqual(new Set(["application/json"]));
    const [span] = spansOf(tracesTo(collector));
    expect(span).toMatchObject({
      name: "span 0",
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
      spanId: expect.stringMatching(/^[0-9a-f]{16}$/),
    });
    const bodies = collector.requests.map(({ body }) => body.toString("utf8")).join("");
    expect(bodies).toContain('"orders"');
    expect(bodies).toContain('"hello"');
  });

  it("protobuf when OTEL_EXPORTER_OTLP_PROTOCOL says so", async () => {
    setEnvironment({ OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf", OTEL_EXPORTER_OTLP_LOGS_PROTOCOL: "http/json" });
    const collector = await startCollector((response) => void response.end());
    const telemetry = startTelemetry({ serviceName: "shop", endpoint: collector.endpoint });
    makeSpans(1);
    metrics.getMeter("test").createCounter("orders").add(3);
    logs.getLogger("test").emit({ body: "hello" });
    expect(await telemetry.shutdown()).toEqual({ lostSpans: 0, lostEvents: 0 });
    const types = Object.fromEntries(collector.requests.map(({ path, headers }) => [path, headers["content-type"]]));
    expect(types).toEqual({
      "/v1/traces": "application/x-protobuf",
      "/v1/metrics": "application/x-protobuf",
      "/v1/logs": "application/json",
    });
    const traces = collector.requests.find(({ path }) => path === "/v1/traces");
    // Field 1, length-delimited: the resource spans.
    expect(traces?.body[0]).toBe(0x0a);
    expect(traces?.body.includes("span 0")).toBe(true);
  });

  it("all of a burst of 20 000 spans, one request at a time", async () => {
    const collector = await startCollector();
    const telemetry = startTelemetry({ serviceName: "shop", endpoint: collector.endpoint });
    makeSpans(20_000);
    expect(await telemetry.shutdown({ timeout: "60s" })).toEqual({ lostSpans: 0, lostEvents: 0 });
    expect(new Set(namesOf(tracesTo(collector))).size).toBe(20_000);
    expect(collector.mostAtOnce).toBe(1);
  });

  it("a burst of log records, too", async () => {
    const collector = await startCollector();
    const telemetry = startTelemetry({ serviceName: "shop", endpoint: collector.endpoint });
    const logger = logs.getLogger("test");
    for (let index = 0; index < 5000; index += 1) logger.emit({ body: `record ${index}` });
    expect(await telemetry.shutdown({ timeout: "60s" })).toEqual({ lostSpans: 0, lostEvents: 0 });
    expect(collector.mostAtOnce).toBe(1);
  });

  it("full batches without waiting, and the rest after a delay", async () => {
    setEnvironment({ OTEL_BSP_MAX_EXPORT_BATCH_SIZE: "10", OTEL_BSP_SCHEDULE_DELAY: "20" });
    const collector = await startCollector();
    const telemetry = startTelemetry({ serviceName: "shop", endpoint: collector.endpoint });
    makeSpans(25);
    await collector.when(() => namesOf(tracesTo(collector)).length === 25);
    expect(tracesTo(collector).map((document) => namesOf([document]).length)).toEqual([10, 10, 5]);
    await telemetry.shutdown();
  });

  it("metrics at the interval that the option says", async () => {
    const collector = await startCollector();
    const telemetry = startTelemetry({ serviceName: "shop", endpoint: collector.endpoint, metricInterval: 5 });
    metrics.getMeter("test").createCounter("orders").add(3);
    await collector.when(() => collector.requests.length >= 3);
    await telemetry.shutdown();
    expect(new Set(collector.requests.map(({ path }) => path))).toEqual(new Set(["/v1/metrics"]));
  });

  it("compressed bodies when OTEL_EXPORTER_OTLP_COMPRESSION says so", async () => {
    setEnvironment({ OTEL_EXPORTER_OTLP_COMPRESSION: "gzip" });
    const collector = await startCollector();
    const telemetry = startTelemetry({ serviceName: "shop", endpoint: collector.endpoint });
    makeSpans(2);
    await telemetry.shutdown();
    expect(collector.requests[0]?.headers["content-encoding"]).toBe("gzip");
    expect(namesOf(tracesTo(collector))).toEqual(["span 0", "span 1"]);
  });
});

describe("the address", () => {
  it.each([
    ["the option, with a path", (base: string) => ({ endpoint: `${base}/otlp/?tenant=a`, variables: {} }), "/otlp/v1/traces?tenant=a"],
    [
      "the common variable, as a base",
      (base: string) => ({ variables: { OTEL_EXPORTER_OTLP_ENDPOINT: `${base}/otlp` } }),
      "/otlp/v1/traces",
    ],
    [
      "the signal's own variable, as it is",
      (base: string) => ({ variables: { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${base}/mine` } }),
      "/mine",
    ],
    [
      "the option, over both variables",
      (base: string, dead: string) => ({
        endpoint: base,
        variables: { OTEL_EXPORTER_OTLP_ENDPOINT: dead, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: dead },
      }),
      "/v1/traces",
    ],
  ])("is %s", async (_name, plan, path) => {
    const collector = await startCollector();
    const { variables, ...options }: { variables: Record<string, string>; endpoint?: string } = plan(
      collector.endpoint,
      await deadEndpoint(),
    );
    setEnvironment(variables);
    const telemetry = startTelemetry({ serviceName: "shop", ...options });
    makeSpans(1);
    expect(await telemetry.shutdown()).toMatchObject({ lostSpans: 0 });
    expect(collector.requests.map((request) => request.path)).toEqual([path]);
  });
});

describe("facts", () => {
  it("headers are merged by name, the option over the variable", async () => {
    setEnvironment({ OTEL_EXPORTER_OTLP_HEADERS: "x-tenant=variable,x-only=variable" });
    const collector = await startCollector();
    const telemetry = startTelemetry({ serviceName: "shop", endpoint: collector.endpoint, headers: { "x-tenant": "option" } });
    makeSpans(1);
    await telemetry.shutdown();
    expect(collector.requests[0]?.headers).toMatchObject({ "x-tenant": "option", "x-only": "variable" });
  });

  it("the resource is merged by key, options over variables, and has an instance id but no command line", async () => {
    setEnvironment({ OTEL_SERVICE_NAME: "variable", OTEL_RESOURCE_ATTRIBUTES: "service.name=other,team=variable,region=north" });
    const collector = await startCollector();
    const telemetry = startTelemetry({ serviceName: "shop", endpoint: collector.endpoint, resource: { team: "option" } });
    makeSpans(1);
    await telemetry.shutdown();
    const resource = resourceOf(tracesTo(collector));
    expect(resource).toMatchObject({ "service.name": "shop", team: "option", region: "north", "process.pid": process.pid });
    expect(resource["service.instance.id"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(Object.keys(resource).filter((key) => /command|owner/.test(key))).toEqual([]);
  });

  it("the instance id is the one given, in the variable or the option, and is there without any detector", async () => {
    const instanceOf = async (resource: Readonly<Record<string, string>>): Promise<unknown> => {
      const collector = await startCollector();
      const telemetry = startTelemetry({ serviceName: "shop", endpoint: collector.endpoint, resource });
      makeSpans(1);
      await telemetry.shutdown();
      return resourceOf(tracesTo(collector))["service.instance.id"];
    };
    setEnvironment({ OTEL_RESOURCE_ATTRIBUTES: "service.instance.id=one" });
    expect(await instanceOf({})).toBe("one");
    expect(await instanceOf({ "service.instance.id": "two" })).toBe("two");
    setEnvironment({ OTEL_NODE_RESOURCE_DETECTORS: "none" });
    expect(await instanceOf({})).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("what OTEL_NODE_RESOURCE_DETECTORS asks for is found out, also what takes a while", async () => {
    setEnvironment({ OTEL_NODE_RESOURCE_DETECTORS: "process,host" });
    const collector = await startCollector();
    const telemetry = startTelemetry({ serviceName: "shop", endpoint: collector.endpoint });
    makeSpans(1);
    expect(await telemetry.shutdown()).toMatchObject({ lostSpans: 0 });
    expect(Object.keys(resourceOf(tracesTo(collector)))).toEqual(expect.arrayContaining(["process.command", "host.name"]));
  });
});

describe("variables that turn things off", () => {
  it("OTEL_SDK_DISABLED: nothing is registered, and nothing sent", async () => {
    setEnvironment({ OTEL_SDK_DISABLED: "true" });
    const collector = await startCollector();
    const telemetry = startTelemetry({ serviceName: "shop", endpoint: collector.endpoint });
    expect(trace.getTracer("test").startSpan("span").isRecording()).toBe(false);
    await telemetry.flush();
    expect(await telemetry.shutdown()).toEqual({ lostSpans: 0, lostEvents: 0 });
    expect(collector.requests).toEqual([]);
  });

  it("OTEL_TRACES_EXPORTER=none: no spans are made, log records are sent", async () => {
    setEnvironment({ OTEL_TRACES_EXPORTER: "none" });
    const collector = await startCollector();
    const telemetry = startTelemetry({ serviceName: "shop", endpoint: collector.endpoint });
    expect(trace.getTracer("test").startSpan("span").isRecording()).toBe(false);
    logs.getLogger("test").emit({ body: "hello" });
    expect(await telemetry.shutdown()).toEqual({ lostSpans: 0, lostEvents: 0 });
    expect(collector.requests.map(({ path }) => path)).toEqual(["/v1/logs"]);
  });

  it("an exporter or a protocol that there is not: said once, without failing", async () => {
    setEnvironment({ OTEL_LOGS_EXPORTER: "carrier-pigeon", OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "grpc" });
    const complaints = listenToComplaints();
    const collector = await startCollector((response) => void response.end());
    const telemetry = startTelemetry({ serviceName: "shop", endpoint: collector.endpoint });
    makeSpans(1);
    expect(await telemetry.shutdown()).toMatchObject({ lostSpans: 0 });
    expect(collector.requests[0]?.headers["content-type"]).toBe("application/x-protobuf");
    expect(complaints.map((line) => line.split(" ")[2])).toEqual(["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_LOGS_EXPORTER"]);
  });

  it("OTEL_TRACES_SAMPLER and the sampler option, which wins; what was not sampled is no loss", async () => {
    const collector = await startCollector();
    setEnvironment({ OTEL_TRACES_SAMPLER: "always_off" });
    const first = startTelemetry({ serviceName: "shop", endpoint: collector.endpoint });
    makeSpans(3);
    expect(await first.shutdown()).toEqual({ lostSpans: 0, lostEvents: 0 });
    setEnvironment({ OTEL_TRACES_SAMPLER: "always_on" });
    const second = startTelemetry({ serviceName: "shop", endpoint: collector.endpoint, sampler: new AlwaysOffSampler() });
    makeSpans(3);
    expect(await second.shutdown()).toEqual({ lostSpans: 0, lostEvents: 0 });
    expect(collector.requests).toEqual([]);
  });

  it("OTEL_TRACES_EXPORTER=console writes there", async () => {
    setEnvironment({ OTEL_TRACES_EXPORTER: "console" });
    const dir = vi.spyOn(console, "dir").mockImplementation(() => {});
    const telemetry = startTelemetry({ serviceName: "shop" });
    makeSpans(1);
    expect(await telemetry.shutdown()).toMatchObject({ lostSpans: 0 });
    expect(dir.mock.calls[0]?.[0]).toMatchObject({ name: "span 0" });
    dir.mockRestore();
  });
});
