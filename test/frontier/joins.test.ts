/** `edge(["a", "b"], "c")`: c once, after both edges have been followed. */
import { describe, expect, it } from "vitest";
import { channel, createRunner, END, input, memoryCheckpointer, START } from "spanloom";
import { collect, gate, logOf, loose, type LooseGraph, mark, marked, ofType } from "../sessions/support.ts";

const logged = async (compiled: LooseGraph): Promise<readonly string[]> => logOf(await createRunner(compiled).invoke({}));
const ofNode = (log: readonly string[], node: string): readonly string[] => log.filter((line) => line.startsWith(`${node}@`));

/** START → a and b1 → b2; what is made of them is up to the caller. */
const uneven = (...more: readonly string[]) =>
  marked(loose(), "a", "b1", "b2", ...more)
    .edge(START, ["a", "b1"])
    .edge("b1", "b2");

describe("a join", () => {
  it("runs its target once, in the superstep after the last arrival, whatever the order of its sources", async () => {
    for (const sources of [
      ["a", "b2"],
      ["b2", "a"],
    ]) {
      expect(await logged(uneven("c").edge(sources, "c").edge("c", END).compile())).toEqual(["a@1", "b1@1", "b2@2", "c@3"]);
    }
  });

  it("does not run its target before, although one source was followed and nothing else is due", async () => {
    const compiled = marked(loose(), "a", "b", "c")
      .branch(START, { both: ["a", "b"], one: "a" }, () => "one")
      .edge(["a", "b"], "c")
      .edge("c", END)
      .compile();
    expect(await logged(compiled)).toEqual(["a@1"]);
  });

  it("counts two arrivals of the same source as one", async () => {
    const compiled = loose({ rounds: channel.value(0) })
      .node("a", ({ rounds }, { step }) => ({ log: [`a@${step}`], rounds: rounds + 1 }))
      .node("b", mark)
      .node("c", mark)
      .edge(START, "a")
      .branch("a", { again: "a", on: "b" }, ({ rounds }) => (rounds < 3 ? "again" : "on"))
      .edge(["a", "b"], "c")
      .edge("c", END)
      .compile();
    expect(await logged(compiled)).toEqual(["a@1", "a@2", "a@3", "b@4", "c@5"]);
  });

  it("begins another round once it has fired: what comes in later waits for all of its sources again", async () => {
    const compiled = loose({ rounds: channel.value(0) })
      .node("a", ({ rounds }, { step }) => ({ log: [`a@${step}`], rounds: rounds + 1 }))
      .node("b", mark)
      .node("c", mark)
      .edge(START, ["a", "b"])
      .edge(["a", "b"], "c")
      .branch("c", { again: "a", done: END }, ({ rounds }) => (rounds < 2 ? "again" : "done"))
      .compile();
    const { events, result } = await collect(createRunner(compiled).stream({}));
    expect(result?.state["log"]).toEqual(["a@1", "b@1", "c@2", "a@3"]);
    expect(ofType(events, "join.starved").map(({ data }) => data)).toEqual([{ to: "c", arrived: ["a"], missing: ["b"] }]);
  });

  it("has arrivals of its own: a source shared with another join arrives at both", async () => {
    const compiled = uneven("x", "y").edge(["a", "b1"], "x").edge(["a", "b2"], "y").edge("x", END).edge("y", END).compile();
    const log = await logged(compiled);
    expect([ofNode(log, "x"), ofNode(log, "y")]).toEqual([["x@2"], ["y@3"]]);
  });

  it("and another join into the same target each fire", async () => {
    const compiled = uneven("c").edge(["a", "b1"], "c").edge(["a", "b2"], "c").edge("c", END).compile();
    expect(ofNode(await logged(compiled), "c")).toEqual(["c@2", "c@3"]);
  });

  it("that fires together with a plain edge, a label or a jump to the same node makes it due once", async () => {
    const compiled = loose()
      .node("a", mark)
      .node("b", (_state, { also, step }) => also("c", { log: [`b@${step}`] }), { jumps: ["c"] })
      .node("c", mark)
      .edge(START, ["a", "b"])
      .edge(["a", "b"], "c")
      .edge("a", "c")
      .branch("b", { on: "c", off: END }, () => "on")
      .edge("c", END)
      .compile();
    expect(await logged(compiled)).toEqual(["a@1", "b@1", "c@2"]);
  });

  it("may lead to END: it ends nothing that is still due", async () => {
    const compiled = uneven("c").edge(["a", "b1"], END).edge("b2", "c").edge("c", END).compile();
    expect(await createRunner(compiled).invoke({})).toMatchObject({ status: "completed", steps: 3 });
  });

  it("is reached by `also`'s exits, not by its targets", async () => {
    const compiled = loose()
      .node("a", (_state, { also, step }) => also("other", { log: [`a@${step}`] }), { jumps: ["other"] })
      .node("other", mark)
      .node("b", mark)
      .node("c", mark)
      .edge(START, ["a", "b"])
      .edge(["a", "b"], "c")
      .edge("other", END)
      .edge("c", END)
      .compile();
    expect(ofNode(await logged(compiled), "c")).toEqual(["c@2"]);
  });

  it("is arrived at by a gated source that was skipped: its exits are followed", async () => {
    const ran: number[] = [];
    const compiled = loose()
      .node("gated", () => {}, { gate: "on-change" })
      .node("b", () => {})
      .node("c", (_state, { step }) => void ran.push(step))
      .edge(START, ["gated", "b"])
      .edge(["gated", "b"], "c")
      .branch("c", { again: ["gated", "b"], done: END }, () => (ran.length < 2 ? "again" : "done"))
      .compile();
    const { events } = await collect(createRunner(compiled).stream({}));
    expect(ofType(events, "node.skipped").map(({ node, step }) => [node, step])).toEqual([["gated", 3]]);
    expect(ran).toEqual([2, 4]);
  });
});

describe("an arrival", () => {
  it("is not made by a source that fails and is led elsewhere, nor by one that leaves by `goto`", async () => {
    const failing = (): never => {
      throw new Error("x");
    };
    const leaving = (_state: unknown, { goto }: { readonly goto: (to: string) => unknown }): unknown => goto("h");
    for (const [handler, options] of [
      [failing, { onError: "h" }],
      [leaving, { jumps: ["h"] }],
    ] as const) {
      const compiled = marked(loose(), "a", "c", "h")
        .node("b", handler, options)
        .edge(START, ["a", "b"])
        .edge(["a", "b"], "c")
        .edge(["c"], END)
        .edge("h", END)
        .compile();
      const { events, result } = await collect(createRunner(compiled).stream({}));
      expect(result?.state["log"]).toEqual(["a@1", "h@2"]);
      expect(ofType(events, "join.starved").map(({ data, step }) => [data, step])).toEqual([
        [{ to: "c", arrived: ["a"], missing: ["b"] }, 2],
      ]);
    }
  });

  it("is kept in the record while it waits, gone once the join fired, and survives another runner", async () => {
    let broken = true;
    const compiled = marked(loose(), "a", "b1", "c")
      .node("b2", (state, context) => {
        if (broken) throw new Error("not yet");
        return mark(state, context);
      })
      .edge(START, ["a", "b1"])
      .edge("b1", "b2")
      .edge(["a", "b2"], "c")
      .edge("c", END)
      .compile();
    const checkpointer = memoryCheckpointer();
    await createRunner(compiled, { checkpointer })
      .stream({}, { sessionId: "s" })
      .result.catch(() => {});
    const waiting = await checkpointer.load("s");
    expect(Array.from(waiting?.record.arrivals.values() ?? [])).toEqual([["a"]]);
    broken = false;
    const { state } = await createRunner(compiled, { checkpointer }).session("s").resume().result;
    expect(state["log"]).toEqual(["a@1", "b1@1", "b2@2", "c@3"]);
    expect((await checkpointer.load("s"))?.record.arrivals.size).toBe(0);
  });

  it("is forgotten when the session completes, and the next input begins with none", async () => {
    const compiled = marked(loose({ who: channel.value<string>() }), "a", "b", "c")
      .branch(START, { a: "a", b: "b" }, ({ who }) => who)
      .edge(["a", "b"], "c")
      .edge("c", END)
      .compile();
    const session = createRunner(compiled, { checkpointer: memoryCheckpointer() }).session("s");
    await session.start({ who: "a" }).result;
    const { result, events } = await collect(session.next({ who: "b" }));
    expect(result?.state["log"]).toEqual(["a@1", "b@2"]);
    expect(ofType(events, "join.starved").map(({ data }) => data)).toEqual([{ to: "c", arrived: ["b"], missing: ["a"] }]);
  });

  it("of many items of one node is one", async () => {
    const compiled = loose({}, { inputs: { work: input<number>() } })
      .node("plan", (_state, { goto, send }) => goto([send("work", 1), send("work", 2), "side"]), { jumps: ["work", "side"] })
      .node("work", mark)
      .node("side", mark)
      .node("c", mark)
      .edge(START, "plan")
      .edge(["work", "side"], "c")
      .edge("c", END)
      .compile();
    expect(await logged(compiled)).toEqual(["work@2", "work@2", "side@2", "c@3"]);
  });

  it("does not depend on which source finishes first", async () => {
    const slow = gate();
    const compiled = marked(loose(), "b", "c")
      .node("a", async (state, context) => {
        await slow.passed;
        return mark(state, context);
      })
      .node("last", (state, context) => {
        slow.open();
        return mark(state, context);
      })
      .edge(START, ["a", "b", "last"])
      .edge(["a", "b", "last"], "c")
      .edge("c", END)
      .compile();
    expect(await logged(compiled)).toEqual(["a@1", "b@1", "last@1", "c@2"]);
  });
});

describe("`join.starved`", () => {
  it("is told once per join that waits, in the superstep that completes the session, and never while it goes on", async () => {
    const compiled = marked(loose(), "a", "b", "c", "x", "y", "z")
      .branch(START, { some: ["a", "z"], rest: ["b", "c"] }, () => "some")
      .edge(["a", "b"], "x")
      .edge(["a", "b", "c"], "y")
      .edge("x", END)
      .edge("y", END)
      .edge("z", END)
      .compile();
    const { events } = await collect(createRunner(compiled).stream({}));
    expect(ofType(events, "join.starved").map(({ data }) => data)).toEqual([
      { to: "x", arrived: ["a"], missing: ["b"] },
      { to: "y", arrived: ["a"], missing: ["b", "c"] },
    ]);
    const whole = marked(loose(), "a", "b", "x").edge(START, ["a", "b"]).edge(["a", "b"], "x").edge("x", END).compile();
    expect(ofType((await collect(createRunner(whole).stream({}))).events, "join.starved")).toEqual([]);
  });
});
