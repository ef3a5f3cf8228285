/** How a node is left: edges, branches, commands and sends, and the order of what follows. */
import { describe, expect, it } from "vitest";
import { channel, createRunner, END, input, memoryCheckpointer, NodeError, replace, RunnerError, START } from "spanloom";
import {
  causeCode,
  collect,
  expectCode,
  type Handler,
  logOf,
  loose,
  type LooseGraph,
  mark,
  marked,
  ofType,
  rejection,
} from "../sessions/support.ts";

const logged = async (compiled: LooseGraph): Promise<readonly string[]> => logOf(await createRunner(compiled).invoke({}));
const thrower = (): never => {
  throw new Error("x");
};

describe("exits", () => {
  it("are followed as edges, then branches, then `also`, each as declared: that order is the frontier's and the fold's", async () => {
    const compiled = marked(loose(), "e1", "e2", "b1", "b2", "j1", "j2")
      .node("a", (_state, { also }) => also(["j2", "j1"]), { jumps: ["j1", "j2"] })
      .edge(START, "a")
      .branch("a", { one: "b2" }, () => "one")
      .edge("a", "e2")
      .branch("a", { two: "b1" }, () => "two")
      .edge("a", "e1")
      .edge(["e1", "e2", "b1", "b2", "j1", "j2"], END)
      .compile();
    expect(await logged(compiled)).toEqual(["e2@2", "e1@2", "b2@2", "b1@2", "j2@2", "j1@2"]);
  });

  it("of nodes that finish in any order are followed in frontier order", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const compiled = marked(loose(), "x", "y")
      .node("slow", () => promise)
      .node("fast", () => resolve())
      .edge(START, ["slow", "fast"])
      .edge("slow", "x")
      .edge("fast", "y")
      .edge(["x", "y"], END)
      .compile();
    expect(await logged(compiled)).toEqual(["x@2", "y@2"]);
  });

  it("make a plain target due once, from however many nodes", async () => {
    const compiled = marked(loose(), "a", "b", "c").edge(START, ["a", "b"]).edge("a", "c").edge("b", "c").edge("c", END).compile();
    expect(await logged(compiled)).toEqual(["a@1", "b@1", "c@2"]);
  });
});

describe("a branch", () => {
  const branching = (decide: (state: Record<string, unknown>) => unknown, from: Handler = () => ({ n: 2 })): LooseGraph =>
    marked(loose({ n: channel.value(1) }), "x", "y")
      .node("a", from)
      .edge(START, "a")
      .branch("a", { x: "x", y: "y", both: ["y", "x"], end: END }, decide)
      .edge("x", END)
      .edge("y", END)
      .compile();

  it("decides on the state after the barrier, which is frozen", async () => {
    let seen: unknown;
    const compiled = branching((state) => {
      seen = state;
      return "end";
    });
    await createRunner(compiled).invoke({});
    expect([seen, Object.isFrozen(seen)]).toEqual([{ log: [], n: 2, errors: [] }, true]);
  });

  it("may take one label, several, or none; a label may name several targets; the same target twice is due once", async () => {
    for (const [decided, expected] of [
      ["x", ["x@2"]],
      [
        ["y", "x"],
        ["y@2", "x@2"],
      ],
      [[], []],
      ["end", []],
      ["both", ["y@2", "x@2"]],
      [
        ["x", "both", "x"],
        ["x@2", "y@2"],
      ],
    ] as const) {
      expect.soft(await logged(branching(() => decided)), JSON.stringify(decided)).toEqual(expected);
    }
  });

  it("is decided once per node, also when the node ran for several items", async () => {
    let decided = 0;
    const compiled = loose({}, { inputs: { work: input<number>() } })
      .node("plan", (_state, { goto, send }) => goto([1, 2, 3].map((item) => send("work", item))), { jumps: ["work"] })
      .node("work", mark)
      .node("x", mark)
      .edge(START, "plan")
      .branch("work", { on: "x", off: END }, () => {
        decided += 1;
        return "on";
      })
      .edge("x", END)
      .compile();
    expect(await logged(compiled)).toEqual(["work@2", "work@2", "work@2", "x@3"]);
    expect(decided).toBe(1);
  });

  it("is not decided when every entry of its node left by `goto`; it is when one of them did not", async () => {
    const decisions = async (stay: (item: number) => boolean): Promise<number> => {
      let decided = 0;
      const compiled = loose({}, { inputs: { work: input<number>() } })
        .node("plan", (_state, { goto, send }) => goto([1, 2].map((item) => send("work", item))), { jumps: ["work"] })
        .node("work", (_state, { input: item, goto }) => (stay(item) ? undefined : goto(END)), { jumps: [END] })
        .edge(START, "plan")
        .branch("work", { off: END }, () => {
          decided += 1;
          return "off";
        })
        .compile();
      await createRunner(compiled).invoke({});
      return decided;
    };
    expect([await decisions(() => false), await decisions((item) => item === 2), await decisions(() => true)]).toEqual([0, 1, 1]);
  });

  it("is told by `branch.taken` with its labels and targets, in the order declared, also of START and when it takes none", async () => {
    const compiled = marked(loose(), "a", "b")
      .branch(START, { go: ["a", "b"] }, () => "go")
      .branch("a", { first: END }, () => "first")
      .branch("a", { second: END }, () => [])
      .edge("b", END)
      .compile();
    const { events } = await collect(createRunner(compiled).stream({}));
    expect(ofType(events, "branch.taken").map(({ node, step, data }) => [node, step, data])).toEqual([
      [START, 0, { labels: ["go"], targets: ["a", "b"] }],
      ["a", 1, { labels: ["first"], targets: [END] }],
      ["a", 1, { labels: [], targets: [] }],
    ]);
  });

  it("that throws, returns a promise or an unknown label fails the step with `frontier`, and the entries' results are kept", async () => {
    for (const [decide, cause] of [
      [thrower, Error],
      [() => Promise.reject(new Error("late")), NodeError],
      [() => "X", NodeError],
      [() => undefined, NodeError],
      [() => ["x", 7], NodeError],
    ] as const) {
      let runs = 0;
      let mended = false;
      const compiled = branching(
        () => (mended ? "x" : decide()),
        () => {
          runs += 1;
          return { n: 2 };
        },
      );
      const runner = createRunner(compiled);
      const session = runner.session("s");
      const error = await expectCode(() => session.start({}).result, "frontier");
      expect(error.cause).toBeInstanceOf(cause);
      expect(error.facts).toMatchObject({ node: "a", step: 1 });
      const failed = await session.state();
      expect(failed).toMatchObject({ status: "failed", step: 0, state: { n: 1 }, versions: { n: 1 } });
      mended = true;
      expect((await session.resume().result).state).toMatchObject({ n: 2, log: ["x@2"] });
      expect(runs).toBe(1);
    }
  });

  it("suggests the label that was meant", async () => {
    const error = await rejection(() => createRunner(branching(() => "boht")).invoke({}));
    expect(error.message).toContain("both");
  });

  it("of START that takes nothing leaves nothing to run", async () => {
    const compiled = marked(loose(), "a")
      .branch(START, { a: "a" }, () => [])
      .edge("a", END)
      .compile();
    expect(await createRunner(compiled).invoke({})).toMatchObject({ status: "completed", steps: 0 });
  });

  it("of START that fails refuses no other session: the run fails with `frontier`", async () => {
    const compiled = marked(loose(), "a").branch(START, { a: "a" }, thrower).edge("a", END).compile();
    await expectCode(() => createRunner(compiled).invoke({}), "frontier");
  });
});

describe("a command", () => {
  it("carries an update, folded in as if it had been returned, `replace` included", async () => {
    const compiled = loose({ n: channel.reduce(1, (sum: number, add: number) => sum + add) })
      .node("a", (_state, { goto }) => goto("b", { n: 2, log: ["a"] }), { jumps: ["b"] })
      .node("b", (_state, { also }) => also([], { n: replace(40) }))
      .edge(START, "a")
      .edge("a", END)
      .edge("b", END)
      .compile();
    expect((await createRunner(compiled).invoke({})).state).toMatchObject({ n: 40, log: ["a"] });
  });

  it("to END ends its own branch alone", async () => {
    const compiled = marked(loose(), "b1", "b2")
      .node("a", (_state, { goto }) => goto(END), { jumps: [END] })
      .edge(START, ["a", "b1"])
      .edge("a", "b1")
      .edge("b1", "b2")
      .edge("b2", END)
      .compile();
    expect(await logged(compiled)).toEqual(["b1@1", "b2@2"]);
  });

  it("leads into a loop and back to its own node", async () => {
    const compiled = loose({ n: channel.value(0) })
      .node("a", ({ n }, { goto, step }) => (n < 2 ? goto("a", { n: n + 1, log: [`a@${step}`] }) : undefined), { jumps: ["a"] })
      .edge(START, "a")
      .edge("a", END)
      .compile();
    expect(await logged(compiled)).toEqual(["a@1", "a@2"]);
  });

  it("to an unknown node, an undeclared one, or an `inputs` node without an item fails the step, with the node in the error", async () => {
    for (const to of ["nowhere", "c", "work"]) {
      const compiled = loose({}, { inputs: { work: input<number>() } })
        .node("a", (_state, { goto }) => goto(to), { jumps: ["b", "work"] })
        .node("b", mark)
        .node("c", mark)
        .node("work", mark)
        .edge(START, ["a", "c"])
        .edge(["b", "c", "work"], END)
        .compile();
      const error = await expectCode(() => createRunner(compiled).invoke({}), "frontier");
      expect(error).toBeInstanceOf(RunnerError);
      expect([causeCode(error), error.facts["node"]]).toEqual(["unknown_target", "a"]);
      expect(error.message).toContain(`"${to}"`);
    }
  });

  it("to what is no target at all fails the step in the same way", async () => {
    const wrong = [
      undefined,
      null,
      42,
      {},
      [undefined],
      ["b", ["b"]],
      Symbol("b"),
      () => "b",
      new Set(["b"]),
      { node: "work", item: 1 },
      { "~send": 1 },
    ];
    for (const command of ["goto", "also"] as const) {
      for (const to of wrong) {
        const compiled = loose({}, { inputs: { work: input<number>() } })
          .node("a", (_state, context) => context[command](to), { jumps: ["b", "work"] })
          .node("b", mark)
          .node("work", mark)
          .edge(START, "a")
          .edge(["a", "b"], END)
          .edge("work", END)
          .compile();
        const error = await expectCode(() => createRunner(compiled).invoke({}), "frontier");
        expect([causeCode(error), error.facts["node"]]).toEqual(["unknown_target", "a"]);
      }
    }
  });
});

describe("a send", () => {
  const fanOut = (targets: (send: (to: string, item: unknown) => unknown) => readonly unknown[], work: Handler): LooseGraph =>
    loose({ got: channel.list<unknown>() }, { inputs: { work: input<unknown>() } })
      .node("plan", (_state, { goto, send }) => goto(targets(send)), { jumps: ["work", "side"] })
      .node("work", work)
      .node("side", mark)
      .node("after", mark)
      .edge(START, "plan")
      .edge("work", "after")
      .edge("side", END)
      .edge("after", END)
      .compile();

  it("runs once per item in one superstep, equal items too; results fold in the order of sending, mixed with plain targets", async () => {
    const compiled = fanOut(
      (send) => [send("work", "p"), "side", send("work", "q"), send("work", "p")],
      (_state, { input: item, step }) => ({ log: [`work ${item}@${step}`] }),
    );
    expect(await logged(compiled)).toEqual(["work p@2", "side@2", "work q@2", "work p@2", "after@3"]);
  });

  it("hands its item over as a copy, whatever it is, also one that is false, null or undefined", async () => {
    const items = [{ deep: [1] }, false, null, 0, "", undefined, new Date(5), new Map([["k", 1]])];
    const got: unknown[] = [];
    const compiled = fanOut(
      (send) => items.map((item) => send("work", item)),
      (_state, { input: item }) => void got.push(item),
    );
    await createRunner(compiled, { concurrency: 1 }).invoke({});
    expect(got).toEqual(items);
    expect(got[0]).not.toBe(items[0]);
    expect(Object.isFrozen(items[0]), "what a node passes in is never frozen in its hands").toBe(false);
  });

  it("of what cannot be stored fails the sender, naming it", async () => {
    const compiled = fanOut((send) => [send("work", () => {})], mark);
    const error = await expectCode(() => createRunner(compiled).invoke({}), "scheduler");
    expect([error.facts["node"], causeCode(error)]).toEqual(["plan", "unserializable_value"]);
  });

  it("of nothing leads nowhere: the session completes", async () => {
    expect(await createRunner(fanOut(() => [], mark)).invoke({})).toMatchObject({ status: "completed", steps: 1 });
  });

  it("is counted by name in reports and frontiers, one per entry, END never", async () => {
    const session = createRunner(
      fanOut((send) => [send("work", 1), send("work", 2)], mark),
      { checkpointer: memoryCheckpointer() },
    ).session("s");
    await session.create({});
    expect((await session.runStep()).nextFrontier).toEqual(["work", "work"]);
    expect((await session.state()).next).toEqual(["work", "work"]);
    expect(await session.runStep()).toMatchObject({ ranNodes: ["work", "work"], nextFrontier: ["after"] });
    expect(await session.runStep()).toMatchObject({ nextFrontier: [], completed: true });
  });
});
