/** `computeNextFrontier` alone: from what is done, to who is due next. */
import { describe, expect, it } from "vitest";
import { END, input, NodeError, RunnerError, START } from "spanloom";
import type { EntryResult, FrontierEntry } from "../../src/checkpoint/checkpointer.ts";
import { also, goto, send } from "../../src/engine/commands.ts";
import { computeEntryFrontier, computeNextFrontier } from "../../src/engine/frontier.ts";
import { isSessionComplete } from "../../src/engine/complete.ts";
import { planOf } from "../../src/graph/graph.ts";
import type { Plan, PlannedCommand } from "../../src/graph/plan.ts";
import { loose, type LooseBuilder, marked } from "../sessions/support.ts";

const planned = (builder: LooseBuilder): Plan => planOf(builder.compile()) as Plan;

const stored = (command: PlannedCommand): EntryResult["command"] => ({
  kind: command["~command"],
  targets: command.targets.map((target) => (typeof target === "string" ? target : { node: target["~send"], item: target.item })),
});

function resultOf(node: string, command?: PlannedCommand, failure?: EntryResult["failure"]): EntryResult {
  return { node, ordinal: 0, writes: [], command: command === undefined ? undefined : stored(command), errors: [], failure };
}

interface Given {
  readonly done: readonly (string | EntryResult)[];
  readonly arrivals?: ReadonlyMap<string, readonly string[]>;
  readonly carried?: readonly FrontierEntry[];
  readonly state?: Readonly<Record<string, unknown>>;
}

function next(plan: Plan, { done, arrivals = new Map(), carried = [], state = {} }: Given) {
  const entries = done.map((each) => {
    const result = typeof each === "string" ? resultOf(each) : each;
    return { node: plan.nodes[plan.nodeIndex.get(result.node) as number] as Plan["nodes"][number], result };
  });
  return computeNextFrontier({ plan, step: 3, view: () => state, done: entries, arrivals, carried });
}

const names = ({ next: entries }: { readonly next: readonly FrontierEntry[] }): readonly string[] => entries.map(({ node }) => node);

const fan = planned(
  marked(loose(), "a", "b", "c", "d").edge(START, ["a", "b"]).edge("a", ["d", "c"]).edge("b", ["c", END]).edge(["c", "d"], END),
);

describe("computeNextFrontier", () => {
  it("follows the edges of what is done in frontier order, each plain target once, END never", () => {
    expect(names(next(fan, { done: ["a", "b"] }))).toEqual(["d", "c"]);
    expect(names(next(fan, { done: ["b", "a"] }))).toEqual(["c", "d"]);
  });

  it("puts what was carried first, and does not make it due twice", () => {
    const carried = [{ node: "c", ordinal: 0, sent: false, item: undefined, failure: undefined }];
    expect(names(next(fan, { done: ["a"], carried }))).toEqual(["c", "d"]);
  });

  it("gives an empty frontier when only END follows: the session is complete", () => {
    const plan = planned(marked(loose(), "a").edge(START, "a").edge("a", END));
    const outcome = next(plan, { done: ["a"] });
    expect(outcome.next).toEqual([]);
    expect(isSessionComplete({ frontier: outcome.next })).toBe(true);
  });

  it("keeps arrivals of a join until all have come, and tells those that starved", () => {
    const plan = planned(
      marked(loose(), "a", "b", "c", "d").edge(START, ["a", "b"]).edge("a", "d").edge("d", END).edge(["a", "b"], "c").edge("c", END),
    );
    const [key] = plan.joins.map((join) => join.key) as [string];
    const first = next(plan, { done: ["a"] });
    expect([names(first), [...first.arrivals], first.starved]).toEqual([["d"], [[key, ["a"]]], []]);
    const fired = next(plan, { done: ["b"], arrivals: first.arrivals });
    expect([names(fired), fired.arrivals.size]).toEqual([["c"], 0]);
    const starved = next(plan, { done: ["d"], arrivals: first.arrivals });
    expect([starved.next, starved.arrivals.size]).toEqual([[], 0]);
    expect(starved.starved).toEqual([{ to: "c", arrived: ["a"], missing: ["b"] }]);
    expect([...first.arrivals], "what it is given does not change").toEqual([[key, ["a"]]]);
  });

  it("decides branches on the view it is given, after the edges, and counts each that it decided", () => {
    const plan = planned(
      marked(loose(), "a", "b", "c", "d")
        .edge(START, "a")
        .branch("a", { one: ["b", END], two: "c" }, ({ take }) => take)
        .edge("a", "d")
        .edge("b", END)
        .edge("c", END)
        .edge("d", END),
    );
    const both = next(plan, { done: ["a"], state: { take: ["two", "one"] } });
    expect(names(both)).toEqual(["d", "c", "b"]);
    expect(both.branches).toEqual([{ from: "a", labels: ["two", "one"], targets: ["c", "b", END] }]);
    expect(both.conditionalEdges).toBe(1);
    const none = next(plan, { done: ["a"], state: { take: [] } });
    expect([names(none), none.conditionalEdges]).toEqual([["d"], 1]);
  });

  it("lets `goto` replace the exits and `also` add to them, after the rest", () => {
    const plan = planned(
      loose()
        .node("a", () => {}, { jumps: ["c", END] })
        .node("b", () => {})
        .node("c", () => {})
        .edge(START, "a")
        .edge("a", "b")
        .edge("b", END)
        .edge("c", END),
    );
    expect(names(next(plan, { done: [resultOf("a", goto("c"))] }))).toEqual(["c"]);
    expect(names(next(plan, { done: [resultOf("a", also("c"))] }))).toEqual(["b", "c"]);
    expect(names(next(plan, { done: [resultOf("a", goto([]))] }))).toEqual([]);
    expect(names(next(plan, { done: [resultOf("a", goto(END))] }))).toEqual([]);
  });

  it("adds an entry for each item sent, numbered per node", () => {
    const plan = planned(
      loose({}, { inputs: { work: input() } })
        .node("a", () => {}, { jumps: ["work"] })
        .node("work", () => {})
        .edge(START, "a")
        .edge("work", END),
    );
    const { next: due } = next(plan, { done: [resultOf("a", goto([send("work", 7), send("work", 7), send("work", null)]))] });
    expect(due.map(({ ordinal, sent, item }) => [ordinal, sent, item])).toEqual([
      [0, true, 7],
      [1, true, 7],
      [2, true, null],
    ]);
  });

  it("leads a routed failure to the handler, once per failed entry, and nowhere else", () => {
    const plan = planned(
      loose()
        .node("a", () => {}, { onError: "h" })
        .node("h", () => {})
        .node("b", () => {})
        .edge(START, "a")
        .edge("a", "b")
        .edge("b", END)
        .edge("h", END),
    );
    const failure = { node: "a", input: undefined, attempt: 1, error: new Error("x") };
    const { next: due } = next(plan, { done: [resultOf("a", undefined, failure), resultOf("a", undefined, failure), "a"] });
    expect(due.map(({ node, ordinal, failure: of }) => [node, ordinal, of?.node])).toEqual([
      ["h", 0, "a"],
      ["h", 1, "a"],
      ["b", 0, undefined],
    ]);
  });

  it("refuses a target that does not exist or is not declared, naming node, target and step", () => {
    const plan = planned(
      loose({}, { inputs: { work: input() } })
        .node("a", () => {}, { jumps: ["b", "work"] })
        .node("b", () => {})
        .node("work", () => {})
        .edge(START, "a")
        .edge("a", END)
        .edge("b", END)
        .edge("work", END),
    );
    for (const command of [goto("nowhere"), goto("a"), goto(END), goto("work"), goto(send("b", 1)), also(["b", "nowhere"])]) {
      const refused = (): unknown => next(plan, { done: [resultOf("a", command)] });
      expect(refused).toThrow(RunnerError);
      try {
        refused();
      } catch (error) {
        expect(error).toMatchObject({ code: "frontier", facts: { step: 3, node: "a" } });
        expect((error as Error).cause).toBeInstanceOf(NodeError);
        expect((error as Error).cause).toMatchObject({ code: "unknown_target", facts: { node: "a" } });
      }
    }
  });

  it("gives frozen entries", () => {
    const { next: due } = next(fan, { done: ["a"] });
    expect([Object.isFrozen(due), due.every((entry) => Object.isFrozen(entry))]).toEqual([true, true]);
  });
});

describe("computeEntryFrontier", () => {
  it("follows the edges of START, then its branches on the state that the input made", () => {
    const plan = planned(
      marked(loose(), "a", "b", "c")
        .branch(START, { left: "b", right: "c" }, ({ side }) => side)
        .edge(START, "a")
        .edge("a", END)
        .edge("b", END)
        .edge("c", END),
    );
    const outcome = computeEntryFrontier(plan, () => ({ side: "right" }), new Map(), 0);
    expect(names(outcome)).toEqual(["a", "c"]);
    expect(outcome.branches).toEqual([{ from: START, labels: ["right"], targets: ["c"] }]);
  });
});
