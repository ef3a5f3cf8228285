/** How the conformance suite compares: what is not identical is told, and where. */
import { describe, expect, it } from "vitest";
import { adopt, handOut } from "../../src/support/value.ts";
import { recordDifferences, valueDifferences } from "../../src/testing/conformance/differences.ts";
import { keptValues } from "../../src/testing/conformance/values.ts";

const hidden = (error: Error, enumerable: boolean): Error => Object.defineProperty(error, "code", { value: 1, enumerable });
const thrown = new Error("a");
const withStack = <E extends Error>(error: E, stack: unknown = thrown.stack): E => Object.defineProperty(error, "stack", { value: stack });

const unlike: readonly (readonly [string, unknown, unknown, string | readonly string[]])[] = [
  ["a number and minus zero", { a: [0] }, { a: [-0] }, 'value["a"][0]: 0 instead of -0'],
  ["a number and a bigint", 1, 1n, "value: 1 instead of 1n"],
  ["null and undefined", null, undefined, "value: null instead of undefined"],
  ["a text and none", "1", 1, 'value: "1" instead of 1'],
  ["a missing key and undefined", {}, { a: undefined }, 'value: the keys  instead of "a"'],
  ["keys in another order", { a: 1, b: 2 }, { b: 2, a: 1 }, 'value: the keys "a", "b" instead of "b", "a"'],
  ["a prototype and none", {}, Object.create(null), "value: another prototype"],
  ["a list and a record", { 0: 1, length: 1 }, [1], "value: a record instead of a list"],
  ["lists of two lengths", [1], [1, undefined], "value: 1 items instead of 2"],
  [
    "maps in another order",
    new Map([
      [1, 0],
      [2, 0],
    ]),
    new Map([
      [2, 0],
      [1, 0],
    ]),
    ["value.entries()[0][0]: 1 instead of 2", "value.entries()[1][0]: 2 instead of 1"],
  ],
  ["sets in another order", new Set([1, 2]), new Set([2, 1]), ["value.values()[0]: 1 instead of 2", "value.values()[1]: 2 instead of 1"]],
  ["a key of a map", new Map([[{ a: 1 }, 1]]), new Map([[{ a: 2 }, 1]]), 'value.entries()[0][0]["a"]: 1 instead of 2'],
  ["a date and its text", "1970-01-01T00:00:00.000Z", new Date(0), 'value: "1970-01-01T00:00:00.000Z" instead of an object'],
  ["two dates", new Date(1), new Date(Number.NaN), "value.getTime(): 1 instead of NaN"],
  ["two kinds of typed arrays", new Uint8Array(2), new Int8Array(2), "value: another prototype"],
  ["bytes", new Float64Array([0]), new Float64Array([-0]), "value: other bytes"],
  ["two classes of errors", withStack(new Error("a")), withStack(new TypeError("a")), "value: another prototype"],
  ["messages", withStack(new Error("a")), withStack(new Error("b")), 'value["message"]: "a" instead of "b"'],
  ["stacks", withStack(new Error("a"), "x"), withStack(new Error("a"), "y"), 'value["stack"]: "x" instead of "y"'],
  ["a cause and none", withStack(new Error("a")), withStack(new Error("a", { cause: undefined })), 'value["cause"]: is missing'],
  ["none and a cause", withStack(new Error("a", { cause: 1 })), withStack(new Error("a")), 'value["cause"]: is one too many'],
  ["a shown property", hidden(withStack(new Error("a")), true), hidden(withStack(new Error("a")), false), 'value["code"]: is not hidden'],
  ["a hidden property", hidden(withStack(new Error("a")), false), hidden(withStack(new Error("a")), true), 'value["code"]: is hidden'],
];

describe("values", () => {
  it.each(unlike)("differ: %s", (_name, actual, expected, told) => {
    expect(valueDifferences(actual, expected)).toEqual([told].flat());
  });

  it.each(Object.keys(keptValues))("are equal to copies of theirs: %s", (name) => {
    const { value } = adopt(keptValues[name], "value");
    expect(valueDifferences(handOut(value), value)).toEqual([]);
  });

  it("are told at most twenty times", () => {
    const list = Array.from({ length: 100 }, (_item, index) => index);
    expect(valueDifferences(list.toReversed(), list)).toHaveLength(20);
  });
});

describe("records", () => {
  it("are equal whatever the order of keys, and whether what is absent is written as undefined", () => {
    const actual = {
      b: undefined,
      a: new Map<string, unknown>([
        ["x", { n: 1 }],
        ["y", 2],
      ]),
    };
    const expected = {
      a: new Map<string, unknown>([
        ["y", 2],
        ["x", { n: 1, more: undefined }],
      ]),
      c: undefined,
    };
    expect(recordDifferences(actual, expected, "record")).toEqual([]);
  });

  it("differ by what is in them", () => {
    const actual = { a: new Map([["x", -0]]), b: [1] };
    expect(recordDifferences(actual, { a: new Map([["x", 0]]), b: [2] }, "record")).toEqual([
      'record["a"].get("x"): -0 instead of 0',
      'record["b"][0]: 1 instead of 2',
    ]);
    expect(recordDifferences({ a: new Map([["x", 1]]) }, { a: new Map([["y", 1]]) }, "record")).toEqual([
      'record["a"]: the key "y" is missing',
    ]);
  });
});
