import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, it } from "vitest";
import { StateError } from "../../src/errors/errors.ts";
import type { EventSink } from "../../src/events/sink.ts";
import { memorySink } from "../../src/events/sinks/memory.ts";
import { custom, gate, hang, isSinkEvent, reject, settle, sinkOf, startBus, succeed } from "./support.ts";

describe("delivery", () => {
  it("listens only when there is a sink", () => {
    expect(startBus([]).bus.listening).toBe(false);
    expect(startBus([memorySink()]).bus.listening).toBe(true);
  });

  it("calls no sink inside publish, then delivers in order and in batches", async () => {
    const sink = sinkOf("batches", { batch: 2 }, succeed);
    const { bus, clock } = startBus([sink]);
    for (const seq of [1, 2, 3, 4, 5]) bus.publish(custom(seq));
    expect(sink.batches).toEqual([]);
    await bus.flush();
    expect(sink.batches).toEqual([[1, 2], [3, 4], [5]]);
    expect(clock.openTimers).toBe(0);
  });

  it("writes one batch at a time", async () => {
    const slow = gate();
    const sink = sinkOf("slow", { policy: "block" }, slow.write, succeed);
    const { bus } = startBus([sink]);
    bus.publish(custom(1));
    await settle();
    bus.publish(custom(2));
    await settle();
    expect(sink.batches).toEqual([[1]]);
    slow.open();
    await bus.flush();
    expect(sink.batches).toEqual([[1], [2]]);
  });

  it("flushes what was published before, not what comes after", async () => {
    const slow = gate();
    const flushed: string[] = [];
    const sink: EventSink = { ...sinkOf("slow", {}, slow.write, hang), flush: () => void flushed.push("flushed") };
    const { bus } = startBus([sink]);
    bus.publish(custom(1));
    await settle();
    const flush = bus.flush();
    bus.publish(custom(2));
    await settle();
    expect(flushed).toEqual([]);
    slow.open();
    await flush;
    expect(flushed).toEqual(["flushed"]);
    expect(bus.health()[0]).toMatchObject({ delivered: 1, queued: 1 });
  });

  it("gives a sink's own publishing to the next batch", async () => {
    const sink = sinkOf("echo", {}, () => bus.publish(custom(2)), succeed);
    const { bus } = startBus([sink]);
    bus.publish(custom(1));
    await bus.flush();
    await settle();
    expect(sink.batches).toEqual([[1], [2]]);
  });

  it("writes outside the publisher's asynchronous context", async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const { bus } = startBus([sinkOf("context", {}, () => Promise.resolve(seen.push(storage.getStore())))]);
    storage.run("a node's span", () => bus.publish(custom(1)));
    await bus.flush();
    expect(seen).toEqual([undefined]);
  });

  it.each([
    ["no sink at all", undefined],
    ["no name", { write: succeed }],
    ["no write", { name: "x" }],
    ["capacity 0", { name: "x", write: succeed, queue: { capacity: 0 } }],
    ["an unknown policy", { name: "x", write: succeed, queue: { policy: "drop" } }],
    ["a bad time-out", { name: "x", write: succeed, queue: { timeout: "soon" } }],
  ])("refuses %s", (_what, sink) => {
    const start = () => startBus([memorySink(), sink as unknown as EventSink]);
    expect(start).toThrow(expect.objectContaining({ code: "invalid_option" }));
    expect(start).toThrow(/sinks\[1\]/u);
  });
});

describe("a full queue", () => {
  it.each([
    // While [1] is being written, 2 to 6 come: one place of three is taken.
    ["drop-oldest", [[1], [5], [6]], 3],
    ["drop-newest", [[1], [2, 3]], 3],
    ["block", [[1], [2, 3, 4, 5, 6]], 0],
  ] as const)("with %s", async (policy, written, dropped) => {
    const slow = gate();
    const sink = sinkOf("full", { capacity: 3, policy }, slow.write, succeed);
    const { bus } = startBus([sink]);
    bus.publish(custom(1));
    await settle();
    for (const seq of [2, 3, 4, 5, 6]) bus.publish(custom(seq));
    expect(bus.health()[0]).toMatchObject({ queued: 6 - dropped, dropped });
    slow.open();
    await bus.flush();
    expect(sink.batches).toEqual(written);
  });

  it("makes runs wait at their boundary until there is room again", async () => {
    const slow = gate();
    const { bus } = startBus([sinkOf("slow", { capacity: 2, policy: "block", batch: 1 }, slow.write), memorySink()]);
    for (const seq of [1, 2]) bus.publish(custom(seq));
    expect(bus.boundary()).toBeUndefined();
    bus.publish(custom(3));
    let passed = false;
    const wait = bus.boundary()?.then(() => (passed = true));
    expect(wait).toBeInstanceOf(Promise);
    await settle();
    expect(passed).toBe(false);
    slow.open();
    await wait;
    expect(bus.health()[0]).toMatchObject({ delivered: 1, queued: 2, dropped: 0 });
    expect(bus.boundary()).toBeUndefined();
  });

  it("never makes runs wait for a sink that drops", async () => {
    const { bus } = startBus([sinkOf("a", { capacity: 1 }, hang), sinkOf("b", { capacity: 1, policy: "drop-newest" }, hang)]);
    for (const seq of [1, 2, 3]) bus.publish(custom(seq));
    expect(bus.boundary()).toBeUndefined();
  });

  it("holds a run no longer than the time-out of a sink that hangs, which then blocks nobody and stays bounded", async () => {
    const { bus, clock } = startBus([sinkOf("hangs", { capacity: 2, policy: "block", timeout: 500, batch: 1 }, hang)]);
    for (const seq of [1, 2, 3, 4]) bus.publish(custom(seq));
    let passed = false;
    void bus.boundary()?.then(() => (passed = true));
    await clock.advance(499);
    expect(passed).toBe(false);
    await clock.advance(1);
    expect(passed).toBe(true);
    for (let seq = 5; seq < 100; seq += 1) bus.publish(custom(seq));
    expect(bus.boundary()).toBeUndefined();
    expect(bus.health()[0]).toMatchObject({ healthy: false, queued: 3, dropped: 96 });
  });

  it("stops blocking as soon as a write has failed, and blocks again once one succeeds", async () => {
    const sink = sinkOf("flaky", { capacity: 1, policy: "block", batch: 1 }, reject, succeed, hang);
    const { bus, clock } = startBus([sink]);
    for (const seq of [1, 2, 3, 4]) bus.publish(custom(seq));
    await bus.boundary();
    expect(bus.health()[0]).toMatchObject({ healthy: false, queued: 4 });
    await clock.advance(100);
    expect(bus.health()[0]).toMatchObject({ healthy: true, delivered: 1, queued: 3 });
    expect(bus.boundary()).toBeInstanceOf(Promise);
  });

  it("never takes in more than its capacity, whatever the batch", async () => {
    for (const [capacity, policy] of [
      [1, "drop-oldest"],
      [4, "drop-oldest"],
      [4, "drop-newest"],
    ] as const) {
      const { bus } = startBus([sinkOf("hangs", { capacity, policy }, hang)]);
      for (let seq = 1; seq <= 20; seq += 1) {
        bus.publish(custom(seq));
        await settle();
        expect(bus.health()[0]?.queued).toBeLessThanOrEqual(capacity);
      }
    }
  });
});

describe("a sink that fails", () => {
  const throws = (thrown: unknown) => () => {
    throw thrown;
  };
  const brokenThenable = Object.defineProperty({}, "then", {
    enumerable: true,
    get: () => {
      throw new Error("no then");
    },
  });
  it.each<[string, Parameters<typeof sinkOf>[2] & {}, string]>([
    ["throws", throws(new Error("broken")), "broken"],
    ["throws no error", throws("just text"), "just text"],
    ["throws nothing", throws(undefined), "undefined"],
    ["rejects", reject, "the disk is full"],
    ["rejects with no error", () => Promise.reject(null), "null"],
    ["gives a thenable that throws", () => ({ then: throws(new Error("bad then")) }), "bad then"],
    ["gives a value that cannot be looked at", () => brokenThenable, "no then"],
  ])("%s: tried three times, dropped and counted, and nobody else is harmed", async (_what, write, lastError) => {
    const bad = sinkOf("bad", {}, write);
    const good = memorySink();
    const { bus, clock } = startBus([bad, good]);
    bus.publish(custom(1));
    await clock.advance(10_000);
    expect(bad.batches).toEqual([[1], [1], [1]]);
    expect(bus.health()[0]).toEqual({ name: "bad", healthy: false, queued: 0, delivered: 0, dropped: 1, failures: 3, lastError });
    expect(good.events.map((event) => event.type)).toEqual(["token", "sink.failed", "sink.dropped"]);
    expect(bus.health()[1]).toEqual({ name: "memory", healthy: true, queued: 0, delivered: 3, dropped: 0, failures: 0 });
    expect(clock.openTimers).toBe(0);
  });

  it("takes any other value for success", async () => {
    const { bus } = startBus([sinkOf("number", {}, () => 3), sinkOf("object", {}, () => ({ then: "no function" }))]);
    bus.publish(custom(1));
    await bus.flush();
    expect(bus.health().map((sink) => sink.delivered)).toEqual([1, 1]);
  });

  it("tries again by the clock, tells one failure and one recovery, and loses nothing", async () => {
    const bad = sinkOf("bad", {}, reject, reject, succeed);
    const good = memorySink();
    const { bus, clock } = startBus([bad, good]);
    bus.publish(custom(1));
    await settle();
    bus.publish(custom(2));
    await clock.advance(99);
    expect(bad.batches).toEqual([[1]]);
    await clock.advance(1);
    expect(bad.batches).toEqual([[1], [1]]);
    await clock.advance(300);
    expect(bad.batches).toEqual([[1], [1], [1], [2]]);
    expect(bus.health()[0]).toMatchObject({ healthy: true, delivered: 2, dropped: 0, failures: 2, lastError: "the disk is full" });
    expect(good.events.filter(isSinkEvent)).toEqual([
      {
        type: "sink.failed",
        seq: 1,
        time: 1_000_000,
        graph: "g",
        data: { sink: "bad", error: { name: "Error", message: "the disk is full" } },
      },
      { type: "sink.recovered", seq: 2, time: 1_000_400, graph: "g", data: { sink: "bad" } },
    ]);
  });

  it("that hangs has its write aborted and dropped, goes on with the next, and its late answer changes nothing", async () => {
    const late = gate();
    const bad = sinkOf("bad", { timeout: "2s" }, late.write, succeed);
    const good = memorySink();
    const { bus, clock } = startBus([bad, good]);
    bus.publish(custom(1));
    await settle();
    bus.publish(custom(2));
    await clock.advance(1999);
    expect(bad.signals[0]?.aborted).toBe(false);
    await clock.advance(1);
    expect(bad.signals[0]?.reason).toMatchObject({ name: "TimeoutError" });
    expect(bad.signals[1]?.aborted).toBe(false);
    late.open();
    await settle();
    expect(bad.batches).toEqual([[1], [2]]);
    expect(bus.health()[0]).toMatchObject({ healthy: true, delivered: 1, dropped: 1, failures: 1 });
    expect(good.events.filter(isSinkEvent).map(({ type, data }) => ({ type, ...data }))).toMatchObject([
      { type: "sink.failed", error: { name: "TimeoutError" } },
      { type: "sink.dropped", sink: "bad", count: 1, reason: "timeout" },
      { type: "sink.recovered" },
    ]);
  });

  it("gets a frozen batch, so that a retry has the same events", async () => {
    const greedy = sinkOf("greedy", {}, (events) => (events as unknown[]).pop());
    const { bus, clock } = startBus([greedy]);
    bus.publish(custom(1));
    await clock.advance(1000);
    expect(greedy.batches).toEqual([[1], [1], [1]]);
  });

  it("loses only the event that cannot be encoded, and stays healthy", async () => {
    const picky = sinkOf("picky", {}, (events) => {
      if (events.some((event) => event.seq === 2)) throw new StateError("unserializable_value", { path: "data", what: "it is a cycle" });
    });
    const good = memorySink();
    const { bus } = startBus([picky, good]);
    for (const seq of [1, 2, 3]) bus.publish(custom(seq));
    await bus.flush();
    bus.publish(custom(4));
    bus.publish(custom(5));
    await bus.flush();
    expect(picky.batches).toEqual([[1, 2, 3], [1], [2], [3], [4, 5]]);
    expect(bus.health()[0]).toMatchObject({ healthy: true, delivered: 4, dropped: 1, failures: 0 });
    expect(good.events.filter(isSinkEvent).map((event) => event.data)).toEqual([{ sink: "picky", count: 1, reason: "unserializable" }]);
  });
});

describe("telling the others", () => {
  it("says how many were lost since it last said so", async () => {
    const slow = gate();
    const good = memorySink();
    const { bus } = startBus([sinkOf("full", { capacity: 2 }, slow.write), good]);
    for (let round = 0; round < 2; round += 1) {
      bus.publish(custom(1));
      await settle();
      for (let seq = 2; seq <= 5; seq += 1) bus.publish(custom(seq));
      slow.open();
      await settle();
      slow.open();
      await settle();
    }
    expect(good.events.filter(isSinkEvent).map((event) => event.data)).toEqual([
      { sink: "full", count: 3, reason: "full" },
      { sink: "full", count: 3, reason: "full" },
    ]);
    expect(bus.health()[0]).toMatchObject({ dropped: 6, delivered: 4 });
  });

  it("lets sinks that all fail never feed each other", async () => {
    const sinks = ["a", "b", "c"].map((name) => sinkOf(name, { capacity: 2 }, reject));
    const { bus, clock } = startBus(sinks);
    bus.publish(custom(1));
    await clock.advance(60_000);
    const writes = sinks.map((sink) => sink.batches.length);
    await clock.advance(600_000);
    expect(sinks.map((sink) => sink.batches.length)).toEqual(writes);
    expect(bus.health().every((sink) => sink.queued === 0)).toBe(true);
  });

  it("lets sinks that fail every other write never feed each other", async () => {
    const flapping = (name: string) => {
      let writes = 0;
      return sinkOf(name, {}, () => ((writes += 1) % 2 === 1 ? Promise.reject(new Error("flaps")) : undefined));
    };
    const sinks = [flapping("a"), flapping("b")];
    const { bus, clock } = startBus(sinks);
    bus.publish(custom(1));
    await clock.advance(60_000);
    expect(sinks.flatMap((sink) => sink.batches).length).toBeLessThan(20);
    expect(clock.openTimers).toBe(0);
  });
});
