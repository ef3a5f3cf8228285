/** What a runner is told about its telemetry, and what telemetry must never do to a run. */
import { context, type Span, trace, type TracerProvider } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { TracerProvider as SdkTracerProvider } from "@opentelemetry/sdk-trace";
import { afterEach, describe, expect, test } from "vitest";
import { type AnyEvent, channel, createRunner, END, graph, memoryCheckpointer, type RunnerOptions, START } from "spanloom";
import { manualClock, recordSpans, type RecordedSpan } from "spanloom/testing";
import { boom, explosive, recorder } from "./support.ts";
import { attribute, UserError } from "./run-support.ts";

afterEach(() => {
  trace.disable();
  context.disable();
});

const channels = { last: channel.value(""), who: channel.optional<string>() };

/** A node that needs two attempts, one beside it that is in order, a join that starves, and an end. */
const work = graph({ name: "work", channels })
  .node(
    "retry",
    (_state, { attempt }) => {
      if (attempt === 1) throw new UserError("secret words", "E_SECRET");
      trace.getTracer("user").startSpan("user span").end();
      return { last: "done" };
    },
    { retry: { attempts: 2, initialDelay: 0 } },
  )
  .node(
    "beside",
    (_state, { log, goto }) => {
      log.warn("careful", { level: 5 });
      return goto([]);
    },
    { jumps: [END] },
  )
  .node("never", () => ({}))
  .edge(START, ["retry", "beside"])
  .edge(["retry", "beside"], "never")
  .edge("never", END)
  .compile();

const failing = graph({ name: "failing", channels })
  .node("bad", (_state, { log, reportError }) => {
    log.error("beside", { cause: new Error("secret cause"), all: { nested: new Error("secret nested") } });
    reportError(new UserError("secret report"));
    throw new UserError("secret words", "E_SECRET");
  })
  .edge(START, "bad")
  .edge("bad", END)
  .compile();

/** Names nested by parent. */
const tree = (spans: readonly RecordedSpan[], parent?: string, depth = 0): readonly string[] =>
  spans
    .filter(({ parentId }) => parentId === parent)
    .flatMap((span) => [
      "  ".repeat(depth) + span.name,
      ...span.events.map(({ name }) => `${"  ".repeat(depth + 1)}* ${name}`),
      ...tree(spans, span.spanId, depth + 1),
    ]);

const phases = ["schedule", "barrier", "frontier", "checkpoint"] as const;

describe("detail", () => {
  test("superstep: phases are durations, attempts stay, and what happened stays on a span", async () => {
    const { spans } = await recordSpans(() => createRunner(work, { telemetry: { detail: "superstep" } }).invoke({}));
    expect(tree(spans)).toEqual([
      "invoke_workflow work",
      "  superstep",
      "    * join.starved",
      "    execute_node retry",
      "      * node.failed",
      "      * node.retrying",
      "    execute_node beside",
      "      * node.log",
      "    execute_node retry",
      "      user span",
    ]);
    const [root, superstep] = spans;
    for (const phase of phases) expect(attribute(superstep, `phase.${phase}.duration`)).toBeGreaterThanOrEqual(0);
    const sum = phases.reduce((total, phase) => total + Number(attribute(superstep, `phase.${phase}.duration`)), 0);
    expect(sum * 1000).toBeLessThanOrEqual((superstep?.end ?? 0) - (superstep?.start ?? 0) + 0.001);
    expect(Object.keys(root?.attributes ?? {}).filter((key) => key.includes("phase."))).toEqual(["spanloom.phase.checkpoint.duration"]);
    expect(attribute(superstep, "step")).toBe(1);
    expect(attribute(superstep, "ran_nodes_len")).toBe(2);
  });

  test("superstep: a failure is on the superstep and above, with the facts that the schedule would have said", async () => {
    const { spans } = await recordSpans(() =>
      createRunner(failing, { telemetry: { detail: "superstep" } })
        .invoke({})
        .catch(() => {}),
    );
    expect(spans.map(({ name, status }) => `${name} ${status}`)).toEqual([
      "invoke_workflow failing error",
      "superstep error",
      "execute_node bad error",
    ]);
    expect(spans[1]?.attributes).toMatchObject({ "spanloom.failed_node": "bad", "spanloom.frontier_nodes": ["bad"] });
  });

  test("invocation: one span, on which users' spans and all that happened hang", async () => {
    const { spans } = await recordSpans(() => createRunner(work, { telemetry: { detail: "invocation" } }).invoke({}));
    // The two nodes run at once.
    expect(tree(spans).toSorted()).toEqual([
      "  * join.starved",
      "  * node.failed",
      "  * node.log",
      "  * node.retrying",
      "  user span",
      "invoke_workflow work",
    ]);
    const failed = spans[0]?.events.find(({ name }) => name === "node.failed");
    expect(failed?.attributes).toMatchObject({ "spanloom.node.name": "retry", "spanloom.node.attempt": 1 });
    expect(spans[0]?.status).toBe("unset");
    expect(spans[0]?.attributes).toMatchObject({ "spanloom.superstep.count": 1, "spanloom.invocation.outcome": "completed" });
  });

  test("invocation: resumes make one span each", async () => {
    const options: RunnerOptions = { telemetry: { detail: "invocation" }, checkpointer: memoryCheckpointer(), pauseEachStep: true };
    const runner = createRunner(work, options as object);
    const { spans } = await recordSpans(async () => {
      await runner.invoke({}, { sessionId: "s" });
      await runner.session("s").resume().result;
    });
    expect(spans.filter(({ name }) => name !== "user span").map(({ name }) => name)).toEqual([
      "invoke_workflow work",
      "invoke_workflow work",
    ]);
  });

  test("events carry the ids of the span that they belong to", async () => {
    for (const detail of ["phase", "superstep", "invocation"] as const) {
      const events: AnyEvent[] = [];
      const { spans } = await recordSpans(async () => {
        const run = createRunner(work, { telemetry: { detail } }).stream({});
        for await (const event of run) events.push(event);
      });
      const names = new Map(spans.map(({ spanId, name }) => [spanId, name]));
      const found = events.map((event) => `${event.type}: ${names.get(event.spanId ?? "") ?? "none"}`);
      expect(found).not.toContainEqual(expect.stringMatching(/: none$/));
      expect(new Set(events.map(({ traceId }) => traceId)).size).toBe(1);
      if (detail === "phase") {
        expect(found).toContain("node.started: execute_node retry");
        expect(found).toContain("checkpoint.saved: checkpoint");
        expect(found).toContain("superstep.completed: superstep");
        expect(found).toContain("join.starved: frontier");
        expect(found).toContain("invocation.completed: invoke_workflow work");
      }
    }
  });
});

test("errorMessages: false leaves no message anywhere in the trace", async () => {
  const messages: unknown[] = [];
  for (const errorMessages of [true, false]) {
    const { provider, spans } = recorder();
    const runner = createRunner(failing, { telemetry: { errorMessages, tracerProvider: provider } });
    await runner.invoke({}).catch(() => {});
    const told = JSON.stringify(spans.map(({ name, attributes, events, status, links }) => ({ name, attributes, events, status, links })));
    messages.push(new Set(told.match(/secret \w+/g)));
    // Names and codes always.
    expect(told).toContain("UserError");
    expect(told).toContain("E_SECRET");
    expect(told).toContain('"scheduler"');
  }
  expect(messages).toEqual([new Set(["secret cause", "secret words"]), new Set()]);
});

test("payloads, state, inputs and updates are in no span", async () => {
  const asking = graph({ name: "asking", channels: { ...channels, text: channel.value<string>() } })
    .node("ask", async (_state, { interrupt }) => {
      await interrupt({ text: "SECRET payload" });
    })
    .node("tell", () => ({ last: "SECRET update" }))
    .edge(START, ["ask", "tell"])
    .edge("ask", END)
    .edge("tell", END)
    .compile();
  const { provider, spans } = recorder();
  const runner = createRunner(asking, { telemetry: { tracerProvider: provider }, payloads: true });
  await runner.invoke({ text: "SECRET input" }, { sessionId: "s" });
  await runner.session("s").resume({ answer: "SECRET answer" }).result;
  expect(spans.length).toBeGreaterThan(10);
  expect(JSON.stringify(spans.map(({ name, attributes, events, status }) => [name, attributes, events, status]))).not.toContain("SECRET");
});

test("telemetry: false makes no spans, and users' own hang on the caller's", async () => {
  const { spans } = await recordSpans(() =>
    trace.getTracer("caller").startActiveSpan("caller", async (caller) => {
      const events: AnyEvent[] = [];
      const run = createRunner(work, { telemetry: false }).stream({});
      for await (const event of run) events.push(event);
      expect(events.some((event) => "traceId" in event || "spanId" in event)).toBe(false);
      caller.end();
    }),
  );
  expect(tree(spans)).toEqual(["caller", "  user span"]);
});

describe("without an SDK", () => {
  test("a run makes nothing, and its events have no ids", async () => {
    const events: AnyEvent[] = [];
    const run = createRunner(work).stream({});
    for await (const event of run) events.push(event);
    expect(events.length).toBeGreaterThan(5);
    expect(events.some((event) => "traceId" in event || "spanId" in event)).toBe(false);
    expect((await run.result).status).toBe("completed");
  });

  test("one that is registered later is used from the next invocation on, and only for whole invocations", async () => {
    const runner = createRunner(work, { checkpointer: memoryCheckpointer() });
    const { provider, spans } = recorder();
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    const session = runner.session("s");
    await session.create({});
    trace.setGlobalTracerProvider(provider);
    await session.runStep();
    expect(spans.map(({ name }) => name)).toEqual(["user span"]);
    await runner.invoke({});
    expect(spans[1]?.name).toBe("invoke_workflow work");
  });
});

test("a provider that is given is the one that is used", async () => {
  const { provider, spans } = recorder();
  const elsewhere = await recordSpans(() => createRunner(work, { telemetry: { tracerProvider: provider } }).invoke({}));
  expect(elsewhere.spans.map(({ name }) => name)).toEqual(["user span"]);
  expect(spans[0]?.name).toBe("invoke_workflow work");
  expect(spans[0]?.instrumentationScope).toMatchObject({
    name: "spanloom",
    version: expect.stringMatching(/^\d/),
    schemaUrl: expect.stringContaining("/schemas/"),
  });
});

test("clocks that are given do not move spans", async () => {
  const before = performance.timeOrigin + performance.now();
  const clock = manualClock(1);
  const { spans } = await recordSpans(async () => {
    const running = createRunner(work, { clock }).invoke({});
    await clock.advance(3_600_000);
    await running;
  });
  const after = performance.timeOrigin + performance.now();
  for (const { start, end, events } of spans.filter(({ name }) => name !== "user span")) {
    for (const time of [start, end, ...events.map((event) => event.time)]) {
      expect(time).toBeGreaterThanOrEqual(before - 0.001);
      expect(time).toBeLessThanOrEqual(after + 0.001);
    }
  }
});

describe("an SDK that throws", () => {
  const tracer = new SdkTracerProvider().getTracer("t");
  const of = (startSpan: typeof tracer.startSpan): TracerProvider => ({ getTracer: () => ({ startSpan, startActiveSpan: boom }) });
  const silent = (call: Parameters<typeof tracer.startSpan>): Span => Object.assign(tracer.startSpan(...call), { spanContext: boom });
  const providers: readonly [name: string, provider: TracerProvider][] = [
    ["in getTracer", { getTracer: boom }],
    ["at every start", of(boom)],
    ["at every start but the first", of((name, ...rest) => (name.startsWith("invoke") ? tracer.startSpan(name, ...rest) : boom()))],
    [
      "at the start of phases",
      of((name, ...rest) => (/^(schedule|barrier|frontier|checkpoint)/.test(name) ? boom() : tracer.startSpan(name, ...rest))),
    ],
    ["in everything that a span does", of((...call) => explosive(tracer.startSpan(...call)))],
    [
      "whose spans, but the first, have no context",
      of((...call) => (call[0].startsWith("invoke") ? tracer.startSpan(...call) : silent(call))),
    ],
    // What an SDK may give that is not as its types say.
    ["that gives no spans but the first", of((...call) => (call[0].startsWith("invoke") ? tracer.startSpan(...call) : (null as never)))],
  ];

  test.each(providers)("%s harms no run", async (_name, tracerProvider) => {
    const seen: unknown[] = [];
    for (const detail of ["phase", "superstep", "invocation"] as const) {
      const events: AnyEvent[] = [];
      const run = createRunner(work, { telemetry: { tracerProvider, detail } }).stream({});
      for await (const event of run) events.push(event);
      const { status, state, steps } = await run.result;
      seen.push({ status, last: state.last, steps, end: events.at(-1)?.type });
      const failed = createRunner(failing, { telemetry: { tracerProvider, detail } });
      await expect(failed.invoke({})).rejects.toMatchObject({ code: "scheduler", cause: expect.any(UserError) });
    }
    const good = { status: "completed", last: "done", steps: 1, end: "invocation.completed" };
    expect(seen).toEqual([good, good, good]);
  });
});
