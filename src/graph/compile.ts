/** From notes to a graph: reads them all, judges them all, and only then makes anything. */
import { GraphError } from "../errors/errors.ts";
import { checkWays } from "./check-ways.ts";
import type { Declaration } from "./declaration.ts";
import { describeGraph } from "./describe.ts";
import { dotOf } from "./dot.ts";
import { notesOf, type Draft } from "./draft.ts";
import { noFindings, type Findings } from "./findings.ts";
import { register, type AnyGraph } from "./graph.ts";
import { linksOf } from "./links.ts";
import { makePlan } from "./make-plan.ts";
import { mermaidOf } from "./mermaid.ts";
import { readBranches, readEdges } from "./read-exits.ts";
import { readNodes } from "./read-nodes.ts";
import { readSpec } from "./read-spec.ts";

/** Throws `GraphError` with every problem. */
export function compileGraph(draft: Draft): AnyGraph {
  const findings = noFindings();
  const declaration = readDraft(draft, findings);
  const links = linksOf(declaration, findings);
  const names = declaration.nodes.map(({ name }) => name);
  const joins = declaration.edges.filter(({ from }) => from.length > 1);
  checkWays(names, links, joins, findings);
  if (findings.problems.length > 0) throw new GraphError(declaration.name, findings.problems);
  return makeGraph(declaration);
}

function readDraft(draft: Draft, findings: Findings): Declaration {
  const spec = readSpec(draft.spec, findings);
  const notes = notesOf(draft);
  const nodes = readNodes(notes, findings);
  const edges = readEdges(notes, findings);
  return { ...spec, nodes, edges, branches: readBranches(notes, findings) };
}

function makeGraph(declaration: Declaration): AnyGraph {
  const description = describeGraph(declaration);
  const { name, version, fingerprint } = description;
  const graph: AnyGraph = Object.freeze({
    name,
    version,
    fingerprint,
    describe: () => description,
    toMermaid: () => mermaidOf(description),
    toDot: () => dotOf(description),
  });
  register(graph, makePlan(declaration, fingerprint));
  return graph;
}
