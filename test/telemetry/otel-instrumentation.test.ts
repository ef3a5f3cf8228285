/** The spans of a scripted run: tree, attributes, status, detail, and the caller's context. */
import { context, propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, TraceFlags } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { scope, spanAttributes, spans as spanNames } from "../../src/telemetry/names.ts";
import { otelInstrumentation } from "../../src/telemetry/otel/otel-instrumentation.ts";
import { facts, recorder, runBadly, runWell, start, treeOf } from "./support.ts";

beforeAll(() => void context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()));
afterAll(() => context.disable());
afterEach(() => trace.disable());

const session = { "spanloom.session.id": "session-1" };
const invocationStart = {
  ...session,
  "spanloom.graph.name": "research",
  "spanloom.graph.version": "2",
  "spanloom.graph.fingerprint": "f00",
  "spanloom.invocation.id": "invocation-1",
  "spanloom.invocation.kind": "start",
  "spanloom.invocation.segment": 1,
  "spanloom.durability": "sync",
};
const nodeStart = { ...session, "spanloom.node.name": "plan" };
const fault = { "error.type": "TypeError", "error.code": "no_plan" };
const saved = { ...session, "spanloom.checkpoint.backend": "memory", "spanloom.checkpoint.mode": "sync" };

const typeOf = (value: unknown): string => (Array.isArray(value) ? "string[]" : typeof value);
const durations = (attributes: object): string[] => Object.keys(attributes).filter((key) => key.endsWith("duration"));

describe("a run", () => {
  test("is a tree of spans, each with its attributes and no others", () => {
    const { provider, spans } = recorder();
    runWell(start({ tracerProvider: provider }));
    expect(treeOf(spans)).toEqual([
      "invoke_workflow research",
      "  checkpoint",
      "  superstep",
      "    schedule",
      "      execute_node plan",
      "      execute_node plan",
      "    barrier",
      "    frontier",
      "    checkpoint",
    ]);
    expect(spans.map((span) => span.attributes)).toEqual([
      { ...invocationStart, "spanloom.invocation.outcome": "completed", "spanloom.superstep.count": 1 },
      { ...saved, "spanloom.step": 0, "spanloom.checkpoint.size": 10, "spanloom.checkpoint.outcome": "saved" },
      { ...session, "spanloom.step": 1, "spanloom.ran_nodes_len": 1, "spanloom.skipped_nodes_len": 0 },
      { ...session, "spanloom.step": 1, "spanloom.frontier_len": 1 },
      { ...nodeStart, ...fault, "spanloom.node.attempt": 1, "spanloom.node.queue.duration": 0.005 },
      {
        ...nodeStart,
        "spanloom.node.attempt": 2,
        "spanloom.node.queue.duration": 0,
        "spanloom.node.retry.delay": 0.25,
        "spanloom.node.writes": ["answer", "spent"],
      },
      {
        ...session,
        "spanloom.step": 1,
        "spanloom.ran_nodes_len": 1,
        "spanloom.errors_in_partials": 0,
        "spanloom.updated_channels": ["answer"],
      },
      {
        ...session,
        "spanloom.step": 1,
        "spanloom.commands_count": 1,
        "spanloom.conditional_edges_evaluated": 2,
        "spanloom.next_frontier_len": 3,
      },
      { ...saved, "spanloom.step": 1, "spanloom.checkpoint.size": 120, "spanloom.checkpoint.outcome": "saved" },
    ]);
    const failed = spans.filter((span) => span.status.code !== SpanStatusCode.UNSET);
    expect(failed.map((span) => span.attributes["spanloom.node.attempt"])).toEqual([1]);
    expect(spans.every((span) => span.ended && span.kind === SpanKind.INTERNAL)).toBe(true);
    expect(spans[0]?.instrumentationScope).toEqual(scope);
  });

  test("that fails says what failed, upwards", () => {
    const { provider, spans, find } = recorder();
    runBadly(start({ tracerProvider: provider }, { graphVersion: undefined, durability: "none" }));
    expect(find("schedule")[0]?.attributes).toEqual({
      ...session,
      "spanloom.step": 4,
      "spanloom.frontier_len": 30,
      "spanloom.failed_node": "plan",
      "spanloom.frontier_nodes": Array.from({ length: 20 }, (_, index) => `n${index}`),
      "spanloom.channel_versions": ["answer=1", "spent=7"],
      "error.type": "scheduler",
      "error.code": "scheduler",
    });
    expect(spans.map(({ name, status, attributes }) => [name, status, attributes["error.type"]])).toEqual([
      ["invoke_workflow research", { code: SpanStatusCode.ERROR, message: "secret words" }, "scheduler"],
      ["superstep", { code: SpanStatusCode.ERROR, message: "secret words" }, "scheduler"],
      ["schedule", { code: SpanStatusCode.ERROR, message: "secret words" }, "scheduler"],
      ["execute_node plan", { code: SpanStatusCode.ERROR, message: "secret words" }, "TypeError"],
      ["checkpoint", { code: SpanStatusCode.ERROR, message: "secret words" }, "checkpoint_failed"],
    ]);
    expect(spans[0]?.attributes).toMatchObject({ "spanloom.invocation.outcome": "failed", "spanloom.durability": "none" });
    expect(spans[0]?.attributes).not.toHaveProperty(["spanloom.graph.version"]);
  });

  test("keeps messages of errors to itself when told to", () => {
    const { provider, spans } = recorder();
    runBadly(start({ tracerProvider: provider, errorMessages: false }));
    expect(spans.map((span) => span.status)).toEqual(spans.map(() => ({ code: SpanStatusCode.ERROR })));
    expect(JSON.stringify(spans.map(({ attributes, events }) => [attributes, events]))).not.toContain("secret");
  });

  test("carries the attributes of the registry, at their places and of their types", () => {
    const { provider, spans } = recorder();
    const load = { startTime: Date.now() - 5, endTime: Date.now() - 3, backend: "sqlite", step: 3, size: 9 };
    runWell(start({ tracerProvider: provider }, { load }));
    runBadly(start({ tracerProvider: provider }));
    runWell(start({ tracerProvider: provider, detail: "superstep" }));
    const found = spans.flatMap(({ name, attributes }) =>
      Object.entries(attributes).map(([key, value]) => `${name.split(" ")[0]} ${key} ${typeOf(value)}`),
    );
    const owed = Object.values(spanAttributes).flatMap(({ key, type, on }) =>
      on.flatMap((place) =>
        place === "link" || place === "event"
          ? []
          : [`${spanNames[place].name} ${key} ${type === "int" || type === "double" ? "number" : type}`],
      ),
    );
    // Only what may fail has a failure, and these cannot or did not.
    const quiet = /^(barrier|frontier|checkpoint_load) error\./;
    expect([...new Set(found)].toSorted()).toEqual(owed.filter((line) => !quiet.test(line)).toSorted());
  });
});

describe("detail", () => {
  test("superstep: phases are durations, attempts stay", () => {
    const { provider, spans, find } = recorder();
    const invocation = start({ tracerProvider: provider, detail: "superstep" });
    const superstep = invocation.superstep(9);
    const ids = [superstep.schedule(9, 1), superstep.barrier(9), superstep.frontier(9), superstep.checkpoint(9, "memory", "sync")];
    expect(ids.map(({ spanId }) => spanId)).toEqual(ids.map(() => superstep.spanId));
    spans.length = 0;
    runWell(start({ tracerProvider: provider, detail: "superstep" }), {
      code: () => {
        // Until the clock has moved.
        for (const begun = performance.now(); performance.now() === begun;);
      },
    });
    expect(treeOf(spans)).toEqual(["invoke_workflow research", "  superstep", "    execute_node plan", "    execute_node plan"]);
    expect(durations(spans[0]?.attributes ?? {})).toEqual(["spanloom.phase.checkpoint.duration"]);
    expect(durations(find("superstep")[0]?.attributes ?? {})).toEqual([
      "spanloom.phase.schedule.duration",
      "spanloom.phase.barrier.duration",
      "spanloom.phase.frontier.duration",
      "spanloom.phase.checkpoint.duration",
    ]);
    const [superstepSpan] = find("superstep");
    const spent = superstepSpan?.attributes["spanloom.phase.schedule.duration"];
    expect(spent).toBeGreaterThan(0);
    expect(spent).toBeLessThan(1e-9 + (superstepSpan?.duration[0] ?? 0) + (superstepSpan?.duration[1] ?? 0) / 1e9);
    expect(find("superstep")[0]?.events.map(({ name }) => name)).toEqual(["join.starved"]);
  });

  test("invocation: one span, on which users' spans and all events hang", () => {
    const { provider, spans } = recorder();
    const invocation = start({ tracerProvider: provider, detail: "invocation" });
    const superstep = invocation.superstep(1);
    expect(superstep.schedule(1, 1).node("plan", 1, 0, undefined).spanId).toBe(invocation.spanId);
    expect(superstep.checkpoint(1, "memory", "sync")).toMatchObject({ traceId: invocation.traceId, spanId: invocation.spanId });
    runWell(invocation, {
      code: () => provider.getTracer("user").startSpan("user").end(),
      during: (node) => node.event("node.retrying", { delay: 1500, error: { name: "TypeError", message: "m" } }),
    });
    expect(treeOf(spans)).toEqual(["invoke_workflow research", "  user", "  user"]);
    expect(durations(spans[0]?.attributes ?? {})).toEqual([]);
    expect(spans[0]?.events.map(({ name, attributes }) => [name, attributes])).toEqual([
      [
        "node.retrying",
        {
          "spanloom.node.name": "plan",
          "spanloom.node.attempt": 1,
          "spanloom.node.retry.delay": 1.5,
          "error.type": "TypeError",
          "error.message": "m",
        },
      ],
      ["join.starved", { "spanloom.to": "write", "spanloom.arrived": ["web"], "spanloom.missing": ["papers"] }],
    ]);
  });

  test.each(["superstep", "invocation"] as const)("%s: the facts of a failure are on the nearest span", (detail) => {
    const { provider, spans, find } = recorder();
    runBadly(start({ tracerProvider: provider, detail }));
    const nearest = detail === "superstep" ? find("superstep")[0] : spans[0];
    expect(nearest?.attributes).toMatchObject({ "spanloom.failed_node": "plan", "spanloom.channel_versions": ["answer=1", "spent=7"] });
    expect(spans[0]?.attributes).toMatchObject({ "spanloom.checkpoint.outcome": "failed", "error.type": "scheduler" });
  });
});

describe("the caller", () => {
  const sampled = { traceId: "a".repeat(32), spanId: "b".repeat(16), traceFlags: TraceFlags.SAMPLED };

  test("its active span is the parent; its context reaches the nodes, and nothing else is made active", async () => {
    const { provider, spans, find } = recorder();
    const baggage = propagation.createBaggage({ tenant: { value: "t1" } });
    const caller = propagation.setBaggage(trace.setSpanContext(ROOT_CONTEXT, sampled), baggage);
    const tenants: (string | undefined)[] = [];
    const invocation = context.with(caller, () => start({ tracerProvider: provider }));
    const node = invocation.superstep(1).schedule(1, 1).node("plan", 1, 0, undefined);
    expect(context.active()).toBe(ROOT_CONTEXT);
    const result = await node.run(async () => {
      await Promise.resolve();
      tenants.push(propagation.getActiveBaggage()?.getEntry("tenant")?.value);
      provider.getTracer("user").startSpan("user").end();
      return 7;
    });
    expect(result).toBe(7);
    expect(tenants).toEqual(["t1"]);
    expect(spans[0]?.parentSpanContext?.spanId).toBe(sampled.spanId);
    expect(spans.every((span) => span.spanContext().traceId === sampled.traceId)).toBe(true);
    expect(find("user")[0]?.parentSpanContext?.spanId).toBe(node.spanId);
  });

  test("may register an SDK after the instrumentation was made, and another later", () => {
    const instrumentation = otelInstrumentation();
    expect(instrumentation.startInvocation(facts)).toBeUndefined();
    for (const { provider, spans } of [recorder(), recorder()]) {
      trace.setGlobalTracerProvider(provider);
      instrumentation.startInvocation(facts)?.end({ outcome: "completed", supersteps: 0 });
      expect(spans).toHaveLength(1);
      trace.disable();
    }
    expect(instrumentation.startInvocation(facts)).toBeUndefined();
  });
});
