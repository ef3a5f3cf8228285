import { describe, expect, it } from "vitest";
import { NodeError } from "../../src/errors/errors.ts";
import type { SerializedError } from "../../src/events/event.ts";
import { encodeEvent, serializeError } from "../../src/events/serialize.ts";
import { custom } from "./support.ts";

class Hostile extends Error {
  override get message(): string {
    throw new Error("no message for you");
  }
  override get cause(): unknown {
    throw new Error("no cause either");
  }
}

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function circular(): Error {
  const first = new Error("first");
  const second = new TypeError("second", { cause: first });
  first.cause = second;
  return first;
}

describe("serializeError", () => {
  const timeout = new NodeError("node_timeout", { node: "a", timeout: 5, kind: "timeout", attempt: 1 });
  it.each<[string, unknown, SerializedError]>([
    ["an error", new TypeError("bad"), { name: "TypeError", message: "bad" }],
    ["a code", Object.assign(new Error("gone"), { code: "ENOENT" }), { name: "Error", message: "gone", code: "ENOENT" }],
    ["our own", timeout, { name: "NodeError", message: timeout.message, code: "node_timeout" }],
    ["a number for a code", new DOMException("late", "TimeoutError"), { name: "TimeoutError", message: "late" }],
    ["a cause", new Error("a", { cause: new Error("b") }), { name: "Error", message: "a", cause: { name: "Error", message: "b" } }],
    ["a cause that is no error", new Error("a", { cause: 7 }), { name: "Error", message: "a", cause: { name: "Error", message: "7" } }],
    ["a cycle", circular(), { name: "Error", message: "first", cause: { name: "TypeError", message: "second" } }],
    ["a text", "boom", { name: "Error", message: "boom" }],
    ["nothing", undefined, { name: "Error", message: "undefined" }],
    ["a symbol", Symbol("s"), { name: "Error", message: "Symbol(s)" }],
    ["an object, whose content is nobody's business", { secret: 1 }, { name: "Error", message: "a value of type object was thrown" }],
    ["what looks like an error", { name: "Odd", message: "m", code: "c" }, { name: "Odd", message: "m", code: "c" }],
    ["a name that is no text", Object.assign(new Error("a"), { name: 3 }), { name: "Error", message: "a" }],
    ["getters that throw", new Hostile(), { name: "Error", message: "a value of type object was thrown" }],
    ["a revoked proxy", revoked(), { name: "Error", message: "an unreadable value was thrown" }],
    [
      "several",
      new AggregateError([new Error("x"), new Error("y")], "both"),
      { name: "AggregateError", message: "both", cause: { name: "Error", message: "x" } },
    ],
    [
      "several without a message",
      new AggregateError([new Error("x")], "", { cause: "c" }),
      { name: "AggregateError", message: "1 error", cause: { name: "Error", message: "c" } },
    ],
  ])("of %s", (_what, error, expected) => {
    const serialized = serializeError(error);
    expect(serialized).toEqual(expected);
    expect(Object.isFrozen(serialized)).toBe(true);
  });

  it("follows causes so far and no further", () => {
    let error = new Error("0");
    for (let depth = 1; depth < 50; depth += 1) error = new Error(String(depth), { cause: error });
    let depth = 0;
    for (let found: SerializedError | undefined = serializeError(error).cause; found !== undefined; found = found.cause) depth += 1;
    expect(depth).toBe(8);
  });

  it("hides messages, of causes too, and keeps names and codes", () => {
    const error = Object.assign(new Error("secret", { cause: "secret" }), { code: "E" });
    expect(serializeError(error, false)).toEqual({ name: "Error", message: "", code: "E", cause: { name: "Error", message: "" } });
  });
});

describe("encodeEvent", () => {
  it.each<[string, unknown, unknown]>([
    ["plain data", { a: [1, "x\n", null, true], "~b": {} }, { a: [1, "x\n", null, true], "~b": {} }],
    ["undefined", { a: undefined, b: [undefined] }, { b: [null] }],
    ["big integers", { a: 12n }, { a: { "~bigint": "12" } }],
    ["numbers that are none", [Number.NaN, -Infinity], [{ "~number": "NaN" }, { "~number": "-Infinity" }]],
    ["dates", [new Date(0), new Date(Number.NaN)], ["1970-01-01T00:00:00.000Z", null]],
    ["maps", new Map<unknown, unknown>([[1n, new Set([2])]]), { "~map": [[{ "~bigint": "1" }, { "~set": [2] }]] }],
    ["bytes", new Uint8Array([1, 2, 3]).subarray(1), { "~binary": "Uint8Array", base64: "AgM=" }],
    ["wide arrays", new Float64Array(1), { "~binary": "Float64Array", base64: "AAAAAAAAAAA=" }],
    ["buffers", new ArrayBuffer(1), { "~binary": "ArrayBuffer", base64: "AA==" }],
    ["errors", { e: new TypeError("t") }, { e: { name: "TypeError", message: "t" } }],
    ["no prototype", Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
  ])("writes %s on one line", (_what, data, expected) => {
    const line = encodeEvent(custom(1, data));
    expect(line).not.toContain("\n");
    expect(JSON.parse(line)).toEqual({ ...custom(1), data: expected });
  });

  it("keeps a key named __proto__ as data", () => {
    const data: unknown = JSON.parse('{"__proto__":{"a":1},"b":0}');
    const line = encodeEvent(custom(1, Object.defineProperty(data as object, "c", { value: 1n, enumerable: true })));
    expect(line).toContain('{"__proto__":{"a":1},"b":0,"c":{"~bigint":"1"}}');
  });

  it("writes an event once, for all who ask", () => {
    let reads = 0;
    const event = custom(1, {
      get counted() {
        return (reads += 1);
      },
    });
    expect(encodeEvent(event)).toBe(encodeEvent(event));
    const once = reads;
    encodeEvent(event);
    expect(reads).toBe(once);
  });

  it("refuses what no JSON can hold", () => {
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    expect(() => encodeEvent(custom(1, cycle))).toThrow(expect.objectContaining({ code: "unserializable_value" }));
  });
});
