/** How much work a long graph is for the compiler: counted, not timed. */
import { describe, expect, it } from "vitest";
import { compile } from "./compiler.ts";

/** A chain of typed nodes with an edge or a branch to each next one. */
function chain(nodes: number): string {
  const lines = [
    'import { channel, END, graph, START } from "./spanloom.ts";',
    'export const long = graph({ name: "long", channels: { hits: channel.list<number>(), total: channel.value(0) } })',
  ];
  for (let index = 0; index < nodes; index += 1) lines.push(`  .node("node${index}", async ({ total }) => ({ hits: [total] }))`);
  lines.push('  .edge(START, "node0")');
  for (let index = 1; index < nodes; index += 1) {
    const [from, to] = [`"node${index - 1}"`, `"node${index}"`];
    const branch = `  .branch(${from}, { on: ${to}, done: END }, ({ total }) => (total > 1 ? "done" : "on"))`;
    lines.push(index % 5 === 0 ? branch : `  .edge(${from}, ${to})`);
  }
  return [...lines, `  .edge("node${nodes - 1}", END)`, "  .compile();", ""].join("\n");
}

function instantiations(nodes: number): number {
  const printed = compile({ "long.ts": chain(nodes) }, ["--extendedDiagnostics"]);
  expect(printed).not.toContain("error TS");
  return Number(/^Instantiations: +(\d+)$/m.exec(printed)?.[1]);
}

describe("the types of a graph of 500 nodes", () => {
  it("keep within their budget of instantiations, and grow with the number of nodes alone", () => {
    const [short, long] = [instantiations(100), instantiations(500)];
    // About 372 for each node when this was written, and 0.4 s in all.
    expect((long - short) / 400).toBeLessThan(450);
    expect((long - short) / 400).toBeGreaterThan(0);
    expect(long).toBeLessThan(260_000);
  });
});
