/** The memory store alone: what the suite of every store does not ask, that it may be bounded, and that it may be wrapped. */
import { beforeEach, describe, expect, it } from "vitest";
import { createRunner, memoryCheckpointer } from "spanloom";
import type { ChannelChange, Checkpointer, CheckpointRecord, StateDelta } from "spanloom";
import { boundedMemoryCheckpointer } from "../../src/checkpoint/memory/memory-checkpointer.ts";
import { all, chain, loose } from "./support.ts";
import { END, START } from "spanloom";

const graph = loose().edge(START, END).compile();

function record(checkpointId: string, more: Partial<CheckpointRecord> = {}): CheckpointRecord {
  return {
    checkpointId,
    parentId: undefined,
    sessionId: "s",
    graph: "g",
    graphVersion: undefined,
    fingerprint: graph.fingerprint,
    description: graph.describe(),
    epoch: 1,
    step: 0,
    time: 100,
    next: [],
    arrivals: new Map(),
    channels: ["log"],
    versions: [1],
    seen: new Map(),
    ranNodes: [],
    skippedNodes: [],
    updatedChannels: [],
    trace: undefined,
    forkedFrom: undefined,
    finished: false,
    status: "running",
    interrupts: [],
    answers: new Map(),
    results: [],
    once: new Map(),
    pausePassed: undefined,
    failure: undefined,
    ...more,
  };
}

const set = (value: unknown): ChannelChange => ({ channel: "log", kind: "set", value });
const append = (...items: readonly unknown[]): ChannelChange => ({ channel: "log", kind: "append", items });
const delta = (changes: readonly ChannelChange[], size: number): StateDelta => ({ changes, size, state: () => ({}) });
const at = (checkpointId: string | undefined, epoch = 1) => ({ checkpointId, epoch });

let store: Checkpointer;

/** Records a, b, c of one session. */
async function three(sessionId = "s"): Promise<void> {
  await store.save(at(undefined), record("a", { sessionId }), delta([set([1])], 10));
  await store.save(at("a"), record("b", { sessionId, step: 1, time: 200 }), delta([append(2)], 10));
  await store.save(at("b"), record("c", { sessionId, step: 2, time: 300, status: "completed" }), delta([append(3, 4)], 10));
}

beforeEach(() => {
  store = memoryCheckpointer();
});

describe("the memory store", () => {
  it("gives about how big a record is", async () => {
    await three();
    expect((await store.load("s"))?.size).toBeGreaterThan(10);
  });

  it("keeps what it is given as it is, without a copy", async () => {
    const value = Object.freeze({ list: Object.freeze([1]) });
    await store.save(at(undefined), record("a"), delta([set(value)], 10));
    expect((await store.load("s"))?.state["log"]).toBe(value);
  });

  it("does not change what was loaded before", async () => {
    await three();
    const loaded = await store.load("s");
    await store.amend("s", at("c"), { time: 1, status: "failed" });
    await store.addResults("s", at("c"), { results: [], once: [{ entry: "y/0", key: "k", value: 1 }] });
    await store.save(at("c"), record("d", { step: 3 }), delta([append(5)], 1));
    expect(loaded?.record).toMatchObject({ status: "completed", once: new Map() });
    expect(loaded?.state["log"]).toEqual([1, 2, 3, 4]);
  });

  it("goes on after it was closed, while the process does", async () => {
    await store.close();
    await store[Symbol.asyncDispose]();
    await three();
    expect(await store.load("s")).toBeDefined();
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
