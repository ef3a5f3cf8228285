/** `update`: values written from outside, as themselves or as if a node had written them. */
import { describe, expect, it } from "vitest";
import { channel, createRunner, END, input, memoryCheckpointer, replace, START } from "spanloom";
import { all, causeCode, chain, expectCode, type Handler, logOf, loose, type LooseGraph, mark, marked } from "./support.ts";

const sessionOf = (graph: LooseGraph, options: Record<string, unknown> = {}) =>
  createRunner(graph, { checkpointer: memoryCheckpointer(), ...options }).session("s");

const add = (sum: number, more: number): number => sum + more;

describe("update without `asNode`", () => {
  it("changes values and versions alone, in a record of its own", async () => {
    const graph = marked(loose({ n: channel.reduce(1, add), same: channel.value(5) }), "a", "b")
      .edge(START, "a")
      .edge("a", "b")
      .edge("b", END)
      .compile();
    const session = sessionOf(graph, { pauseAfter: ["a"] });
    await session.start({}).result;
    const before = await session.state();
    const updated = await session.update({ n: 2, log: ["out"], same: 5 });
    expect(updated).toMatchObject({
      status: "paused",
      step: 1,
      next: ["b"],
      state: { n: 3, log: ["a@1", "out"], same: 5 },
      versions: { n: 2, log: 3, same: 1 },
      updatedChannels: ["log", "n"],
      ranNodes: [],
      parentId: before.checkpointId,
      interrupts: before.interrupts,
    });
    expect(await session.at(before.checkpointId), "the record before is as it was").toEqual(before);
    expect((await session.resume().result).state["log"]).toEqual(["a@1", "out", "b@2"]);
  });

  it("folds by the channels' rules, and takes `replace`", async () => {
    const session = sessionOf(chain("a").compile(), { pauseBefore: ["a"] });
    await session.start({ log: ["in"] }).result;
    expect((await session.update({ log: ["x"] })).state["log"]).toEqual(["in", "x"]);
    expect((await session.update({ log: replace(["y"]) })).state["log"]).toEqual(["y"]);
    expect((await session.update({})).state["log"]).toEqual(["y"]);
  });

  it("keeps results, questions and answers of the step that is due", async () => {
    let broken = true;
    const ran: string[] = [];
    const graph = loose()
      .node("a", (state, context) => {
        ran.push("a");
        return mark(state, context);
      })
      .node("b", (state, context) => {
        if (broken) throw new Error("not yet");
        return mark(state, context);
      })
      .node("ask", async (_state, { interrupt }) => ({ log: [await interrupt("?")] }))
      .edge(START, ["a", "b", "ask"])
      .edge(["a", "b", "ask"], END)
      .compile();
    const session = sessionOf(graph);
    await session.start({}).result.catch(() => {});
    expect(await session.update({ log: ["out"] })).toMatchObject({ status: "failed", next: ["b", "ask"], interrupts: [{ node: "ask" }] });
    broken = false;
    expect((await session.resume({ answer: "yes" }).result).state["log"]).toEqual(["out", "a@1", "b@1", "yes"]);
    expect(ran).toEqual(["a"]);
  });

  it("of a completed session leaves it completed, and a resume gives the new state", async () => {
    const session = sessionOf(chain("a").compile());
    await session.start({}).result;
    expect(await session.update({ log: ["late"] })).toMatchObject({ status: "completed", next: [] });
    expect(await session.resume().result).toMatchObject({ status: "completed", steps: 0, state: { log: ["a@1", "late"] } });
  });

  it("copies what it is given", async () => {
    const session = sessionOf(loose({ box: channel.optional<{ n: number }>() }).edge(START, END).compile());
    await session.start({}).result;
    const box = { n: 1 };
    await session.update({ box });
    box.n = 2;
    expect((await session.state()).state["box"]).toEqual({ n: 1 });
  });
});

describe("update with `asNode`", () => {
  const diamond = (): LooseGraph =>
    marked(loose({ go: channel.value("x") }), "a", "b", "c", "x", "y")
      .edge(START, ["a", "b"])
      .edge("a", "c")
      .branch("a", { x: "x", y: "y" }, ({ go }) => go)
      .edge(["a", "b"], "y")
      .edge("c", END)
      .edge("x", END)
      .edge("y", END)
      .compile();

  it("counts the node's due entries as done and follows its exits on the state after the write; all else stays due", async () => {
    const session = sessionOf(diamond(), { pauseBefore: ["a"] });
    await session.start({}).result;
    expect(await session.update({ go: "y", log: ["as a"] }, { asNode: "a" })).toMatchObject({ step: 0, next: ["b", "c", "y"] });
    const log = logOf(await session.resume().result);
    expect(log.toSorted()).toEqual(["as a", "b@1", "c@1", "y@1", "y@2"]);
  });

  it("arrives at the joins of the node", async () => {
    const session = sessionOf(diamond(), { pauseBefore: ["a"] });
    await session.start({}).result;
    await session.update({}, { asNode: "b" });
    const log = logOf(await session.resume().result);
    expect(log.filter((line) => line.startsWith("y@"))).toEqual(["y@2"]);
    expect(log).not.toContain("b@1");
  });

  it("answers a pause before that node, and the questions of its entries", async () => {
    const graph = loose()
      .node("ask", async (_state, { interrupt }) => ({ log: [await interrupt("?")] }))
      .node("b", mark)
      .edge(START, "ask")
      .edge("ask", "b")
      .edge("b", END)
      .compile();
    const session = sessionOf(graph);
    await session.start({}).result;
    expect(await session.update({ log: ["given"] }, { asNode: "ask" })).toMatchObject({ status: "idle", interrupts: [], next: ["b"] });
    expect((await session.resume().result).state["log"]).toEqual(["given", "b@1"]);
  });

  it("that leaves nothing due completes the session", async () => {
    const session = sessionOf(chain("a").compile(), { pauseBefore: ["a"] });
    await session.start({}).result;
    expect(await session.update({}, { asNode: "a" })).toMatchObject({ status: "completed", next: [] });
    await expectCode(() => session.runStep(), "session_finished");
    expect(await session.resume().result).toMatchObject({ status: "completed", steps: 0, state: { log: [] } });
  });

  it("of a completed session makes its exits due again", async () => {
    const session = sessionOf(chain("a", "b").compile());
    await session.start({}).result;
    expect(await session.update({}, { asNode: "a" })).toMatchObject({ status: "idle", next: ["b"], step: 2 });
    expect(await session.resume().result).toMatchObject({ step: 3, state: { log: ["a@1", "b@2", "b@3"] } });
  });

  it("of a node with many entries is done with all of them, and of others with none", async () => {
    const graph = loose({}, { inputs: { work: input<number>() } })
      .node("plan", (_state, { goto, send }) => goto([send("work", 1), "side", send("work", 2)]), { jumps: ["work", "side"] })
      .node("work", mark)
      .node("side", mark)
      .node("after", mark)
      .edge(START, "plan")
      .edge("work", "after")
      .edge("side", END)
      .edge("after", END)
      .compile();
    const session = sessionOf(graph, { pauseAfter: ["plan"] });
    await session.start({}).result;
    expect((await session.update({}, { asNode: "work" })).next).toEqual(["side", "after"]);
  });
});

describe("an update that is refused", () => {
  it("changes nothing: unknown channels, bad values, unknown nodes, branches that fail, sessions that are not there", async () => {
    const graph = marked(loose({ n: channel.value(1) }), "a", "b")
      .edge(START, "a")
      .branch("a", { b: "b", end: END }, ({ n }) => {
        if (n === 13) throw new Error("unlucky");
        return "b";
      })
      .edge("b", END)
      .compile();
    const session = sessionOf(graph, { pauseBefore: ["a"] });
    await session.start({}).result;
    const before = await session.state();
    const refused = async (values: unknown, options: Record<string, unknown>, code: string) =>
      expectCode(() => session.update(values as never, options), code);
    expect(causeCode(await refused({ nope: 1 }, {}, "invalid_input"))).toBe("unknown_channel");
    expect(causeCode(await refused({ n: () => {} }, {}, "invalid_input"))).toBe("unserializable_value");
    await refused("text", {}, "invalid_input");
    const named = await refused({}, { asNode: "aa" }, "invalid_option");
    expect(named.message).toMatch(/"aa".*"a"/u);
    await refused({}, { asNode: START }, "invalid_option");
    await refused({ n: 13 }, { asNode: "a" }, "frontier");
    expect(await session.state()).toEqual(before);
    expect(await all(session.history())).toHaveLength(1);
    await expectCode(() => createRunner(graph).session("none").update({}), "session_not_found");
  });
});

describe("update with `asNode`, beside entries that wait", () => {
  const asking: Handler = async (_state, { input: item, interrupt }) => ({ log: [`${item}: ${await interrupt(item)}`] });
  const answersOf = (interrupts: readonly { readonly id: string; readonly payload: unknown }[]) =>
    Object.fromEntries(interrupts.map(({ id, payload }) => [id, `for ${String(payload)}`]));

  it("leaves these their questions and answers, also when a migration has renamed one of several", async () => {
    const fanOut = (more: readonly string[]): LooseGraph => {
      const builder = loose({}, { inputs: { w: input<string>() } })
        .node("m", (_state, { goto, send }) => goto(["A", "B", "C"].map((item) => send("w", item))), { jumps: ["w", ...more] })
        .node("w", asking)
        .edge(START, "m")
        .edge("w", END);
      return more.reduce((built, name) => built.node(name, mark).edge(name, END), builder).compile();
    };
    const checkpointer = memoryCheckpointer();
    await createRunner(fanOut([]), { checkpointer }).invoke({}, { sessionId: "s" });
    const onGraphChange = (_before: unknown, { state, next }: { state: object; next: readonly string[] }) => ({
      state,
      next: ["x", ...next.slice(1)],
    });
    const session = createRunner(fanOut(["x"]), { checkpointer, onGraphChange: onGraphChange as never }).session("s");
    const { interrupts, next } = await session.update({}, { asNode: "x" });
    expect(next).toEqual(["w", "w"]);
    expect(interrupts.map(({ payload }) => payload)).toEqual(["B", "C"]);
    const result = await session.resume({ answers: answersOf(interrupts) }).result;
    expect(result).toMatchObject({ status: "completed", state: { log: ["B: for B", "C: for C"] } });
  });

  it("leaves both of two entries that a migration has given one name", async () => {
    const asks: Handler = async (_state, { interrupt, node }) => ({ log: [await interrupt(node)] });
    const wide = (...names: readonly string[]): LooseGraph =>
      names.reduce((builder, name) => builder.node(name, asks).edge(START, name).edge(name, END), loose()).compile();
    const checkpointer = memoryCheckpointer();
    await createRunner(wide("x", "y", "k"), { checkpointer }).invoke({}, { sessionId: "s" });
    const onGraphChange = (_before: unknown, { state }: { state: object }) => ({ state, next: ["z", "z", "k"] });
    const session = createRunner(wide("z", "k"), { checkpointer, onGraphChange: onGraphChange as never }).session("s");
    const { interrupts, next } = await session.update({}, { asNode: "k" });
    expect(next).toEqual(["z", "z"]);
    const result = await session.resume({ answers: answersOf(interrupts) }).result;
    expect(result).toMatchObject({ status: "completed", state: { log: ["for x", "for y"] } });
  });

  it("forgets the answers of the node that is done: led to again, it asks again", async () => {
    const twice = loose({ n: channel.value(0) })
      .node("ask", async ({ n }, { interrupt }) => ({ log: [`${await interrupt(`first ${n}`)} ${await interrupt(`second ${n}`)}`] }))
      .edge(START, "ask")
      .branch("ask", { again: "ask", end: END }, ({ log }) => (log.length === 0 ? "again" : "end"))
      .compile();
    const session = sessionOf(twice);
    await session.start({}).result;
    const half = await session.resume({ answer: "old" }).result;
    expect(half.interrupts.map(({ payload }) => payload)).toEqual(["second 0"]);
    await session.update({ n: 1 }, { asNode: "ask" });
    const again = await session.resume().result;
    expect(again.interrupts.map(({ payload }) => payload)).toEqual(["first 1"]);
    await session.resume({ answer: "new" }).result;
    expect((await session.resume({ answer: "too" }).result).state["log"]).toEqual(["new too"]);
  });

  it.each([{ pauseAfter: ["a"] }, { pauseEachStep: true }])(
    "that completes a session paused by %o leaves nothing open",
    async (options) => {
      const session = sessionOf(chain("a", "b").compile(), options);
      expect((await session.start({}).result).interrupts).toHaveLength(1);
      expect(await session.update({}, { asNode: "b" })).toMatchObject({ status: "completed", next: [], interrupts: [] });
      expect((await session.state()).interrupts).toEqual([]);
    },
  );
});
