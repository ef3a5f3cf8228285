/** The state: every record's is what its changes and all before them make, at any time. */
import type { ChannelChange } from "../../checkpoint/checkpointer.ts";
import { seededRandom } from "../random.ts";
import { append, appendTo, set, Writer, written } from "./fixtures.ts";
import type { Theme } from "./harness.ts";
import { randomValue } from "./values.ts";

const oddNames = [
  "__proto__",
  "constructor",
  "",
  "prototype",
  "hasOwnProperty",
  "~",
  "$",
  "0",
  "10",
  "-1",
  " ",
  "\0",
  "\ud800",
  "é",
  "e\u0301",
];
const names = [...oddNames, "😀", "'; DROP TABLE sessions; --", '"', "\\", "\n", "%", "channel", "Channel", "n".repeat(1_024)];

const between = (random: () => number, from: number, to: number): number => from + Math.floor(random() * (to - from));

/** Of the channels whose names are given, those at even places hold lists. */
function randomChange(random: () => number, channels: readonly string[]): ChannelChange {
  const index = between(random, 0, channels.length);
  const channel = channels[index] ?? "";
  const values = Array.from({ length: between(random, 0, 4) }, () => randomValue(random));
  if (index % 2 === 1) return set(channel, values[0]);
  return random() < 0.15 ? set(channel, values) : appendTo(channel, ...values);
}

export const states: Theme = {
  "a session has the channels that were set, and no others": async (trial) => {
    const writer = new Writer(trial);
    await writer.save();
    trial.identical((await trial.store.load("s"))?.state, {});
    await writer.save([set("note", "a")]);
    await writer.save();
    trial.identical((await trial.store.load("s"))?.state, { note: "a" });
    await trial.keeps(writer);
  },

  "a channel is kept under any name, as data": async (trial) => {
    const writer = new Writer(trial);
    await writer.save(names.map((name, index) => set(name, index % 2 === 0 ? [name] : { name })));
    await writer.save(names.flatMap((name, index) => (index % 2 === 0 ? [appendTo(name, name, index)] : [set(name, index)])));
    await trial.keeps(writer);
    const { state } = (await trial.store.load("s")) ?? {};
    trial.equal([Object.getPrototypeOf(state ?? null), Object.keys(state ?? {}).length], [Object.prototype, names.length]);
  },

  "a channel that is set to `undefined` is there": async (trial) => {
    const writer = new Writer(trial);
    await writer.save([set("note", undefined), set("log", [])]);
    await trial.keeps(writer);
    await writer.save([set("note", 1)]);
    await writer.save([set("note", undefined)]);
    await trial.keeps(writer);
    trial.equal(Object.keys((await trial.store.load("s"))?.state ?? {}).toSorted(), ["log", "note"]);
  },

  "a list grows from what it was set to last, however often it was set": async (trial) => {
    const writer = await written(trial, 3);
    await writer.save([append("a", "b")]);
    await writer.save([set("log", ["new"])]);
    await writer.save([append("c")]);
    await writer.save([set("log", [])]);
    await writer.save([append()]);
    await writer.save([append("d"), append("e")]);
    await trial.keeps(writer);
  },

  "changes of one channel count in the order that they are given in": async (trial) => {
    const writer = await written(trial, 1);
    await writer.save([append(1), set("log", ["x"]), append(2), append(3, 4)]);
    await writer.save([set("note", 1), set("note", 2)]);
    await writer.save([set("log", "text"), set("log", [[]]), append([])]);
    await trial.keeps(writer);
    trial.identical((await trial.store.load("s"))?.state, { log: [[], []], note: 2 });
  },

  "items are appended as they are: lists, `undefined`, and those that are there already": async (trial) => {
    const writer = await written(trial, 1);
    await writer.save([append([], [[1], undefined], undefined, null, 0, 0)]);
    await writer.save([append({ length: 1, 0: "a" })]);
    await trial.keeps(writer);
  },

  "a session may have a thousand channels": async (trial) => {
    const writer = new Writer(trial);
    const channels = Array.from({ length: 1_000 }, (_item, index) => `channel ${index}`);
    await writer.save(channels.map((name, index) => set(name, index % 2 === 0 ? [] : index)));
    await writer.save(channels.filter((_name, index) => index % 2 === 0).map((name) => appendTo(name, name)));
    await trial.keeps(writer);
  },

  "values that two channels or two records share are whole in each": async (trial) => {
    const shared = Object.freeze({ list: Object.freeze([1, 2]) });
    const writer = await written(trial, 1);
    await writer.save([set("note", shared), append(shared, shared)]);
    await writer.save([append(shared), set("other", [shared, { shared }])]);
    await trial.keeps(writer);
  },

  "every state of a long history is what its changes make": async (trial) => {
    const random = seededRandom(20_250);
    const writer = new Writer(trial);
    const channels = ["log", "note", "__proto__", "constructor", "", "text", "long", "flag"];
    await writer.save(channels.map((name, index) => set(name, index % 2 === 0 ? [] : undefined)));
    for (let step = 1; step < 300; step += 1) {
      const changes = Array.from({ length: between(random, 0, 4) }, () => randomChange(random, channels));
      await writer.save(step % 50 === 0 ? [...changes, set("text", "long ".repeat(between(random, 0, 4_000)))] : changes);
    }
    await trial.keeps(writer);
    for (let step = 300; step < 320; step += 1) await writer.save([randomChange(random, channels)]);
    await trial.keeps(writer);
  },
};
