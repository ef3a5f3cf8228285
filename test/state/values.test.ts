/** Which values survive storage as they are, and which are refused where they are written, with their path. */
import { deepStrictEqual } from "node:assert/strict";
import { runInNewContext } from "node:vm";
import { channel, memoryCheckpointer, StateError } from "spanloom";
import { describe, expect, it } from "vitest";
import { causeOf, finalState, loose, parallel, refusal, rejection, runnerOf, sequence } from "./support.ts";

class Money {
  readonly amount = 1;
}

const withCause = new TypeError("outer", { cause: new RangeError("inner", { cause: { why: "data" } }) });
const survivors: Readonly<Record<string, unknown>> = {
  text: "é 💡 \u0000 \uD800",
  zero: -0,
  fraction: 0.1 + 0.2,
  large: Number.MAX_SAFE_INTEGER + 2,
  notANumber: NaN,
  infinities: [Infinity, -Infinity],
  nothing: null,
  "nested undefined": { a: undefined, list: [undefined, 1, undefined] },
  integer: -(2n ** 70n),
  date: new Date(1_700_000_000_123),
  map: new Map<unknown, unknown>([
    ["a", new Map([[{ k: 1 }, new Set([1n])]])],
    [NaN, undefined],
    [null, 1],
  ]),
  set: new Set<unknown>(["a", { b: 1 }, -0, null]),
  "empty containers": [{}, [], new Map(), new Set(), new Uint8Array()],
  bytes: Uint8Array.of(0, 255, 7),
  clamped: Uint8ClampedArray.of(300, -1),
  numbers: [Int8Array.of(-1), Int16Array.of(-2), Uint16Array.of(2), Int32Array.of(-3), Uint32Array.of(3)],
  floats: [Float32Array.of(1.5, NaN), Float64Array.of(-0, Infinity)],
  bigs: [BigInt64Array.of(-1n), BigUint64Array.of(1n)],
  error: withCause,
  aggregate: new AggregateError([new Error("one"), new SyntaxError("two")], "both"),
  "text as a cause": new Error("e", { cause: "text" }),
  "keys that are names of prototypes": JSON.parse('{"__proto__":{"x":1},"constructor":{"prototype":2},"hasOwnProperty":3}'),
  deep: [[[[{ a: [new Date(0)] }]]]],
};

/** What each place of the state makes of a value: written by a node, given as an input, and both read again from the store. */
async function throughTheState(value: unknown) {
  const checkpointer = memoryCheckpointer();
  const seen: unknown[] = [];
  const compiled = sequence({ given: channel.value<unknown>(), written: channel.list<unknown>() }, [
    () => ({ written: [value] }),
    (state) => void seen.push(state.written[0], state.given),
  ]);
  const { state } = await runnerOf(compiled, { checkpointer }).invoke({ given: value }, { sessionId: "s" });
  const restored = (await runnerOf(compiled, { checkpointer }).session("s").state()).state;
  return [...seen, state["given"], (state["written"] as unknown[])[0], restored["given"], (restored["written"] as unknown[])[0]];
}

describe("a value that survives", () => {
  // `deepStrictEqual` of Node 22 takes no two invalid dates for equal.
  it("invalid date: comes back as one for nodes, callers and from the store", async () => {
    const dates = await throughTheState(new Date(NaN));
    expect(dates.length).toBeGreaterThan(0);
    for (const date of dates) expect([date instanceof Date, String(date)]).toEqual([true, "Invalid Date"]);
  });

  for (const [name, value] of Object.entries(survivors)) {
    it(`${name}: comes back identical for nodes, callers and from the store`, async () => {
      for (const each of await throughTheState(value)) deepStrictEqual(each, value);
    });
  }

  it("keeps the order of keys, of a Map and of a Set", async () => {
    for (const each of await throughTheState({
      z: 1,
      a: new Map([
        ["y", 1],
        ["b", 2],
      ]),
      m: new Set(["q", "c"]),
    })) {
      const { a, m } = each as { a: Map<string, number>; m: Set<string> };
      expect([Object.keys(each as object), [...a.keys()], [...m]]).toEqual([
        ["z", "a", "m"],
        ["y", "b"],
        ["q", "c"],
      ]);
    }
  });

  it("keeps which of an error's own properties are hidden, and the hidden ones too", async () => {
    const assigned = Object.assign(new Error("x"), { name: "Custom", code: "E", cause: new Error("y") });
    const hidden = Object.defineProperty(new Error("x"), "suppressed", { value: { why: 1 } });
    const unnamed = Object.assign(new Error(), { message: "assigned" });
    for (const error of [assigned, hidden, unnamed]) {
      for (const each of await throughTheState(error)) {
        expect(each).toStrictEqual(error);
        expect(Object.getOwnPropertyDescriptors(each)).toMatchObject(
          Object.fromEntries(
            Object.entries(Object.getOwnPropertyDescriptors(error))
              .filter(([key]) => key !== "stack")
              .map(([key, { enumerable }]) => [key, { enumerable }]),
          ),
        );
      }
    }
  });

  it("keeps an error's name, message, stack, own fields and chain of causes, as a real Error", async () => {
    class HttpError extends Error {
      override name = "HttpError";
      readonly status = 503;
    }
    const error = new HttpError("down", { cause: withCause });
    for (const each of (await throughTheState(error)) as HttpError[]) {
      expect(each).toBeInstanceOf(Error);
      expect(each).toMatchObject({ name: "HttpError", message: "down", status: 503, stack: error.stack });
      const outer = each.cause as Error;
      expect(outer).toBeInstanceOf(TypeError);
      expect(outer.cause).toBeInstanceOf(RangeError);
      expect((outer.cause as Error).cause).toEqual({ why: "data" });
    }
  });

  it("may come from another realm", async () => {
    const foreign = runInNewContext('({ list: [1], at: new Date(5), map: new Map([["a", 1]]), error: new TypeError("x") })') as unknown;
    for (const each of await throughTheState(foreign)) {
      expect(each).toMatchObject({ list: [1], at: new Date(5), map: new Map([["a", 1]]) });
    }
  });

  it("may hold one object twice: that is no cycle", async () => {
    const shared = { a: 1 };
    for (const each of await throughTheState([shared, { shared }])) expect(each).toEqual([shared, { shared }]);
  });

  it("never touches a prototype", async () => {
    await throughTheState(JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'));
    expect("polluted" in {}).toBe(false);
  });
});

const cyclic: Record<string, unknown> = { a: [1] };
cyclic["self"] = { back: cyclic };
const cyclicMap = new Map<string, unknown>();
cyclicMap.set("me", cyclicMap);
const hole = [1, 2, 3];
// oxlint-disable-next-line typescript/no-array-delete -- a sparse array is what is wanted
delete hole[1];

const refused: Readonly<Record<string, readonly [unknown, string]>> = {
  "a function": [{ a: [1, () => 1] }, ".a[1]"],
  "an async function": [async () => {}, ""],
  "a class": [{ type: Money }, ".type"],
  "a symbol": [[Symbol("s")], "[0]"],
  "a symbol as a key": [{ a: { [Symbol("k")]: 1 } }, ".a"],
  "a cycle": [cyclic, ".self.back"],
  "a cycle through a Map": [cyclicMap, '.get("me")'],
  "an instance of a class": [{ price: new Money() }, ".price"],
  "a subclass of Map": [{ m: new (class Names extends Map {})() }, ".m"],
  "a subclass of Array": [[new (class Items extends Array {})()], "[0]"],
  "an object with a prototype of its own": [{ o: Object.create({ inherited: 1 }) as object }, ".o"],
  "a sparse array": [{ list: hole }, ".list"],
  "an array with a property": [Object.assign([1], { extra: 1 }), ""],
  "a hidden property": [Object.defineProperty({ shown: 1 }, "hidden", { value: 1 }), ""],
  "a promise": [{ later: Promise.resolve(1) }, ".later"],
  "a WeakMap": [{ w: new WeakMap() }, ".w"],
  "a WeakSet": [{ w: new WeakSet() }, ".w"],
  "a regular expression": [/x/, ""],
  "a URL": [{ link: new URL("https://example.org") }, ".link"],
  "a boxed number": [Object(1), ""],
  "a Buffer": [{ b: Buffer.from("x") }, ".b"],
  "an ArrayBuffer": [new ArrayBuffer(1), ""],
  "a generator": [(function* () {})(), ""],
  "a function inside a Map": [new Map([["k", { run: () => 1 }]]), '.get("k").run'],
  "a function as a key of a Map": [new Map([[() => 1, 1]]), ".keys()[0]"],
  "a function inside a Set": [{ s: new Set([() => 1]) }, ".s.values()[0]"],
  "a class instance as a cause": [new Error("e", { cause: new Money() }), ".cause"],
  "a key that is no identifier": [{ "a-b": () => 1 }, '["a-b"]'],
};

describe("a value that is refused", () => {
  for (const [name, [value, path]] of Object.entries(refused)) {
    it(`${name}: by an update and by an input, with its path`, async () => {
      const failed = await refusal("scheduler", () => finalState({ c: channel.optional<unknown>() }, [() => ({ c: value })]));
      expect(failed.facts).toMatchObject({ node: "n1" });
      const cause = causeOf(failed, "unserializable_value");
      expect(cause.facts).toMatchObject({ path: `c${path}`, node: "n1" });
      expect(cause.message).toContain(`c${path}`);
      const input = await refusal("invalid_input", () => finalState({ c: channel.optional<unknown>() }, [], { c: value }));
      expect(causeOf(input, "unserializable_value").facts["path"]).toBe(`c${path}`);
    });
  }

  it("stores nothing of an update that is refused, and shows no part of it in the error", async () => {
    const session = runnerOf(
      sequence({ a: channel.value(0), b: channel.value<unknown>(0) }, [() => ({ a: 1, b: ["secret", () => 1] })]),
    ).session("s");
    await session.create({});
    const error = await rejection(() => session.runStep());
    expect((await session.state()).state).toMatchObject({ a: 0, b: 0 });
    expect(`${String(error)} ${String((error as Error).cause)}`).not.toContain("secret");
  });

  it("names the place in a list and in a message", async () => {
    const listed = await refusal("scheduler", () => finalState({ l: channel.list<unknown>() }, [() => ({ l: [1, { f: () => 1 }] })]));
    expect(causeOf(listed, "unserializable_value").facts["path"]).toBe("l[1].f");
  });

  it("as an item that is sent fails the node that sends it", async () => {
    const compiled = loose({}, { inputs: { each: {} } })
      .node("plan", (_state, { goto, send }) => goto([send("each", 1), send("each", { client: () => 1 })]), { jumps: ["each"] })
      .node("each", () => undefined)
      .edge("start", "plan")
      .edge("each", "end")
      .compile();
    const error = await refusal("scheduler", () => runnerOf(compiled).invoke({}));
    expect(error.facts).toMatchObject({ node: "plan" });
    expect(causeOf(error, "unserializable_value").facts["path"]).toContain("client");
  });

  it("as a result of once, or an interrupt's payload, fails the node", async () => {
    const handlers = [
      (_state: unknown, { once }: { once: (key: string, run: () => unknown) => unknown }) => once("k", () => ({ f: () => 1 })),
      (_state: unknown, { interrupt }: { interrupt: (payload: unknown) => unknown }) => interrupt({ f: () => 1 }),
    ];
    for (const run of handlers) {
      const error = await refusal("scheduler", () =>
        runnerOf(parallel({}, { n: async (state, context) => void (await run(state, context)) })).invoke({}),
      );
      expect(error.cause).toBeInstanceOf(StateError);
      expect((error.cause as StateError).code).toBe("unserializable_value");
    }
  });

  it("is refused whole when reading it throws", async () => {
    const trap = {
      get secret(): string {
        throw new Error("no");
      },
    };
    const error = await refusal("scheduler", () => finalState({ c: channel.value<unknown>(0) }, [() => ({ c: { trap } })]));
    causeOf(error, "unserializable_value");
  });
});
