/** Starting telemetry: what is refused, one at a time, and what else is registered in the process. */
import { context, createContextKey, logs, metrics, propagation, ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { describe, expect, it, onTestFinished } from "vitest";
import { SpanloomError } from "../../src/errors/errors.ts";
import { startTelemetry, type TelemetryOptions } from "../../src/otel.ts";
import { listenToComplaints, makeSpans, namesOf, startCollector, tracesTo } from "./support.ts";

function refusal(options: unknown): SpanloomError {
  try {
    // What a caller in JavaScript may hand over.
    startTelemetry(options as TelemetryOptions);
  } catch (error) {
    if (SpanloomError.is(error)) return error;
    throw error;
  }
  throw new Error("It was taken.");
}

describe("options", () => {
  it.each([
    ["options", undefined],
    ["options", "shop"],
    ["serviceName", {}],
    ["serviceName", { serviceName: " " }],
    ["serviceName", { serviceName: 5 }],
    ["endpoint", { serviceName: "shop", endpoint: "localhost:4318" }],
    ["endpoint", { serviceName: "shop", endpoint: "" }],
    ["endpoint", { serviceName: "shop", endpoint: "ftp://localhost" }],
    ["endpoint", { serviceName: "shop", endpoint: new URL("http://localhost") }],
    ["headers", { serviceName: "shop", headers: "a=b" }],
    ["headers", { serviceName: "shop", headers: ["a"] }],
    ["headers.a", { serviceName: "shop", headers: { a: 5 } }],
    ["headers.a b", { serviceName: "shop", headers: { "a b": "c" } }],
    ["headers.a", { serviceName: "shop", headers: { a: "b\nc" } }],
    ["file", { serviceName: "shop", file: "" }],
    ["file", { serviceName: "shop", file: 5 }],
    ["sampler", { serviceName: "shop", sampler: "always_on" }],
    ["sampler", { serviceName: "shop", sampler: {} }],
    ["metricInterval", { serviceName: "shop", metricInterval: 0 }],
    ["metricInterval", { serviceName: "shop", metricInterval: "soon" }],
    ["resource", { serviceName: "shop", resource: null }],
    ["resource.a", { serviceName: "shop", resource: { a: 5 } }],
    ["signals", { serviceName: "shop", signals: "SIGINT" }],
  ])("%s is refused at once: %j", (option, options) => {
    const error = refusal(options);
    expect(error).toMatchObject({ name: "RunnerError", code: "invalid_option", facts: { option } });
    expect(trace.getTracer("test").startSpan("span").isRecording()).toBe(false);
  });

  it("are refused without repeating what may be secret", () => {
    expect(refusal({ serviceName: "shop", endpoint: "ftp://user:very-secret@host" }).message).not.toContain("very-secret");
    expect(refusal({ serviceName: "shop", headers: { authorization: "very-secret\n" } }).message).not.toContain("very-secret");
  });
});

describe("telemetry", () => {
  it("runs one at a time; after a shutdown it can be started again", async () => {
    const collector = await startCollector();
    const first = startTelemetry({ serviceName: "first", endpoint: collector.endpoint });
    const error = refusal({ serviceName: "second", endpoint: collector.endpoint });
    expect(error).toMatchObject({ code: "invalid_option", facts: { option: "serviceName" } });
    expect(error.message).toContain('"first"');
    makeSpans(1, "first");
    await first.shutdown();
    const second = startTelemetry({ serviceName: "second", endpoint: collector.endpoint });
    makeSpans(1, "second");
    await second[Symbol.asyncDispose]();
    expect(namesOf(tracesTo(collector))).toEqual(["first 0", "second 0"]);
  });

  it("leaves nothing registered", async () => {
    const collector = await startCollector();
    const key = createContextKey("test");
    const listeners = (): readonly number[] => ["beforeExit", "exit", "SIGINT", "SIGTERM"].map((name) => process.listenerCount(name));
    const before = listeners();
    const telemetry = startTelemetry({ serviceName: "shop", endpoint: collector.endpoint, signals: true });
    expect(listeners()).toEqual(before.map((count) => count + 1));
    expect(propagation.fields()).toContain("traceparent");
    await telemetry.shutdown();
    expect(listeners()).toEqual(before);
    expect(trace.getTracer("test").startSpan("span").isRecording()).toBe(false);
    expect(propagation.fields()).toEqual([]);
    expect(metrics.setGlobalMeterProvider(metrics.getMeterProvider())).toBe(true);
    expect(logs.setGlobalLoggerProvider(logs.getLoggerProvider())).toBe(true);
    metrics.disable();
    logs.disable();
    expect(context.with(ROOT_CONTEXT.setValue(key, 1), () => context.active().getValue(key))).toBeUndefined();
  });

  it("listens to no signal unless it is asked to", async () => {
    const collector = await startCollector();
    const before = process.listenerCount("SIGTERM");
    const telemetry = startTelemetry({ serviceName: "shop", endpoint: collector.endpoint });
    expect(process.listenerCount("SIGTERM")).toBe(before);
    await telemetry.shutdown();
  });

  it("leaves an SDK alone that was there before, and says so", async () => {
    const complaints = listenToComplaints();
    const exporter = new InMemorySpanExporter();
    const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
    trace.setGlobalTracerProvider(provider);
    onTestFinished(() => trace.disable());
    const collector = await startCollector();
    const telemetry = startTelemetry({ serviceName: "shop", endpoint: collector.endpoint });
    makeSpans(1, "before");
    expect(await telemetry.shutdown()).toEqual({ lostSpans: 0, lostEvents: 0 });
    makeSpans(1, "after");
    expect(exporter.getFinishedSpans().map(({ name }) => name)).toEqual(["before 0", "after 0"]);
    expect(collector.requests).toEqual([]);
    expect(complaints).toHaveLength(1);
  });

  it("never throws at its end, whatever it is given", async () => {
    const collector = await startCollector();
    const telemetry = startTelemetry({ serviceName: "shop", endpoint: collector.endpoint });
    makeSpans(1);
    // What a caller in JavaScript may hand over.
    const nonsense = { timeout: "soon" } as unknown as { timeout: number };
    expect(await telemetry.shutdown(nonsense)).toEqual({ lostSpans: 0, lostEvents: 0 });
  });
});
