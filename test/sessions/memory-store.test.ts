/** The memory store alone: what it keeps, in which order it gives it, and what it refuses. */
import { beforeEach, describe, expect, it } from "vitest";
import { CheckpointError, createRunner, memoryCheckpointer, RunnerError } from "spanloom";
import type { ChannelChange, Checkpointer, CheckpointRecord, StateDelta, StoredCheckpoint } from "spanloom";
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

const conflict = async (call: () => unknown): Promise<void> => {
  const error = await (async () => call())().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(CheckpointError);
  expect(error).toMatchObject({ code: "checkpoint_conflict" });
};

beforeEach(() => {
  store = memoryCheckpointer();
});

describe("loading", () => {
  it("gives the newest record or the named one, with the state that it stood for", async () => {
    await three();
    const states = await Promise.all([undefined, "a", "b", "c"].map(async (id) => (await store.load("s", id))?.state["log"]));
    expect(states).toEqual([[1, 2, 3, 4], [1], [1, 2], [1, 2, 3, 4]]);
    expect((await store.load("s"))?.record.checkpointId).toBe("c");
  });

  it("gives `undefined` for what is not there", async () => {
    await three();
    expect([await store.load("t"), await store.load("s", "z"), await store.load("t", "a")]).toEqual([undefined, undefined, undefined]);
  });

  it("knows when the session began, who owns it, and about how big the record is", async () => {
    await three();
    expect(await store.load("s")).toMatchObject({ createdAt: 100, ownerEpoch: 1, size: expect.any(Number) });
    expect((await store.load("s"))?.size).toBeGreaterThan(10);
  });

  it('keeps a channel called "__proto__" as data', async () => {
    await store.save(at(undefined), record("a"), delta([{ channel: "__proto__", kind: "set", value: 1 }], 1));
    const state = (await store.load("s"))?.state ?? {};
    expect([Object.keys(state), Object.getPrototypeOf(state)]).toEqual([["__proto__"], Object.prototype]);
  });
});

describe("saving", () => {
  it("is compare-and-swap on parent and epoch: what does not match is a conflict and changes nothing", async () => {
    await three();
    await conflict(() => store.save(at("b"), record("d"), delta([set("x")], 1)));
    await conflict(() => store.save(at("c", 2), record("d"), delta([set("x")], 1)));
    await conflict(() => store.save(at(undefined), record("d"), delta([set("x")], 1)));
    await conflict(() => store.save(at("a"), record("d", { sessionId: "new" }), delta([], 1)));
    expect((await all(store.history("s"))).map(({ record: { checkpointId } }) => checkpointId)).toEqual(["c", "b", "a"]);
    expect(await store.load("new")).toBeUndefined();
  });

  it("takes the record's epoch as the owner's: the one before is fenced off", async () => {
    await three();
    await store.save(at("c", 1), record("d", { epoch: 2, step: 3 }), delta([], 1));
    await conflict(() => store.save(at("d", 1), record("e"), delta([], 1)));
    await conflict(() => store.amend("s", at("d", 1), { time: 1, status: "failed" }));
    await conflict(() => store.addResults("s", at("d", 1), { results: [], once: [] }));
    expect((await store.load("s"))?.ownerEpoch).toBe(2);
  });
});

describe("amending", () => {
  it("changes the newest record in place and no other; a new owner may come with it", async () => {
    await three();
    await store.amend("s", at("c"), { time: 400, status: "paused", epoch: 5, finished: true });
    const [newest, before] = await all(store.history("s"));
    expect(newest).toMatchObject({ ownerEpoch: 5, record: { status: "paused", finished: true, step: 2 } });
    expect(before?.record).toMatchObject({ status: "running", finished: false });
    await conflict(() => store.amend("s", at("c", 1), { time: 1 }));
    await conflict(() => store.amend("t", at(undefined), { time: 1 }));
  });

  it("does not change what was loaded before", async () => {
    await three();
    const loaded = await store.load("s");
    await store.amend("s", at("c"), { time: 1, status: "failed" });
    expect(loaded?.record.status).toBe("completed");
  });

  it("adds results and sub-steps to those that are there", async () => {
    await three();
    const result = (node: string) => ({ node, ordinal: 0, writes: [], command: undefined, errors: [], failure: undefined });
    await store.addResults("s", at("c"), { results: [result("x")], once: [{ entry: "y/0", key: "k", value: 1 }] });
    await store.addResults("s", at("c"), { results: [result("z")], once: [{ entry: "y/0", key: "l", value: 2 }] });
    const { record: found } = (await store.load("s")) as StoredCheckpoint;
    expect(found.results.map(({ node }) => node)).toEqual(["x", "z"]);
    expect(Array.from(found.once.get("y/0") ?? [])).toEqual([
      ["k", 1],
      ["l", 2],
    ]);
    await conflict(() => store.addResults("t", at(undefined), { results: [], once: [] }));
  });

  it("drops the results of a step with the record that ends it, and keeps them through an update of the same step", async () => {
    await three();
    const result = { node: "x", ordinal: 0, writes: [], command: undefined, errors: [], failure: undefined };
    await store.addResults("s", at("c"), { results: [result], once: [] });
    await store.save(at("c"), record("d", { step: 2, results: [result] }), delta([], 1));
    await store.save(at("d"), record("e", { step: 3 }), delta([], 1));
    expect((await all(store.history("s"))).map(({ record: { results } }) => results.length)).toEqual([0, 0, 1, 0, 0]);
  });
});

describe("listing", () => {
  it("gives history newest first, so many, from the one before a record on", async () => {
    await three();
    const ids = async (options?: { readonly limit?: number; readonly before?: string }) =>
      (await all(store.history("s", options))).map(({ record: { checkpointId } }) => checkpointId);
    expect(await ids()).toEqual(["c", "b", "a"]);
    expect(await ids({ limit: 2 })).toEqual(["c", "b"]);
    expect(await ids({ before: "c" })).toEqual(["b", "a"]);
    expect(await ids({ before: "c", limit: 1 })).toEqual(["b"]);
    expect(await ids({ before: "a" })).toEqual([]);
    await expect(ids({ before: "z" })).rejects.toMatchObject({ code: "checkpoint_not_found" });
    expect(await all(store.history("t"))).toEqual([]);
  });

  it("gives sessions by their newest record, most recently written first, by graph and status, so many", async () => {
    await three("s");
    await store.save(at(undefined), record("x", { sessionId: "t", time: 500, status: "paused" }), delta([], 1));
    await store.save(at(undefined), record("y", { sessionId: "u", time: 50, graph: "other" }), delta([], 1));
    const ids = async (filter?: Parameters<Checkpointer["list"]>[0]) => (await all(store.list(filter))).map(({ sessionId }) => sessionId);
    expect(await ids()).toEqual(["t", "s", "u"]);
    expect(await ids({ graph: "g" })).toEqual(["t", "s"]);
    expect(await ids({ status: "completed" })).toEqual(["s"]);
    expect(await ids({ status: "running" })).toEqual(["u"]);
    expect(await ids({ limit: 1 })).toEqual(["t"]);
  });
});

describe("removing", () => {
  it("deletes a session, and says whether there was one", async () => {
    await three();
    expect([await store.delete("s"), await store.delete("s"), await store.load("s")]).toEqual([true, false, undefined]);
  });

  it("prunes to the newest so many of each session or of one, and says how many went; what is left still has its state", async () => {
    await three("s");
    await three("t");
    expect(await store.prune({ keep: 2, sessionId: "t" })).toBe(1);
    expect(await store.prune({ keep: 1 })).toBe(3);
    expect((await all(store.history("s"))).map(({ state }) => state["log"])).toEqual([[1, 2, 3, 4]]);
    await store.save(at("c"), record("d", { step: 3 }), delta([append(5)], 1));
    expect((await store.load("s"))?.state["log"]).toEqual([1, 2, 3, 4, 5]);
    for (const keep of [0, -1, 1.5, Number.NaN]) await expect(store.prune({ keep })).rejects.toMatchObject({ code: "invalid_option" });
  });

  it("removes whole sessions by status and by age since their last record, running ones never", async () => {
    const old = Date.now() - 60_000;
    await store.save(at(undefined), record("a", { sessionId: "done", time: old, status: "completed" }), delta([], 1));
    await store.save(at(undefined), record("a", { sessionId: "failed", time: old, status: "failed" }), delta([], 1));
    await store.save(at(undefined), record("a", { sessionId: "running", time: old }), delta([], 1));
    await store.save(at(undefined), record("a", { sessionId: "fresh", time: Date.now() + 60_000, status: "completed" }), delta([], 1));
    expect(await store.deleteSessions({ olderThan: "30s", status: "completed" })).toBe(1);
    expect(await store.deleteSessions({ olderThan: "2h" })).toBe(0);
    expect(await store.deleteSessions({ status: ["failed", "paused"] })).toBe(1);
    expect(await store.deleteSessions({})).toBe(1);
    expect((await all(store.list())).map(({ sessionId }) => sessionId)).toEqual(["running"]);
    await expect(store.deleteSessions({ olderThan: "soon" as "1s" })).rejects.toBeInstanceOf(RunnerError);
  });

  it("refuses options that it does not take, and removes nothing", async () => {
    await three();
    await store.amend("s", at("c"), { time: 1, status: "paused" });
    for (const options of [undefined, null, {}, { keep: null }, { keep: 1, sessionId: 3 }, { keep: 1, sessionId: null }, 1]) {
      await expect(store.prune(options as never), JSON.stringify(options)).rejects.toMatchObject({ code: "invalid_option" });
    }
    for (const options of [
      undefined,
      null,
      "all",
      { status: "x" },
      { status: "running" },
      { status: null },
      { status: ["paused", "x"] },
      { olderThan: null },
    ]) {
      await expect(store.deleteSessions(options as never), JSON.stringify(options)).rejects.toMatchObject({ code: "invalid_option" });
    }
    expect(await all(store.history("s"))).toHaveLength(3);
  });

  it("is not hurt by being closed twice, and is a disposable", async () => {
    await store.close();
    await store.close();
    await store[Symbol.asyncDispose]();
    await three();
    expect(await store.load("s"), "it goes on while the process does").toBeDefined();
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
