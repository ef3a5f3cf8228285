/** `amend`: what it changes, what it leaves, and whom it fences off. */
import type { Amendment } from "../../checkpoint/checkpointer.ts";
import { append, once, result, written } from "./fixtures.ts";
import type { Theme, Trial } from "./harness.ts";
import { writes } from "./saving.ts";

const traceparent = (digit: string): string => `00-${digit.repeat(32)}-${digit.repeat(16)}-01`;
const trace = (digit: string): NonNullable<Amendment["trace"]> => ({
  traceparent: traceparent(digit),
  tracestate: "vendor=a,other=b",
  origin: traceparent("1"),
  spans: 12,
  time: 1_700_000_000_000.25,
});

/** What one field becomes, amendment by amendment. */
const successions: readonly (readonly Omit<Amendment, "time">[])[] = [
  (["idle", "running", "completed", "paused", "cancelled", "failed", "running"] as const).map((status) => ({ status })),
  [
    { interrupts: [{ id: "question", node: "work", step: 1, payload: { deep: [1, null] }, kind: "interrupt" }] },
    { interrupts: [{ id: "question", node: "work", step: 1, payload: "another", kind: "interrupt" }] },
    {
      interrupts: [
        { id: "step", step: 2, payload: undefined, kind: "step" },
        { id: "question", node: "work", step: 1, payload: 0, kind: "before" },
      ],
    },
    { interrupts: [] },
    { interrupts: [{ id: "again", node: "work", step: 1, payload: false, kind: "after" }] },
  ],
  [
    { answers: new Map<string, unknown>([["a", 1]]) },
    { answers: new Map<string, unknown>([["a", undefined]]) },
    { answers: new Map<string, unknown>([["b", null]]) },
    { answers: new Map() },
    { answers: new Map<string, unknown>([["c", new Map([["deep", 1n]])]]) },
  ],
  [
    { results: [result("a"), result("b", { ordinal: 3 })] },
    { results: [result("a", { errors: ["other"], seen: [1, 2] }), result("b", { ordinal: 2 })] },
    { results: [result("b", { ordinal: 3, command: { kind: "goto", targets: ["c", { node: "d", item: { n: 1 } }] } })] },
    { results: [] },
    { results: [result("a", { command: { kind: "also", targets: [] } })] },
  ],
  [
    { once: new Map([["a/0", new Map<string, unknown>([["key", 1]])]]) },
    { once: new Map([["a/0", new Map<string, unknown>([["key", 2]])]]) },
    {
      once: new Map([
        ["a/0", new Map<string, unknown>([["other", 2]])],
        ["b/1", new Map<string, unknown>([["key", undefined]])],
      ]),
    },
    { once: new Map() },
    { once: new Map([["b/1", new Map<string, unknown>([["key", { again: true }]])]]) },
  ],
  [
    { pausePassed: { step: 1, nodes: ["a", "b"] } },
    { pausePassed: { step: 2, nodes: [] } },
    { pausePassed: undefined },
    { pausePassed: { step: 0, nodes: ["c"] } },
  ],
  [
    { failure: { name: "Error", message: "outer", code: "x", cause: { name: "TypeError", message: "inner" } } },
    { failure: { name: "RangeError", message: "" } },
    { failure: undefined },
    { failure: { name: "Error", message: "again" } },
  ],
  [{ trace: trace("a") }, { trace: trace("b") }, { trace: undefined }, { trace: trace("c") }],
  [{ finished: true }, { finished: false }, { finished: true }],
];

const nameOf = ([first = {}]: readonly Omit<Amendment, "time">[]): string => Object.keys(first).join();

/** Of a record that has something in every field, each other field is seen to stay. */
async function amendedIn(trial: Trial, succession: readonly Omit<Amendment, "time">[]): Promise<void> {
  const writer = await written(trial, 2);
  await writer.amend({ ...Object.assign({}, ...successions.map(([first]) => first)), time: 1_500 });
  await trial.holds(writer);
  for (const [index, change] of succession.entries()) {
    await writer.amend({ ...change, time: 2_000 + index });
    await trial.holds(writer);
  }
  await trial.keeps(writer);
  await writer.save([append("after")]);
  await trial.keeps(writer);
}

const fields: Theme = Object.fromEntries(
  successions.map((succession) => [
    `an amendment replaces ${nameOf(succession)} exactly, and nothing that it does not name`,
    (trial: Trial) => amendedIn(trial, succession),
  ]),
);

export const amending: Theme = {
  ...fields,

  "an amendment of nothing but the time changes `updatedAt` alone": async (trial) => {
    const writer = await written(trial, 3);
    const { size } = await writer.amend({ time: 2_000.75 });
    trial.equal([Number.isFinite(size), size >= 0], [true, true]);
    trial.equal((await trial.store.load("s"))?.updatedAt, 2_000.75);
    await trial.keeps(writer);
  },

  "an amendment is of the newest record alone, and stays when there is a newer one": async (trial) => {
    const writer = await written(trial, 2);
    await writer.amend({ time: 2_000, status: "paused", answers: new Map([["question", null]]), trace: trace("a") });
    await writer.save([append("next")], { status: "running" });
    await trial.holds(writer);
    await writer.amend({ time: 3_000, status: "failed", failure: { name: "Error", message: "no" } });
    await trial.keeps(writer);
  },

  "an amendment with a new epoch fences off the owner before": async (trial) => {
    const writer = await written(trial, 3);
    const before = writer.fence;
    await writer.amend({ time: 2_000, epoch: 5, status: "running", trace: trace("b") });
    trial.equal(
      (await trial.history("s")).map(({ ownerEpoch, record }) => `${ownerEpoch} ${record.epoch}`),
      ["5 1", "5 1", "5 1"],
    );
    await trial.unchangedBy(() => trial.conflict(...writes(trial, "s", before)));
    await writer.addResults({ results: [result("a")], once: [once("a/0", "key", 1)] });
    await writer.save([append("on")]);
    await trial.unchangedBy(() => trial.conflict(...writes(trial, "s", before)));
    await trial.keeps(writer);
  },

  "an amendment without an epoch leaves the owner": async (trial) => {
    const writer = await written(trial, 1);
    await writer.amend({ time: 2_000, epoch: 3 });
    await writer.amend({ time: 2_001, status: "paused" });
    trial.equal((await trial.store.load("s"))?.ownerEpoch, 3);
    await writer.save([append("on")]);
    await trial.keeps(writer);
  },

  "trace and end stay through amendments of all else": async (trial) => {
    const writer = await written(trial, 1);
    await writer.save([append("traced")], { trace: trace("a"), finished: true });
    const all: Omit<Amendment, "time"> = Object.assign({}, ...successions.slice(0, -2).map((succession) => succession.at(-1)));
    await writer.amend({ ...all, time: 2_000 });
    const { record } = (await trial.store.load("s")) ?? {};
    trial.equal([record?.trace, record?.finished], [trace("a"), true]);
    await trial.keeps(writer);
  },

  "an amendment of no session is a conflict, and makes none": async (trial) => {
    await written(trial, 1, "other");
    const [, ...others] = writes(trial, "s", { checkpointId: undefined, epoch: 1 });
    await trial.unchangedBy(() => trial.conflict(...others));
  },
};
