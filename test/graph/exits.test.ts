/** Edges, joins and branches that `compile()` refuses, and how the others are planned. */
import { describe, expect, it } from "vitest";
import { input } from "../../src/graph/input.ts";
import { END, START } from "../../src/graph/names.ts";
import { codesOf, loose, planned, problemsOf, run, told, withNodes } from "./support.ts";

/** START → a → b → END. */
const chain = () => withNodes("a", "b").edge(START, "a").edge("a", "b").edge("b", END);

describe("an edge", () => {
  it.each([
    ["a", [], 'The edge from "a" to nothing has no target; name the node, or END, that it leads to.'],
    [[], "a", 'The edge from nothing to "a" has no source; name the node, or START, that it leads out of.'],
    [END, "a", 'The edge from "end" to "a" leads out of END, where the graph is left; lead it out of a node.'],
    [["b", END], "a", 'The edge from "b", "end" to "a" leads out of END, where the graph is left; lead it out of a node.'],
    ["b", START, 'The edge from "b" to "start" leads into START, where the graph is entered; lead it to the first node.'],
    ["b", ["a", START], 'The edge from "b" to "a", "start" leads into START, where the graph is entered; lead it to the first node.'],
    [[START, "b"], "a", 'The edge from "start", "b" to "a" joins START with a node; give START an edge of its own.'],
    ["a", undefined, 'The edge from "a" to "undefined" names something that is not a string.'],
    [["a", 5], "b", 'The edge from "a", "5" to "b" names something that is not a string.'],
    [null, {}, 'The edge from "null" to "an object" names something that is not a string.'],
  ])("from %j to %j is invalid", (from, to, message) => {
    const problems = problemsOf(chain().edge(from, to));
    expect(problems.map((problem) => `${problem.code}: ${problem.message}`)).toEqual([`invalid_edge: ${message}`]);
  });

  it("that is invalid has its other faults told too, and its other ends checked", () => {
    expect(told(chain().edge(END, START))).toEqual([
      'invalid_edge: The edge from "end" to "start" leads out of END, where the graph is left; lead it out of a node.',
      'invalid_edge: The edge from "end" to "start" leads into START, where the graph is entered; lead it to the first node.',
    ]);
    for (const [from, to] of [
      ["a", ["b", START, "ghost"]],
      [["ghost", END], "a"],
      [[START, "ghost"], "a"],
      [END, "ghost"],
      ["ghost", START],
    ] as const) {
      const problems = problemsOf(chain().edge(from, to));
      expect(problems.map(({ code }) => code)).toContain("invalid_edge");
      expect(problems.find(({ code }) => code === "unknown_node")?.nodes).toContain("ghost");
    }
    expect(codesOf(chain().branch(END, { x: "ghost" }, run))).toEqual(["invalid_branch", "unknown_node"]);
    expect(codesOf(chain().node(START, run, { jumps: ["ghost"], onError: "ghost2" }))).toEqual([
      "invalid_name",
      "unknown_node",
      "unknown_node",
    ]);
  });

  it("that is invalid names the nodes that it is about", () => {
    expect(problemsOf(chain().edge([START, "b"], "a"))[0]?.nodes).toEqual([START, "b", "a"]);
  });

  it.each([
    ["is the only way out of its node", withNodes("a").edge(START, "a").edge("a", START)],
    ["has no target, and is the only way out of its node", withNodes("a").edge(START, "a").edge("a", [])],
    ["has no source, and is the only way to its node", chain().node("c", run).edge([], "c").edge("c", END)],
    ["joins START, and is the only way to its node", chain().node("c", run).edge([START, "a"], "c").edge("c", END)],
    ["joins START, and is all that leaves it", withNodes("a", "b").edge([START, "a"], "b").edge("b", "a").branch("a", { on: END }, run)],
  ])("that %s is told once", (_what, builder) => {
    expect(codesOf(builder)).toEqual(["invalid_edge"]);
  });

  it("is followed in the order of declaration, before branches", () => {
    const plan = planned(
      withNodes("a", "b", "c")
        .branch("a", { late: "c", never: END }, run)
        .edge(START, ["c", "a"])
        .edge("a", ["b", END])
        .edge(["b"], END)
        .edge("c", END),
    );
    expect(plan.entry).toEqual({
      edges: [
        { to: 2, join: -1 },
        { to: 0, join: -1 },
      ],
      branches: [],
    });
    expect(plan.nodes[0]?.exits.edges).toEqual([
      { to: 1, join: -1 },
      { to: -1, join: -1 },
    ]);
    expect(plan.nodes[0]?.exits.branches).toEqual([
      {
        labels: new Map([
          ["late", [2]],
          ["never", [-1]],
        ]),
        decide: run,
      },
    ]);
    expect(plan.joins).toEqual([]);
  });
});

describe("a duplicate edge", () => {
  it.each([
    ["a plain one", chain().edge("a", "b"), ["a"], "b"],
    ["one among several targets", chain().edge("a", [END, "b"]), ["a"], "b"],
    [
      "a target named twice",
      chain()
        .edge("b", ["a", "a"])
        .node("x", run, { jumps: [END] }),
      ["b"],
      "a",
    ],
    ["out of START", chain().edge(START, "a"), [START], "a"],
    ["a join of one source is a plain edge", chain().edge(["a"], "b"), ["a"], "b"],
    ["a join", chain().edge(["a", "b"], END).edge(["a", "b"], END), ["a", "b"], END],
    ["a join, whatever the order of its sources", chain().edge(["a", "b"], END).edge(["b", "a"], END), ["b", "a"], END],
    ["a source named twice", chain().edge(["a", "a"], END), ["a"], END],
  ])("is %s", (_what, builder, from, to) => {
    const duplicates = problemsOf(builder).filter(({ code }) => code === "duplicate_edge");
    const message = `The edge from ${from.map((name) => `"${name}"`).join(", ")} to "${to}" is declared twice. Remove one of them.`;
    expect(duplicates).toEqual([{ code: "duplicate_edge", message, nodes: [...from, to] }]);
  });

  it("that is declared three times is told once", () => {
    expect(codesOf(chain().edge("a", "b").edge("a", "b"))).toEqual(["duplicate_edge"]);
  });

  it("is none of: a join beside a plain edge, joins of other sources or another target, a label, a jump", () => {
    const builder = withNodes("a", "b", "c", "d")
      .edge(START, ["a", "b", "c"])
      .edge(["a", "b"], "d")
      .edge(["a", "c"], "d")
      .edge(["a", "b", "c"], "d")
      .edge(["a", "b"], END)
      .edge("a", "d")
      .edge("c", "d")
      .branch("b", { on: "d", again: "d" }, run)
      .branch("b", { on: "d" }, run)
      .edge("d", END);
    expect(told(builder)).toEqual([]);
  });
});

describe("a join", () => {
  it("is planned once for all its sources, under a key that ignores their order", () => {
    const plan = planned(withNodes("b", "a", "c").edge(START, ["b", "a"]).edge("b", "c").edge(["b", "a"], ["c", END]).edge("c", END));
    expect(plan.joins).toEqual([
      { index: 0, sources: [0, 1], to: 2, key: '[["a","b"],"c"]' },
      { index: 1, sources: [0, 1], to: -1, key: '[["a","b"],"end"]' },
    ]);
    expect(plan.nodes.map(({ exits }) => exits.edges)).toEqual([
      [
        { to: 2, join: -1 },
        { to: 2, join: 0 },
        { to: -1, join: 1 },
      ],
      [
        { to: 2, join: 0 },
        { to: -1, join: 1 },
      ],
      [{ to: -1, join: -1 }],
    ]);
  });

  it("has keys that no choice of names makes equal", () => {
    const names = ["a", "b", "a,b", 'a","b', "[a", "b]"];
    const builder = withNodes(...names, "to")
      .edge(START, names)
      .edge(["a", "b"], "to")
      .edge(["a,b", "a"], "to")
      .edge(['a","b', "a"], "to");
    const { joins } = planned(builder.edge(["[a", "b]"], "to").edge("to", END));
    expect(new Set(joins.map(({ key }) => key)).size).toBe(joins.length);
  });
});

describe("a branch", () => {
  const decides = " has no function that decides; give it one, as the third argument of branch().";

  it.each([
    ["a", {}, run, 'A branch of "a" has no labels; give it at least one, with the target that it leads to.'],
    ["a", undefined, run, 'A branch of "a" has no labels; give it at least one, with the target that it leads to.'],
    ["a", ["b"], run, 'A branch of "a" has no labels; give it at least one, with the target that it leads to.'],
    ["a", { on: [] }, run, 'A branch of "a" has the label "on" without a target; name a node, or END.'],
    ["a", { on: 5 }, run, 'A branch of "a" has the label "on" that leads to something that is not a string.'],
    ["a", { on: ["b", null] }, run, 'A branch of "a" has the label "on" that leads to something that is not a string.'],
    ["a", { on: START }, run, 'A branch of "a" has the label "on" that leads into START; lead it to the first node.'],
    ["a", { on: "b" }, undefined, `A branch of "a"${decides}`],
    ["a", { on: "b" }, "on", `A branch of "a"${decides}`],
    [END, { on: "b" }, run, 'A branch of "end" leads out of END, where the graph is left; lead it out of a node.'],
    [5, { on: "b" }, run, 'A branch of "5" leads out of something that is not a string; name the node that it leads out of.'],
    [["a"], { on: "b" }, run, 'A branch of "an object" leads out of something that is not a string; name the node that it leads out of.'],
  ])("of %j with labels %j is invalid", (from, labels, decide, message) => {
    expect(told(chain().branch(from, labels, decide))).toEqual([`invalid_branch: ${message}`]);
  });

  it("has no empty label", () => {
    expect(problemsOf(chain().branch("a", { "": END }, run))).toEqual([
      { code: "invalid_name", message: 'The label name "" is empty.', nodes: ["a"] },
    ]);
  });

  it("tells each of its labels that is wrong", () => {
    expect(codesOf(chain().branch("a", { on: [], off: START, done: END }, undefined))).toEqual([
      "invalid_branch",
      "invalid_branch",
      "invalid_branch",
    ]);
  });

  it("that is invalid, and the only way out of its node, is told once", () => {
    expect(codesOf(withNodes("a").edge(START, "a").branch("a", {}, run))).toEqual(["invalid_branch"]);
    expect(codesOf(withNodes("a").branch(START, { on: [] }, run).edge("a", END))).toEqual(["invalid_branch", "unreachable_node"]);
  });

  it("may be all that leaves START, several of a node keep their order, and a target is named once for a label", () => {
    const [first, second] = [(): string => "on", (): string[] => []];
    const plan = planned(
      withNodes("a")
        .branch(START, { on: "a", off: END }, first)
        .branch("a", { on: ["a", "a", END] }, first)
        .branch("a", { on: END }, second),
    );
    expect(plan.entry.branches).toEqual([
      {
        labels: new Map([
          ["on", [0]],
          ["off", [-1]],
        ]),
        decide: first,
      },
    ]);
    expect(plan.nodes[0]?.exits.branches).toEqual([
      { labels: new Map([["on", [0, -1]]]), decide: first },
      { labels: new Map([["on", [-1]]]), decide: second },
    ]);
  });

  it("may have labels of any other name", () => {
    const labels = Object.fromEntries(["__proto__", "constructor", "a b", "end", "0"].map((label) => [label, END]));
    const graph = chain().branch("a", labels, run).compile();
    expect(Object.keys(graph.describe().branches[0]?.labels ?? {}).toSorted()).toEqual(["0", "__proto__", "a b", "constructor", "end"]);
  });
});

describe("an unknown node", () => {
  const writing = () => withNodes("plan", "write").edge(START, "plan").edge("plan", "write").edge("write", END);

  it.each([
    ["an edge's target", writing().edge("plan", "wrte"), 'The edge from "plan" to "wrte" names "wrte"'],
    ["an edge's source", writing().edge("wrte", "plan"), 'The edge from "wrte" to "plan" names "wrte"'],
    ["a join's source", writing().edge(["plan", "wrte"], END), 'The edge from "plan", "wrte" to "end" names "wrte"'],
    ["a branch's source", writing().branch("wrte", { on: "plan" }, run), 'Label "on" of a branch of "wrte" names "wrte"'],
    ["a label's target", writing().branch("plan", { on: "wrte" }, run), 'Label "on" of a branch of "plan" names "wrte"'],
    [
      "a jump",
      writing()
        .node("x", run, { jumps: ["wrte"] })
        .edge(START, "x"),
      'Option "jumps" of node "x" names "wrte"',
    ],
    [
      "a handler",
      writing().node("x", run, { onError: "wrte" }).edge(START, "x").edge("x", END),
      'Option "onError" of node "x" names "wrte"',
    ],
  ])("may be %s, and is told with the name that it is like", (_what, builder, message) => {
    expect(told(builder)).toEqual([`unknown_node: ${message}, but there is no such node. Did you mean "write"?`]);
  });

  it("may be one of `inputs`", () => {
    const builder = loose({ inputs: { wrte: input() } })
      .node("write", run)
      .edge(START, "write")
      .edge("write", END);
    expect(problemsOf(builder)).toEqual([
      {
        code: "unknown_node",
        message: 'Option "inputs" of the graph names "wrte", but there is no such node. Did you mean "write"?',
        nodes: ["wrte"],
      },
    ]);
  });

  it("is told once, wherever and however often it is named, with all the nodes that name it", () => {
    const builder = writing()
      .edge("plan", "ghost")
      .branch("write", { on: "ghost" }, run)
      .node("x", run, { jumps: ["ghost"] })
      .edge(START, "x");
    expect(problemsOf(builder)).toEqual([
      {
        code: "unknown_node",
        message:
          'The edge from "plan" to "ghost" names "ghost", as do label "on" of a branch of "write" and option "jumps" of node "x", but there is no such node. Known: "plan", "write", "x", "end".',
        nodes: ["ghost", "plan", "write", "x"],
      },
    ]);
  });

  it("is no other problem too: neither no exit, nor unreachable, nor no entry, nor an endless cycle", () => {
    expect(codesOf(withNodes("a").edge(START, "a").edge("a", "ghost"))).toEqual(["unknown_node"]);
    expect(codesOf(withNodes("a", "b").edge(START, "a").edge("a", END).edge("ghost", "b").edge("b", END))).toEqual(["unknown_node"]);
    expect(codesOf(withNodes("a").edge("ghost", "a").edge("a", END))).toEqual(["unknown_node"]);
    expect(codesOf(withNodes("write").edge(START, "wrte").edge("write", END))).toEqual(["unknown_node"]);
    expect(codesOf(withNodes("write").edge(START, "write").edge("wrte", END))).toEqual(["unknown_node"]);
    expect(codesOf(withNodes("write").edge(START, "write").edge("write", "wrte"))).toEqual(["unknown_node"]);
  });

  it("may be END or START in capitals", () => {
    expect(told(withNodes("a").edge("START", "a").edge("a", "END"))).toEqual([
      'unknown_node: The edge from "START" to "a" names "START", but there is no such node. Did you mean "start"?',
      'unknown_node: The edge from "a" to "END" names "END", but there is no such node. Did you mean "end"?',
    ]);
  });
});

describe("a node of `inputs`", () => {
  const sending = () =>
    loose({ inputs: { work: input() } })
      .node("plan", run, { jumps: ["work"] })
      .node("work", run)
      .edge(START, "plan")
      .edge(["plan", "work"], END);
  const message = (by: string): string =>
    `missing_input: Node "work" takes an input, so only send("work", item) can reach it, but ${by} leads to it. Send to it from a node instead, or take it out of \`inputs\`.`;

  it("is reached by the jumps of others", () => {
    expect(told(sending())).toEqual([]);
  });

  it.each([
    ["an edge", sending().edge("plan", "work"), 'the edge from "plan" to "work"'],
    ["START", sending().edge(START, "work"), 'the edge from START to "work"'],
    ["a branch of START", sending().branch(START, { on: "work" }, run), 'label "on" of a branch of START'],
    ["a label", sending().branch("plan", { on: [END, "work"] }, run), 'label "on" of a branch of "plan"'],
    ["a join", sending().node("x", run).edge(START, "x").edge(["plan", "x"], "work"), 'the edge from "plan", "x" to "work"'],
    ["a handler", sending().node("x", run, { onError: "work" }).edge(START, "x").edge("x", END), 'option "onError" of node "x"'],
  ])("is not led to by %s", (_what, builder, by) => {
    expect(told(builder)).toEqual([message(by)]);
  });

  it("is told of once, with all that leads to it", () => {
    const builder = sending()
      .edge("plan", "work")
      .node("x", run, { onError: "work" })
      .branch(START, { x: "x", work: "work" }, run)
      .edge("x", END);
    expect(problemsOf(builder)).toEqual([
      {
        code: "missing_input",
        message:
          'Node "work" takes an input, so only send("work", item) can reach it, but the edge from "plan" to "work", label "work" of a branch of START and option "onError" of node "x" lead to it. Send to it from a node instead, or take it out of `inputs`.',
        nodes: ["work", "plan", START, "x"],
      },
    ]);
  });

  it("that nobody sends to cannot be reached", () => {
    const builder = loose({ inputs: { work: input() } })
      .node("plan", run)
      .node("work", run)
      .edge(START, "plan")
      .edge(["plan", "work"], END);
    expect(codesOf(builder)).toEqual(["unreachable_node"]);
  });

  it("that only an edge leads to is told of once, naming both", () => {
    const builder = loose({ inputs: { work: input() } })
      .node("work", run)
      .edge(START, "work")
      .edge("work", END);
    expect(problemsOf(builder).map(({ code, nodes }) => [code, nodes])).toEqual([["missing_input", ["work", START]]]);
  });
});
