/** A fingerprint follows what routes a run and keeps its state, and nothing else. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { channel } from "../../src/graph/channel.ts";
import { event } from "../../src/graph/event-type.ts";
import { input } from "../../src/graph/input.ts";
import { END, START } from "../../src/graph/names.ts";
import { looseGraph, run } from "./support.ts";

interface Declared {
  readonly name: string;
  readonly version?: string;
  readonly channels: readonly (readonly [string, unknown])[];
  readonly events: Readonly<Record<string, unknown>>;
  readonly inputs: readonly string[];
  readonly nodes: readonly (readonly [string, Readonly<Record<string, unknown>>])[];
  readonly edges: readonly (readonly [string | readonly string[], string])[];
  readonly branches: readonly (readonly [string, readonly (readonly [string, readonly string[]])[]])[];
}

const declared: Declared = {
  name: "g",
  channels: [
    ["topic", channel.value<string>()],
    ["hits", channel.list()],
    ["total", channel.reduce(0, (total: number) => total)],
  ],
  events: {},
  inputs: ["work"],
  nodes: [
    ["plan", { jumps: ["work", "sum", END] }],
    ["work", { onError: "rescue" }],
    ["side", { gate: "on-change" }],
    ["sum", { defer: true }],
    ["rescue", {}],
  ],
  edges: [
    [START, "plan"],
    [START, "side"],
    ["plan", "side"],
    [["plan", "side", "work"], "sum"],
    [["plan", "side"], "sum"],
    ["plan", "sum"],
    ["work", END],
    ["rescue", END],
  ],
  branches: [
    [
      "sum",
      [
        ["again", ["plan", "side"]],
        ["done", [END]],
      ],
    ],
    ["sum", [["log", ["side"]]]],
    ["side", [["done", [END]]]],
  ],
};

function fingerprint(graph: Declared): string {
  const channels = Object.fromEntries(graph.channels);
  const inputs = Object.fromEntries(graph.inputs.map((name) => [name, input()]));
  let builder = looseGraph({ name: graph.name, version: graph.version, channels, events: graph.events, inputs });
  for (const [name, options] of graph.nodes) builder = builder.node(name, run, options);
  for (const [from, to] of graph.edges) builder = builder.edge(from, to);
  for (const [from, labels] of graph.branches) builder = builder.branch(from, Object.fromEntries(labels), run);
  return builder.compile().fingerprint;
}

const shuffled = <Item>(items: readonly Item[]): fc.Arbitrary<readonly Item[]> =>
  fc.shuffledSubarray([...items], { minLength: items.length });
const all = <Item, Given>(items: readonly Item[], each: (item: Item) => fc.Arbitrary<Given>): fc.Arbitrary<readonly Given[]> =>
  fc.tuple(...items.map(each)).chain(shuffled);

/** The same graph in any order of declaration, of sources, labels, targets and jumps. */
const anyOrder: fc.Arbitrary<Declared> = fc.record({
  name: fc.constant(declared.name),
  channels: shuffled(declared.channels),
  events: fc.constant({}),
  inputs: fc.constant(declared.inputs),
  nodes: all(declared.nodes, ([name, options]) =>
    shuffled((options["jumps"] as readonly string[] | undefined) ?? []).map((jumps) => [name, { ...options, jumps }] as const),
  ),
  edges: all(declared.edges, ([from, to]) =>
    (typeof from === "string" ? fc.constantFrom(from, [from]) : shuffled(from)).map((sources) => [sources, to] as const),
  ),
  branches: all(declared.branches, ([from, labels]) =>
    all(labels, ([label, targets]) => shuffled(targets).map((to) => [label, to] as const)).map((given) => [from, given] as const),
  ),
});

describe("the fingerprint", () => {
  const original = fingerprint(declared);
  const changed = (change: Partial<Declared>): string => fingerprint({ ...declared, ...change });
  const nodesWith = (name: string, options: Readonly<Record<string, unknown>>): Declared["nodes"] =>
    declared.nodes.map(([each, given]) => (each === name ? [each, { ...given, ...options }] : [each, given]));

  it("is SHA-256 in hexadecimal, and stays what it is for ever: stored sessions are compared by it", () => {
    expect(original).toMatch(/^[0-9a-f]{64}$/);
    expect(looseGraph({ name: "g", channels: {} }).edge(START, END).compile().fingerprint).toBe(
      "f393e8c3cb2b49ad0e94491de63d4fcc90a86628a6ee74e7e76f96a6795f8681",
    );
  });

  it("is the same for any order of declaration", () => {
    fc.assert(fc.property(anyOrder, (graph) => fingerprint(graph) === original));
  });

  it.each([
    ["the name", { name: "other" }],
    ["the version", { version: "2" }],
    ["events", { events: { token: event() } }],
    [
      "how a channel begins, and what it takes",
      { channels: [["topic", channel.value("x").with({ concurrent: "last" })], ...declared.channels.slice(1)] },
    ],
    ["how a node is run", { nodes: nodesWith("plan", { retry: { attempts: 3 }, timeout: "1s", idleTimeout: "1s", concurrency: 2 }) }],
    ["defaults that are written out", { nodes: nodesWith("plan", { gate: "always", defer: false, onError: undefined }) }],
    ["a jump that is named twice", { nodes: nodesWith("plan", { jumps: ["work", "sum", END, "sum"] }) }],
  ] as const)("ignores %s", (_what, change) => {
    expect(changed(change)).toBe(original);
  });

  it.each([
    ["a channel's name", { channels: [["subject", channel.value<string>()], ...declared.channels.slice(1)] }],
    ["a channel's kind", { channels: [["topic", channel.optional<string>()], ...declared.channels.slice(1)] }],
    ["a channel", { channels: declared.channels.slice(1) }],
    ["a node", { nodes: [...declared.nodes, ["more", { jumps: [END] }]], edges: [...declared.edges, [START, "more"]] }],
    ["an edge more", { edges: [...declared.edges, ["side", END]] }],
    ["an edge less", { edges: declared.edges.filter(([, to]) => to !== "side").concat([[START, "side"]]) }],
    ["a join less", { edges: declared.edges.filter(([from]) => from.length !== 2) }],
    ["a join's sources", { edges: declared.edges.map(([from, to]) => [from.length === 2 ? ["plan", "work"] : from, to] as const) }],
    ["plain edges for a join", { edges: [...declared.edges.filter(([from]) => from.length !== 2), ["side", "sum"]] }],
    ["a label's name", { branches: [...declared.branches.slice(0, 2), ["side", [["over", [END]]]]] }],
    ["a label's target", { branches: [...declared.branches.slice(0, 2), ["side", [["done", ["sum"]]]]] }],
    [
      "labels of one branch for two",
      { branches: [["sum", [...(declared.branches[0]?.[1] ?? []), ["log", ["side"]]]], declared.branches[2]] },
    ],
    ["a jump less", { nodes: nodesWith("plan", { jumps: ["work", END] }) }],
    ["a handler", { nodes: nodesWith("work", { onError: "side" }), edges: [...declared.edges, [START, "rescue"]] }],
    ["another handler", { nodes: nodesWith("side", { onError: "rescue" }) }],
    ["a gate", { nodes: nodesWith("sum", { gate: "on-change" }) }],
    ["what is deferred", { nodes: nodesWith("side", { defer: true }) }],
    ["what takes an input", { inputs: [] }],
  ] as readonly (readonly [string, Partial<Declared>])[])("changes with %s", (_what, change) => {
    expect(changed(change)).not.toBe(original);
  });
});
