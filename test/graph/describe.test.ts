/** A graph as data and as drawings, whatever its names are. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { channel } from "../../src/graph/channel.ts";
import { input } from "../../src/graph/input.ts";
import { END, START } from "../../src/graph/names.ts";
import { loose, looseGraph, run } from "./support.ts";

const research = () =>
  looseGraph({
    name: "research",
    version: "2.1",
    channels: { question: channel.value<string>(), sources: channel.list(), spent: channel.reduce(0, (spent: number) => spent) },
    inputs: { fetch: input() },
  })
    .node("plan", run, { jumps: ["fetch", END] })
    .node("fetch", run, { onError: "give up" })
    .node("papers", run, { gate: "on-change" })
    .node("write", run, { defer: true })
    .node("give up", run)
    .edge(START, "plan")
    .edge("plan", ["papers"])
    .edge(["papers", "fetch"], "write")
    .edge("give up", END)
    .branch("write", { revise: ["plan", "papers"], done: END }, run)
    .compile();

describe("describe()", () => {
  it("gives the graph as data, in the order of declaration, without the built-in channel", () => {
    const compiled = research();
    const node = { jumps: [], onError: undefined, gate: "always", defer: false, input: false };
    expect(compiled.describe()).toEqual({
      name: "research",
      version: "2.1",
      fingerprint: compiled.fingerprint,
      channels: [
        { name: "question", kind: "value" },
        { name: "sources", kind: "list" },
        { name: "spent", kind: "reduce" },
      ],
      nodes: [
        { ...node, name: "plan", jumps: ["fetch", END] },
        { ...node, name: "fetch", onError: "give up", input: true },
        { ...node, name: "papers", gate: "on-change" },
        { ...node, name: "write", defer: true },
        { ...node, name: "give up" },
      ],
      edges: [
        { from: [START], to: "plan" },
        { from: ["plan"], to: "papers" },
        { from: ["papers", "fetch"], to: "write" },
        { from: ["give up"], to: END },
      ],
      branches: [{ from: "write", labels: { revise: ["plan", "papers"], done: [END] } }],
    });
  });

  it("is JSON", () => {
    const description = research().describe();
    expect(JSON.parse(JSON.stringify(description))).toEqual(description);
    expect(Object.keys(JSON.parse(JSON.stringify(description)))).toEqual([
      "name",
      "fingerprint",
      "version",
      "channels",
      "nodes",
      "edges",
      "branches",
    ]);
  });
});

describe("toMermaid()", () => {
  it("draws nodes, edges, joins, labels, jumps, sends and handlers", () => {
    expect(research().toMermaid()).toBe(`flowchart TD
  s(["START"])
  n0["plan"]
  n1[["fetch (per item)"]]
  n2["papers (on change)"]
  n3["write (deferred)"]
  n4["give up"]
  j2{{"all"}}
  e(["END"])
  s --> n0
  n0 --> n2
  n2 --> j2
  n1 --> j2
  j2 --> n3
  n4 --> e
  n3 -->|"revise"| n0
  n3 -->|"revise"| n2
  n3 -->|"done"| e
  n0 -.->|"send"| n1
  n0 -.->|"jump"| e
  n1 -.-x|"on error"| n4
`);
  });

  it("writes what may be taken for syntax as entities, and control characters as their escapes", () => {
    const compiled = loose().node('a"]; <b>&#\n', run).edge(START, 'a"]; <b>&#\n').edge('a"]; <b>&#\n', END).compile();
    expect(compiled.toMermaid()).toContain('  n0["a#34;#93;#59; #60;b#62;#38;#35;#92;u000a"]\n');
    // Hyphens and dots are syntax at the beginning of a line of Markdown, and nothing inside a word.
    const plain = loose()
      .node("fetch-page.v2", run)
      .node("- 1. x-", run)
      .edge(START, ["fetch-page.v2", "- 1. x-"])
      .edge("fetch-page.v2", END);
    const drawn = plain.edge("- 1. x-", END).compile().toMermaid();
    expect(drawn).toContain('  n0["fetch-page.v2"]\n');
    expect(drawn).toContain('  n1["#45; 1#46; x#45;"]\n');
  });
});

describe("toDot()", () => {
  it("draws the same", () => {
    expect(research().toDot()).toBe(`digraph {
  label="research";
  s [label="START", shape=oval];
  n0 [label="plan", shape=box];
  n1 [label="fetch (per item)", shape=box3d];
  n2 [label="papers (on change)", shape=box];
  n3 [label="write (deferred)", shape=box];
  n4 [label="give up", shape=box];
  j2 [label="all", shape=hexagon];
  e [label="END", shape=oval];
  s -> n0;
  n0 -> n2;
  n2 -> j2;
  n1 -> j2;
  j2 -> n3;
  n4 -> e;
  n3 -> n0 [label="revise"];
  n3 -> n2 [label="revise"];
  n3 -> e [label="done"];
  n0 -> n1 [label="send", style=dashed];
  n0 -> e [label="jump", style=dashed];
  n1 -> n4 [label="on error", style=dotted, color=red];
}
`);
  });

  it("escapes quotes, backslashes and ampersands, which Graphviz reads within quotes", () => {
    const compiled = looseGraph({ name: "g\\", channels: {} })
      .node('a"\\N&amp;\t', run)
      .edge(START, 'a"\\N&amp;\t')
      .edge('a"\\N&amp;\t', END)
      .compile();
    expect(compiled.toDot()).toContain('  label="g\\\\";\n');
    expect(compiled.toDot()).toContain('  n0 [label="a\\"\\\\N&amp;amp;\\\\u0009", shape=box];\n');
  });
});

describe("a drawing", () => {
  const name = fc
    .oneof(
      fc.string({ unit: "binary", minLength: 1 }),
      fc.string({ unit: "grapheme", minLength: 1 }),
      fc.constantFrom('"', "\\", "`", "]", "\ud800", "\n", "subgraph"),
    )
    .filter((text) => text !== START && text !== END);
  const mermaidLine =
    /^ {2}(?:\w+(?:\(\[("[^"]*")\]\)|\[\[("[^"]*")\]\]|\[("[^"]*")\]|\{\{"all"\}\})|\w+ (?:-->|-\.->|-\.-x)(?:\|("[^"]*")\|)? \w+)$/u;
  const mermaidLabel = /^"(?:[\p{L}\p{N} _(),]|(?<=[\p{L}\p{N}])[-.](?=[\p{L}\p{N}])|#\d+;)*"$/u;
  const dotLine = /^ {2}(?:label=Q;|\w+ \[label=Q, shape=\w+\];|\w+ -> \w+(?: \[(?:label=Q)?(?:, style=\w+(?:, color=\w+)?)?\])?;)$/;

  it("has one line for each box and each arrow, and nothing but labels in its quotes, whatever the names are", () => {
    fc.assert(
      fc.property(name, fc.uniqueArray(name, { minLength: 3, maxLength: 4 }), (graphName, names) => {
        const [first = "", second = "", third = ""] = names;
        let builder = looseGraph({ name: graphName, channels: {}, inputs: { [third]: input() } });
        for (const each of names) builder = builder.node(each, run, each === first ? { jumps: [third], onError: second } : {});
        for (const each of names) builder = each === third ? builder : builder.edge(START, each);
        for (const each of names) builder = builder.branch(each, { [each]: END }, run);
        const compiled = builder.edge([first, second], END).compile();
        // START, END, a join; to each node but one; a label each; a jump; a handler; the join's three.
        const drawn = names.length + 3 + (names.length - 1) + names.length + 1 + 1 + 3;
        const [head, ...lines] = compiled.toMermaid().trimEnd().split("\n");
        expect(head).toBe("flowchart TD");
        expect(lines).toHaveLength(drawn);
        for (const line of lines) {
          const [, ...labels] = mermaidLine.exec(line) ?? expect.unreachable(line);
          for (const label of labels) if (label !== undefined) expect(label).toMatch(mermaidLabel);
        }
        const dot = compiled.toDot().trimEnd().split("\n");
        expect([dot[0], dot.at(-1)]).toEqual(["digraph {", "}"]);
        expect(dot).toHaveLength(drawn + 3);
        for (const line of dot.slice(1, -1)) expect(line.replaceAll(/"(?:[^"\\]|\\["\\])*"/g, "Q")).toMatch(dotLine);
      }),
    );
  });
});
