/** How values are written and read: identical, or refused; and whatever is read, no class is made by its name and no prototype touched. */
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Codec, read, seal, unseal, write } from "../../src/checkpoint/codec.ts";
import { FormatError } from "../../src/checkpoint/codec/untag.ts";
import { adopt } from "../../src/support/value.ts";

const again = (value: unknown): unknown => read(write(value));

const key = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("~", "__proto__", "constructor", "toJSON", "", "0"));
const leaf = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.double(),
  fc.integer(),
  fc.bigInt(),
  fc.boolean(),
  fc.constantFrom(null, undefined, Number.NaN, -0, Number.POSITIVE_INFINITY),
  fc.date({ noInvalidDate: false }),
  fc.uint8Array(),
  fc.float64Array(),
);
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { depthSize: "small" },
    leaf,
    fc.array(tie("any")),
    // Defines properties: a key `__proto__` is one of its own.
    fc.array(fc.tuple(key, tie("any"))).map((entries) => Object.fromEntries(entries)),
    fc.dictionary(key, tie("any"), { noNullPrototype: false }),
    fc.array(fc.tuple(tie("any"), tie("any"))).map((entries) => new Map(entries)),
    fc.array(tie("any")).map((items) => new Set(items)),
    fc.tuple(fc.string(), tie("any")).map(([message, cause]) => new RangeError(message, { cause })),
  ),
})).any;

describe("values", () => {
  it("come back identical, whatever they are made of", () => {
    fc.assert(
      fc.property(value, (given) => {
        const { value: kept } = adopt(given, "value");
        expect(isDeepStrictEqual(again(kept), kept)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it("are JSON as it is where JSON has a word for them", () => {
    expect(write({ a: [1, "x", null, true], b: { c: -1.5 } })).toBe('{"a":[1,"x",null,true],"b":{"c":-1.5}}');
    expect(write({ at: new Date(7), big: 7n, none: undefined })).toBe(
      '{"at":{"~":["date",7]},"big":{"~":["bigint","7"]},"none":{"~":["undefined"]}}',
    );
  });

  it.each([() => 1, Symbol("s"), { deep: [() => 1] }, new URL("https://example.com"), new WeakMap(), new Map([[1, Symbol("s")]])])(
    "that are not kept are refused: %o",
    (given) => {
      expect(() => write(given)).toThrow(expect.objectContaining({ code: "unserializable_value" }));
    },
  );
});

describe("what is read", () => {
  const hostile = [
    '{"~":["Function","return 1"]}',
    '{"~":["constructor"]}',
    '{"~":["__proto__"]}',
    '{"~":["toString"]}',
    '{"~":{}}',
    '{"~":[]}',
    '{"~":"x"}',
    '{"~":["error","process"]}',
    '{"~":["error","Object"]}',
    '{"~":["error","Error",["message"]]}',
    '{"~":["array","Buffer","AAAA"]}',
    '{"~":["array","Float16Array","AAAA"]}',
    '{"~":["array","Float64Array","AAAA"]}',
    '{"~":["date","now"]}',
    '{"~":["bigint","0x1"]}',
    '{"~":["number","1"]}',
    '{"~":["object",1,2]}',
    "not json",
    "",
  ];

  it.each(hostile)("is refused when this version writes no such thing: %s", (text) => {
    expect(() => read(text)).toThrow(FormatError);
  });

  it("touches no prototype", () => {
    const made = read(
      '{"__proto__":{"polluted":1},"a":{"~":["object","__proto__",{"polluted":1},"~",2]},"b":{"~":["bare","__proto__",3]}}',
    );
    expect(Reflect.get({}, "polluted")).toBeUndefined();
    const { a, b } = made as Readonly<Record<string, object>>;
    expect([made, a, b].map((each) => Object.getOwnPropertyNames(each))).toEqual([
      ["__proto__", "a", "b"],
      ["__proto__", "~"],
      ["__proto__"],
    ]);
    expect([Object.getPrototypeOf(a), Object.getPrototypeOf(b)]).toEqual([Object.prototype, null]);
  });
});

const flipped: Codec = {
  id: "flip",
  encode: (bytes) => bytes.map((byte) => byte ^ 255),
  decode: (bytes) => bytes.map((byte) => byte ^ 255),
};

describe("a seal", () => {
  it.each([undefined, flipped])("opens in its own place alone", (codec) => {
    const sealed = seal("text", "here", codec);
    expect(unseal(sealed, "here", codec)).toBe("text");
    expect(() => unseal(sealed, "there", codec)).toThrow(FormatError);
    expect(() => unseal(sealed, "here", codec === undefined ? flipped : undefined)).toThrow(/codec/);
  });

  it("says its version and its codec, so that others can tell", () => {
    expect(seal("[1]", "here", undefined)).toMatch(/^1 json [\da-f]{8} \[1\]$/);
    expect(Buffer.from(seal("[1]", "here", flipped)).toString("latin1")).toMatch(/^1 flip [\da-f]{8} /);
  });

  it("finds any byte that was changed, lost or added", () => {
    const sealed = String(seal('{"text":"some value of the state"}', "here", undefined));
    fc.assert(
      fc.property(fc.nat(sealed.length - 1), fc.constantFrom("x", "", "xx"), (index, instead) => {
        const changed = sealed.slice(0, index) + instead + sealed.slice(index + 1);
        fc.pre(changed !== sealed);
        expect(() => unseal(changed, "here", undefined)).toThrow(FormatError);
      }),
    );
  });

  it.each([undefined, null, 7, {}, "", new Uint8Array()])("of nothing is refused: %o", (sealed) => {
    expect(() => unseal(sealed, "here", undefined)).toThrow(FormatError);
  });
});
