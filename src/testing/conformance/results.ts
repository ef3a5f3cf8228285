/** `addResults`, and how long results and sub-steps are kept. */
import type { EntryResult } from "../../checkpoint/checkpointer.ts";
import { append, once, result, written } from "./fixtures.ts";
import type { Theme } from "./harness.ts";

const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_item, index) => index);

const numbered = (index: number): EntryResult =>
  result("map", {
    ordinal: index,
    writes: [{ channel: "log", replace: index % 2 === 0, value: { index }, live: false, size: 20 }],
    command: index % 3 === 0 ? undefined : { kind: "goto", targets: [{ node: "reduce", item: index }] },
    errors: index % 5 === 0 ? [{ error: index }] : [],
    seen: index % 7 === 0 ? [index, 1] : undefined,
  });

/** Keys that stores might take apart, fold together, or end too early. */
const keys = [
  "",
  "key",
  "KEY",
  " key",
  "a/0",
  "a\0b",
  "a",
  "\0",
  "'; --",
  '"',
  "\\",
  "\n",
  "\ud800",
  "\udc00",
  "\ufffd",
  "é",
  "e\u0301",
  "😀",
];
const oddKeys = [...keys, "__proto__", "constructor", "result", "once", "%", "_", "0", "00", "null", "k".repeat(3_000)];

export const results: Theme = {
  "results and sub-steps are added to those that are there": async (trial) => {
    const writer = await written(trial, 2);
    await writer.addResults({ results: [numbered(0)], once: [once("map/1", "key", 1)] });
    await writer.addResults({ results: [numbered(1), numbered(2)] });
    await writer.addResults({ once: [once("map/1", "other", undefined), once("map/2", "key", null)] });
    await writer.addResults({});
    await trial.keeps(writer);
  },

  "results of a later addition count instead of those of the same entry, and so do sub-steps": async (trial) => {
    const writer = await written(trial, 2);
    await writer.addResults({ results: [result("a"), result("b")], once: [once("a/0", "key", 1), once("a/0", "other", 1)] });
    await writer.addResults({ results: [result("a", { errors: ["later"] })], once: [once("a/0", "key", 2)] });
    await trial.keeps(writer);
  },

  "results are added to those that a save or an amendment gave": async (trial) => {
    const writer = await written(trial, 1);
    await writer.save([append(1)], { results: [result("saved")], once: new Map([["saved/0", new Map([["key", 1]])]]) });
    await writer.addResults({ results: [result("added")], once: [once("saved/0", "other", 2)] });
    await trial.holds(writer);
    await writer.amend({ time: 2_000, results: [result("amended")] });
    await writer.addResults({ results: [result("last")], once: [once("last/0", "key", 3)] });
    await trial.keeps(writer);
  },

  "neither the time of a record nor the order of the list changes with results": async (trial) => {
    const writer = await written(trial, 2);
    await written(trial, 3, "later");
    await writer.addResults({ results: [numbered(0)] });
    const listed: string[] = [];
    for await (const { sessionId, updatedAt } of trial.store.list()) listed.push(`${sessionId} ${updatedAt}`);
    trial.equal(listed, ["later 1002", "s 1001"]);
  },

  "results that are added at once all arrive": async (trial) => {
    const writer = await written(trial, 2);
    const { fence } = writer;
    const part = (index: number) => ({
      results: numbers(5).map((item) => numbered(index * 5 + item)),
      once: numbers(5).map((item) => once(`map/${index % 4}`, `${index}.${item}`, { index, item })),
    });
    await Promise.all(numbers(20).map(async (index) => trial.store.addResults("s", fence, part(index))));
    const record = (await trial.store.load("s"))?.record;
    trial.equal(
      record?.results.map(({ ordinal }) => ordinal).toSorted((left, right) => left - right),
      numbers(100),
    );
    const counts = Array.from(record?.once ?? [], ([entry, kept]) => `${entry} ${kept.size}`);
    trial.equal(counts.toSorted(), ["map/0 25", "map/1 25", "map/2 25", "map/3 25"]);
  },

  "a thousand results and sub-steps in one call are kept": async (trial) => {
    const writer = await written(trial, 2);
    await writer.addResults({
      results: numbers(1_000).map(numbered),
      once: numbers(1_000).map((index) => once("map/0", `${index}`, index)),
    });
    await trial.keeps(writer);
  },

  "a save of a later step ends the results of the record before, and leaves its sub-steps": async (trial) => {
    const writer = await written(trial, 3);
    await writer.addResults({ results: [numbered(0), numbered(1)], once: [once("map/0", "key", 1)] });
    await writer.save([append("done")], { step: 9 });
    const [newest, before] = await trial.history("s");
    trial.equal([newest?.record.results, before?.record.results, before?.record.once.size], [[], [], 1]);
    await trial.keeps(writer);
  },

  "a save of the same step leaves the results of the record before, and has its own": async (trial) => {
    const writer = await written(trial, 3);
    await writer.addResults({ results: [numbered(0), numbered(1)], once: [once("map/0", "key", 1)] });
    await writer.save([append("update")], { step: 2, results: [numbered(1)], once: new Map([["map/0", new Map([["key", 1]])]]) });
    await trial.holds(writer);
    await writer.addResults({ results: [numbered(2)], once: [once("map/2", "key", 3)] });
    await writer.save([append("done")], { step: 3 });
    trial.equal(
      (await trial.history("s")).map(({ record }) => record.results.length),
      [0, 0, 2, 0, 0],
    );
    await trial.keeps(writer);
  },

  "a save that is refused leaves the results": async (trial) => {
    const writer = await written(trial, 3);
    await writer.addResults({ results: [numbered(0)], once: [once("map/0", "key", 1)] });
    const { fence } = writer;
    await trial.conflict(() =>
      trial.store.save({ ...fence, epoch: 4 }, writer.record({ step: 9 }), { changes: [], size: 0, state: () => ({}) }),
    );
    await trial.keeps(writer);
  },

  "sub-steps are kept under any key, of any entry": async (trial) => {
    const writer = await written(trial, 1);
    for (const [index, key] of oddKeys.entries())
      await writer.addResults({ once: [once("work/0", key, index), once(key, "key", { index })] });
    await trial.keeps(writer);
    await writer.amend({ time: 2_000, once: new Map(oddKeys.map((key, index) => [key, new Map([[key, index]])])) });
    await trial.keeps(writer);
  },

  "results are kept by node and ordinal, whatever the node is called": async (trial) => {
    const writer = await written(trial, 1);
    const names = oddKeys.filter((key) => key !== "");
    await writer.addResults({ results: names.flatMap((node) => [result(node), result(node, { ordinal: 10, errors: [node] })]) });
    await writer.addResults({ results: [result("a/1", { ordinal: 1 }), result("a", { ordinal: 11 }), result("a/1/1", { ordinal: 1 })] });
    await trial.keeps(writer);
  },

  "results of sessions that run at once do not mix": async (trial) => {
    const writers = await Promise.all(["a", "b", "A"].map((id) => written(trial, 2, id)));
    for (const index of numbers(6)) {
      for (const [place, writer] of writers.entries()) {
        await writer.addResults({ results: [numbered(index * 3 + place)], once: [once("map/0", `${index}`, place)] });
      }
    }
    await writers[1]?.save([append("on")]);
    await writers[2]?.amend({ time: 3_000, results: [], once: new Map() });
    await trial.keeps(...writers);
  },
};
