/** The times of spans: exact, ordered, and of one source. */
import { afterEach, describe, expect, test, vi } from "vitest";
import { channel, createRunner, END, graph, memoryCheckpointer, START } from "spanloom";
import { recordSpans } from "spanloom/testing";
import { nanoseconds, recorder, runWell, start } from "./support.ts";

afterEach(() => void vi.useRealTimers());

describe("times", () => {
  test("lie inside the parent's, and phases never overlap, to the nanosecond", () => {
    const { provider, spans, find } = recorder();
    for (let round = 0; round < 50; round++) runWell(start({ tracerProvider: provider }));
    const byId = new Map(spans.map((span) => [span.spanContext().spanId, span]));
    for (const span of spans) {
      expect(span.startTime[1]).toBeLessThan(1e9);
      expect(nanoseconds(span.endTime)).toBeGreaterThanOrEqual(nanoseconds(span.startTime));
      const parent = byId.get(span.parentSpanContext?.spanId ?? "");
      if (parent === undefined) continue;
      expect(nanoseconds(span.startTime)).toBeGreaterThanOrEqual(nanoseconds(parent.startTime));
      expect(nanoseconds(span.endTime)).toBeLessThanOrEqual(nanoseconds(parent.endTime));
    }
    for (const superstep of find("superstep")) {
      const phases = spans.filter((span) => span.parentSpanContext?.spanId === superstep.spanContext().spanId);
      for (const [index, phase] of phases.slice(1).entries()) {
        expect(nanoseconds(phase.startTime)).toBeGreaterThanOrEqual(nanoseconds(phases[index]?.endTime ?? [2 ** 40, 0]));
      }
    }
    for (const { events, startTime, endTime } of find("frontier")) {
      const [event] = events;
      expect(nanoseconds(event?.time ?? [0, 0])).toBeGreaterThanOrEqual(nanoseconds(startTime));
      expect(nanoseconds(event?.time ?? [2 ** 40, 0])).toBeLessThanOrEqual(nanoseconds(endTime));
    }
  });

  test("are not those of fake timers", () => {
    const before = performance.timeOrigin + performance.now();
    vi.useFakeTimers({ now: 0 });
    const { provider, spans } = recorder();
    runWell(start({ tracerProvider: provider }), { during: (node) => node.event("node.log", { level: "warn", message: "m" }) });
    const times = spans.flatMap((span) => [span.startTime, span.endTime, ...span.events.map((event) => event.time)]);
    for (const time of times) expect(time[0]).toBeGreaterThanOrEqual(Math.floor(before / 1000));
  });

  test("are not those of fake timers where a session is loaded, either", async () => {
    const compiled = graph({ name: "g", channels: { answer: channel.value("") } })
      .node("ask", async (_state, { interrupt }) => ({ answer: await interrupt<string>("question") }))
      .edge(START, "ask")
      .edge("ask", END)
      .compile();
    const runner = createRunner(compiled, { checkpointer: memoryCheckpointer() });
    const before = performance.timeOrigin + performance.now();
    vi.useFakeTimers({ now: 0, toFake: ["Date", "performance"] });
    const { spans } = await recordSpans(async () => {
      await runner.invoke({}, { sessionId: "s" });
      vi.setSystemTime(1e14);
      await runner.session("s").resume({ answer: "yes" }).result;
    });
    vi.useRealTimers();
    const after = performance.timeOrigin + performance.now();
    expect(spans.filter(({ name }) => name === "checkpoint_load")).toHaveLength(1);
    for (const { name, start: from, end } of spans) {
      expect(from, name).toBeGreaterThanOrEqual(before - 0.001);
      expect(end, name).toBeGreaterThanOrEqual(from);
      expect(end, name).toBeLessThanOrEqual(after + 0.001);
    }
  });

  test("a back-dated invocation holds its load", () => {
    const { provider, spans } = recorder();
    const date = performance.timeOrigin + performance.now() - 40;
    const load = { startTime: date, endTime: date + 10, backend: "sqlite", step: 3, size: 9 };
    start({ tracerProvider: provider }, { startTime: date, load }).end({ outcome: "completed", supersteps: 0 });
    const [invocation, loading] = spans;
    expect(loading?.name).toBe("checkpoint_load");
    expect(loading?.attributes).toEqual({
      "spanloom.session.id": "session-1",
      "spanloom.checkpoint.backend": "sqlite",
      "spanloom.step": 3,
      "spanloom.checkpoint.size": 9,
    });
    expect(invocation?.startTime).toEqual(loading?.startTime);
    expect((invocation?.startTime[0] ?? 0) * 1000 + (invocation?.startTime[1] ?? 0) / 1e6).toBeCloseTo(date, 3);
    expect(nanoseconds(loading?.endTime ?? [0, 0]) - nanoseconds(loading?.startTime ?? [0, 0])).toBeGreaterThan(9_990_000n);
  });

  test.each([Number.NaN, -1, Infinity, Date.now() + 1e9])("a start of %d is now", (startTime) => {
    const { provider, spans } = recorder();
    const before = Math.floor((performance.timeOrigin + performance.now()) / 1000);
    start({ tracerProvider: provider }, { startTime }).end({ outcome: "completed", supersteps: 0 });
    expect(spans[0]?.startTime[0]).toBeGreaterThanOrEqual(before);
    expect(spans[0]?.duration[0]).toBeLessThan(1e5);
  });
});
