/** One-line forms of durations, names, values and errors; states as JSON. */
import { describe, expect, test } from "vitest";
import { RunnerError, StateError } from "../../src/errors/errors.ts";
import { compact, countedNames, explain, formatDuration, oneLine, severalLines, truncate } from "../../src/cli/format.ts";
import { readable, readableJson } from "../../src/cli/readable-json.ts";

describe("formatDuration", () => {
  test.each([
    [-1, "0.00 ms"],
    [0.417, "0.42 ms"],
    [9.996, "10.0 ms"],
    [12.34, "12.3 ms"],
    [99.96, "100 ms"],
    [999.6, "1.00 s"],
    [9_999, "10.0 s"],
    [59_960, "1m 00s"],
    [125_000, "2m 05s"],
    [3_599_900, "1h 00m"],
    [11_220_000, "3h 07m"],
  ])("%d ms is %s", (milliseconds, expected) => {
    expect(formatDuration(milliseconds)).toBe(expected);
  });
});

test.each([
  ["short", 5, "short"],
  ["longer", 5, "long…"],
  ["x", 0, ""],
  ["🙂🙂🙂", 2, "🙂…"],
])("truncate %s to %d", (text, width, expected) => {
  expect(truncate(text, width)).toBe(expected);
});

test("text of others can neither colour nor move the cursor", () => {
  expect(oneLine("a\u001b[31mred\u001b[0m\r\nb\u0007\u009b2J")).toBe("ared b ");
  expect(severalLines("a\u001b[2K\nb\r\nc")).toBe("a\nb\nc");
});

test("compact is one short line, and nothing for undefined", () => {
  expect(compact({ text: "a\nb", at: new Date(0) })).toBe('{"text":"a\\nb","at":"1970-01-01T00:00:00.000Z"}');
  expect(compact(undefined)).toBe("");
  expect(compact("x".repeat(50), 10)).toBe(`"${"x".repeat(8)}…`);
});

test("names are counted, and ten of them shown", () => {
  expect(countedNames(["a", "b", "a"])).toBe("a × 2, b");
  expect(countedNames(Array.from({ length: 12 }, (_item, index) => `n${index}`))).toBe("n0, n1, n2, n3, n4, n5, n6, n7, n8, n9, … 2 more");
});

test("an error is explained by our sentence and by the stack of the user's own", () => {
  const cause = new TypeError("boom");
  const text = explain(new RunnerError("scheduler", { step: 1, reason: "Node x failed." }, { cause }));
  expect(text.split("\n")[0]).toBe("Node x failed. (scheduler)");
  expect(text).toContain("  caused by: TypeError: boom");
  expect(text).toContain("format.test.ts");
  expect(text).not.toContain("node:internal");
});

test("a sentence of ours is said once, and ends with one full stop", () => {
  const cause = new StateError("invalid_update", { channel: "n", reason: "must be from 1 to 200." }, { cause: new TypeError("deeper") });
  const lines = explain(new RunnerError("invalid_input", { reason: cause.message }, { cause })).split("\n");
  expect(lines[0]).toMatch(/^The input was refused: .*must be from 1 to 200\. \(invalid_input\)$/);
  expect(lines[1]).toBe("  caused by: TypeError: deeper");
});

test("each error of several is explained, and a value that is no error is shown", () => {
  const text = explain(new AggregateError([new Error("one"), "two"], "both"));
  expect(text).toMatch(/both[^]*caused by: Error: one[^]*caused by: "two"/);
});

describe("readable JSON", () => {
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  test.each<[string, unknown, unknown]>([
    ["Date", new Date(0), "1970-01-01T00:00:00.000Z"],
    ["invalid Date", new Date(Number.NaN), "Invalid Date"],
    ["BigInt", 12n, "12"],
    ["NaN", Number.NaN, "NaN"],
    ["Map with text keys", new Map([["a", new Set([1])]]), { a: [1] }],
    ["Map with other keys", new Map([[1, "one"]]), [[1, "one"]]],
    ["typed array", new Uint8Array([1, 2]), [1, 2]],
    ["BigInt64Array", new BigInt64Array([1n]), ["1"]],
    ["ArrayBuffer", new Uint8Array([3]).buffer, [3]],
    ["DataView", new DataView(new Uint8Array([4, 5]).buffer, 1), [5]],
    ["Error", new TypeError("x", { cause: new Error("y") }), { name: "TypeError", message: "x", cause: { name: "Error", message: "y" } }],
    ["function", () => {}, "[function]"],
    ["cycle", cycle, { self: "[cycle]" }],
    ["the same thing twice is no cycle", [cycle, cycle], [{ self: "[cycle]" }, { self: "[cycle]" }]],
  ])("%s", (_name, value, expected) => {
    expect(JSON.parse(JSON.stringify(readable(value)))).toEqual(expected);
  });

  test("a key named __proto__ stays data", () => {
    expect(readableJson(JSON.parse('{"__proto__":{"a":1}}'))).toBe('{\n  "__proto__": { "a": 1 }\n}');
  });

  test("never throws", () => {
    const hostile = Object.defineProperty({}, "x", { enumerable: true, get: () => expect.fail("read") });
    expect(readableJson(hostile)).toBe('"[unreadable]"');
    expect(readableJson(undefined)).toBe("null");
  });

  test("are laid out: a line for each member, and for each part that fits into one", () => {
    const long = "x".repeat(90);
    const value = {
      numbers: [1, 2, 3],
      empty: [{}, []],
      long: [
        { long, at: 1 },
        { long, at: 2 },
      ],
      gone: undefined,
    };
    const expected = [
      "{",
      '  "numbers": [1, 2, 3],',
      '  "empty": [{}, []],',
      '  "long": [',
      "    {",
      `      "long": "${long}",`,
      '      "at": 1',
      "    },",
      "    {",
      `      "long": "${long}",`,
      '      "at": 2',
      "    }",
      "  ]",
      "}",
    ];
    expect(readableJson(value)).toBe(expected.join("\n"));
    expect(readableJson([undefined, [Number.NaN]])).toBe('[\n  null,\n  ["NaN"]\n]');
  });
});
