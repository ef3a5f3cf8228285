/** Values that are kept exactly: one of every kind, the corners of each, and random mixtures of them. */
import { typedArrays } from "../../support/value/live.ts";

const nested = (levels: number, wrap: (inner: unknown) => unknown): unknown =>
  Array.from({ length: levels }).reduce<unknown>((inner) => wrap(inner), "bottom");

const define = (target: object, key: string, value: unknown, enumerable = true): object =>
  Object.defineProperty(target, key, { value, enumerable, writable: true, configurable: true });

const withKeys = (target: object, keys: readonly string[]): object => keys.reduce((built, key, index) => define(built, key, index), target);

const bare = (entries: Readonly<Record<string, unknown>>): object => Object.assign(Object.create(null), entries) as object;

class Refused extends Error {
  override readonly name = "Refused";
  readonly status = 503;
}

const oddKeys = [
  "~",
  "$",
  "",
  "__proto__",
  "constructor",
  "prototype",
  "toJSON",
  "then",
  "length",
  "a\0b",
  "\ud800",
  "😀",
  "é",
  "e\u0301",
  " ",
];

const allCodeUnits = Array.from({ length: 0x1_00_00 }, (_item, unit) => String.fromCharCode(unit)).join("");

const primitives: Readonly<Record<string, unknown>> = {
  null: null,
  undefined,
  "true and false": [true, false],
  "not a number": Number.NaN,
  infinities: [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  "minus zero": [-0, 0, { minus: -0 }],
  "numbers at their limits": [Number.MAX_VALUE, Number.MIN_VALUE, -Number.MAX_SAFE_INTEGER, 2 ** 53 + 2, 2 ** 64, 1e21, 1e-7, 0.1 + 0.2],
  bigints: [0n, -1n, 2n ** 64n, -(2n ** 200n), 1n],
  "texts that look like something else": [
    "NaN",
    "null",
    "1",
    "-0",
    "1n",
    "2020-01-01T00:00:00.000Z",
    '{"a":1}',
    "[]",
    "undefined",
    "~",
    "<a>",
  ],
};

const texts: Readonly<Record<string, unknown>> = {
  "an empty text": "",
  "texts with NUL": ["\0", "a\0b", "\0a", "a\0"],
  "texts with half a surrogate pair": ["\ud800", "a\udc00b", "\udfff\ud800", "\ud83d"],
  "texts beyond two bytes": ["😀", "𝒳", "日本語", "\u{10ffff}", "👩‍👩‍👧‍👦"],
  "texts in both normal forms": ["\u00e9", "e\u0301", "\u1e9b\u0323"],
  "texts with a byte order mark": ["\ufeff", "\ufeffa", "a\ufeff", "\ufffe", "\uffff", "\ufffd"],
  "texts with every line end and quote": ["\r\n", "\n", "\r", "\u2028\u2029\u0085", "\"'`\\", "\\u0000", "\t\b\f\v", "\\"],
  "every code unit": allCodeUnits,
};

const containers: Readonly<Record<string, unknown>> = {
  "empty containers": [[], {}, new Map(), new Set(), bare({}), [[]], [{}]],
  "undefined inside": { a: undefined, list: [undefined, 1, undefined], map: new Map([[undefined, undefined]]), set: new Set([undefined]) },
  "objects without a prototype": [
    bare({ a: 1 }),
    bare({ "~": 1, deep: bare({ list: [bare({})] }) }),
    define(bare({}), "__proto__", bare({})),
  ],
  "objects with odd keys": [withKeys({}, oddKeys), withKeys(bare({}), oddKeys), ...oddKeys.map((key) => define({}, key, { [key]: key }))],
  "objects whose keys have an order": [
    { b: 1, a: 2 },
    { a: 2, b: 1 },
    { 2: "b", 1: "a", z: 0, "01": 1, "-1": 2, 4294967295: 3, y: 4 },
  ],
  "objects like those that stand for values": [
    { "~": ["undefined"] },
    { "~": ["date", 1] },
    { "~": { "~": [] } },
    { "~": 1, other: 2 },
    { $date: "2020-01-01" },
    { type: "Buffer", data: [1] },
    { __type: "Map", value: [] },
    { constructor: { name: "Date" } },
    { length: 2, 0: "a", 1: "b" },
  ],
  "a list of many kinds": [null, undefined, "a", 1, 1n, true, [], {}, new Date(0), new Map(), new Set(), new Uint8Array(1), new Error("x")],
  "deep lists": nested(990, (inner) => [inner]),
  "deep objects": nested(990, (inner) => ({ inner })),
  "deep maps and sets": nested(400, (inner) => new Map([["inner", new Set([inner])]])),
  "many keys": Object.fromEntries(Array.from({ length: 5_000 }, (_item, index) => [`key ${(index * 7_919) % 5_000}`, index])),
  "a long list": Array.from({ length: 20_000 }, (_item, index) => (index % 100 === 0 ? undefined : index)),
};

const oneKey = { a: 1 };

const live: Readonly<Record<string, unknown>> = {
  dates: [new Date(0), new Date(-1), new Date(8.64e15), new Date(-8.64e15), new Date(1_700_000_000_123)],
  "an invalid date": new Date(Number.NaN),
  maps: new Map<unknown, unknown>([
    ["z", 1],
    ["a", new Map([["deep", undefined]])],
    [1, "number"],
    ["1", "text"],
    [Number.NaN, null],
    [null, Number.NaN],
    [true, new Date(3)],
    [10n, new Set(["a"])],
    ["__proto__", "data"],
  ]),
  "maps with objects as keys": new Map<unknown, unknown>([
    [oneKey, oneKey],
    [{ a: 1 }, "an equal one"],
    [["list"], 1],
    [new Date(1), 2],
    [new Map([[{}, new Set([{}])]]), 3],
  ]),
  sets: new Set<unknown>(["z", "a", 1, "1", Number.NaN, null, undefined, { a: 1 }, { a: 1 }, new Set([1]), [], 1n]),
  "live values within plain ones": { list: [{ when: new Date(1), deep: { map: new Map([["a", [new Set([1])]]]) } }], plain: [1] },
};

/** Numbers at the limits of the kind; of whole numbers, those that fit are the lowest bits. */
function filledArray(name: string): object {
  const make = typedArrays.get(name);
  const items = name.startsWith("Big") ? [0n, 1n, -1n, 2n ** 63n] : [0, 1, -1, 127, 128, 255, 32_768, 2 ** 31, 2 ** 32 - 1, -0, Number.NaN];
  const fractions = name.startsWith("Float") ? [0.1, -1e-40, Number.POSITIVE_INFINITY, 3e38] : [];
  return make === undefined ? [] : new make([...items, ...fractions]);
}

const arrays: Readonly<Record<string, unknown>> = {
  ...Object.fromEntries(
    Array.from(typedArrays, ([name, make]) => [`a ${name}`, [filledArray(name), new make(0), { only: filledArray(name) }]]),
  ),
  "a part of a larger buffer": [new Uint8Array(new Uint8Array([9, 1, 2, 3, 9]).buffer, 1, 3), new Uint16Array(new ArrayBuffer(10), 2, 2)],
  "every byte": Uint8Array.from({ length: 256 }, (_item, index) => index),
};

const errors: Readonly<Record<string, unknown>> = {
  ...Object.fromEntries(
    [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError].map((make) => [`a ${make.name}`, new make("text")]),
  ),
  "errors without a message": [new Error(), new Error(""), new TypeError("")],
  "errors with causes": [
    new Error("a", { cause: new TypeError("b", { cause: new Error("c", { cause: null }) }) }),
    new Error("a", { cause: undefined }),
    new Error("a", { cause: { not: "an error" } }),
  ],
  "an error of a class of its own": new Refused("busy"),
  "an aggregate error": [new AggregateError([new Error("a"), "text", new AggregateError([])], "all", { cause: 1 }), new AggregateError([])],
  "errors with properties of their own": [
    Object.assign(new Error("a"), {
      code: "E",
      when: new Date(1),
      nested: { map: new Map([["a", new Error("deep")]]) },
      missing: undefined,
    }),
    withKeys(
      new Error("odd"),
      oddKeys.filter((key) => key !== "constructor"),
    ),
  ],
  "errors with hidden and shown properties": [
    define(new Error("a"), "secret", { deep: [1] }, false),
    define(new Error("a"), "message", "shown", true),
    define(new Error("a"), "name", "Custom", true),
    define(new TypeError("a"), "name", "Hidden", false),
    define(new Error("a"), "cause", 1, true),
    define(new Error("a"), "stack", undefined, false),
    define(new Error("a"), "stack", "at home", true),
  ],
};

/** By name. */
export const keptValues: Readonly<Record<string, unknown>> = { ...primitives, ...texts, ...containers, ...live, ...arrays, ...errors };

const simplePrimitives = [
  null,
  undefined,
  true,
  false,
  0,
  -0,
  1,
  1.5,
  Number.NaN,
  Number.NEGATIVE_INFINITY,
  7n,
  "",
  "text",
  "\ud800",
  "a\0",
];
const simple = [...simplePrimitives, "😀", "~", new Date(12), new Uint8Array([1, 2]), new RangeError("r"), new Float64Array([-0])];

const pick = <T>(random: () => number, items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;

/** Small, and of any kind. */
export function randomValue(random: () => number, depth = 3): unknown {
  if (depth === 0 || random() < 0.4) return pick(random, simple);
  const parts = Array.from({ length: Math.floor(random() * 4) }, () => randomValue(random, depth - 1));
  const entries = parts.map((part) => [pick(random, ["a", "b", "~", "__proto__", "", "1"]), part] as const);
  return pick(random, [
    () => parts,
    () => Object.fromEntries(entries),
    () => entries.reduce((built, [key, part]) => define(built, key, part), bare({})),
    () => new Map<unknown, unknown>(entries.map(([key, part], index) => [index % 2 === 0 ? key : { key }, part])),
    () => new Set(parts),
    () => Object.assign(new Error("random"), { parts }),
  ])();
}
