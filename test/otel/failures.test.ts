/** Collectors that fail: what is lost is counted and said once, nothing is thrown, and nothing outlives a shutdown. */
import { logs, metrics, trace } from "@opentelemetry/api";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { startTelemetry } from "../../src/otel.ts";
import { type Collector, deadEndpoint, listenToComplaints, makeSpans, namesOf, startCollector, tracesTo } from "./support.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

/** So many spans are sent by themselves, at once. */
const fullBatch = 512;
const secret = "Bearer very-secret";

const tooLate = ({ endpoint }: Collector, signal: string, seconds: number): string =>
  `spanloom telemetry: ${signal} cannot be sent to ${endpoint}/v1/${signal}: not everything was acknowledged within ${seconds} s.`;

describe("a collector that answers", () => {
  it.each([400, 401, 413, 500])("%s: each batch is lost at once, and told with the status but no header", async (status) => {
    vi.stubEnv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "2");
    const complaints = listenToComplaints();
    const collector = await startCollector((response) => void response.writeHead(status).end(secret));
    const telemetry = startTelemetry({ serviceName: "shop", endpoint: collector.endpoint, headers: { authorization: secret } });
    makeSpans(5);
    expect(await telemetry.shutdown({ timeout: "60s" })).toEqual({ lostSpans: 5, lostEvents: 0 });
    expect(collector.requests).toHaveLength(3);
    expect(collector.requests[0]?.headers.authorization).toBe(secret);
    expect(complaints).toEqual([`spanloom telemetry: traces cannot be sent to ${collector.endpoint}/v1/traces: it answered ${status}.`]);
  });

  it("500 to all: one line for each signal", async () => {
    const complaints = listenToComplaints();
    const collector = await startCollector((response) => void response.writeHead(500).end());
    const telemetry = startTelemetry({ serviceName: "shop", endpoint: collector.endpoint });
    metrics.getMeter("test").createCounter("orders").add(3);
    for (let round = 0; round < 3; round += 1) {
      makeSpans(1);
      logs.getLogger("test").emit({ body: "hello" });
      await telemetry.flush();
    }
    expect(await telemetry.shutdown()).toEqual({ lostSpans: 3, lostEvents: 3 });
    expect(complaints).toHaveLength(3);
    expect(new Set(complaints.map((line) => line.split(" ")[2]))).toEqual(new Set(["logs", "metrics", "traces"]));
  });

  it.each([429, 502, 503, 504])("%s: the batch is sent again until it is taken", async (status) => {
    const complaints = listenToComplaints();
    const collector = await startCollector((response, _request, index) => void response.writeHead(index < 3 ? status : 200).end());
    const telemetry = startTelemetry({ serviceName: "shop", endpoint: collector.endpoint });
    makeSpans(1);
    expect(await telemetry.shutdown({ timeout: "60s" })).toEqual({ lostSpans: 0, lostEvents: 0 });
    expect(collector.requests).toHaveLength(4);
    expect(complaints).toEqual([`spanloom telemetry: traces cannot be sent to ${collector.endpoint}/v1/traces: it answered ${status}.`]);
  });

  it("503 with a Retry-After: it is left alone for so long, whoever waits", async () => {
    const complaints = listenToComplaints();
    const collector = await startCollector((response) => void response.writeHead(503, { "retry-after": "3600" }).end());
    const telemetry = startTelemetry({ serviceName: "shop", endpoint: collector.endpoint });
    makeSpans(fullBatch);
    await collector.when(() => collector.requests.length === 1);
    expect(await telemetry.shutdown({ timeout: 700 })).toEqual({ lostSpans: fullBatch, lostEvents: 0 });
    expect(collector.requests).toHaveLength(1);
    expect(complaints).toEqual([`spanloom telemetry: traces cannot be sent to ${collector.endpoint}/v1/traces: it answered 503.`]);
  });

  it("that it took only a part: the rest is lost, and its reason told", async () => {
    const complaints = listenToComplaints();
    const partialSuccess = { rejectedSpans: "2", errorMessage: "too old" };
    const collector = await startCollector((response) => void response.end(JSON.stringify({ partialSuccess })));
    const telemetry = startTelemetry({ serviceName: "shop", endpoint: collector.endpoint });
    makeSpans(5);
    expect(await telemetry.shutdown()).toEqual({ lostSpans: 2, lostEvents: 0 });
    expect(complaints).toEqual([`spanloom telemetry: ${collector.endpoint}/v1/traces rejected 2 of a batch: too old.`]);
  });

  it("the same in protobuf", async () => {
    vi.stubEnv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf");
    listenToComplaints();
    // partial_success { rejected_spans: 3 }
    const collector = await startCollector((response) => void response.end(Buffer.from([0x0a, 0x02, 0x08, 0x03])));
    const telemetry = startTelemetry({ serviceName: "shop", endpoint: collector.endpoint });
    makeSpans(5);
    expect(await telemetry.shutdown()).toEqual({ lostSpans: 3, lostEvents: 0 });
  });

  it("nonsense, with a status of success: what was sent has arrived", async () => {
    const complaints = listenToComplaints();
    const collector = await startCollector((response) => void response.end("<html>"));
    const telemetry = startTelemetry({ serviceName: "shop", endpoint: collector.endpoint });
    makeSpans(1);
    expect(await telemetry.shutdown()).toEqual({ lostSpans: 0, lostEvents: 0 });
    expect(complaints).toEqual([]);
  });
});

describe("a collector that does not answer", () => {
  it("hangs: the shutdown ends by its time-out, and the request with it", async () => {
    const complaints = listenToComplaints();
    const closed = Promise.withResolvers<void>();
    const collector = await startCollector((response) => void response.on("close", closed.resolve));
    const telemetry = startTelemetry({ serviceName: "shop", endpoint: collector.endpoint });
    makeSpans(fullBatch);
    await collector.when(() => collector.requests.length === 1);
    expect(await telemetry.shutdown({ timeout: 50 })).toEqual({ lostSpans: fullBatch, lostEvents: 0 });
    await closed.promise;
    expect(collector.requests).toHaveLength(1);
    expect(complaints).toEqual([tooLate(collector, "traces", 0.05)]);
  });

  it("hangs: one line for each signal that lost something, with its address", async () => {
    const complaints = listenToComplaints();
    const collector = await startCollector(() => {});
    const endpoint = collector.endpoint.replace("//", "//user:very-secret@");
    const telemetry = startTelemetry({ serviceName: "shop", endpoint: `${endpoint}/?key=very-secret` });
    makeSpans(1);
    logs.getLogger("test").emit({ body: "hello" });
    metrics.getMeter("test").createCounter("orders").add(3);
    await telemetry.flush();
    const lines = (["logs", "metrics", "traces"] as const).map((signal) => tooLate(collector, signal, 2));
    expect(complaints.toSorted()).toEqual(lines);
    expect(await telemetry.shutdown({ timeout: 50 })).toEqual({ lostSpans: 1, lostEvents: 1 });
    expect(complaints).toHaveLength(3);
  });

  it("hangs: a flush ends after 2 s, and what it could not send is still there", async () => {
    const complaints = listenToComplaints();
    const held: (() => void)[] = [];
    const collector = await startCollector((response, _request, index) => {
      if (index > 0) response.end();
      else held.push(() => void response.end());
    });
    const telemetry = startTelemetry({ serviceName: "shop", endpoint: collector.endpoint });
    makeSpans(600);
    await collector.when(() => collector.requests.length === 1);
    await telemetry.flush();
    expect(collector.requests).toHaveLength(1);
    held[0]?.();
    expect(await telemetry.shutdown()).toEqual({ lostSpans: 0, lostEvents: 0 });
    expect(namesOf(tracesTo(collector))).toHaveLength(600);
    expect(complaints).toEqual([tooLate(collector, "traces", 2)]);
  });

  it("takes its time: a shutdown waits as long as it was told to, even for years", async () => {
    const complaints = listenToComplaints();
    const held = Promise.withResolvers<() => void>();
    const collector = await startCollector((response) => held.resolve(() => void response.end()));
    const telemetry = startTelemetry({ serviceName: "shop", endpoint: collector.endpoint });
    makeSpans(1);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const ended = telemetry.shutdown({ timeout: 1e12 });
    const answer = await held.promise;
    vi.advanceTimersByTime(5000);
    // Whatever has given up would close the connection by now.
    for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => void setImmediate(resolve));
    answer();
    expect(await ended).toEqual({ lostSpans: 0, lostEvents: 0 });
    expect(complaints).toEqual([]);
  });

  it("breaks off: the batch is sent again", async () => {
    const complaints = listenToComplaints();
    const collector = await startCollector((response, _request, index) => {
      if (index > 0) response.end();
      else response.destroy();
    });
    const telemetry = startTelemetry({ serviceName: "shop", endpoint: collector.endpoint });
    makeSpans(1);
    expect(await telemetry.shutdown({ timeout: "60s" })).toEqual({ lostSpans: 0, lostEvents: 0 });
    expect(complaints).toHaveLength(1);
  });

  it("is not there: all is counted, and its address told without credentials", async () => {
    const complaints = listenToComplaints();
    const endpoint = await deadEndpoint();
    const telemetry = startTelemetry({
      serviceName: "shop",
      endpoint: `${endpoint.replace("//", "//user:very-secret@")}/?key=very-secret`,
    });
    makeSpans(3);
    logs.getLogger("test").emit({ body: "hello" });
    const flushed = telemetry.flush();
    await vi.waitFor(() => expect(complaints).toHaveLength(2), { timeout: 20_000 });
    expect(await telemetry.shutdown({ timeout: 10 })).toEqual({ lostSpans: 3, lostEvents: 1 });
    await flushed;
    expect(complaints).toHaveLength(2);
    expect(complaints.join("\n")).toContain(`traces cannot be sent to ${endpoint}/v1/traces: connect ECONNREFUSED`);
    expect(complaints.join("\n")).not.toContain("very-secret");
  });
});

it("a shutdown closes the connections that were kept open", async () => {
  const collector = await startCollector();
  const telemetry = startTelemetry({ serviceName: "shop", endpoint: collector.endpoint });
  makeSpans(1);
  await telemetry.flush();
  expect(collector.connections).toBe(1);
  await telemetry.shutdown();
  await collector.when(() => collector.connections === 0);
});

describe("what is lost", () => {
  it("is what finds no place in the queue, too: memory is bounded", async () => {
    vi.stubEnv("OTEL_BSP_MAX_QUEUE_SIZE", "10");
    const complaints = listenToComplaints();
    const collector = await startCollector();
    const telemetry = startTelemetry({ serviceName: "shop", endpoint: collector.endpoint });
    makeSpans(100);
    expect(await telemetry.shutdown()).toEqual({ lostSpans: 90, lostEvents: 0 });
    expect(namesOf(tracesTo(collector))).toHaveLength(10);
    expect(complaints).toEqual(["spanloom telemetry: the queue of traces is full (10); what finds no place there is dropped and counted."]);
  });

  it("is a span that never ends", async () => {
    const collector = await startCollector();
    const telemetry = startTelemetry({ serviceName: "shop", endpoint: collector.endpoint });
    const open = trace.getTracer("test").startSpan("open");
    makeSpans(1);
    expect(await telemetry.shutdown()).toEqual({ lostSpans: 1, lostEvents: 0 });
    open.end();
    expect(namesOf(tracesTo(collector))).toEqual(["span 0"]);
  });

  it("is told again by a second shutdown; a flush after it does nothing", async () => {
    listenToComplaints();
    const telemetry = startTelemetry({ serviceName: "shop", endpoint: await deadEndpoint() });
    makeSpans(2);
    const [first, second] = await Promise.all([telemetry.shutdown({ timeout: 10 }), telemetry.shutdown()]);
    await telemetry.flush();
    const losses = { lostSpans: 2, lostEvents: 0 };
    expect([first, second, await telemetry.shutdown()]).toEqual([losses, losses, losses]);
  });
});
