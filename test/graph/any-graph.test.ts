/** Any graph either compiles, and then is sound, or says why it does not: judged by a model of its own. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { catalogue } from "../../src/errors/catalogue.ts";
import { input } from "../../src/graph/input.ts";
import { END, START } from "../../src/graph/names.ts";
import { loose, planned, problemsOf, run, type LooseBuilder } from "./support.ts";

type Call = (builder: LooseBuilder) => LooseBuilder;
const build = (inputs: readonly string[], calls: readonly Call[]): LooseBuilder =>
  calls.reduce((builder, call) => call(builder), loose({ inputs: Object.fromEntries(inputs.map((name) => [name, input()])) }));

/** Names that may exist, misspelt ones, reserved ones, and what is no name. */
const anything = fc.constantFrom<unknown>("a", "b", "c", "d", "", START, END, "ghost", "aa", 5, null, undefined);
const several = fc.oneof(anything, fc.array(anything, { maxLength: 3 }));
const options = fc.record(
  {
    jumps: several,
    onError: anything,
    defer: fc.constantFrom(true, 1),
    gate: fc.constantFrom("on-change", "never"),
    timeout: fc.constantFrom("1s", 0, "soon"),
    retry: fc.constantFrom({ attempts: 2 }, {}, 3),
  },
  { requiredKeys: [] },
);
const wildCall: fc.Arbitrary<Call> = fc.oneof(
  fc.tuple(anything, fc.constantFrom(run, undefined), options).map(
    ([name, handler, given]): Call =>
      (builder) =>
        builder.node(name, handler, given),
  ),
  fc.tuple(several, several).map(
    ([from, to]): Call =>
      (builder) =>
        builder.edge(from, to),
  ),
  fc.tuple(anything, fc.dictionary(fc.constantFrom("on", "off", ""), several, { maxKeys: 2 }), fc.constantFrom(run, 5)).map(
    ([from, labels, decide]): Call =>
      (builder) =>
        builder.branch(from, labels, decide),
  ),
);

/** A graph of existing names, each edge once. */
interface Shape {
  readonly edges: readonly (readonly [from: string, to: string])[];
  readonly joins: readonly (readonly [from: readonly string[], to: string])[];
  readonly labels: readonly (readonly [from: string, to: string])[];
  readonly jumps: readonly (readonly [from: string, to: string])[];
  readonly handlers: readonly (readonly [from: string, to: string])[];
}

const names = ["a", "b", "c", "d"];
const node = fc.constantFrom(...names);
const source = fc.constantFrom(START, ...names);
const target = fc.constantFrom(END, ...names);
const key = (value: unknown): string => JSON.stringify(value);
const shape: fc.Arbitrary<Shape> = fc.record({
  edges: fc.uniqueArray(fc.tuple(source, target), { selector: key, maxLength: 7 }),
  joins: fc.uniqueArray(
    fc.tuple(
      fc.shuffledSubarray(names, { minLength: 2, maxLength: 3 }).map((from) => from.toSorted()),
      target,
    ),
    {
      selector: key,
      maxLength: 2,
    },
  ),
  labels: fc.array(fc.tuple(source, target), { maxLength: 3 }),
  jumps: fc.array(fc.tuple(node, target), { maxLength: 3 }),
  handlers: fc.uniqueArray(fc.tuple(node, node), { selector: ([from]) => from, maxLength: 2 }),
});

function buildShape({ edges, joins, labels, jumps, handlers }: Shape): LooseBuilder {
  let builder = loose();
  for (const name of names) {
    const onError = handlers.find(([from]) => from === name)?.[1];
    builder = builder.node(name, run, { jumps: jumps.filter(([from]) => from === name).map(([, to]) => to), onError });
  }
  for (const [from, to] of [...edges, ...joins]) builder = builder.edge(from, to);
  for (const [from, to] of labels) builder = builder.branch(from, { on: to }, run);
  return builder;
}

const waysOf = ({ edges, joins, labels, jumps, handlers }: Shape): readonly (readonly [string, string])[] => [
  ...edges,
  ...joins.flatMap(([from, to]) => from.map((each) => [each, to] as const)),
  ...labels,
  ...jumps,
  ...handlers,
];

function reached(from: string, ways: readonly (readonly [string, string])[]): ReadonlySet<string> {
  const found = new Set([from]);
  for (const each of found) for (const [left, right] of ways) if (left === each) found.add(right);
  return found;
}

/** What START leads to, joins only from all of their sources. */
function entered({ edges, joins, labels, jumps, handlers }: Shape): ReadonlySet<string> {
  const alone = [...edges, ...labels, ...jumps, ...handlers];
  const found = new Set<string>([START]);
  for (let size = -1; size !== found.size;) {
    size = found.size;
    for (const [from, to] of alone) if (found.has(from)) found.add(to);
    for (const [from, to] of joins) if (from.every((each) => found.has(each))) found.add(to);
  }
  return found;
}

/** Nodes from which a run can come to an end, if every node decides as it should: joins need not fire, branches may decide for nothing. */
function stoppable({ edges, jumps, handlers }: Shape): ReadonlySet<string> {
  const found = new Set([END]);
  const instead = [...jumps, ...handlers];
  for (let size = -1; size !== found.size;) {
    size = found.size;
    for (const name of names) {
      const leaves = instead.some(([from, to]) => from === name && found.has(to));
      if (leaves || edges.every(([from, to]) => from !== name || found.has(to))) found.add(name);
    }
  }
  return found;
}

describe("any graph", () => {
  it("compiles or says why, in codes and sentences, and never fails otherwise", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.constantFrom("a", "b", "ghost"), { maxLength: 2 }),
        fc.array(wildCall, { maxLength: 14 }),
        (inputs, calls) => {
          for (const { code, message, nodes } of problemsOf(build(inputs, calls))) {
            expect(Object.keys(catalogue.graph)).toContain(code);
            expect(message).toMatch(/^[A-Z].*[.?]$/s);
            expect(message).not.toMatch(/undefined names|\[object/);
            expect(nodes.every((each) => typeof each === "string")).toBe(true);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  it("of existing names compiles just when it has an entry, all is reached, all ends, and no cycle is endless", () => {
    let compiled = 0;
    fc.assert(
      fc.property(shape, (given) => {
        const problems = problemsOf(buildShape(given));
        const nodesOf = (code: string) => new Set(problems.filter((each) => each.code === code).flatMap((each) => each.nodes));
        const ways = waysOf(given);
        const hasEntry = ways.some(([from]) => from === START);
        const lost = names.filter((name) => hasEntry && !entered(given).has(name));
        const caught = names.filter((name) => !reached(name, ways).has(END));
        expect(nodesOf("no_entry").size + problems.filter(({ code }) => code === "no_entry").length).toBe(hasEntry ? 0 : 1);
        expect([...nodesOf("unreachable_node")].toSorted()).toEqual(lost);
        const told = new Set([...nodesOf("no_exit"), ...nodesOf("endless_cycle"), ...nodesOf("unreachable_node")]);
        for (const name of nodesOf("no_exit")) expect(caught).toContain(name);
        if (nodesOf("endless_cycle").size === 0) for (const name of caught) expect([...told]).toContain(name);
        for (const name of nodesOf("endless_cycle")) expect([...stoppable(given)]).not.toContain(name);
        if (problems.length > 0) return;
        compiled += 1;
        expect(caught).toEqual([]);
        expect(planned(buildShape(given)).nodes).toHaveLength(names.length);
      }),
      { numRuns: 3000, seed: 7 },
    );
    expect(compiled).toBeGreaterThan(100);
  });

  it("with a cycle of plain edges, and neither a jump nor a handler, does not compile", () => {
    fc.assert(
      fc.property(shape, (given) => {
        const plain = { ...given, jumps: [], handlers: [] };
        const cyclic = names.some((name) => plain.edges.some(([from, to]) => from === name && reached(to, plain.edges).has(name)));
        expect(problemsOf(buildShape(plain)).some(({ code }) => code === "endless_cycle")).toBe(cyclic);
      }),
    );
  });
});
