/** Runs as streams: who reads what, when, and what it costs nobody. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createRunner, END, event, RunnerError, START } from "spanloom";
import { all, chain, collect, expectCode, gate, held, loose, type LooseGraph, marked, ofType, settle, typesOf } from "./support.ts";

const noisy = (count: number): LooseGraph =>
  loose({}, { events: { tick: event<number>() } })
    .node("a", (_state, { emit }) => {
      for (let index = 0; index < count; index += 1) emit("tick", index);
    })
    .edge(START, "a")
    .edge("a", END)
    .compile();

const failing = (): LooseGraph =>
  loose()
    .node("a", () => {
      throw new Error("x");
    })
    .edge(START, "a")
    .edge("a", END)
    .compile();

const unhandled: unknown[] = [];
const note = (reason: unknown): void => void unhandled.push(reason);

beforeEach(() => {
  unhandled.length = 0;
  process.on("unhandledRejection", note);
});
afterEach(() => {
  process.off("unhandledRejection", note);
});

describe("a run's stream", () => {
  it("is read from the first event, however late, and by any number of readers", async () => {
    const run = createRunner(chain("a", "b").compile()).stream({});
    await run.result;
    const [first, second] = await Promise.all([all(run), all(run)]);
    expect(typesOf(first)[0]).toBe("session.created");
    expect(typesOf(first).at(-1)).toBe("invocation.completed");
    expect(second).toEqual(first);
    expect(await all(run), "once more").toEqual(first);
  });

  it("gives events as they happen", async () => {
    const slow = held();
    const graph = loose().node("a", slow.handler).edge(START, "a").edge("a", END).compile();
    const run = createRunner(graph).stream({});
    const seen: string[] = [];
    for await (const { type } of run) {
      seen.push(type);
      if (type === "node.started") slow.open();
    }
    expect(seen).toContain("node.completed");
  });

  it("may be left: the run goes on, and others read on", async () => {
    const slow = held({ log: ["a"] });
    const graph = loose().node("a", slow.handler).edge(START, "a").edge("a", END).compile();
    const run = createRunner(graph).stream({});
    const other = all(run);
    for await (const { type } of run) if (type === "invocation.started") break;
    slow.open();
    expect((await run.result).state["log"]).toEqual(["a"]);
    expect(typesOf(await other).at(-1)).toBe("invocation.completed");
  });

  it("may be disposed of: that does not stop the run either", async () => {
    const slow = held();
    const graph = loose().node("a", slow.handler).edge(START, "a").edge("a", END).compile();
    const run = createRunner(graph).stream({});
    await run[Symbol.asyncDispose]();
    slow.open();
    expect(await run.result).toMatchObject({ status: "completed" });
  });

  it("of a failed run ends normally", async () => {
    const run = createRunner(failing()).stream({});
    expect(typesOf(await all(run)).at(-1)).toBe("invocation.failed");
    await expectCode(() => run.result, "scheduler");
  });

  it("starts at once, whether or not anyone reads or awaits it", async () => {
    const started = gate();
    const graph = loose()
      .node("a", () => started.open())
      .edge(START, "a")
      .edge("a", END)
      .compile();
    createRunner(graph).stream({});
    await started.passed;
    expect(unhandled).toEqual([]);
  });

  it("that nobody reads is no loss: the run ends, and nothing is told dropped", async () => {
    const run = createRunner(noisy(50)).stream({});
    expect(await run.result).toMatchObject({ status: "completed" });
    expect(typesOf(await all(run))).not.toContain("stream.dropped");
  });

  it("keeps 10 000 events for a slow reader, and says what it missed", async () => {
    const run = createRunner(noisy(12_000)).stream({});
    await run.result;
    const events = await all(run);
    expect(typesOf(events)[0]).toBe("stream.dropped");
    const dropped = ofType(events, "stream.dropped");
    expect(dropped).toHaveLength(1);
    expect(events).toHaveLength(10_001);
    const last = events.at(-1) as { readonly seq: number };
    expect((dropped[0]?.data.count ?? 0) + 10_000).toBe(last.seq);
    const seqs = events.slice(1).map(({ seq }) => seq);
    expect(seqs).toEqual(seqs.map((_seq, index) => last.seq - 9_999 + index));
  });

  it("gives a reader that keeps up everything", async () => {
    const graph = loose({}, { events: { tick: event<number>() } })
      .node("a", async (_state, { emit }) => {
        for (let index = 0; index < 11_000; index += 1) {
          emit("tick", index);
          if (index % 1_000 === 0) await settle(1);
        }
      })
      .edge(START, "a")
      .edge("a", END)
      .compile();
    const { events } = await collect(createRunner(graph).stream({}));
    expect(typesOf(events)).not.toContain("stream.dropped");
    expect(events.filter(({ type }) => (type as string) === "tick")).toHaveLength(11_000);
  });

  it("knows its session and invocation at once", async () => {
    const runner = createRunner(chain("a").compile());
    const run = runner.stream({}, { sessionId: "mine" });
    expect(run.sessionId).toBe("mine");
    const result = await run.result;
    expect(result).toMatchObject({ sessionId: "mine", invocationId: run.invocationId });
    const [one, two] = [runner.stream({}), runner.stream({})];
    expect(new Set([one.sessionId, two.sessionId, one.invocationId, two.invocationId, run.invocationId]).size).toBe(5);
    await Promise.all([one.result, two.result]);
  });
});

describe("a result that nobody awaits", () => {
  it("is never an unhandled rejection: failed, refused, cancelled, or refused by the store", async () => {
    const runner = createRunner(failing());
    runner.stream({}, { sessionId: "s" });
    runner.stream({ nope: 1 } as never);
    runner.session("none").resume();
    runner.session("none").next({ nope: 1 } as never);
    runner.stream({}, { sessionId: "s" });
    const read = runner.stream({});
    await read[Symbol.asyncIterator]().return?.();
    const closed = createRunner(chain("a").compile());
    await closed.close();
    closed.stream({});
    await settle(30);
    expect(unhandled).toEqual([]);
  });

  it("still rejects for whoever awaits it later", async () => {
    const run = createRunner(failing()).stream({});
    await settle(30);
    await expectCode(() => run.result, "scheduler");
    expect(unhandled).toEqual([]);
  });
});

describe("cancel", () => {
  it("stops a run, once, and is harmless when it has ended", async () => {
    const slow = held();
    const graph = marked(loose(), "b").node("a", slow.handler).edge(START, "a").edge("a", "b").edge("b", END).compile();
    const run = createRunner(graph).stream({});
    await slow.entered;
    run.cancel();
    slow.open();
    expect(await run.result).toMatchObject({ status: "cancelled", steps: 0 });
    run.cancel("late");
    const done = createRunner(chain("a").compile()).stream({});
    await done.result;
    done.cancel("late");
    expect(typesOf(await all(done)).at(-1)).toBe("invocation.completed");
  });

  it("may come before anything has begun: no superstep is run, and the stream still ends once", async () => {
    const run = createRunner(chain("a").compile()).stream({});
    run.cancel("at once");
    const { events, result } = await collect(run);
    expect(result).toMatchObject({ status: "cancelled", steps: 0, state: { log: [] } });
    expect(typesOf(events)).not.toContain("superstep.started");
    expect(ofType(events, "invocation.cancelled")).toHaveLength(1);
  });

  it("can be taken apart from its run", async () => {
    const { cancel, result } = createRunner(chain("a").compile()).stream({});
    cancel();
    expect(await result).toMatchObject({ status: "cancelled" });
  });
});

describe("a runner's events", () => {
  it("are those of all its runs, from now on", async () => {
    const runner = createRunner(chain("a").compile());
    await runner.invoke({}, { sessionId: "before" });
    const subscription = runner.events();
    await runner.invoke({}, { sessionId: "one" });
    await runner.invoke({}, { sessionId: "two" });
    await runner.close();
    const seen = await all(subscription);
    expect([...new Set(seen.map(({ sessionId }) => sessionId))]).toEqual(["one", "two"]);
    expect(typesOf(seen).filter((type) => type === "invocation.completed")).toHaveLength(2);
  });

  it("are bounded: a slow reader is told what it missed", async () => {
    const runner = createRunner(noisy(100));
    const subscription = runner.events({ capacity: 5 });
    await runner.invoke({});
    await runner.close();
    const seen = await all(subscription);
    expect([typesOf(seen)[0], seen.length, typesOf(seen).at(-1)]).toEqual(["stream.dropped", 6, "invocation.completed"]);
    for (const capacity of [0, -1, 1.5, "9" as unknown as number]) expect(() => runner.events({ capacity })).toThrow(RunnerError);
  });

  it("end for one who leaves, and go on for the others", async () => {
    const runner = createRunner(chain("a").compile());
    const [leaving, staying] = [runner.events(), runner.events()];
    const rest = all(staying);
    const running = runner.invoke({});
    for await (const { seq } of leaving) if (seq > 0) break;
    await running;
    await runner.close();
    expect(typesOf(await all(leaving)), "it has left").not.toContain("invocation.completed");
    expect(typesOf(await rest).at(-1)).toBe("invocation.completed");
  });

  it("end when they are disposed of, also for a reader that waits", async () => {
    const runner = createRunner(chain("a").compile());
    const subscription = runner.events();
    const waiting = all(subscription);
    await subscription[Symbol.asyncDispose]();
    expect(await waiting).toEqual([]);
    await runner.invoke({});
  });
});
