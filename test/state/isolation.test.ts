/** Who may change what: snapshots are frozen or copies, and what is passed in is copied and never frozen. */
import { channel, input, memoryCheckpointer } from "spanloom";
import { describe, expect, it } from "vitest";
import { finalState, gate, loose, parallel, runnerOf, sequence, thawed } from "./support.ts";

const nested = () => ({
  plain: { list: [{ a: 1 }] },
  map: new Map([["k", { v: [1] }]]),
  set: new Set([1]),
  at: new Date(1),
  bytes: Uint8Array.of(1),
});

describe("what a node reads", () => {
  it("is the state before the barrier, whatever siblings did, also long after the step", async () => {
    const siblingDone = gate();
    const kept: Record<string, unknown>[] = [];
    const compiled = loose({ log: channel.list<string>(["first"]), v: channel.value("before") })
      .node("writer", () => (siblingDone.open(), { log: ["written"], v: "after" }))
      .node("reader", async (state) => (await siblingDone.promise, kept.push(state), { log: [`saw ${state.log.length} ${state.v}`] }))
      .node("later", () => ({ log: ["later"] }))
      .edge("start", ["writer", "reader"])
      .edge(["writer", "reader"], "later")
      .edge("later", "end")
      .compile();
    const { state } = await runnerOf(compiled).invoke({});
    expect(state["log"]).toEqual(["first", "written", "saw 1 before", "later"]);
    expect(kept[0]).toMatchObject({ log: ["first"], v: "before" });
  });

  it("is frozen to the bottom, and throws when it is changed", async () => {
    const channels = {
      deep: channel.value<object>(),
      l: channel.list<object>(),
      m: channel.merge<object>({ a: { b: 1 } }),
      o: channel.optional<object>(),
    };
    let frozen: readonly string[] = ["not run"];
    const state = await finalState(
      channels,
      [
        (each) => {
          frozen = thawed(each, "state");
          expect(() => each.l.push(1)).toThrow(TypeError);
          expect(() => (each.deep.plain.list[0].a = 2)).toThrow(TypeError);
          expect(() => (each.deep = 1)).toThrow(TypeError);
          expect(() => (each.other = 1)).toThrow(TypeError);
          return { o: { x: { y: [] } }, m: { c: { d: [] } } };
        },
      ],
      { deep: nested(), l: [nested()] },
    );
    expect(frozen).toEqual([]);
    expect(thawed(state, "state")).toEqual([]);
  });

  it("is the same frozen object for plain data, so that reading costs no copy", async () => {
    const seen: unknown[] = [];
    const look = ({ doc }: { doc: unknown }): void => void seen.push(doc);
    const { state } = await runnerOf(parallel({ doc: channel.value<unknown>() }, { a: look, b: look })).invoke({ doc: { a: [1] } });
    expect(seen[0]).toBe(seen[1]);
    expect(state["doc"]).toBe(seen[0]);
  });

  it("has Map, Set, Date and typed arrays as copies: siblings, later nodes and the result never see changes to them", async () => {
    const spoil = ({ v }: { v: ReturnType<typeof nested> }): void => {
      v.map.set("k", { v: [9] });
      v.set.clear();
      v.at.setTime(9);
      v.bytes.fill(9);
    };
    const spoiled = gate();
    const seen: unknown[] = [];
    const compiled = loose({ v: channel.value<unknown>() })
      .node("spoiler", (state) => (spoil(state), spoiled.open()))
      .node("sibling", async (state) => (await spoiled.promise, void seen.push(state.v)))
      .node("next", (state) => (seen.push(structuredClone(state.v)), spoil(state)))
      .edge("start", ["spoiler", "sibling"])
      .edge(["spoiler", "sibling"], "next")
      .edge("next", "end")
      .compile();
    const runner = runnerOf(compiled, { checkpointer: memoryCheckpointer() });
    const { state } = await runner.invoke({ v: nested() }, { sessionId: "s" });
    expect([...seen, state["v"]]).toEqual([nested(), nested(), nested()]);
    spoil(state as unknown as { v: ReturnType<typeof nested> });
    expect((await runner.session("s").state()).state["v"]).toEqual(nested());
  });

  it("gives one copy for all reads of one snapshot", async () => {
    const compiled = parallel({ v: channel.value<Map<string, number>>() }, { n: ({ v }, { log }) => (v.set("a", 2), void log.info("x")) });
    const { state } = await runnerOf(compiled).invoke({ v: new Map([["a", 1]]) });
    expect(state["v"]).toEqual(new Map([["a", 1]]));
    expect(state["v"]).toBe(state["v"]);
  });

  it("can be spread, cloned, listed and written as JSON like a plain object", async () => {
    const state = await finalState({ l: channel.list<unknown>(), at: channel.value<Date>(), n: channel.value(1) }, [() => ({ l: [1] })], {
      at: new Date(5),
    });
    const expected = { l: [1], at: new Date(5), n: 1, errors: [] };
    expect(Object.keys(state)).toEqual(["l", "at", "n", "errors"]);
    expect({ ...state }).toEqual(expected);
    expect(structuredClone(state)).toEqual(expected);
    expect(JSON.parse(JSON.stringify(state))).toEqual({ ...expected, at: new Date(5).toISOString() });
  });
});

describe("what is passed in", () => {
  it("by a caller is copied: later changes of it do nothing, and it is never frozen", async () => {
    const given = { doc: nested(), list: [{ a: 1 }] };
    const entered = gate();
    const compiled = sequence({ doc: channel.value<unknown>(), list: channel.list<unknown>() }, [
      async () => entered.promise,
      () => undefined,
    ]);
    const running = runnerOf(compiled).invoke(given);
    // The call has not begun to work yet: what it was given is what it takes.
    await Promise.resolve();
    await Promise.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    expect(thawed(given)).toEqual([
      "it",
      "it.doc",
      "it.doc.plain",
      "it.doc.plain.list",
      "it.doc.plain.list.0",
      "it.doc.map.k",
      "it.doc.map.k.v",
      "it.list",
      "it.list.0",
    ]);
    given.doc.plain.list.push({ a: 2 });
    given.doc.map.clear();
    given.doc.at.setTime(9);
    given.list[0] = { a: 9 };
    entered.open();
    expect((await running).state).toMatchObject({ doc: nested(), list: [{ a: 1 }] });
  });

  it("by a node is copied when it returns: later changes do nothing, and it is never frozen", async () => {
    const update = { doc: nested(), list: [{ a: 1 }] };
    const slow = gate();
    const compiled = parallel(
      { doc: channel.value<unknown>(0), list: channel.list<unknown>() },
      {
        a: () => update,
        b: async () => {
          await new Promise((resolve) => setImmediate(resolve));
          update.doc.plain.list.push({ a: 2 });
          update.doc.bytes.fill(9);
          update.list.length = 0;
          slow.open();
        },
        c: () => slow.promise,
      },
    );
    expect((await runnerOf(compiled).invoke({})).state).toMatchObject({ doc: nested(), list: [{ a: 1 }] });
    expect(Object.isFrozen(update)).toBe(false);
    expect(thawed(update)).toContain("it.doc.plain.list.1");
  });

  it("through a command, a send, once, an update and the next input is copied too", async () => {
    const items = [{ n: [1] }, { n: [2] }];
    const mine = { list: [{ by: "goto" }] };
    const once = { kept: [1] };
    const compiled = loose({ list: channel.list<unknown>(), got: channel.list<unknown>() }, { inputs: { each: input() } })
      .node(
        "plan",
        async (_state, context) => {
          const result = await context.once("k", () => once);
          expect(Object.isFrozen(result.kept)).toBe(true);
          return context.goto(
            items.map((item) => context.send("each", item)),
            mine,
          );
        },
        { jumps: ["each"] },
      )
      .node("each", (_state, { input: item }) => {
        expect(thawed(item)).toEqual([]);
        items[0]?.n.push(99);
        mine.list[0] = { by: "changed" };
        return { got: [item] };
      })
      .edge("start", "plan")
      .edge("each", "end")
      .compile();
    const session = runnerOf(compiled, { checkpointer: memoryCheckpointer() }).session("s");
    const { state } = await session.start({}).result;
    expect(state).toMatchObject({ list: [{ by: "goto" }], got: [{ n: [1] }, { n: [2] }] });
    expect([Object.isFrozen(items[0]), Object.isFrozen(mine.list), Object.isFrozen(once.kept)]).toEqual([false, false, false]);
    const more = { got: [{ n: [3] }] };
    const updated = await session.update(more);
    more.got[0]?.n.push(4);
    expect((updated.state["got"] as unknown[])[2]).toEqual({ n: [3] });
    expect(((await session.state()).state["got"] as unknown[])[2]).toEqual({ n: [3] });
  });

  it("as a channel's initial value is copied, so that graphs and sessions share nothing", async () => {
    const initial = { list: [1], map: new Map([["a", 1]]) };
    const compiled = sequence({ v: channel.value(initial) }, [({ v }) => (v.map.set("a", 9), undefined)]);
    initial.list.push(2);
    initial.map.clear();
    const runner = runnerOf(compiled);
    for (let round = 0; round < 2; round += 1) {
      expect((await runner.invoke({})).state["v"]).toEqual({ list: [1], map: new Map([["a", 1]]) });
    }
    expect(Object.isFrozen(initial.list)).toBe(false);
  });
});

describe("lists that are handed out", () => {
  it("are frozen: of a report and of a snapshot, which would change history", async () => {
    const session = runnerOf(sequence({ x: channel.value(0) }, [() => ({ x: 1 }), () => ({ x: 2 })]), {
      checkpointer: memoryCheckpointer(),
    }).session("s");
    const created = await session.create({});
    const report = await session.runStep();
    const state = await session.state();
    const changed = await session.update({ x: 3 });
    for (const handed of [created, report, state, changed, await session.at(state.checkpointId)]) {
      for (const [name, part] of Object.entries(handed as object)) {
        if (typeof part === "object" && part !== null) expect(Object.isFrozen(part), name).toBe(true);
      }
      expect(Object.isFrozen(handed)).toBe(true);
      expect(() => (handed.updatedChannels as string[]).push("spoilt")).toThrow(TypeError);
    }
    expect([report.ranNodes, report.updatedChannels, report.nextFrontier]).toEqual([["n1"], ["x"], ["n2"]]);
  });
});

describe("what is as large or as deep as may be written", () => {
  it("is read, updated, forked and gone on with: a value at the greatest depth", async () => {
    let deep: unknown = 1;
    for (let level = 0; level < 1_000; level += 1) deep = { deep };
    const compiled = sequence({ v: channel.value<unknown>(0), n: channel.value(0) }, [() => ({ v: deep }), () => ({ n: 1 })]);
    const session = runnerOf(compiled, { checkpointer: memoryCheckpointer(), pauseEachStep: true }).session("s");
    await session.start({}).result;
    expect((await session.state()).state["v"]).toEqual(deep);
    expect((await session.update({ n: 2 })).state["n"]).toBe(2);
    expect((await (await session.fork()).state()).state["v"]).toEqual(deep);
    expect((await session.resume().result).state["n"]).toBe(1);
  });
});

describe("snapshots of sessions", () => {
  it("are frozen, and share no Map with the state", async () => {
    const compiled = sequence({ v: channel.value<unknown>() }, [() => undefined]);
    const session = runnerOf(compiled).session("s");
    const created = await session.create({ v: nested() });
    expect(thawed(created.state, "state")).toEqual([]);
    (created.state["v"] as ReturnType<typeof nested>).map.clear();
    expect((await session.state()).state["v"]).toEqual(nested());
  });
});
