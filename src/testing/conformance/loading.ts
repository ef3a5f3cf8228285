/** `load`: what is found, and that every field of a record comes back as it was saved. */
import type { Amendment, CheckpointRecord, EntryFailure } from "../../checkpoint/checkpointer.ts";
import { sessionStatuses } from "../../events/event.ts";
import { append, once, prepared, result, set, Writer, written } from "./fixtures.ts";
import type { Theme } from "./harness.ts";

const failure = (attempt: number): EntryFailure => ({
  node: "work",
  input: { url: "x", tries: new Set([1, 2]) },
  attempt,
  error: prepared(
    Object.assign(new TypeError("broken", { cause: new Error("inner", { cause: "text" }) }), { code: "E_BROKEN", hint: undefined }),
  ),
});

/** A record with something in every field: none is empty, and none as in another. */
export const fullRecord: Partial<CheckpointRecord> = prepared({
  graph: `graph "of" o'clock`,
  graphVersion: "2.0.0-β",
  fingerprint: "f2",
  epoch: 3,
  step: 2_147_483_700,
  time: 1_700_000_000_123.456,
  next: [
    { node: "work", ordinal: 0, sent: false, item: undefined, failure: undefined },
    { node: "work", ordinal: 1, sent: true, item: null, failure: undefined },
    { node: "work", ordinal: 2, sent: true, item: undefined, failure: undefined },
    { node: "work", ordinal: 3, sent: true, item: { when: new Date(5), map: new Map([["a", 1n]]), "~": 1 }, failure: undefined },
    { node: "work", ordinal: 4, sent: false, item: undefined, failure: undefined },
    { node: "repair", ordinal: 0, sent: false, item: undefined, failure: failure(2) },
    { node: "repair", ordinal: 1, sent: false, item: undefined, failure: { node: "a", input: undefined, attempt: 1, error: "a text" } },
  ],
  arrivals: new Map([
    ["a,b>c", ["a"]],
    ["__proto__", []],
    ["", ["x", "y"]],
  ]),
  channels: ["log", "__proto__", "", "note", "constructor"],
  versions: [4, 1, 0, 9_007_199_254_740_991, 2],
  seen: new Map([
    ["work", [1, 1, 0, 5, 2]],
    ["__proto__", []],
  ]),
  ranNodes: ["work", "work", "a"],
  skippedNodes: ["skipped", '"quoted"'],
  updatedChannels: ["note", "log"],
  trace: { traceparent: "00-aa-bb-01", tracestate: "a=b", origin: "00-aa-cc-00", spans: 17, time: 1_700_000_000_000.5 },
  forkedFrom: { sessionId: "origin", checkpointId: "origin-run.3" },
  finished: true,
  status: "paused",
  interrupts: [
    { id: "first", node: "work", step: 3, payload: { error: new RangeError("asked"), bytes: new Uint8Array([1, 2]) }, kind: "interrupt" },
    { id: "second", node: "work", step: 3, payload: undefined, kind: "before" },
    { id: "third", step: 3, payload: null, kind: "step" },
  ],
  answers: new Map<string, unknown>([
    ["first", undefined],
    ["null", null],
    ["false", false],
    ["zero", 0],
    ["minus zero", -0],
    ["empty", ""],
    ["__proto__", { deep: [undefined] }],
    ["odd\0 \ud800 '\"\n", new Map([["a", 1]])],
  ]),
  results: [
    result("work", {
      ordinal: 1,
      writes: [
        { channel: "log", replace: false, value: ["a", undefined, new Date(Number.NaN)], live: true, size: 40 },
        { channel: "__proto__", replace: true, value: undefined, live: false, size: 4 },
      ],
      command: { kind: "goto", targets: ["a", { node: "b", item: undefined }, { node: "b", item: new Map([["k", 1]]) }] },
      errors: [{ error: { name: "Error", message: "reported" }, tags: ["x"], context: { n: -0 } }],
      seen: [1, 2, 3, 4, 5],
    }),
    result("work", { ordinal: 0, command: { kind: "also", targets: [] }, failure: failure(3) }),
  ],
  once: new Map([
    ["work/0", new Map<string, unknown>([["key", undefined]])],
    ["work/1", new Map<string, unknown>([["key", new Map([["a", new Set([Number.NaN])]])]])],
    ["__proto__", new Map<string, unknown>([["__proto__", 1]])],
  ]),
  pausePassed: { step: 3, nodes: ["work", ""] },
  failure: {
    name: "NodeError",
    message: "outer",
    code: "node_timeout",
    cause: { name: "Error", message: "", cause: { name: "E", message: "in" } },
  },
} satisfies Partial<CheckpointRecord>);

export const loading: Theme = {
  "what is not there is `undefined`": async (trial) => {
    trial.equal([await trial.store.load("s"), await trial.store.load("s", "s-run.0")], [undefined, undefined]);
    await written(trial, 2);
    await written(trial, 3, "t");
    const missing = [await trial.store.load("u"), await trial.store.load("s", "s-run.2"), await trial.store.load("s", "t-run.1")];
    trial.equal([...missing, await trial.store.load("S"), await trial.store.load("s", "")], Array(5).fill(undefined));
  },

  "a record with something in every field comes back as it was, as the first of a session and as a later one": async (trial) => {
    const first = new Writer(trial, "first");
    await first.save([set("log", [1])], fullRecord);
    const later = await written(trial, 2, "later");
    await later.save([append(1)], fullRecord);
    await trial.keeps(first, later);
    await later.save([append(2)], { step: 2_147_483_701 });
    await trial.keeps(first, later);
  },

  "fields may be filled one at a time": async (trial) => {
    const writer = await written(trial, 1);
    const plain = { step: 2_147_483_700, epoch: 3 };
    for (const [field, value] of Object.entries(fullRecord)) {
      await writer.save([], { ...plain, [field]: value });
      // So that each differs from the record before in one field alone, and so does the next.
      await writer.save([], plain);
    }
    await trial.keeps(writer);
  },

  "a record with nothing in any field that may be empty comes back as it was": async (trial) => {
    const writer = new Writer(trial);
    const empty = { graphVersion: undefined, channels: [], versions: [], trace: undefined, time: 0, epoch: 0 };
    await writer.save([], empty);
    await writer.save([], { ...empty, step: 0 });
    await trial.keeps(writer);
  },

  "each status comes back, as saved and as amended": async (trial) => {
    for (const status of sessionStatuses) {
      const saved = await written(trial, 1, `saved-${status}`);
      await saved.save([], { status });
      const amended = await written(trial, 2, `amended-${status}`);
      await amended.amend({ time: 2_000, status } satisfies Amendment);
      await trial.keeps(saved, amended);
    }
  },

  "a record of a changed graph has its own description, and those before keep theirs": async (trial) => {
    const writer = await written(trial, 2);
    const { description } = writer.record();
    const changed = prepared({ ...description, name: "renamed", version: undefined, edges: [] });
    await writer.save([append("a")], { description: changed, graph: "renamed", graphVersion: undefined, channels: ["note", "log"] });
    // Another declaration of the same fingerprint.
    await writer.save([append("b")], { description: prepared({ ...description, nodes: description.nodes.toReversed(), channels: [] }) });
    await writer.save([append("c")]);
    await trial.keeps(writer);
  },

  "`createdAt` is the first record's time, `updatedAt` that of the record or its last change, of every checkpoint": async (trial) => {
    const writer = new Writer(trial);
    await writer.save([], { time: 500.5 });
    await writer.save([], { time: 400 });
    await writer.amend({ time: 300.25 });
    const times = (await trial.history("s")).map(({ createdAt, updatedAt, record }) => [createdAt, updatedAt, record.time]);
    trial.equal(times, [
      [500.5, 300.25, 400],
      [500.5, 500.5, 500.5],
    ]);
    await trial.keeps(writer);
  },

  "a checkpoint that was loaded stays as it was, whatever is written later": async (trial) => {
    const writer = await written(trial, 2);
    await writer.amend({ time: 2_000, answers: new Map([["question", 1]]) });
    await writer.addResults({ results: [result("early")], once: [once("early/0", "key", 1)] });
    const known = writer.history;
    const loaded = [await trial.store.load("s"), await trial.store.load("s", "s-run.0")];
    await writer.addResults({ results: [result("late")], once: [once("early/0", "other", 1)] });
    await writer.amend({ time: 3_000, status: "paused", answers: new Map(), epoch: 2 });
    await writer.save([append("late"), set("note", "late")], { step: 9 });
    trial.loaded(loaded, known);
  },

  "sizes are numbers of bytes": async (trial) => {
    await written(trial, 3);
    for (const { size } of await trial.history("s")) trial.equal([Number.isFinite(size), size >= 0], [true, true]);
  },
};
