import { describe, expect, it } from "vitest";
import type { EventSink } from "../../src/events/sink.ts";
import { memorySink } from "../../src/events/sinks/memory.ts";
import { custom, gate, hang, isSinkEvent, reject, settle, sinkOf, startBus, succeed } from "./support.ts";

describe("close", () => {
  it("delivers what is queued, then flushes and closes each sink once, and says that nothing is lost", async () => {
    const calls: string[] = [];
    const sink: EventSink = {
      name: "calls",
      queue: { batch: 1 },
      write: async ([event]) => void calls.push(`write ${event?.seq}`),
      flush: () => void calls.push("flush"),
      close: async () => void calls.push("close"),
    };
    const { bus, clock } = startBus([sink]);
    bus.publish(custom(1));
    bus.publish(custom(2));
    const closing = bus.close(5000);
    expect(bus.close(1)).toBe(closing);
    expect(await closing).toEqual({ lostEvents: 0 });
    expect(calls).toEqual(["write 1", "write 2", "flush", "close"]);
    expect(clock.openTimers).toBe(0);
  });

  it("counts what is published afterwards as dropped, and writes it nowhere", async () => {
    const sink = memorySink();
    const { bus } = startBus([sink]);
    bus.publish(custom(1));
    await bus.close(1000);
    bus.publish(custom(2));
    await settle();
    await bus.flush();
    expect(sink.events.map((event) => event.seq)).toEqual([1]);
    expect(bus.health()[0]).toMatchObject({ delivered: 1, dropped: 1, queued: 0 });
    expect(await bus.close(1000)).toEqual({ lostEvents: 0 });
  });

  it("is bounded when a sink hangs: aborts its write, leaves no timer, and tells the others", async () => {
    const hung = sinkOf("hung", { batch: 2, timeout: "1h" }, hang);
    const good = memorySink();
    const { bus, clock } = startBus([hung, good]);
    for (const seq of [1, 2, 3]) bus.publish(custom(seq));
    await settle();
    const closing = bus.close(1000);
    await clock.advance(1000);
    expect(await closing).toEqual({ lostEvents: 3 });
    expect(hung.signals.map((signal) => signal.aborted)).toEqual([true]);
    expect(bus.health()).toMatchObject([
      { dropped: 3, queued: 0 },
      { delivered: 4, queued: 0 },
    ]);
    expect(good.events.filter(isSinkEvent).map((event) => event.data)).toEqual([{ sink: "hung", count: 3, reason: "closed" }]);
    expect(clock.openTimers).toBe(0);
  });

  it("tells every drop by its end, also what came after it began", async () => {
    const slow = gate();
    const good = memorySink();
    const full = sinkOf("slow", { capacity: 2 }, slow.write, succeed);
    const { bus } = startBus([full, good]);
    bus.publish(custom(1));
    await settle();
    for (const seq of [2, 3, 4]) bus.publish(custom(seq));
    const closing = bus.close(5000);
    bus.publish(custom(5));
    slow.open();
    // 5 by both, and what was told to the full one: that does not displace 4.
    expect(await closing).toEqual({ lostEvents: 3 });
    expect(full.batches.slice(0, 2)).toEqual([[1], [4]]);
    const told = good.events.filter(isSinkEvent).map((event) => event.data);
    expect(told).toEqual([
      { sink: "slow", count: 3, reason: "full" },
      { sink: "slow", count: 1, reason: "closed" },
    ]);
  });

  it("gives a failing batch its tries, then gives up with the time", async () => {
    const failing = sinkOf("failing", {}, reject);
    const { bus, clock } = startBus([failing]);
    bus.publish(custom(1));
    const closing = bus.close(5000);
    await clock.advance(5000);
    expect(await closing).toEqual({ lostEvents: 1 });
    expect(failing.batches).toHaveLength(3);

    const { bus: hurried, clock: other } = startBus([sinkOf("failing", {}, reject)]);
    hurried.publish(custom(1));
    const hurry = hurried.close(100);
    await other.advance(100);
    expect(await hurry).toEqual({ lostEvents: 1 });
    expect(other.openTimers).toBe(0);
  });

  it.each<[string, Partial<EventSink>]>([
    ["a flush that hangs", { flush: () => new Promise(() => {}) }],
    ["a close that hangs", { close: () => new Promise(() => {}) }],
    ["a flush that throws", { flush: () => Promise.reject(new Error("flush")) }],
    [
      "a close that throws",
      {
        close: () => {
          throw new Error("close");
        },
      },
    ],
  ])("survives %s", async (_what, methods) => {
    const closed: string[] = [];
    const neighbour: EventSink = { ...sinkOf("neighbour", {}, succeed), close: () => void closed.push("closed") };
    const { bus, clock } = startBus([{ ...sinkOf("bad", {}, succeed), ...methods }, neighbour]);
    bus.publish(custom(1));
    const closing = bus.close(1000);
    await clock.advance(1000);
    expect(await closing).toEqual({ lostEvents: 0 });
    expect(closed).toEqual(["closed"]);
    expect(bus.health()[0]).toMatchObject({ delivered: 1, healthy: true });
    expect(clock.openTimers).toBe(0);
  });

  it("lets waiting runs go", async () => {
    const { bus, clock } = startBus([sinkOf("hung", { capacity: 1, policy: "block", timeout: "1h" }, hang)]);
    bus.publish(custom(1));
    bus.publish(custom(2));
    const wait = bus.boundary();
    const closing = bus.close(1000);
    await clock.advance(1000);
    await wait;
    expect(await closing).toEqual({ lostEvents: 2 });
  });
});

describe("flush", () => {
  it("waits no longer than its time-out for a sink whose flush hangs, and never rejects", async () => {
    const sinks: EventSink[] = [
      { ...sinkOf("hangs", { timeout: 300 }, succeed), flush: () => new Promise(() => {}) },
      { ...sinkOf("throws", {}, succeed), flush: () => Promise.reject(new Error("flush")) },
    ];
    const { bus, clock } = startBus(sinks);
    bus.publish(custom(1));
    const flush = bus.flush();
    await clock.advance(300);
    await flush;
    expect(bus.health()[1]).toMatchObject({ failures: 1, lastError: "flush", healthy: true });
    expect(clock.openTimers).toBe(0);
  });
});
