/** `defer: true`: once due, a node waits until nothing else is. */
import { describe, expect, it } from "vitest";
import { channel, createRunner, END, input, memoryCheckpointer, START } from "spanloom";
import { collect, logOf, loose, type LooseGraph, mark, marked, ofType } from "../sessions/support.ts";

const logged = async (compiled: LooseGraph): Promise<readonly string[]> => logOf(await createRunner(compiled).invoke({}));

describe("a deferred node", () => {
  /** Each item keeps its own arm busy for so many supersteps. */
  const mapReduce = (items: readonly number[]): LooseGraph =>
    loose({ sum: channel.reduce(0, (total: number, add: number) => total + add) }, { inputs: { work: input<number>() } })
      .node("plan", (_state, { goto, send }) => goto([...items.map((item) => send("work", item)), "reduce"]), { jumps: ["work", "reduce"] })
      .node("work", (_state, { input: left, goto, send }) => goto(left > 1 ? send("work", left - 1) : [], { sum: 1 }), { jumps: ["work"] })
      .node("reduce", ({ sum }, { step }) => ({ log: [`${sum}@${step}`] }), { defer: true })
      .edge(START, "plan")
      .edge("work", END)
      .edge("reduce", END)
      .compile();

  it("reduces after an uneven, an even and an empty map, once", async () => {
    expect(await logged(mapReduce([1, 4, 2]))).toEqual(["7@6"]);
    expect(await logged(mapReduce([1, 1, 1]))).toEqual(["3@3"]);
    expect(await logged(mapReduce([]))).toEqual(["0@2"]);
  });

  it("runs at once when nothing else is due", async () => {
    const compiled = loose().node("a", mark, { defer: true }).edge(START, "a").edge("a", END).compile();
    expect(await logged(compiled)).toEqual(["a@1"]);
  });

  it("that becomes due again while it waits is due once", async () => {
    const compiled = marked(loose(), "a1", "a2", "a3")
      .node("d", mark, { defer: true })
      .edge(START, ["a1", "d"])
      .edge("a1", ["a2", "d"])
      .edge("a2", ["a3", "d"])
      .edge("a3", "d")
      .edge("d", END)
      .compile();
    expect(await logged(compiled)).toEqual(["a1@1", "a2@2", "a3@3", "d@4"]);
  });

  it("waits with others of its kind: all that only wait for each other run together, in frontier order", async () => {
    const compiled = loose()
      .node("d1", mark, { defer: true })
      .node("d2", mark, { defer: true })
      .node("a", mark)
      .edge(START, ["d2", "a", "d1"])
      .edge(["d1", "d2", "a"], END)
      .compile();
    expect(await logged(compiled)).toEqual(["a@1", "d2@2", "d1@2"]);
  });

  it("lets what it leads to run before it runs again", async () => {
    const compiled = loose({ n: channel.value(0) })
      .node("d", ({ n }, { step }) => ({ n: n + 1, log: [`d@${step}`] }), { defer: true })
      .node("a", mark)
      .edge(START, "d")
      .branch("d", { on: ["d", "a"], off: END }, ({ n }) => (n < 2 ? "on" : "off"))
      .edge("a", END)
      .compile();
    expect(await logged(compiled)).toEqual(["d@1", "a@2", "d@3"]);
  });

  it("that is sent items runs once per item, with them, when nothing else is due", async () => {
    const compiled = loose({}, { inputs: { work: input<string>() } })
      .node("plan", (_state, { goto, send }) => goto([send("work", "p"), "a1", send("work", "q")]), { jumps: ["work", "a1"] })
      .node("work", (_state, { input: item, step }) => ({ log: [`${item}@${step}`] }), { defer: true })
      .node("a1", mark)
      .node("a2", mark)
      .edge(START, "plan")
      .edge("a1", "a2")
      .edge(["a2", "work"], END)
      .compile();
    expect(await logged(compiled)).toEqual(["a1@2", "a2@3", "p@4", "q@4"]);
  });

  it("fired by a join waits all the same", async () => {
    const compiled = marked(loose(), "a", "b", "c1", "c2", "c3")
      .node("d", mark, { defer: true })
      .edge(START, ["a", "b", "c1"])
      .edge(["a", "b"], "d")
      .edge("c1", "c2")
      .edge("c2", "c3")
      .edge("c3", END)
      .edge("d", END)
      .compile();
    expect(await logged(compiled)).toEqual(["a@1", "b@1", "c1@1", "c2@2", "c3@3", "d@4"]);
  });

  it("is in the frontier and in the record while it waits, not in `superstep.started`; a resume keeps it", async () => {
    let broken = true;
    const compiled = marked(loose(), "a1")
      .node("a2", (state, context) => {
        if (broken) throw new Error("x");
        return mark(state, context);
      })
      .node("d", mark, { defer: true })
      .edge(START, ["d", "a1"])
      .edge("a1", "a2")
      .edge("a2", END)
      .edge("d", END)
      .compile();
    const checkpointer = memoryCheckpointer();
    const session = createRunner(compiled, { checkpointer }).session("s");
    const { events } = await collect(session.start({}));
    expect(ofType(events, "superstep.started").map(({ data }) => data.frontier)).toEqual([["a1"], ["a2"]]);
    expect(ofType(events, "superstep.completed").map(({ data }) => data.nextFrontier)).toEqual([["d", "a2"]]);
    expect((await session.state()).next).toEqual(["d", "a2"]);
    broken = false;
    const resumed = await createRunner(compiled, { checkpointer }).session("s").resume().result;
    expect(resumed.state["log"]).toEqual(["a1@1", "a2@2", "d@3"]);
  });
});
