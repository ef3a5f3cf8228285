/** How one prepared write is folded into one cell, and what the cell keeps. */
import { channel, StateError } from "spanloom";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { cellOf, changeOf, foldWrite, isSame, validated } from "../../src/engine/fold.ts";
import { type Cell, listCell, plainCell, valueOf, viewOf } from "../../src/engine/state.ts";
import { AppendList } from "../../src/support/append-list.ts";
import { channelOf, unit, write } from "./units.ts";

const tested = unit({
  v: channel.value<unknown>(0),
  o: channel.optional<unknown>(),
  l: channel.list<unknown>(),
  m: channel.merge<object>({}),
  r: channel.reduce<unknown, unknown>(0, (_current, update) => update),
  c: channel.messages(),
});
const fold = (name: string, cell: Cell, given: unknown, replace = false) =>
  foldWrite(channelOf(tested, name), cell, write(name, given, replace));
const list = (...items: readonly unknown[]): Cell => listCell(AppendList.of(items), false);

describe("foldWrite", () => {
  it("gives the very cell when nothing changed", () => {
    const cells: readonly (readonly [string, Cell, unknown])[] = [
      ["v", plainCell(NaN, false), NaN],
      ["o", plainCell(null, false), null],
      ["l", list(1), []],
      ["m", plainCell(Object.freeze({ a: 1 }), false), { a: 1, b: null }],
      ["r", plainCell("x", false), "x"],
      ["c", list({ id: "1" }), [{ remove: "2" }]],
    ];
    for (const [name, cell, given] of cells) expect(fold(name, cell, given).cell).toBe(cell);
  });

  it("leaves the cell that it was given as it was", () => {
    const cell = list(1);
    const { cell: next, appended } = fold("l", cell, [2]);
    expect([valueOf(cell), valueOf(next), appended]).toEqual([[1], [1, 2], [2]]);
    const merged = plainCell(Object.freeze({ a: 1 }), false);
    expect(valueOf(fold("m", merged, { b: 2 }).cell)).toEqual({ a: 1, b: 2 });
    expect(valueOf(merged)).toEqual({ a: 1 });
  });

  it("gives frozen values", () => {
    for (const [name, cell, given] of [
      ["l", list(), [{ a: 1 }]],
      ["m", plainCell({}, false), { a: { b: 1 } }],
      ["c", list(), [{ role: "user", content: "" }]],
    ] as const) {
      expect(Object.isFrozen(valueOf(fold(name, cell, given).cell))).toBe(true);
    }
  });

  it("says of messages that they were appended only when that is all", () => {
    const cell = list({ id: "1", role: "user" });
    expect(fold("c", cell, [{ id: "2" }, { role: "user" }]).appended).toHaveLength(2);
    for (const given of [[{ id: "1" }], [{ remove: "1" }], [{ id: "2" }, { id: "2" }]]) {
      expect(fold("c", cell, given).appended).toBeUndefined();
    }
  });

  it("marks a cell live when something live is in it, until it is gone", () => {
    const live = fold("v", plainCell(0, false), new Map()).cell;
    expect(live.live).toBe(true);
    expect(fold("v", live, 1).cell.live).toBe(false);
    expect(fold("l", list(), [new Date(0)]).cell.live).toBe(true);
    expect(fold("m", plainCell({}, false), { at: new Date(0) }).cell.live).toBe(true);
  });

  it("names what a reducer did wrong", () => {
    const bad = unit({ r: channel.reduce<unknown, () => unknown>(0, (_current, run) => run) });
    const failing = { ...channelOf(bad, "r"), reduce: () => Promise.reject(new Error("never heard")) };
    expect(() => foldWrite(failing, plainCell(0, false), write("r", 1))).toThrow(StateError);
    expect(() => foldWrite(failing, plainCell(0, false), write("r", 1))).toThrow(/"r" returned a promise/);
  });
});

describe("cells", () => {
  it("are the same when they hold the same value, a list only when it is the very list", () => {
    const items = Object.freeze([1]);
    expect(isSame(plainCell(1, false), plainCell(1, true))).toBe(true);
    expect(isSame(plainCell(0, false), plainCell(-0, false))).toBe(false);
    expect(isSame(listCell(AppendList.of(items), false), listCell(AppendList.of(items), false))).toBe(true);
    expect(isSame(list(1), list(1))).toBe(false);
    expect(isSame(list(1), list(1, 2))).toBe(false);
  });

  it("of lists keep a log, and others the value", () => {
    expect(cellOf(channelOf(tested, "l"), [1], false).list?.length).toBe(1);
    expect(cellOf(channelOf(tested, "v"), [1], false)).toEqual(plainCell([1], false));
  });

  it("are told to the store as an append while they only grew", () => {
    const before = list(1);
    expect(changeOf(channelOf(tested, "l"), before, fold("l", before, [2]).cell, [2])).toEqual({
      channel: "l",
      kind: "append",
      items: [2],
    });
    expect(changeOf(channelOf(tested, "l"), before, list(2), undefined)).toEqual({ channel: "l", kind: "set", value: [2] });
  });

  it("that a schema finds good stay the very cells; its other output makes another cell", () => {
    const plan = unit({ l: channel.list<string>().with({ schema: z.array(z.string().trim()) }) });
    const good = list("a", "b");
    expect(validated(channelOf(plan, "l"), good, "invalid_update")).toBe(good);
    expect(valueOf(validated(channelOf(plan, "l"), list(" a "), "invalid_update"))).toEqual(["a"]);
    expect(() => validated(channelOf(plan, "l"), list(1), "invalid_state")).toThrow(/"l" was refused: l\[0\]/);
  });
});

describe("AppendList", () => {
  it("keeps every version as it was, also when two go on from the same one", () => {
    const base = AppendList.of([1]).append([2]);
    const left = base.append([3]);
    const right = base.append([4]);
    expect([base, left, right, left.append([5])].map((each) => each.toArray())).toEqual([
      [1, 2],
      [1, 2, 3],
      [1, 2, 4],
      [1, 2, 3, 5],
    ]);
    expect(left.toArray()).toBe(left.toArray());
  });

  it("does not take a list of the caller's for its own unless it is frozen", () => {
    const mine = [1];
    const kept = AppendList.of(mine);
    mine.push(2);
    expect(kept.toArray()).toEqual([1]);
  });
});

describe("viewOf", () => {
  it("makes one view of one image, whose lists are read without a copy", () => {
    expect(viewOf(tested.plan, tested.image)).toBe(viewOf(tested.plan, tested.image));
    expect(viewOf(tested.plan, tested.image)["l"]).toBe(viewOf(tested.plan, tested.image)["l"]);
  });
});
