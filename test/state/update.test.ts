/** `prepareUpdate` and `prepareTargets`, alone: what comes of an update before it may touch the state. */
import { channel, replace, StateError } from "spanloom";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { prepareTargets, prepareUpdate } from "../../src/engine/update.ts";
import { thawed } from "./support.ts";
import { unit } from "./units.ts";

const at = unit({
  v: channel.value<unknown>(0),
  o: channel.optional<unknown>(),
  l: channel.list<unknown>().with({ schema: z.array(z.string()) as never }),
  r: channel.reduce(0, () => {
    throw new Error("reducers run at the barrier alone");
  }),
});
const prepare = (update: unknown) => prepareUpdate(at.plan, at.image, update);

describe("prepareUpdate", () => {
  it("gives the writes in the order of the update's keys, without those that are undefined", () => {
    expect(prepare({ o: null, v: undefined, l: ["a"], r: 1 }).map(({ channel: name, value, replace: set }) => [name, value, set])).toEqual([
      ["o", null, false],
      ["l", ["a"], false],
      ["r", 1, false],
    ]);
    expect([...prepare(undefined), ...prepare(null), ...prepare({})]).toEqual([]);
  });

  it("copies and freezes, and leaves what it was given thawed", () => {
    const update = { v: { deep: [{ a: 1 }] } };
    const [written] = prepare(update);
    expect(written?.value).toEqual(update.v);
    expect(written?.value).not.toBe(update.v);
    expect(thawed(written?.value)).toEqual([]);
    expect(thawed(update)).toHaveLength(4);
  });

  it("takes frozen data as it is, and reads a getter once", () => {
    const frozen = Object.freeze({ a: Object.freeze([1]) });
    expect(prepare({ v: frozen })[0]?.value).toBe(frozen);
    let reads = 0;
    const counting = {
      get v() {
        return (reads += 1);
      },
    };
    expect(prepare(counting)[0]?.value).toBe(1);
    expect(reads).toBe(1);
  });

  it("recognises replace, also of another copy of the package, and not data that looks like it within", () => {
    expect(prepare({ l: replace(["x"]) })).toMatchObject([{ channel: "l", replace: true, value: ["x"] }]);
    expect(prepare({ l: { "~replace": ["x"] } })).toMatchObject([{ replace: true }]);
    expect(prepare({ v: { inner: replace(1) } })).toMatchObject([{ replace: false, value: { inner: { "~replace": 1 } } }]);
    expect(prepare({ v: { "~replace": 1, more: 2 } })).toMatchObject([{ replace: false, value: { "~replace": 1, more: 2 } }]);
    expect(prepare({ o: replace(undefined) })).toMatchObject([{ replace: true, value: undefined }]);
  });

  it("marks what holds something live, and estimates sizes", () => {
    const [plain] = prepare({ v: "x".repeat(1_000) });
    const [live] = prepare({ v: [new Map([["k", 1]])] });
    expect(plain).toMatchObject({ live: false });
    expect(plain?.size).toBeGreaterThanOrEqual(1_000);
    expect(live).toMatchObject({ live: true });
  });

  it("judges by a schema, but never runs a reducer", () => {
    expect(() => prepare({ l: [1] })).toThrow(StateError);
    expect(prepare({ r: 1 })).toHaveLength(1);
  });

  it("takes an update of another realm or without a prototype", () => {
    expect(prepare(Object.assign(Object.create(null) as object, { v: 1 }))).toHaveLength(1);
  });
});

describe("prepareTargets", () => {
  it("copies and freezes items, and keeps names and order", () => {
    const item = { list: [1] };
    const targets = prepareTargets(["b", { "~send": "a", item }]);
    expect(targets).toEqual(["b", { node: "a", item: { list: [1] } }]);
    expect(thawed((targets[1] as { item: unknown }).item)).toEqual([]);
    expect(Object.isFrozen(item)).toBe(false);
  });

  it("refuses an item that cannot be stored, naming the send", () => {
    expect(() => prepareTargets([{ "~send": "a", item: { run: () => 1 } }])).toThrow(/send\("a"\)\.run/);
  });
});
