/** Builders never change and never throw, and a compiled graph is frozen. */
import { describe, expect, it } from "vitest";
import { graph } from "../../src/graph/builder.ts";
import { channel } from "../../src/graph/channel.ts";
import { planOf } from "../../src/graph/graph.ts";
import { END, START } from "../../src/graph/names.ts";
import { codesOf, loose, looseGraph, planned, problemsOf, run, withNodes } from "./support.ts";

const throwing = new Proxy(
  {},
  {
    get: () => {
      throw new Error("not for you");
    },
    ownKeys: () => {
      throw new Error("not for you");
    },
  },
);

function revoked(of: object): object {
  const { proxy, revoke } = Proxy.revocable(of, {});
  revoke();
  return proxy;
}

const garbage = [
  undefined,
  null,
  0,
  Number.NaN,
  "",
  Symbol("x"),
  1n,
  {},
  [],
  [[]],
  run,
  throwing,
  revoked({}),
  revoked([]),
  new Map(),
  Object.create(null),
];

describe("a builder", () => {
  it("is another one after each call: what is added to one is in no other", () => {
    const base = withNodes("a").edge(START, "a");
    const left = base.node("left", run).edge("a", "left").edge("left", END);
    const right = base.node("right", run).branch("a", { on: "right" }, run).edge("right", END);
    const names = (builder: typeof base) =>
      builder
        .compile()
        .describe()
        .nodes.map(({ name }) => name);
    expect(names(left)).toEqual(["a", "left"]);
    expect(names(right)).toEqual(["a", "right"]);
    expect(names(base.edge("a", END))).toEqual(["a"]);
    expect(codesOf(base)).toEqual(["no_exit"]);
    expect(Object.isFrozen(base)).toBe(true);
  });

  it("compiles to as many graphs as it is asked for, all alike", () => {
    const builder = withNodes("a").edge(START, "a").edge("a", END);
    const [first, second] = [builder.compile(), builder.compile()];
    expect(first).not.toBe(second);
    expect(first.describe()).toEqual(second.describe());
  });

  it("has calls that may be taken apart", () => {
    const { node } = graph({ name: "g", channels: {} });
    const { edge } = node("a", run);
    const { compile } = edge(START, "a").edge("a", END) as unknown as ReturnType<typeof loose>;
    expect(compile().name).toBe("g");
  });

  it("keeps what it was given, whatever becomes of the arguments", () => {
    const channels = { hits: channel.list<number>() };
    const [jumps, from, labels, retry] = [["b"], ["a", "b"], { on: [END] }, { attempts: 2 }];
    const inputs: Record<string, unknown> = {};
    const options = { jumps, retry };
    const builder = looseGraph({ name: "g", channels, inputs })
      .node("a", run, options)
      .node("b", run)
      .edge(START, "a")
      .edge(from, END)
      .branch("b", labels, run);
    const before = builder.compile().describe();
    Object.assign(channels, { later: channel.value(1) });
    Object.assign(options, { defer: true, jumps: [] });
    jumps.push("ghost");
    from.push("ghost");
    retry.attempts = -1;
    labels.on.push("ghost");
    inputs["b"] = {};
    expect(builder.compile().describe()).toEqual(before);
  });

  it("never throws, and compile() throws nothing but a GraphError, whatever it is given", () => {
    for (const one of garbage) {
      for (const other of garbage) {
        const builder = looseGraph(one)
          .node(other, one, other)
          .node("a", run, { jumps: one, retry: other, timeout: one, onError: other, gate: one })
          .edge(one, other)
          .edge([one, other], [other])
          .branch(one, other, one)
          .branch("a", { on: one, off: [other] }, other);
        expect(problemsOf(builder).length).toBeGreaterThan(0);
        const spec = { name: one, version: other, channels: { it: one }, events: { it: other }, inputs: { it: other }, services: one };
        expect(problemsOf(looseGraph(spec)).length).toBeGreaterThan(0);
        expect(problemsOf(looseGraph({ name: "g", channels: one, events: other, inputs: one })).length).toBeGreaterThan(0);
      }
    }
  });

  it("takes 20 000 calls without copying what came before", () => {
    let builder = loose();
    for (let index = 0; index < 20_000; index += 1) builder = builder.node(`n${index}`, run);
    // Each cannot be reached, and has no exit.
    expect(problemsOf(builder.edge(START, END)).length).toBe(40_000);
  });
});

describe("a compiled graph", () => {
  const compiled = withNodes("a", "b")
    .edge(START, "a")
    .edge("a", "b")
    .edge(["a", "b"], END)
    .branch("a", { on: "b", done: [END, "b"] }, run)
    .compile();

  it("is frozen to the bottom, and so are its description and its plan's records", () => {
    const frozen = (value: unknown): void => {
      if (typeof value !== "object" || value === null || value instanceof Map || value instanceof Set) return;
      expect(Object.isFrozen(value)).toBe(true);
      for (const part of Object.values(value)) frozen(part);
    };
    frozen(compiled);
    frozen(compiled.describe());
    frozen(planOf(compiled));
    expect(compiled.describe()).toBe(compiled.describe());
  });

  it("is told from anything else by planOf", () => {
    expect(planOf(compiled)).toMatchObject({ name: "g", fingerprint: compiled.fingerprint });
    for (const other of [...garbage, { ...compiled }, compiled.describe()]) expect(planOf(other)).toBeUndefined();
  });

  it("is planned in the order of declaration", () => {
    const plan = planned(withNodes("z", "a").edge(START, ["z", "a"]).edge(["z", "a"], END));
    expect([...plan.nodeIndex]).toEqual([
      ["z", 0],
      ["a", 1],
    ]);
    expect(plan.nodes.map(({ name, index }) => [name, index])).toEqual([...plan.nodeIndex]);
    expect(plan.entry.edges.map(({ to }) => to)).toEqual([0, 1]);
  });
});
