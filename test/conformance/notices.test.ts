/** The conformance suite fails for a store that breaks any one promise of the port. */
import { isDeepStrictEqual } from "node:util";
import { expect, it } from "vitest";
import { type Checkpointer, type CheckpointRecord, type Fence, memoryCheckpointer, type StoredCheckpoint } from "spanloom";
import { checkpointerConformance } from "spanloom/testing";
import { all } from "../sessions/support.ts";

type Broken = (inner: Checkpointer) => Partial<Checkpointer>;

/** Themes that take long, and find nothing in the stores below that others do not. */
const skipped = new Set(["values", "size"]);

/** The first sentence of the suite that does not hold of the store. */
async function firstFailure(broken: Broken): Promise<string | undefined> {
  const tests: (readonly [string, () => Promise<void>])[] = [];
  let theme = "";
  const runner = {
    describe(name: string, register: () => void) {
      theme = name;
      register();
    },
    it(sentence: string, run: () => Promise<void>) {
      if (!skipped.has(theme)) tests.push([sentence, run]);
    },
    expect: (actual: unknown) => ({
      toEqual(expected: unknown) {
        if (!isDeepStrictEqual(actual, expected)) throw new Error("It does not hold.");
      },
    }),
  };
  const open = async (): Promise<Checkpointer> => {
    const inner = memoryCheckpointer();
    return { ...inner, ...broken(inner) };
  };
  checkpointerConformance("broken", { open }, runner);
  for (const [sentence, run] of tests) {
    const holds = await run().then(
      () => true,
      () => false,
    );
    if (!holds) return sentence;
  }
  return undefined;
}

const loaded = async (inner: Checkpointer, sessionId: string): Promise<StoredCheckpoint | undefined> => inner.load(sessionId);

const currentFence = async (inner: Checkpointer, sessionId: string): Promise<Fence> => {
  const stored = await loaded(inner, sessionId);
  return { checkpointId: stored?.record.checkpointId, epoch: stored?.ownerEpoch ?? 0 };
};

const changed =
  (change: (stored: StoredCheckpoint, id: string | undefined) => Partial<StoredCheckpoint>): Broken =>
  (inner) => ({
    async load(sessionId, id) {
      const stored = await inner.load(sessionId, id);
      return stored === undefined ? undefined : { ...stored, ...change(stored, id) };
    },
  });

const withRecord = (change: (record: CheckpointRecord) => Partial<CheckpointRecord>): Broken =>
  changed(({ record }) => ({ record: { ...record, ...change(record) } }));

const stores: Readonly<Record<string, Broken>> = {
  "takes any parent": (inner) => ({
    save: async (fence, record, delta) =>
      inner.save({ ...fence, checkpointId: (await currentFence(inner, record.sessionId)).checkpointId }, record, delta),
  }),
  "takes any epoch": (inner) => ({
    save: async (fence, record, delta) =>
      inner.save({ ...fence, epoch: (await currentFence(inner, record.sessionId)).epoch }, record, delta),
  }),
  "takes any amendment": (inner) => ({
    amend: async (sessionId, _fence, change) => inner.amend(sessionId, await currentFence(inner, sessionId), change),
  }),
  "takes any results": (inner) => ({
    addResults: async (sessionId, _fence, added) => inner.addResults(sessionId, await currentFence(inner, sessionId), added),
  }),
  "compares before it writes, and not while it writes": (inner) => ({
    async save(fence, record, delta) {
      if (!isDeepStrictEqual(await currentFence(inner, record.sessionId), fence)) return inner.save(fence, record, delta);
      await Promise.resolve();
      return inner.save(await currentFence(inner, record.sessionId), record, delta);
    },
  }),
  "leaves the owner as it was": (inner) => ({
    amend: (sessionId, fence, { epoch: _epoch, ...change }) => inner.amend(sessionId, fence, change),
  }),
  "forgets an amendment's time": (inner) => ({
    amend: (sessionId, fence, change) => inner.amend(sessionId, fence, { ...change, time: 1 }),
  }),
  "merges answers": (inner) => ({
    async amend(sessionId, fence, change) {
      const before = (await loaded(inner, sessionId))?.record.answers ?? [];
      const merged = change.answers === undefined ? {} : { answers: new Map([...before, ...change.answers]) };
      return inner.amend(sessionId, fence, { ...change, ...merged });
    },
  }),
  "drops what is set to undefined": (inner) => ({
    amend: (sessionId, fence, change) => {
      // What is left is an amendment still.
      const left = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) as typeof change;
      return inner.amend(sessionId, fence, left);
    },
  }),
  "keeps no sub-steps": (inner) => ({
    addResults: (sessionId, fence, { results }) => inner.addResults(sessionId, fence, { results, once: [] }),
  }),
  "keeps one result": (inner) => ({
    addResults: (sessionId, fence, { results, once }) => inner.addResults(sessionId, fence, { results: results.slice(-1), once }),
  }),
  "knows no results of a checkpoint": withRecord(() => ({ results: [] })),
  "loses a fork's origin": withRecord(() => ({ forkedFrom: undefined })),
  "loses a trace": withRecord(() => ({ trace: undefined })),
  "loses the end": withRecord(() => ({ finished: false })),
  "tells the owner of each record": changed(({ record }) => ({ ownerEpoch: record.epoch })),
  "tells when each record was made": changed(({ record }) => ({ createdAt: record.time })),
  "gives the newest for an id that it does not know": (inner) => ({
    load: async (sessionId, id) => (await inner.load(sessionId, id)) ?? inner.load(sessionId),
  }),
  "reverses changes": (inner) => ({
    save: (fence, record, delta) => inner.save(fence, record, { ...delta, changes: delta.changes.toReversed() }),
  }),
  "sets prototypes": changed(({ state }) => ({ state: Object.assign({}, state) })),
  "takes ids for names": (inner) => ({ load: (sessionId, id) => inner.load(sessionId.normalize("NFC"), id) }),
  "gives history oldest first": (inner) => ({
    async *history(...given) {
      yield* (await all(inner.history(...given))).toReversed();
    },
  }),
  "gives all of history": (inner) => ({ history: (sessionId, options) => inner.history(sessionId, { ...options, limit: 1_000 }) }),
  "lists in the order of ids": (inner) => ({
    async *list(filter) {
      yield* (await all(inner.list(filter))).toSorted((left, right) => (left.sessionId < right.sessionId ? -1 : 1));
    },
  }),
  "filters no status": (inner) => ({ list: ({ status: _status, ...filter } = {}) => inner.list(filter) }),
  "deletes nothing": (inner) => ({ delete: async (sessionId) => (await inner.load(sessionId)) !== undefined }),
  "prunes every session": (inner) => ({ prune: ({ keep }) => inner.prune({ keep }) }),
  "prunes one too many": (inner) => ({ prune: (options) => inner.prune({ ...options, keep: Math.max(options.keep - 1, 1) }) }),
  "removes sessions of any age": (inner) => ({ deleteSessions: ({ olderThan: _olderThan, ...options }) => inner.deleteSessions(options) }),
  "throws where it should reject": (inner) => ({
    prune(options) {
      if (options.keep < 1) throw new RangeError("keep");
      return inner.prune(options);
    },
  }),
  "does not close twice": () => {
    let closed = false;
    return {
      async close() {
        if (closed) throw new Error("It is closed.");
        closed = true;
      },
    };
  },
};

it("passes a store that breaks none", async () => {
  expect(await firstFailure(() => ({}))).toBeUndefined();
});

it.each(Object.keys(stores))("fails a store that %s", async (name) => {
  expect(await firstFailure(stores[name] ?? (() => ({})))).toBeTypeOf("string");
});
