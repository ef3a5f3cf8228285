/** `applyBarrierAndUpdate`, alone: pure, in the order of the results, all or nothing. */
import { channel, replace, RunnerError, StateError } from "spanloom";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { applyBarrierAndUpdate } from "../../src/engine/barrier.ts";
import { resultFrom, unit, valuesIn, write } from "./units.ts";

const channels = {
  v: channel.value<unknown>(0),
  o: channel.optional<unknown>(),
  l: channel.list<unknown>(["first"]),
  m: channel.merge<Record<string, unknown>>({ a: 1 }),
  r: channel.reduce("", (text, add: string) => text + add),
};

function refusalOf(call: () => unknown): RunnerError {
  try {
    call();
  } catch (error) {
    if (error instanceof RunnerError) return error;
    throw error;
  }
  return expect.unreachable("it was expected to be refused");
}

describe("applyBarrierAndUpdate", () => {
  it("folds results in the order given, and names the updated channels in the order declared", () => {
    const tested = unit(channels);
    const results = [
      resultFrom(tested, "b", { r: "b", l: ["b"], m: { both: "b" } }),
      resultFrom(tested, "a", { r: "a", l: ["a"], m: { both: "a" }, v: 1 }),
    ];
    const { image, updatedChannels } = applyBarrierAndUpdate(tested.plan, tested.image, results, 3);
    expect(valuesIn(tested, image)).toEqual({ v: 1, o: undefined, l: ["first", "b", "a"], m: { a: 1, both: "a" }, r: "ba", errors: [] });
    expect(updatedChannels).toEqual(["v", "l", "m", "r"]);
    expect(image.versions).toEqual([2, 1, 2, 2, 2, 1]);
  });

  it("leaves the image that it was given as it was, and gives the same when it is called again", () => {
    const tested = unit(channels);
    const before = valuesIn(tested, tested.image);
    const versions = [...tested.image.versions];
    const results = [resultFrom(tested, "a", { v: 1, l: ["x"], m: { a: null }, r: "x" })];
    const first = applyBarrierAndUpdate(tested.plan, tested.image, results, 1);
    expect(valuesIn(tested, tested.image)).toEqual(before);
    expect(tested.image.versions).toEqual(versions);
    const second = applyBarrierAndUpdate(tested.plan, tested.image, results, 1);
    expect(valuesIn(tested, second.image)).toEqual(valuesIn(tested, first.image));
    expect(valuesIn(tested, first.image)["l"]).toEqual(["first", "x"]);
  });

  it("gives the very image back when nothing changed", () => {
    const tested = unit(channels);
    const outcome = applyBarrierAndUpdate(tested.plan, tested.image, [resultFrom(tested, "a", { v: 0, l: [], m: { a: 1 }, r: "" })], 1);
    expect(outcome.image).toBe(tested.image);
    expect(outcome).toMatchObject({ updatedChannels: [], changes: [], size: 0 });
    expect(applyBarrierAndUpdate(tested.plan, tested.image, [], 1).image).toBe(tested.image);
  });

  it("counts commands, and lists errors in the order of results", () => {
    const tested = unit(channels);
    const command = { kind: "goto", targets: [] } as const;
    const results = [
      resultFrom(tested, "a", undefined, { errors: ["e1", "e2"], command }),
      resultFrom(tested, "b", undefined),
      resultFrom(tested, "c", undefined, { errors: ["e3"], command: { ...command, kind: "also" } }),
    ];
    const outcome = applyBarrierAndUpdate(tested.plan, tested.image, results, 1);
    expect(outcome).toMatchObject({ commands: 2, errors: ["e1", "e2", "e3"], updatedChannels: ["errors"] });
    expect(valuesIn(tested, outcome.image)["errors"]).toEqual(["e1", "e2", "e3"]);
  });

  it("tells the store what was appended, and of other channels the value that they have now", () => {
    const tested = unit(channels);
    const results = [resultFrom(tested, "a", { l: [1], v: 5 }), resultFrom(tested, "b", { l: [2, 3], m: { b: 2 } })];
    expect(applyBarrierAndUpdate(tested.plan, tested.image, results, 1).changes).toEqual([
      { channel: "v", kind: "set", value: 5 },
      { channel: "l", kind: "append", items: [1, 2, 3] },
      { channel: "m", kind: "set", value: { a: 1, b: 2 } },
    ]);
    const replaced = [
      resultFrom(tested, "a", { l: [1] }),
      resultFrom(tested, "b", { l: replace(["x", "y"]) }),
      resultFrom(tested, "c", { l: [2] }),
    ];
    expect(applyBarrierAndUpdate(tested.plan, tested.image, replaced, 1).changes).toEqual([
      { channel: "l", kind: "set", value: ["x", "y", 2] },
    ]);
  });

  it("tells the store the whole list when its schema made other items of what was appended", () => {
    const tested = unit({ l: channel.list<string>(["first"]).with({ schema: z.array(z.string().trim()) }) });
    const outcome = applyBarrierAndUpdate(tested.plan, tested.image, [resultFrom(tested, "a", { l: [" x "] })], 1);
    expect(outcome.changes).toEqual([{ channel: "l", kind: "set", value: ["first", "x"] }]);
    const plain = applyBarrierAndUpdate(tested.plan, tested.image, [resultFrom(tested, "a", { l: ["x"] })], 1);
    expect(plain.changes).toEqual([{ channel: "l", kind: "append", items: ["x"] }]);
  });

  it("says nothing of a channel that came back to what it was", () => {
    const tested = unit({ v: channel.value(0).with({ concurrent: "last" }) });
    const outcome = applyBarrierAndUpdate(
      tested.plan,
      tested.image,
      [resultFrom(tested, "a", { v: 1 }), resultFrom(tested, "b", { v: 0 })],
      1,
    );
    expect(outcome).toMatchObject({ updatedChannels: [], changes: [] });
  });

  it("throws a barrier error with step, channel and the typed cause, and changes nothing", () => {
    const tested = unit(channels);
    const before = valuesIn(tested, tested.image);
    const error = refusalOf(() =>
      applyBarrierAndUpdate(
        tested.plan,
        tested.image,
        [resultFrom(tested, "a", { l: ["x"], r: "x", v: 1 }), resultFrom(tested, "b", { v: 1 })],
        7,
      ),
    );
    expect(error).toMatchObject({ code: "barrier", facts: { step: 7, channel: "v" } });
    expect(error.cause).toBeInstanceOf(StateError);
    expect(error.cause).toMatchObject({ code: "concurrent_write", facts: { channel: "v", nodes: ["a", "b"], step: 7 } });
    expect(valuesIn(tested, tested.image)).toEqual(before);
    const again = applyBarrierAndUpdate(tested.plan, tested.image, [resultFrom(tested, "a", { l: ["y"] })], 7);
    expect(valuesIn(tested, again.image)["l"]).toEqual(["first", "y"]);
  });

  it("calls a reducer once for each write, whatever else the step does", () => {
    const calls: unknown[] = [];
    const tested = unit({
      r: channel.reduce<number, number>(0, (sum, add) => (calls.push(add), sum + add)).with({ schema: z.number() }),
      v: channel.value(0),
    });
    const results = [1, 2, 3].map((add) => resultFrom(tested, `n${add}`, { r: add }));
    expect(calls).toEqual([]);
    applyBarrierAndUpdate(tested.plan, tested.image, results, 1);
    expect(calls).toEqual([1, 2, 3]);
  });

  it("leaves out a stored write to a channel that the graph has no more", () => {
    const tested = unit(channels);
    const outcome = applyBarrierAndUpdate(
      tested.plan,
      tested.image,
      [{ ...resultFrom(tested, "a", {}), writes: [write("gone", 1), write("v", 2)] }],
      1,
    );
    expect(outcome.updatedChannels).toEqual(["v"]);
  });
});
