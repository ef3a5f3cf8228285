/** What the state takes and refuses, that it is a copy of its own, and that nobody can change it afterwards. */
import { deepStrictEqual } from "node:assert/strict";
import { inspect } from "node:util";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { StateError } from "../../src/errors/errors.ts";
import { adopt, handOut } from "../../src/support/value.ts";

class Money {
  amount = 1;
}
class HttpError extends Error {
  override name = "HttpError";
  status = 503;
}
class Names extends Map {}

const refusal = (value: unknown, path = "items"): StateError => {
  try {
    adopt(value, path);
  } catch (error) {
    if (error instanceof StateError) return error;
    throw error;
  }
  throw new Error("It was not refused.");
};

const bare = (entries: object): object => Object.assign(Object.create(null) as object, entries);
const withHidden = (): object => Object.defineProperty({ shown: 1 }, "hidden", { value: 1 });
const nested = (levels: number): unknown => {
  let value: unknown = [];
  for (let level = 1; level < levels; level += 1) value = [value];
  return value;
};
const doubled = (levels: number): unknown => {
  let value: unknown = { leaf: "x" };
  for (let level = 0; level < levels; level += 1) value = [value, value];
  return value;
};

describe("adopt takes", () => {
  const taken: readonly (readonly [string, unknown])[] = [
    ["null", null],
    ["undefined", undefined],
    ["true", true],
    ["text with a lone surrogate", "a\uD800b"],
    ["NaN", NaN],
    ["-0", -0],
    ["infinity", -Infinity],
    ["a big integer", 2n ** 200n],
    ["a nested undefined", { a: undefined, b: [undefined] }],
    ["an object without a prototype", bare({ a: 1 })],
    ["keys that look like prototypes", JSON.parse('{"__proto__": {"a": 1}, "constructor": {"prototype": 2}}')],
    ["a date", new Date(5)],
    ["a map with keys of all kinds", new Map<unknown, unknown>([[{ a: 1 }, 1], [NaN, new Set([1])], ["k", new Map()]])], // prettier-ignore
    ["a set", new Set([1, "1", { a: [] }])],
    ["bytes", Uint8Array.of(1, 2, 255)],
    ["a view into bytes", new Uint8Array(Uint8Array.of(1, 2, 3, 4).buffer, 1, 2)],
    ["floats", Float64Array.of(-0, NaN, 1.5)],
    ["big integers", BigInt64Array.of(-1n)],
    ["an error", new RangeError("too far", { cause: new Map([["why", 1]]) })],
    ["an error with data", Object.assign(new Error("no such file"), { code: "ENOENT", errno: -2 })],
    ["several errors", new AggregateError([new TypeError("a"), "b"], "both")],
    ["1 000 levels", nested(1000)],
    ["a part that is shared", doubled(12)],
  ];

  it.each(taken)("%s, and it comes back equal", (_name, value) => {
    const adopted = adopt(value, "items");
    deepStrictEqual(adopted.value, value);
    deepStrictEqual(handOut(adopted.value), value);
  });

  it("-0 as -0, also inside", () => {
    const { value } = adopt([-0], "items");
    expect(Object.is((value as number[])[0], -0)).toBe(true);
  });

  it("an invalid date as one", () => {
    const adopted = adopt([new Date(NaN)], "items").value;
    expect(handOut(adopted)).toStrictEqual([new Date(NaN)]);
  });

  it("a key __proto__ as data", () => {
    const { value } = adopt({ list: [JSON.parse('{"__proto__": {"polluted": true}}')] }, "items");
    const [item] = (value as { list: object[] }).list;
    expect(Object.keys(item ?? {})).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(item)).toBe(Object.prototype);
    expect(item).not.toHaveProperty("polluted");
  });

  it("an accessor by its value, read once", () => {
    let reads = 0;
    const source = Object.freeze({ get now() { return (reads += 1); } }); // prettier-ignore
    const { value } = adopt(source, "items");
    expect(value).toEqual({ now: 1 });
    expect(Object.getOwnPropertyDescriptor(value, "now")).toMatchObject({ value: 1, writable: false });
    expect(reads).toBe(1);
  });

  it("an error of a class of one's own as the built-in error below it", () => {
    const stored = adopt(new HttpError("down", { cause: new Error("socket") }), "items").value as HttpError;
    expect(Object.getPrototypeOf(stored)).toBe(Error.prototype);
    expect(stored).toMatchObject({ name: "HttpError", message: "down", status: 503, cause: { message: "socket" } });
    expect(stored.stack).toMatch(/^HttpError|^Error: down/);
    const aborted = adopt(new DOMException("stop", "AbortError"), "items").value;
    expect(aborted).toMatchObject({ name: "AbortError", message: "stop" });
  });

  it("plain data and built-ins of another realm", () => {
    const foreign: unknown = runInNewContext("({ list: [1], map: new Map([[1, 2]]), at: new Date(3), bytes: Uint8Array.of(4) })");
    const expected = { list: [1], map: new Map([[1, 2]]), at: new Date(3), bytes: Uint8Array.of(4) };
    expect(adopt(foreign, "items").value).toStrictEqual(expected);
  });

  it.each([
    ["plain data", { a: [1, { b: "x" }] }, false],
    ["a date deep inside", { a: [1, { b: new Date() }] }, true],
    ["an error", new Error("x"), true],
    ["a map", new Map(), true],
    ["text", "x", false],
  ])("notes whether a value is live: %s", (_name, value, live) => {
    expect(adopt(value, "items").live).toBe(live);
  });

  it.each([
    ["text", "x".repeat(1000), 1000],
    ["bytes", new Uint8Array(3000), 4000],
    ["records", Array.from({ length: 100 }, (_item, index) => ({ index, text: "hello" })), 3200],
  ])("estimates the size of %s", (_name, value, bytes) => {
    const { size } = adopt(value, "items");
    expect(size).toBeGreaterThan(bytes * 0.5);
    expect(size).toBeLessThan(bytes * 2);
  });
});

describe("adopt refuses", () => {
  const cycle: { self?: unknown } = {};
  cycle.self = [new Map([["k", cycle]])];
  const causes = new Error("itself");
  causes.cause = causes;
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();

  const refused: readonly (readonly [string, unknown, string, string])[] = [
    ["a function", () => 1, "items", "a function"],
    ["a symbol", Symbol("x"), "items", "a symbol"],
    ["a method of a plain object", { a: { then: () => 1 } }, "items.a.then", "a function"],
    ["a class instance", [{ price: new Money() }], "items[0].price", "instance of Money"],
    ["a subclass of a built-in", { names: new Names() }, "items.names", "Names with a class"],
    ["a subclass of Array", new (class List extends Array {})(), "items", "instance of List"],
    ["a promise", { a: Promise.resolve(1) }, "items.a", "await it"],
    ["a weak map", [1, 2, 3, new WeakMap()], "items[3]", "instance of WeakMap"],
    ["a regular expression", /a/, "items", "instance of RegExp"],
    ["a boxed number", [new Number(1)], "items[0]", "instance of Number"],
    ["an inherited record", Object.create({ a: 1 }), "items", "prototype of its own"],
    ["a Buffer", { body: Buffer.from("x") }, "items.body", "new Uint8Array(buffer)"],
    ["an ArrayBuffer", new ArrayBuffer(1), "items", "store a typed array"],
    ["a DataView", new DataView(new ArrayBuffer(1)), "items", "store a typed array"],
    ["shared memory", new Uint8Array(new SharedArrayBuffer(1)), "items", "not kept"],
    ["a typed array with properties", Object.assign(new Uint8Array(1), { note: 1 }), "items", "properties of its own"],
    ["a date with properties", Object.assign(new Date(), { note: 1 }), "items", "properties of its own"],
    ["a hole", [[1, , 3]], "items[0]", "item 1 is missing"], // oxlint-disable-line no-sparse-arrays
    ["a hole at the end", new Array(3), "items", "item 0 is missing"],
    ["holes made up for by a property", Object.assign([1, ,], { note: 1 }), "items", '"note"'], // oxlint-disable-line no-sparse-arrays
    ["what match() gives", "abc".match(/b/), "items", '"index"'],
    ["a symbol key", { a: { [Symbol("k")]: 1 } }, "items.a", "symbol as a key"],
    ["a hidden property", [withHidden()], "items[0]", '"hidden"'],
    ["a cycle", cycle, 'items.self[0].get("k")', "contains itself"],
    ["an error that causes itself", { last: causes }, "items.last.cause", "contains itself"],
    ["a bad value under a number of a map", new Map([[7, { f: () => 1 }]]), "items.get(7).f", "a function"],
    ["a bad key of a map", new Map([[{ f: () => 1 }, 1]]), "items.keys()[0].f", "a function"],
    ["a bad value under an object", new Map([[{}, Symbol("x")]]), "items.values()[0]", "a symbol"],
    ["a bad item of a set", new Set([1, new Money()]), "items.values()[1]", "instance of Money"],
    ["a bad property of an error", Object.assign(new Error("x"), { request: new URL("http://x") }), "items.request", "instance of URL"],
    ["a bad error of several", new AggregateError([1, () => 1]), "items.errors[1]", "a function"],
    ["a key that is no identifier", { "a b": { "": Symbol("x") } }, 'items["a b"][""]', "a symbol"],
    ["a getter that throws", { a: { get b(): never { throw new Error("no"); } } }, "items.a", "threw an error"], // prettier-ignore
    ["a revoked proxy", [revoked.proxy], "items[0]", "threw an error"],
    ["1 001 levels", nested(1001), `items${"[0]".repeat(20)}.…${"[0]".repeat(4)}`, "1000 levels"],
    ["100 000 levels", nested(100_000), `items${"[0]".repeat(20)}.…${"[0]".repeat(4)}`, "1000 levels"],
    ["what is small here and huge when written", doubled(60), `items${"[0]".repeat(20)}.…${"[0]".repeat(4)}`, "512 MiB"],
  ];

  it.each(refused)("%s", (_name, value, path, what) => {
    const error = refusal(value);
    expect(error.code).toBe("unserializable_value");
    expect(error.facts["path"]).toBe(path);
    expect(error.facts["what"]).toContain(what);
  });

  it("with the error of a getter as the cause", () => {
    const thrown = new Error("no");
    const source = { get b(): never { throw thrown; } }; // prettier-ignore
    expect(refusal(source).cause).toBe(thrown);
  });

  it("depth that grew step by step by writing back what was adopted", () => {
    let value: unknown = { text: "x".repeat(300) };
    for (let level = 1; level < 1000; level += 1) value = adopt({ next: value }, "items").value;
    expect(refusal({ next: value }).facts["what"]).toContain("1000 levels");
  });

  it("a path without a name for the whole", () => {
    expect(refusal({ a: () => 1 }, "").facts["path"]).toBe("a");
  });
});

/** Data of every kind that is kept, live parts included. */
const { value: storable } = fc.letrec((tie) => ({
  leaf: fc.oneof(fc.string(), fc.double(), fc.bigInt(), fc.boolean(), fc.constantFrom(null, undefined, -0)),
  live: fc.oneof(
    fc.date({ noInvalidDate: true }),
    fc.uint8Array(),
    fc.float64Array(),
    fc.array(fc.tuple(tie("value"), tie("value"))).map((entries) => new Map(entries)),
    fc.array(tie("value")).map((items) => new Set(items)),
    fc.tuple(fc.string(), tie("value")).map(([message, cause]) => new TypeError(message, { cause })),
  ),
  value: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    tie("leaf"),
    tie("live"),
    fc.array(tie("value")),
    fc.dictionary(fc.oneof(fc.string(), fc.constantFrom("__proto__", "constructor")), tie("value")),
  ),
}));

/** Every container in a value, by identity. */
function containersOf(value: unknown, found = new Set<object>()): Set<object> {
  if (typeof value !== "object" || value === null || found.has(value)) return found;
  found.add(value);
  const parts: Iterable<unknown> =
    value instanceof Map
      ? [...value.keys(), ...value.values()]
      : value instanceof Set
        ? value
        : ArrayBuffer.isView(value)
          ? []
          : Object.values(value);
  for (const part of parts) containersOf(part, found);
  if (value instanceof Error) containersOf(value.cause, found);
  return found;
}

const isPlain = (value: object): boolean =>
  Array.isArray(value) || [Object.prototype, null].includes(Object.getPrototypeOf(value) as object | null);

describe("an adopted value", () => {
  it("is equal, frozen wherever plain, and shares nothing with what it came from, which stays as it was", () => {
    fc.assert(
      fc.property(storable, (source) => {
        const before = inspect(source, { depth: Infinity });
        const { value, live } = adopt(source, "items");
        deepStrictEqual(value, source);
        expect(inspect(source, { depth: Infinity })).toBe(before);
        const own = containersOf(value);
        const given = containersOf(source);
        for (const container of own) {
          if (isPlain(container)) expect(Object.isFrozen(container)).toBe(true);
          expect(given.has(container)).toBe(false);
        }
        for (const container of given) expect(Object.isExtensible(container)).toBe(true);
        expect(live).toBe([...own].some((container) => !isPlain(container)));
      }),
    );
  });

  it("gives itself when adopted again, unless it is live", () => {
    fc.assert(
      fc.property(storable, (source) => {
        const { value, live, size } = adopt(source, "items");
        const again = adopt(value, "items");
        expect(Object.is(again.value, value)).toBe(!live);
        expect(again).toMatchObject({ live, size });
        deepStrictEqual(again.value, value);
      }),
    );
  });

  it("is handed out with live parts of its own, and its frozen parts shared", () => {
    fc.assert(
      fc.property(storable, (source) => {
        const { value, live } = adopt(source, "items");
        const handed = handOut(value);
        deepStrictEqual(handed, value);
        expect(Object.is(handed, value)).toBe(!live);
        const own = containersOf(value);
        for (const container of containersOf(handed)) {
          if (isPlain(container)) expect(Object.isFrozen(container)).toBe(true);
          else expect(own.has(container)).toBe(false);
        }
      }),
    );
  });

  it("keeps the unchanged parts of a record that is written back", () => {
    const first = adopt({ doc: { id: 1 }, tags: ["a"], at: new Date(1) }, "items").value as Record<string, unknown>;
    const second = adopt({ ...(handOut(first) as object), tags: ["b"] }, "items").value as Record<string, unknown>;
    expect(second["doc"]).toBe(first["doc"]);
    expect(second["tags"]).toEqual(["b"]);
    expect(second["at"]).not.toBe(first["at"]);
  });

  it("is a copy when what was given is frozen on top alone, or a frozen proxy", () => {
    const inner = [1];
    const { value } = adopt(Object.freeze({ inner }), "items");
    inner.push(2);
    expect(value).toEqual({ inner: [1] });
    const proxy = new Proxy(Object.freeze({ a: 1 }), {});
    expect(adopt(proxy, "items").value).not.toBe(proxy);
  });
});
