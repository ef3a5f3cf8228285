/** How an update becomes part of a channel of each kind. */
import { channel, memoryCheckpointer, replace } from "spanloom";
import { describe, expect, it } from "vitest";
import { causeOf, finalState, oneStep, parallel, refusal, rejection, runnerOf, sequence } from "./support.ts";

describe("a value channel", () => {
  it("is replaced by each write, null and falsy values included", async () => {
    const values: readonly unknown[] = [null, false, 0, "", -0, { a: 1 }, []];
    for (const written of values) {
      const state = await finalState({ v: channel.value<unknown>("initial") }, [() => ({ v: written })]);
      expect(state["v"]).toStrictEqual(written);
      expect(Object.is(state["v"], written) || typeof written === "object").toBe(true);
    }
  });

  it("keeps what it had when an update lacks it or has it undefined", async () => {
    const channels = { v: channel.value("kept"), w: channel.value(0) };
    const state = await finalState(channels, [() => ({ v: undefined, w: 1 }), () => ({}), () => undefined, () => null]);
    expect(state).toMatchObject({ v: "kept", w: 1 });
  });

  it("takes replace like a plain write, but cannot be cleared by it", async () => {
    expect(await finalState({ v: channel.value(1) }, [() => ({ v: replace(2) })])).toMatchObject({ v: 2 });
    const failed = await refusal("scheduler", () => finalState({ v: channel.value(1) }, [() => ({ v: replace(undefined) })]));
    expect(causeOf(failed, "invalid_update").facts).toMatchObject({ channel: "v", node: "n1" });
  });

  it("replaces an object as a whole, never merging into it", async () => {
    expect(await finalState({ v: channel.value<object>({ a: 1, b: 2 }) }, [() => ({ v: { a: 3 } })])).toMatchObject({ v: { a: 3 } });
    const state = await finalState({ v: channel.value<object>({ a: 1, b: 2 }) }, [() => ({ v: { a: 3 } })]);
    expect(state["v"]).toStrictEqual({ a: 3 });
  });
});

describe("an optional channel", () => {
  it("is absent until written; null is a value; replace(undefined) clears it", async () => {
    const seen: unknown[] = [];
    const look = ({ note }: { note: unknown }): void => void seen.push(note);
    const state = await finalState({ note: channel.optional<string | null>() }, [
      (each) => (look(each), { note: "a" }),
      (each) => (look(each), { note: null }),
      (each) => (look(each), { note: undefined }),
      (each) => (look(each), { note: replace(undefined) }),
      look,
    ]);
    expect(seen).toEqual([undefined, "a", null, null, undefined]);
    expect(state["note"]).toBeUndefined();
  });

  it("can be given by the input, and written again after it was cleared", async () => {
    const handlers = [() => ({ note: replace(undefined) }), () => ({ note: "again" })];
    expect(await finalState({ note: channel.optional<string>() }, handlers, { note: "first" })).toMatchObject({ note: "again" });
  });
});

describe("a list channel", () => {
  it("appends in frontier order, and starts with its initial items and the input's", async () => {
    const compiled = parallel({ log: channel.list(["initial"]) }, { a: () => ({ log: ["a1", "a2"] }), b: () => ({ log: ["b"] }) });
    const { state } = await runnerOf(compiled).invoke({ log: ["input"] });
    expect(state["log"]).toStrictEqual(["initial", "input", "a1", "a2", "b"]);
  });

  it("appends lists as single items when they are nested, and undefined items as they are", async () => {
    const state = await finalState({ log: channel.list<unknown>() }, [() => ({ log: [["x", "y"], undefined, null] })]);
    expect(state["log"]).toStrictEqual([["x", "y"], undefined, null]);
  });

  it("is set by replace, to which siblings after it in frontier order append", async () => {
    const compiled = parallel(
      { log: channel.list(["old"]) },
      { a: () => ({ log: ["lost"] }), b: () => ({ log: replace(["new"]) }), c: () => ({ log: ["kept"] }) },
    );
    expect((await runnerOf(compiled).invoke({})).state["log"]).toStrictEqual(["new", "kept"]);
  });

  it("refuses what is no list: by a node, by replace, and by an input", async () => {
    const channels = { log: channel.list<string>() };
    for (const wrong of ["text", 1, { 0: "a", length: 1 }, new Set(["a"]), null, replace("text"), replace(undefined)]) {
      const error = await refusal("scheduler", () => finalState(channels, [() => ({ log: wrong })]));
      expect(causeOf(error, "invalid_update").facts).toMatchObject({ channel: "log", node: "n1" });
    }
    causeOf(await refusal("invalid_input", () => finalState(channels, [() => ({})], { log: "text" })), "invalid_update");
  });

  it("of an earlier step stays as it was when the list grows by two ways", async () => {
    const compiled = sequence({ log: channel.list<number>() }, [() => ({ log: [1] }), () => ({ log: [2] })]);
    const session = runnerOf(compiled, { checkpointer: memoryCheckpointer() }).session("s");
    await session.create({});
    await session.runStep();
    const before = await session.state();
    const fork = await session.fork({ sessionId: "f" });
    await session.update({ log: [10] });
    await fork.update({ log: [20] });
    await session.runStep();
    await fork.runStep();
    expect(before.state["log"]).toStrictEqual([1]);
    expect((await session.state()).state["log"]).toStrictEqual([1, 10, 2]);
    expect((await fork.state()).state["log"]).toStrictEqual([1, 20, 2]);
  });
});

describe("a reduce channel", () => {
  const channels = { total: channel.reduce(10, (total, add: number) => total + add) };

  it("folds writes through its function, in frontier order, each exactly once", async () => {
    const calls: [readonly string[], string][] = [];
    const words = channel.reduce<readonly string[], string>([], (current, word) => {
      calls.push([current, word]);
      return [...current, word];
    });
    const compiled = parallel({ words }, { a: () => ({ words: "a" }), b: () => ({ words: "b" }), c: () => ({ words: "c" }) });
    expect((await runnerOf(compiled).invoke({})).state["words"]).toStrictEqual(["a", "b", "c"]);
    expect(calls).toStrictEqual([
      [[], "a"],
      [["a"], "b"],
      [["a", "b"], "c"],
    ]);
  });

  it("folds an input into its initial value, and is set by replace without calling the function", async () => {
    expect(await finalState(channels, [() => ({ total: 1 })], { total: 5 })).toMatchObject({ total: 16 });
    expect(await finalState(channels, [() => ({ total: replace(0) })], { total: 5 })).toMatchObject({ total: 0 });
  });

  it("whose function throws fails the barrier and names the channel, with the thrown error as a cause", async () => {
    const thrown = new RangeError("too much");
    const failing = channel.reduce<number, number>(0, () => {
      throw thrown;
    });
    const error = await refusal("barrier", () => finalState({ failing }, [() => ({ failing: 1 })]));
    expect(error.facts).toMatchObject({ channel: "failing", step: 1 });
    const cause = causeOf(error, "reducer_failed");
    expect(cause.facts["channel"]).toBe("failing");
    expect(cause.message).toContain("failing");
    expect(cause.cause).toBe(thrown);
  });

  it("whose function returns a promise fails the barrier, also one that rejects", async () => {
    for (const settle of [() => Promise.resolve(1), () => Promise.reject(new Error("late"))]) {
      const asynchronous = channel.reduce<unknown, number>(0, settle);
      const error = await refusal("barrier", () => finalState({ asynchronous }, [() => ({ asynchronous: 1 })]));
      expect(causeOf(error, "reducer_failed").facts["channel"]).toBe("asynchronous");
    }
  });

  it("whose function changes its frozen input fails the barrier, and leaves the state as it was", async () => {
    const mutating = channel.reduce<string[], string>(["initial"], (current, word) => {
      current.push(word);
      return current;
    });
    const session = runnerOf(sequence({ mutating }, [() => ({ mutating: "x" })])).session("s");
    await session.create({});
    const error = await refusal("barrier", () => session.runStep());
    expect(causeOf(error, "reducer_failed").cause).toBeInstanceOf(TypeError);
    expect((await session.state()).state["mutating"]).toStrictEqual(["initial"]);
  });

  it("whose function changes the update that it is given fails too", async () => {
    const mutating = channel.reduce<number, { by: number }>(0, (current, update) => {
      update.by += 1;
      return current + update.by;
    });
    causeOf(await refusal("barrier", () => finalState({ mutating }, [() => ({ mutating: { by: 1 } })])), "reducer_failed");
  });

  it("whose function changes a Map gets a copy of its own: earlier states do not change", async () => {
    const counts = channel.reduce(new Map<string, number>(), (current, key: string) => current.set(key, (current.get(key) ?? 0) + 1));
    const kept: Map<string, number>[] = [];
    const compiled = sequence({ counts }, [
      (state) => (kept.push(state.counts), { counts: "a" }),
      (state) => (kept.push(state.counts), { counts: "a" }),
    ]);
    const session = runnerOf(compiled, { checkpointer: memoryCheckpointer() }).session("s");
    const created = await session.create({});
    const first = await session.runStep();
    const middle = await session.state();
    await session.runStep();
    expect(first.updatedChannels).toEqual(["counts"]);
    expect((await session.state()).state["counts"]).toEqual(new Map([["a", 2]]));
    expect(middle.state["counts"]).toEqual(new Map([["a", 1]]));
    expect((await session.at(middle.checkpointId)).state["counts"]).toEqual(new Map([["a", 1]]));
    expect((await session.at(created.checkpointId)).state["counts"]).toEqual(new Map());
    expect(kept).toEqual([new Map(), new Map([["a", 1]])]);
  });

  it("that returns what cannot be stored is refused, with the path", async () => {
    const wrong = channel.reduce<unknown, number>(0, () => ({ client: { get: () => 1 } }));
    const error = await rejection(() => finalState({ wrong }, [() => ({ wrong: 1 })]));
    expect(causeOf(error as Error, "unserializable_value").facts["path"]).toBe("wrong.client.get");
  });
});

describe("writes to several channels", () => {
  it("by one node are all folded, in the declared order of channels in the report", async () => {
    const channels = { a: channel.value(0), b: channel.list<number>(), c: channel.reduce(1, (left, right: number) => left * right) };
    const { report } = await oneStep(parallel(channels, { n: () => ({ c: 2, b: [1], a: 1 }) }));
    expect(report.updatedChannels).toEqual(["a", "b", "c"]);
  });

  it("by a command are folded like a returned update", async () => {
    const compiled = parallel(
      { a: channel.value(0), log: channel.list<string>() },
      {
        n: (_state, { goto }) => goto([], { a: 1, log: ["goto"] }),
        m: (_state, { also }) => also([], { log: ["also"] }),
      },
    );
    expect((await runnerOf(compiled).invoke({})).state).toMatchObject({ a: 1, log: ["goto", "also"] });
  });

  it("of an undeclared name fail the node, with the nearest name", async () => {
    const error = await refusal("scheduler", () => finalState({ sources: channel.list() }, [() => ({ source: [1] })]));
    const cause = causeOf(error, "unknown_channel");
    expect(cause.facts).toMatchObject({ channel: "source", node: "n1" });
    expect(cause.message).toContain('"sources"');
  });

  it("to the built-in errors channel are refused, and so are names that objects inherit", async () => {
    for (const update of [{ errors: [] }, { toString: 1 }, { constructor: 1 }, JSON.parse('{"__proto__":1}') as object]) {
      const error = await refusal("scheduler", () => finalState({ v: channel.value(0) }, [() => update]));
      expect(causeOf(error, "unknown_channel").facts["channel"]).toBe(Object.keys(update)[0]);
    }
  });
});
