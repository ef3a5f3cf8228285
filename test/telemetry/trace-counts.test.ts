/** How many spans a stored trace says that it has: as many as were made, recorded or not, and a trace that is full is left. */
import { context } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { AlwaysOffSampler, AlwaysOnSampler } from "@opentelemetry/sdk-trace";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createRunner, END, graph, input, START } from "spanloom";
import { minutes, scene } from "./continuity-support.ts";
import { channels } from "./run-pair.ts";
import { facts, recorder, runBadly, runWell, start } from "./support.ts";
import { UserError } from "./run-support.ts";

beforeAll(() => void context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()));
afterAll(() => context.disable());

const details = ["phase", "superstep", "invocation"] as const;

/** Fans out to so many, one of which needs two attempts; then a loop of three, then a question. */
const wide = (width: number) =>
  graph({ name: "wide", channels, inputs: { work: input<number>() } })
    .node("plan", (_state, { goto, send }) => goto([...Array.from({ length: width }, (_, item) => send("work", item)), "last"]), {
      jumps: ["work", "last"],
    })
    .node(
      "work",
      (_state, { attempt, input: item }) => {
        if (item === 0 && attempt === 1) throw new UserError("once more");
      },
      { retry: { attempts: 2, initialDelay: 0 } },
    )
    .node("last", (_state, { step }) => ({ last: String(step) }), { defer: true })
    .node("ask", async (_state, { interrupt }) => ({ who: await interrupt<string>("who?") }))
    .edge(START, "plan")
    .edge("work", END)
    .branch("last", { again: "last", on: "ask" }, ({ last }) => (Number(last) < 5 ? "again" : "on"))
    .edge("ask", END)
    .compile();

describe.each(details)("detail %s", (detail) => {
  test.each([
    ["recorded", new AlwaysOnSampler()],
    ["sampled out: as many as would have been made", new AlwaysOffSampler()],
  ])("%s", async (_name, sampler) => {
    const made = scene();
    const told = scene(sampler);
    const counts: (number | undefined)[][] = [[], []];
    for (const [index, { provider, store, clock, stored }] of [made, told].entries()) {
      const runner = createRunner(wide(4), { checkpointer: store, clock, telemetry: { tracerProvider: provider, detail } });
      await runner.invoke({}, { sessionId: "s" });
      counts[index]?.push((await stored())?.spans);
      await runner.session("s").resume({ answer: "Ada" }).result;
      counts[index]?.push((await stored())?.spans);
      // Of the trace, not of the invocation.
      await clock.advance(minutes(16));
      await runner.session("s").resume().result;
      counts[index]?.push((await stored())?.spans);
    }
    const traces = Map.groupBy(made.spans, (span) => span.spanContext().traceId);
    const [first, second] = Array.from(traces.values(), (spans) => spans.length);
    expect(traces.size).toBe(2);
    expect(counts[0]?.slice(1)).toEqual([first, second]);
    expect(counts[1]).toEqual(counts[0]);
  });

  test.each([runWell, runBadly])("each handle that has a span counts for one: %o", (run) => {
    const load = { startTime: 0, endTime: 1, backend: "sqlite", step: 1, size: 1 };
    const { provider, spans } = recorder();
    const recorded = start({ tracerProvider: provider, detail }, { load });
    const silent = start({ tracerProvider: recorder(new AlwaysOffSampler()).provider, detail }, { load });
    run(recorded);
    run(silent);
    expect([recorded.stored.spans, silent.stored.spans]).toEqual([spans.length, spans.length]);
  });
});

test("in the caller's trace those of the session alone count, through all its invocations there", async () => {
  const { runner, provider, spans, stored } = scene();
  const session = runner("linked", { pauseEachStep: true }).session("s");
  const tracer = provider.getTracer("user");
  await tracer.startActiveSpan("caller", async (span) => {
    await session.start({}).result;
    tracer.startSpan("between").end();
    await session.resume().result;
    span.end();
  });
  expect((await stored())?.spans).toBe(spans.length - 2);
});

test("spans that an SDK refuses to make do not count", () => {
  const { provider, spans } = recorder();
  const tracer = provider.getTracer("t");
  const tracerProvider = {
    getTracer: () => ({
      ...tracer,
      startSpan: (...[name, ...rest]: Parameters<typeof tracer.startSpan>) => {
        if (name === "barrier") throw new Error("no barriers");
        return tracer.startSpan(name, ...rest);
      },
    }),
  };
  const invocation = start({ tracerProvider });
  runWell(invocation);
  expect(invocation.stored.spans).toBe(spans.length);
});

test("a trace that has really become full is left, whether or not anybody recorded it", async () => {
  for (const sampler of [new AlwaysOnSampler(), new AlwaysOffSampler()]) {
    const { provider, store, clock, stored } = scene(sampler);
    const telemetry = { tracerProvider: provider, traceMode: "auto" } as const;
    const runner = createRunner(wide(5_000), { checkpointer: store, clock, telemetry });
    await runner.invoke({}, { sessionId: "s" });
    const full = await stored();
    expect(full?.spans).toBeGreaterThanOrEqual(5_000);
    await runner.session("s").resume({ answer: "Ada" }).result;
    const next = await stored();
    expect(next?.spans).toBeLessThan(50);
    expect(next?.traceparent.split("-")[1]).not.toBe(full?.traceparent.split("-")[1]);
    expect(next?.origin).toBe(full?.origin);
  }
}, 60_000);

test("a fork counts on from its checkpoint, by itself", async () => {
  const { runner, stored, spans } = scene();
  const session = runner("continued", { pauseEachStep: true }).session("s");
  await session.start({}).result;
  const then = (await stored())?.spans ?? 0;
  expect(then).toBe(spans.length);
  const fork = await session.fork({ sessionId: "f" });
  await session.resume().result;
  const own = spans.length - then;
  await fork.resume().result;
  expect([(await stored())?.spans, (await stored("f"))?.spans]).toEqual([then + own, then + (spans.length - then - own)]);
});

test("facts of a trace before that has nothing to do with this one's do not count", () => {
  const stored = { traceparent: `00-${"1".repeat(32)}-${"2".repeat(16)}-01`, origin: "", spans: 100, time: 0 };
  const { provider } = recorder();
  expect(start({ tracerProvider: provider, traceMode: "linked" }, { ...facts, stored }).stored.spans).toBe(1);
  expect(start({ tracerProvider: provider, traceMode: "continued" }, { ...facts, stored }).stored.spans).toBe(101);
});
