/** Merge channels: shallow, by the rules of RFC 7396, on data that may have any key. */
import { channel, replace } from "spanloom";
import { describe, expect, it } from "vitest";
import { causeOf, finalState, parallel, refusal, runnerOf } from "./support.ts";

type Settings = Readonly<Record<string, unknown>>;

const merged = async (initial: object, ...updates: readonly unknown[]): Promise<unknown> =>
  (
    await finalState(
      { m: channel.merge<object>(initial) },
      updates.map((update) => () => ({ m: update })),
    )
  )["m"];

describe("a merge channel", () => {
  it("changes the keys that are given, and keeps the others", async () => {
    expect(await merged({ a: 1, b: 2 }, { b: 3, c: 4 })).toStrictEqual({ a: 1, b: 3, c: 4 });
  });

  it("deletes a key by null, also one that is not there, and keeps undefined keys as they are", async () => {
    expect(await merged({ a: 1, b: 2 }, { a: null, x: null, b: undefined })).toStrictEqual({ b: 2 });
  });

  it("is shallow: a nested object takes the place of the old one, nulls inside it are values", async () => {
    expect(await merged({ a: { x: 1, y: 2 } }, { a: { x: null } })).toStrictEqual({ a: { x: null } });
  });

  it("keeps falsy values", async () => {
    expect(await merged({ a: 1, b: 1, c: 1 }, { a: 0, b: "", c: false })).toStrictEqual({ a: 0, b: "", c: false });
  });

  it("takes a key __proto__ or constructor as data, and deletes it as such", async () => {
    const patch = JSON.parse('{"__proto__":{"polluted":true},"constructor":1}') as object;
    const value = (await merged({}, patch)) as Settings;
    expect(Object.keys(value)).toEqual(["__proto__", "constructor"]);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.getOwnPropertyDescriptor(value, "__proto__")?.value).toEqual({ polluted: true });
    expect("polluted" in {}).toBe(false);
    const without = await merged({}, patch, JSON.parse('{"__proto__":null,"constructor":null}'));
    expect(Object.keys(without as object)).toEqual([]);
  });

  it("does not take inherited keys for keys of its own", async () => {
    expect(await merged({}, { toString: null, valueOf: null })).toStrictEqual({});
  });

  it("folds the writes of one superstep key by key, the later in frontier order wins", async () => {
    const compiled = parallel(
      { m: channel.merge<Settings>({ keep: 0 }) },
      {
        a: () => ({ m: { only: "a", both: "a", gone: "a" } }),
        b: () => ({ m: { both: "b", gone: null } }),
      },
    );
    expect((await runnerOf(compiled).invoke({})).state["m"]).toStrictEqual({ keep: 0, only: "a", both: "b" });
  });

  it("is set as a whole by replace", async () => {
    expect(await merged({ a: 1, b: 2 }, replace({ c: null }))).toStrictEqual({ c: null });
  });

  it("refuses what is no plain object, instead of taking it for one without keys", async () => {
    const channels = { m: channel.merge<object>({ a: 1 }) };
    const wrong = [1, "text", [1], null, new Map([["a", 2]]), new Set([1]), new Date(0), new Uint8Array(2), new Error("x")];
    for (const update of [...wrong, ...wrong.map((value) => replace(value)), replace(undefined)]) {
      const error = await refusal("scheduler", () => finalState(channels, [() => ({ m: update })]));
      expect(causeOf(error, "invalid_update").facts).toMatchObject({ channel: "m", node: "n1" });
    }
  });

  it("takes an object without a prototype", async () => {
    expect(await merged({ a: 1 }, Object.assign(Object.create(null) as object, { b: 2 }))).toMatchObject({ a: 1, b: 2 });
  });

  it("keeps live values in it isolated, also after a write of another key: a copy for each reader", async () => {
    const given = new Date(5);
    const spoil = (state: { m: { at: Date } }): void => void state.m.at.setTime(99);
    const state = await finalState({ m: channel.merge<{ at?: Date; n: number }>({ n: 0 }) }, [
      () => ({ m: { at: given } }),
      (each) => (spoil(each), given.setTime(77), { m: { n: 1 } }),
      (each) => spoil(each),
    ]);
    expect(state["m"]).toEqual({ n: 1, at: new Date(5) });
  });
});
