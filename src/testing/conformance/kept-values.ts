/** Values: whatever the state may hold comes back identical, wherever in a session it stands. */
import type { CheckpointRecord, StepResults, StoredCheckpoint } from "../../checkpoint/checkpointer.ts";
import { adopt } from "../../support/value.ts";
import { seededRandom } from "../random.ts";
import { append, once, result, set, Writer } from "./fixtures.ts";
import type { Theme, Trial } from "./harness.ts";
import { keptValues, randomValue } from "./values.ts";

/** A record with the value in every field that holds values. */
const recordOf = (value: unknown): Partial<CheckpointRecord> => {
  const failure = { node: "a", input: value, attempt: 1, error: value };
  return {
    next: [{ node: "a", ordinal: 0, sent: true, item: value, failure }],
    interrupts: [{ id: "i", node: "a", step: 1, payload: value, kind: "interrupt" }],
    answers: new Map([["i", value]]),
    ...resultsOf(value),
    once: new Map([["a/0", new Map([["key", value]])]]),
  };
};

const resultsOf = (value: unknown): { readonly results: StepResults["results"] } => ({
  results: [
    result("a", {
      writes: [{ channel: "note", replace: false, value, live: true, size: 1 }],
      command: { kind: "goto", targets: [{ node: "a", item: value }] },
      errors: [value],
      failure: { node: "a", input: value, attempt: 1, error: value },
    }),
  ],
});

/** By where they stand. */
function placesOf({ record, state }: StoredCheckpoint): Readonly<Record<string, unknown>> {
  const [entry] = record.next;
  const [kept] = record.results;
  const [target] = kept?.command?.targets ?? [];
  return {
    "a channel": state["note"],
    "an item of a list": (state["log"] as readonly unknown[] | undefined)?.[0],
    "an entry's item": entry?.item,
    "a failed input": entry?.failure?.input,
    "a failure": entry?.failure?.error,
    "an interrupt": record.interrupts[0]?.payload,
    "an answer": record.answers.get("i"),
    "a write": kept?.writes[0]?.value,
    "a sent item": typeof target === "object" ? target.item : target,
    "a reported error": kept?.errors[0],
    "a result's failed input": kept?.failure?.input,
    "a result's failure": kept?.failure?.error,
    "a sub-step": record.once.get("a/0")?.get("key"),
  };
}

async function foundIn(trial: Trial, sessionId: string, value: unknown): Promise<void> {
  const stored = await trial.store.load(sessionId);
  trial.equal(stored === undefined, false);
  for (const [place, found] of Object.entries(stored === undefined ? {} : placesOf(stored))) trial.identical(found, value, place);
}

/** Saved, amended, and added to a record that is there; before and after a reopening. */
async function keptEverywhere(trial: Trial, given: unknown): Promise<void> {
  const { value } = adopt(given, "value");
  const changes = [set("note", value), set("log", []), append(value)];
  await new Writer(trial, "saved").save(changes, recordOf(value));
  const amended = new Writer(trial, "amended");
  const { next, ...status } = recordOf(value);
  await amended.save(changes, { next: next ?? [] });
  await amended.amend({ time: 2_000, ...status });
  const added = new Writer(trial, "added");
  await added.save(changes, { ...recordOf(value), results: [], once: new Map() });
  await added.addResults({ ...resultsOf(value), once: [once("a/0", "key", value)] });
  const sessions = ["saved", "amended", "added"];
  for (const sessionId of sessions) await foundIn(trial, sessionId, value);
  await trial.reopen();
  for (const sessionId of sessions) await foundIn(trial, sessionId, value);
}

const eachKind: Theme = Object.fromEntries(
  Object.entries(keptValues).map(([name, value]) => [`identical: ${name}`, (trial: Trial) => keptEverywhere(trial, value)]),
);

export const values: Theme = {
  ...eachKind,

  "identical: random mixtures": async (trial) => {
    const random = seededRandom(7);
    const mixtures = Array.from({ length: 300 }, () => adopt(randomValue(random, 5), "value").value);
    const writer = new Writer(trial);
    await writer.save([set("log", [])]);
    for (const value of mixtures) await writer.save([set("note", value), append(value)]);
    await trial.reopen();
    trial.identical((await trial.store.load("s"))?.state["log"], mixtures);
    for (const [index, value] of mixtures.entries()) {
      trial.identical((await trial.store.load("s", `s-run.${index + 1}`))?.state["note"], value);
    }
  },
};
