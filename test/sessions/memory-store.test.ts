/** The memory store alone: what the suite of every store does not ask, that it may be bounded, and that it may be wrapped. */
import { beforeEach, describe, expect, it } from "vitest";
import { createRunner, memoryCheckpointer } from "spanloom";
import type { ChannelChange, Checkpointer, CheckpointRecord, StateDelta } from "spanloom";
import { boundedMemoryCheckpointer } from "../../src/checkpoint/memory/memory-checkpointer.ts";
import { record as emptyRecord } from "../../src/testing/conformance/fixtures.ts";
import { all, chain } from "./support.ts";

const record = (checkpointId: string, more: Partial<CheckpointRecord> = {}): CheckpointRecord =>
  emptyRecord({ sessionId: "s", checkpointId, ...more });

const set = (value: unknown): ChannelChange => ({ channel: "log", kind: "set", value });
const append = (...items: readonly unknown[]): ChannelChange => ({ channel: "log", kind: "append", items });
const delta = (changes: readonly ChannelChange[], size: number): StateDelta => ({ changes, size, state: () => ({}) });
const at = (checkpointId: string | undefined, epoch = 1) => ({ checkpointId, epoch });

let store: Checkpointer;

beforeEach(() => {
  store = memoryCheckpointer();
});

describe("a memory store", () => {
  it("gives back what it was given, and copies nothing", async () => {
    const saved = record("a");
    const values = Object.freeze([1]);
    await store.save(at(undefined), saved, delta([set(values)], 10));
    const loaded = await store.load("s");
    expect(loaded?.record).toBe(saved);
    expect(loaded?.state["log"]).toBe(values);
    expect(loaded?.size).toBeGreaterThan(10);
  });

  it("goes on while the process does, though it was closed", async () => {
    await store.save(at(undefined), record("a"), delta([set([1])], 10));
    await store.close();
    await store[Symbol.asyncDispose]();
    expect((await store.load("s"))?.record.checkpointId).toBe("a");
    await store.save(at("a"), record("b", { step: 1 }), delta([append(2)], 10));
    expect((await store.load("s"))?.state["log"]).toEqual([1, 2]);
  });

  it("answers at once, by no promise, where a superstep would wait for it", () => {
    expect(store.save(at(undefined), record("a"), delta([], 10))).toMatchObject({ size: expect.any(Number) });
    expect(store.addResults("s", at("a"), { results: [], once: [] })).toBeUndefined();
    expect(store.amend("s", at("a"), { time: 1 })).toMatchObject({ size: expect.any(Number) });
    expect(store.load("s")).toMatchObject({ record: { checkpointId: "a" } });
  });
});

describe("a bounded store", () => {
  it("drops a session's oldest records, at most when there are twice as many as it keeps, and never the newest", async () => {
    store = boundedMemoryCheckpointer({ keep: 3 });
    for (let step = 0; step < 20; step += 1) {
      await store.save(
        at(step === 0 ? undefined : `r${step - 1}`),
        record(`r${step}`, { step }),
        delta([step === 0 ? set([0]) : append(step)], 1),
      );
      const kept = await all(store.history("s"));
      expect(kept.length).toBeGreaterThanOrEqual(Math.min(3, step + 1));
      expect(kept.length).toBeLessThan(6);
      expect([kept[0]?.record.step, kept[0]?.state["log"]]).toEqual([step, Array.from({ length: step + 1 }, (_item, index) => index)]);
    }
  });
});

describe("a store that is wrapped", () => {
  const wraps: Readonly<Record<string, (inner: Checkpointer) => Checkpointer>> = {
    "by a proxy": (inner) => new Proxy(inner, {}),
    "as a prototype": (inner) => Object.create(inner) as Checkpointer,
    "by spreading": (inner) => ({ ...inner, save: (...given) => inner.save(...given) }),
  };
  it.each(Object.keys(wraps))("%s works as it does itself", async (name) => {
    const checkpointer = wraps[name]?.(store) as Checkpointer;
    const session = createRunner(chain("a", "b").compile(), { checkpointer, pauseEachStep: true }).session("s");
    await session.start({}).result;
    await session.resume().result;
    expect((await all(session.history())).map(({ step }) => step)).toEqual([2, 1, 0]);
    expect((await all(checkpointer.list())).map(({ sessionId }) => sessionId)).toEqual(["s"]);
    expect(await checkpointer.prune({ keep: 1 })).toBe(2);
    expect(await checkpointer.deleteSessions({})).toBe(1);
    expect(await checkpointer.delete("s")).toBe(false);
    expect(checkpointer.backend).toBe("memory");
    await checkpointer.close();
    await checkpointer[Symbol.asyncDispose]();
  });
});
