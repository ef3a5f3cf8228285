/** Where a graph must lead: into every node, to END from every node, and out of every cycle. */
import { describe, expect, it } from "vitest";
import { input } from "../../src/graph/input.ts";
import { END, START } from "../../src/graph/names.ts";
import { codesOf, loose, problemsOf, run, told, withNodes, type LooseBuilder } from "./support.ts";

const found = (builder: LooseBuilder) => problemsOf(builder).map(({ code, nodes }) => [code, ...nodes]);

describe("the way in", () => {
  it("is an edge or a branch of START", () => {
    expect(problemsOf(withNodes("a").edge("a", END))).toEqual([
      { code: "no_entry", message: "Nothing leads out of START. Add edge(START, …) to the first node.", nodes: [] },
    ]);
    expect(codesOf(loose())).toEqual(["no_entry"]);
    expect(told(withNodes("a").edge(START, "a").edge("a", END))).toEqual([]);
    expect(told(withNodes("a").branch(START, { on: "a" }, run).edge("a", END))).toEqual([]);
  });

  it("may lead straight to END", () => {
    expect(told(loose().edge(START, END))).toEqual([]);
    expect(told(loose().branch(START, { done: END }, run))).toEqual([]);
  });

  it("is told alone: that nothing is reached follows from it, that nothing ends does not", () => {
    expect(found(withNodes("a", "b").edge("a", "b").edge("b", END))).toEqual([["no_entry"]]);
    expect(found(withNodes("a"))).toEqual([["no_entry"], ["no_exit", "a"]]);
  });
});

describe("a node", () => {
  const entered = (...names: readonly string[]) =>
    withNodes("a", ...names)
      .edge(START, "a")
      .edge("a", END);

  it("must be reached from START", () => {
    expect(problemsOf(entered("lonely").edge("lonely", END))).toEqual([
      {
        code: "unreachable_node",
        message: 'Node "lonely" cannot be reached from START. Lead an edge, a branch or a jump to it, or remove it.',
        nodes: ["lonely"],
      },
    ]);
  });

  it.each([
    ["an edge", entered("b").edge("a", "b").edge("b", END)],
    ["a join", entered("b", "c").edge(START, "b").edge("b", END).edge(["a", "b"], "c").edge("c", END)],
    ["a label", entered("b").branch("a", { on: "b" }, run).edge("b", END)],
    [
      "a jump",
      entered("b")
        .node("c", run, { jumps: ["b"] })
        .edge(START, "c")
        .edge(["b", "c"], END),
    ],
    ["a handler", entered("b").node("c", run, { onError: "b" }).edge(START, "c").edge("c", END).edge("b", END)],
    [
      "a send",
      loose({ inputs: { work: input() } })
        .node("a", run, { jumps: ["work"] })
        .node("work", run)
        .edge(START, "a")
        .edge(["a", "work"], END),
    ],
  ])("is reached by %s", (_what, builder) => {
    expect(told(builder)).toEqual([]);
  });

  it("that nothing is wired to cannot be reached, and has no exit either", () => {
    expect(found(entered("lonely"))).toEqual([
      ["unreachable_node", "lonely"],
      ["no_exit", "lonely"],
    ]);
  });

  it("that is reached only from one that is not is listed with it: the way to both is missing once", () => {
    expect(found(entered("first", "second", "third").edge("first", "second").edge("second", ["third", END]).edge("third", END))).toEqual([
      ["unreachable_node", "first", "second", "third"],
    ]);
    expect(found(entered("x", "y").branch("x", { on: "y" }, run).branch("y", { on: "x", done: END }, run))).toEqual([
      ["unreachable_node", "x", "y"],
    ]);
    expect(found(entered("z", "y", "x").edge("x", "y").edge("z", "y").edge("y", END))).toEqual([
      ["unreachable_node", "z", "y"],
      ["unreachable_node", "x"],
    ]);
  });

  it("that a join leads to is reached when all of its sources are: one that waits for itself never fires", () => {
    expect(found(withNodes("m", "j").edge(START, "m").edge(["m", "j"], "j").edge("j", END).edge("m", END))).toEqual([
      ["unreachable_node", "j"],
    ]);
    expect(found(withNodes("m", "j", "x").edge(START, "m").edge(["m", "x"], "j").edge("j", ["x", END]).edge("m", END))).toEqual([
      ["unreachable_node", "j", "x"],
    ]);
    // A jump into the ring is a way in.
    const ring = loose()
      .node("m", run, { jumps: ["j"] })
      .node("j", run)
      .node("x", run);
    expect(found(ring.edge(START, "m").edge(["m", "x"], "j").edge("j", ["x", END]).edge("m", END))).toEqual([]);
  });

  it("must lead to END", () => {
    expect(problemsOf(entered("b").edge("a", "b"))).toEqual([
      {
        code: "no_exit",
        message: 'END cannot be reached from node "b". Add an edge, a branch or a jump that leads on to END.',
        nodes: ["b"],
      },
    ]);
  });

  it.each([
    ["an edge", withNodes("a").edge(START, "a").edge("a", END)],
    ["a join", withNodes("a", "b").edge(START, ["a", "b"]).edge(["a", "b"], END)],
    ["a label", withNodes("a").edge(START, "a").branch("a", { on: "a", done: END }, run)],
    [
      "a jump",
      loose()
        .node("a", run, { jumps: [END] })
        .edge(START, "a"),
    ],
    ["a handler", loose().node("a", run, { onError: "b" }).node("b", run).edge(START, "a").edge("b", END)],
    [
      "a send",
      loose({ inputs: { b: input() } })
        .node("a", run, { jumps: ["b"] })
        .node("b", run)
        .edge(START, "a")
        .edge("b", END),
    ],
  ])("leads on by %s", (_what, builder) => {
    expect(told(builder)).toEqual([]);
  });

  it("whose way ends in another is listed with it: the way on is missing once", () => {
    expect(found(withNodes("a", "b", "c").edge(START, "a").edge("a", "b").edge("b", "c"))).toEqual([["no_exit", "c", "a", "b"]]);
    expect(found(withNodes("a", "b", "c").edge(START, "a").edge("a", ["b", "c"]))).toEqual([
      ["no_exit", "b", "a"],
      ["no_exit", "c"],
    ]);
  });

  it("in a loop of branches that never ends is told with the others", () => {
    expect(found(withNodes("a", "b").edge(START, "a").branch("a", { on: "b" }, run).branch("b", { on: "a" }, run))).toEqual([
      ["no_exit", "a", "b"],
    ]);
  });
});

describe("a cycle of plain edges", () => {
  const cycle = () => withNodes("b").edge(START, "a").edge("a", "b").edge("b", ["a", END]);
  const having = (options: unknown) => cycle().node("a", run, options);

  it("never ends", () => {
    expect(problemsOf(having({}))).toEqual([
      {
        code: "endless_cycle",
        message: 'The nodes "b", "a" lead to each other by plain edges for ever. Make one of the edges a branch, or let a node jump out.',
        nodes: ["b", "a"],
      },
    ]);
    expect(found(withNodes("a").edge(START, "a").edge("a", ["a", END]))).toEqual([["endless_cycle", "a"]]);
  });

  it("of nodes that lead nowhere else is told beside the missing way to END", () => {
    expect(found(withNodes("a", "b").edge(START, "a").edge("a", "b").edge("b", "a"))).toEqual([
      ["endless_cycle", "a", "b"],
      ["no_exit", "a", "b"],
    ]);
  });

  it("is not stopped by a branch beside it, which adds to the edges", () => {
    expect(found(having({}).branch("b", { done: END }, run).branch("a", { done: END }, run))).toEqual([["endless_cycle", "b", "a"]]);
  });

  it("is stopped by a branch in it", () => {
    expect(told(withNodes("a", "b").edge(START, "a").edge("a", "b").branch("b", { again: "a", done: END }, run))).toEqual([]);
  });

  it("is left by a jump of one of its nodes, which replaces its edges", () => {
    expect(told(having({ jumps: [END] }))).toEqual([]);
    expect(
      told(
        having({ jumps: ["out"] })
          .node("out", run)
          .edge("out", END),
      ),
    ).toEqual([]);
  });

  it("is not left by a jump within it", () => {
    expect(found(having({ jumps: ["b"] }))).toEqual([["endless_cycle", "b", "a"]]);
    expect(found(having({ jumps: ["a", "b"] }))).toEqual([["endless_cycle", "b", "a"]]);
  });

  it("is left by a failure that is led out of it, which replaces its edges too", () => {
    expect(told(having({ onError: "rescue" }).node("rescue", run).edge("rescue", END))).toEqual([]);
    expect(found(having({ onError: "b" }))).toEqual([["endless_cycle", "b", "a"]]);
  });

  it("may end because a join waits for good", () => {
    expect(told(withNodes("a", "b", "c").edge(START, ["a", "b"]).edge(["a", "b"], "c").edge("c", "a").edge("c", END))).toEqual([]);
  });

  it("is told beside a node without an exit that it leads to", () => {
    expect(found(withNodes("a", "b", "c").edge(START, "a").edge("a", "b").edge("b", ["a", "c"]))).toEqual([
      ["endless_cycle", "a", "b"],
      ["no_exit", "c", "a", "b"],
    ]);
  });

  it("is found beside one that can be left", () => {
    const builder = loose()
      .node("a", run, { jumps: [END] })
      .node("b", run)
      .node("c", run);
    expect(found(builder.edge(START, "a").edge("a", "b").edge("b", ["a", "c"]).edge("c", "b"))).toEqual([["endless_cycle", "b", "c"]]);
  });

  it("that can be left is fine though another, that it leads to, is not", () => {
    const builder = loose()
      .node("a", run, { jumps: ["c"] })
      .node("b", run)
      .node("c", run);
    expect(found(builder.edge(START, "a").edge("a", "b").edge("b", "a").edge("c", ["c", END]))).toEqual([["endless_cycle", "c"]]);
  });
});

describe("compile()", () => {
  it("tells everything that is wrong at once, in one error", () => {
    const builder = loose({ version: 3, inputs: { work: input() } })
      .node("", run)
      .node("plan", undefined, { timeout: "soon" })
      .node("plan", run)
      .node("work", run)
      .node("lonely", run)
      .node("stuck", run)
      .node("round", run)
      .edge(START, ["plan", "", "work", "stuck", "round"])
      .edge(["work", "", "plan"], END)
      .edge(["", "plan", "work"], END)
      .edge(END, "plan")
      .edge("plan", "ghost")
      .edge("round", ["round", END])
      .edge("lonely", END)
      .branch("work", {}, run);
    expect(codesOf(builder)).toEqual([
      "invalid_option",
      "invalid_name",
      "missing_handler",
      "invalid_option",
      "duplicate_node",
      "invalid_edge",
      "duplicate_edge",
      "invalid_branch",
      "unknown_node",
      "missing_input",
      "unreachable_node",
      "endless_cycle",
      "no_exit",
    ]);
    expect(builder.compile).toThrow(/^Graph "g" has 13 problems:\n  - Option "version" of the graph must be/);
  });

  it("copes with a graph of 20 000 nodes in a row", () => {
    const names = Array.from({ length: 20_000 }, (_item, index) => `n${index}`);
    let builder = withNodes(...names).edge(START, "n0");
    for (const [index, name] of names.entries()) builder = builder.edge(name, names[index + 1] ?? END);
    expect(builder.compile().describe().nodes).toHaveLength(20_000);
    expect(found(builder.edge("n19999", "n0"))).toEqual([["endless_cycle", ...names]]);
    expect(found(builder.node("more", run).edge("n5", "more"))).toEqual([["no_exit", "more"]]);
  });
});
