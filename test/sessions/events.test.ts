/** The events of runs, whichever way they end: their order, their numbers, their places. */
import { describe, expect, it } from "vitest";
import { createRunner, END, memoryCheckpointer, memorySink, START } from "spanloom";
import type { RuntimeEvent } from "spanloom";
import { manualClock, recordSpans, seededRandom } from "spanloom/testing";
import { chain, collect, type Collected, held, loose, type LooseGraph, mark, marked, ofType, typesOf } from "./support.ts";

const terminals = ["invocation.completed", "invocation.paused", "invocation.cancelled", "invocation.failed"];

/** What holds for the events of any invocation. */
function expectInOrder(events: readonly RuntimeEvent[]): void {
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_event, index) => index + 1));
  expect(
    new Set(events.map(({ epoch, sessionId, invocationId, graph }) => JSON.stringify([epoch, sessionId, invocationId, graph]))).size,
  ).toBe(1);
  const types = typesOf(events);
  const begin = types[0] === "session.created" ? 1 : 0;
  expect(types.indexOf("invocation.started")).toBe(begin);
  expect(types.filter((type) => terminals.includes(type))).toEqual([types.at(-1)]);
  const times = events.map(({ time }) => time);
  expect(times).toEqual(times.toSorted((left, right) => left - right));
  let step: number | undefined;
  const open = new Set<string>();
  for (const event of events) {
    const attempt = `${event.step}/${event.node}/${event.attempt}`;
    if (event.type === "superstep.started") {
      expect(step, "one superstep at a time").toBeUndefined();
      step = event.step;
    }
    if (event.type === "node.started") {
      expect(event.step, "within its superstep").toBe(step);
      open.add(attempt);
    }
    if (event.type === "node.completed" || event.type === "node.failed") expect(open.delete(attempt), "after its start").toBe(true);
    if (event.type === "superstep.completed") {
      expect([event.step, open.size]).toEqual([step, 0]);
      step = undefined;
    }
  }
}

const failsOnce = (): LooseGraph =>
  marked(loose(), "b", "h")
    .node(
      "a",
      (_state, { attempt }) => {
        if (attempt === 1) throw new Error("once");
      },
      { retry: { attempts: 2, initialDelay: 0 } },
    )
    .node(
      "lost",
      () => {
        throw new Error("always");
      },
      { onError: "h" },
    )
    .edge(START, ["a", "lost"])
    .edge("a", "b")
    .edge(["b", "h"], END)
    .edge("lost", END)
    .compile();

describe("the events of a run", () => {
  it("that completes: created, started, saved, then each superstep from its start to its end", async () => {
    const { events } = await collect(createRunner(chain("a", "b").compile()).stream({}, { sessionId: "s" }));
    expect(events.map(({ type, step, node, attempt }) => [type, step, node, attempt])).toEqual([
      ["session.created", undefined, undefined, undefined],
      ["invocation.started", undefined, undefined, undefined],
      ["checkpoint.saved", 0, undefined, undefined],
      ["superstep.started", 1, undefined, undefined],
      ["node.started", 1, "a", 1],
      ["node.completed", 1, "a", 1],
      ["checkpoint.saved", 1, undefined, undefined],
      ["superstep.completed", 1, undefined, undefined],
      ["superstep.started", 2, undefined, undefined],
      ["node.started", 2, "b", 1],
      ["node.completed", 2, "b", 1],
      ["checkpoint.saved", 2, undefined, undefined],
      ["superstep.completed", 2, undefined, undefined],
      ["invocation.completed", undefined, undefined, undefined],
    ]);
    expectInOrder(events);
  });

  it("say what they are about", async () => {
    const graph = chain("a", "b").compile();
    const { events } = await collect(createRunner(graph, { clock: manualClock(7) }).stream({}));
    const data = (type: RuntimeEvent["type"]) => ofType(events, type).map((event) => event.data);
    expect(data("session.created")).toEqual([{ fingerprint: graph.fingerprint }]);
    expect(data("invocation.started")).toEqual([{ kind: "start" }]);
    expect(data("superstep.started")).toEqual([{ frontier: ["a"] }, { frontier: ["b"] }]);
    expect(data("node.started")).toEqual([{}, {}]);
    expect(data("node.completed")).toEqual([
      { duration: 0, channels: ["log"] },
      { duration: 0, channels: ["log"] },
    ]);
    expect(data("superstep.completed")).toEqual([
      { ranNodes: ["a"], skippedNodes: [], updatedChannels: ["log"], nextFrontier: ["b"], duration: 0 },
      { ranNodes: ["b"], skippedNodes: [], updatedChannels: ["log"], nextFrontier: [], duration: 0 },
    ]);
    expect(data("invocation.completed")).toEqual([{ steps: 2 }]);
    expect(events.every(({ time, graph: name }) => time === 7 && name === "g")).toBe(true);
  });

  it("of each way to end are in order, gap-free, and end once", async () => {
    const slow = held();
    const waits = loose().node("a", slow.handler).edge(START, "a").edge("a", END).compile();
    const cancelled = createRunner(waits).stream({});
    const cancelledEvents = collect(cancelled);
    await slow.entered;
    cancelled.cancel("enough");
    slow.open();
    const endings: Record<string, Collected> = {
      completed: await collect(createRunner(failsOnce()).stream({})),
      paused: await collect(createRunner(chain("a", "b").compile(), { pauseAfter: ["a"] }).stream({})),
      cancelled: await cancelledEvents,
      failed: await collect(createRunner(chain("a", "b").compile(), { maxSteps: 1 }).stream({})),
    };
    for (const [ending, { events }] of Object.entries(endings)) {
      expectInOrder(events);
      expect(typesOf(events).at(-1)).toBe(`invocation.${ending}`);
    }
    const { events } = endings["completed"] as Collected;
    expect(ofType(events, "node.failed").map(({ node, attempt, data }) => [node, attempt, data.final])).toEqual([
      ["a", 1, false],
      ["lost", 1, true],
    ]);
  });

  it("of a failed superstep have no `superstep.completed`; the failure is told with its code and causes", async () => {
    const graph = loose()
      .node("a", () => {
        throw new TypeError("broken", { cause: new Error("deeper") });
      })
      .edge(START, "a")
      .edge("a", END)
      .compile();
    const { events } = await collect(createRunner(graph).stream({}));
    expect(typesOf(events)).not.toContain("superstep.completed");
    expect(ofType(events, "invocation.failed")[0]?.data).toMatchObject({
      code: "scheduler",
      error: { name: "RunnerError", code: "scheduler", cause: { name: "TypeError", message: "broken", cause: { message: "deeper" } } },
    });
    expect(ofType(events, "node.failed")[0]?.data).toMatchObject({ final: true, error: { name: "TypeError", message: "broken" } });
  });

  it("of a pause come before its checkpoint, and a resume has its own, from 1 again", async () => {
    const graph = loose()
      .node("ask", async (_state, { interrupt }) => ({ log: [await interrupt({ q: 1 })] }))
      .edge(START, "ask")
      .edge("ask", END)
      .compile();
    const session = createRunner(graph, { checkpointer: memoryCheckpointer() }).session("s");
    const first = await collect(session.start({}));
    expectInOrder(first.events);
    expect(typesOf(first.events).slice(-3)).toEqual(["interrupt.requested", "checkpoint.saved", "invocation.paused"]);
    const [asked] = ofType(first.events, "interrupt.requested");
    expect(asked).toMatchObject({ node: "ask", step: 1, data: { node: "ask", step: 1, payload: { q: 1 }, kind: "interrupt" } });
    expect(ofType(first.events, "invocation.paused")[0]?.data.interrupts).toEqual([asked?.data]);
    const second = await collect(session.resume({ answer: "yes" }));
    expectInOrder(second.events);
    expect(second.events[0]).toMatchObject({ type: "invocation.started", epoch: 2, seq: 1, data: { kind: "resume" } });
    expect(ofType(second.events, "interrupt.resolved").map(({ data, node }) => [data, node])).toEqual([
      [{ id: asked?.data.id }, asked?.node],
    ]);
    expect(typesOf(second.events).indexOf("interrupt.resolved")).toBeLessThan(typesOf(second.events).indexOf("node.started"));
  });

  it("of a cancellation tell its reason: a text, an error's message, or none", async () => {
    for (const [reason, told] of [
      ["enough", { reason: "enough" }],
      [new Error("over budget"), { reason: "over budget" }],
      [undefined, {}],
    ] as const) {
      const slow = held();
      const graph = marked(loose(), "b").node("a", slow.handler).edge(START, "a").edge("a", "b").edge("b", END).compile();
      const run = createRunner(graph).stream({});
      await slow.entered;
      run.cancel(reason);
      run.cancel("a second time");
      slow.open();
      const { events, result } = await collect(run);
      expect(result).toMatchObject({ status: "cancelled" });
      expect(ofType(events, "invocation.cancelled").map(({ data }) => data)).toEqual([told]);
    }
  });

  it("have no place in a trace when there is none, and that of their span when there is one", async () => {
    const run = () => collect(createRunner(chain("a").compile()).stream({}));
    const plain = await run();
    expect(plain.events.filter(({ traceId, spanId }) => traceId !== undefined || spanId !== undefined)).toEqual([]);
    const { result, spans } = await recordSpans(run);
    const named = new Map(spans.map(({ spanId, name }) => [spanId, name.split(" ")[0]]));
    expect(result.events.map(({ type, spanId }) => [type, named.get(spanId ?? "")])).toEqual([
      ["session.created", "invoke_workflow"],
      ["invocation.started", "invoke_workflow"],
      ["checkpoint.saved", "checkpoint"],
      ["superstep.started", "superstep"],
      ["node.started", "execute_node"],
      ["node.completed", "execute_node"],
      ["checkpoint.saved", "checkpoint"],
      ["superstep.completed", "superstep"],
      ["invocation.completed", "invoke_workflow"],
    ]);
    expect(new Set(result.events.map(({ traceId }) => traceId)).size).toBe(1);
  });

  it("are frozen, all the way down", async () => {
    const graph = loose({}, { events: { token: {} } })
      .node(
        "a",
        (_state, { emit, log }) => {
          emit("token", { list: [{ n: 1 }] });
          log.info("hello", { list: [{ n: 1 }] });
          throw new Error("x", { cause: new Error("y") });
        },
        { retry: { attempts: 2, initialDelay: 0 } },
      )
      .node("b", async (_state, { interrupt }) => {
        await interrupt({ list: [{ n: 1 }] });
      })
      .edge(START, "b")
      .branch(START, { go: "a" }, () => "go")
      .edge(["a", "b"], END)
      .compile();
    const { events } = await collect(createRunner(graph).stream({}));
    const thawed: string[] = [];
    const walk = (value: unknown, path: string): void => {
      if (typeof value !== "object" || value === null) return;
      if (!Object.isFrozen(value)) thawed.push(path);
      for (const [key, item] of Object.entries(value)) walk(item, `${path}.${key}`);
    };
    for (const event of events) walk(event, event.type);
    expect(thawed).toEqual([]);
  });

  it("are the same, down to ids and times, for the same clock and random source", async () => {
    const once = async (): Promise<readonly RuntimeEvent[]> => {
      const clock = manualClock(50);
      const graph = marked(loose(), "b")
        .node(
          "a",
          (_state, { attempt }) => {
            if (attempt < 3) throw new Error("again");
          },
          { retry: { attempts: 3 } },
        )
        .edge(START, "a")
        .edge("a", "b")
        .edge("b", END)
        .compile();
      const collected = collect(createRunner(graph, { clock, random: seededRandom(9) }).stream({}));
      await clock.advance(10_000);
      return (await collected).events;
    };
    const [first, second] = [await once(), await once()];
    expect(first).toEqual(second);
    expect(ofType(first, "node.retrying").map(({ data }) => data.delay > 0)).toEqual([true, true]);
    expect(new Set(first.map(({ time }) => time)).size, "time has passed").toBeGreaterThan(2);
  });

  it("hold no state, no input and no update, and sinks see no question without `payloads`", async () => {
    const sink = memorySink();
    const graph = loose()
      .node("a", () => ({ log: ["secret update"] }))
      .node("ask", async (_state, { interrupt }) => {
        await interrupt("secret question");
      })
      .edge(START, "a")
      .edge("a", "ask")
      .edge("ask", END)
      .compile();
    const runner = createRunner(graph, { sinks: [sink] });
    const { events } = await collect(runner.stream({ log: ["secret input"] }));
    await runner.close();
    expect(JSON.stringify(events).match(/secret \w+/gu)).toEqual(["secret question", "secret question"]);
    expect(sink.events).toHaveLength(events.length);
    expect(JSON.stringify(sink.events)).not.toContain("secret");
  });

  it("reach sinks in the order in which the stream has them", async () => {
    const sink = memorySink();
    const runner = createRunner(failsOnce(), { sinks: [sink] });
    const { events } = await collect(runner.stream({}));
    await runner.close();
    expect(sink.events).toEqual(events);
  });
});

describe("supersteps of several nodes", () => {
  it("tell each node's start before its end, siblings as they come, and the report in frontier order", async () => {
    const slow = held({ log: ["slow"] });
    const graph = marked(loose())
      .node("slow", slow.handler)
      .node("fast", (state, context) => {
        slow.open();
        return mark(state, context);
      })
      .edge(START, ["slow", "fast"])
      .edge(["slow", "fast"], END)
      .compile();
    const { events } = await collect(createRunner(graph).stream({}));
    expectInOrder(events);
    expect(ofType(events, "node.completed").map(({ node }) => node)).toEqual(["fast", "slow"]);
    expect(ofType(events, "superstep.completed")[0]?.data.ranNodes).toEqual(["slow", "fast"]);
  });
});
