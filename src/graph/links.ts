/** Resolves every name that leads from node to node. A name that is misspelt is reported once, and then read as the one that it is like. */
import { hint, suggest } from "../support/suggest.ts";
import type { Declaration } from "./declaration.ts";
import { report, type Findings } from "./findings.ts";
import { END, START } from "./names.ts";

/** A way from START or a node to a node or END. */
export interface Link {
  readonly from: string;
  readonly to: string;
  /** A join's edge is no "edge": it is followed, but its target need not run. A "guess" has a misspelt end. */
  readonly kind: "edge" | "join" | "label" | "jump" | "error" | "guess";
}

/** Where a name is written, in words. */
interface Mention extends Link {
  readonly place: string;
}

/** A name that is written where it must not be: in which places, and what is said of it. */
interface Misuse {
  readonly places: Set<string>;
  /** What it is written beside. */
  readonly beside: Set<string>;
  /** What may be written there. */
  readonly known: ReadonlySet<string>;
}
type Misuses = Map<string, Misuse>;

const quoted = (name: string): string => (name === START ? "START" : `"${name}"`);

export function linksOf(declaration: Declaration, findings: Findings): readonly Link[] {
  const { inputs } = declaration;
  const named = new Set(declaration.nodes.map(({ name }) => name).filter((name) => name !== START && name !== END));
  const [sources, targets] = [new Set([...named, START]), new Set([...named, END])];
  const [unknown, uninvited]: readonly [Misuses, Misuses] = [new Map(), new Map()];
  for (const name of inputs) if (!named.has(name)) misused(unknown, name, 'option "inputs" of the graph', [], named);
  const links: Link[] = [];
  for (const { from: source, to: target, kind, place } of mentionsOf(declaration)) {
    // START and END in each other's place are told already.
    if (!sources.has(source) && source !== END) misused(unknown, source, place, [target], sources);
    if (!targets.has(target) && target !== START) misused(unknown, target, place, [source], targets);
    if (kind !== "jump" && inputs.has(target) && targets.has(target)) misused(uninvited, target, place, [source], targets);
    const [from, to] = [meant(source, sources), meant(target, targets)];
    const exact = from === source && to === target;
    if (from !== undefined && to !== undefined) links.push({ from, to, kind: exact ? kind : "guess" });
    if (!exact && from !== undefined) findings.excused.exits.add(from);
    if (!exact && to !== undefined) findings.excused.entries.add(to);
  }
  for (const [node, { places, beside, known }] of unknown) {
    report(findings, "unknown_node", { node, places: [...places], hint: hint(node, known) }, [node, ...beside]);
  }
  for (const [node, { places, beside }] of uninvited) {
    report(findings, "missing_input", { node, places: [...places] }, [node, ...beside]);
  }
  return links;
}

function meant(name: string, known: ReadonlySet<string>): string | undefined {
  if (known.has(name)) return name;
  return name === START || name === END ? undefined : suggest(name, known);
}

function misused(misuses: Misuses, name: string, place: string, beside: readonly string[], known: ReadonlySet<string>): void {
  const before = misuses.get(name);
  if (before === undefined) misuses.set(name, { places: new Set([place]), beside: new Set(beside), known });
  else {
    before.places.add(place);
    for (const each of beside) before.beside.add(each);
  }
}

function* mentionsOf({ nodes, edges, branches }: Declaration): Generator<Mention> {
  for (const { from, to } of edges) {
    const place = `the edge from ${from.map(quoted).join(", ")} to "${to}"`;
    for (const source of from) yield { from: source, to, kind: from.length === 1 ? "edge" : "join", place };
  }
  for (const { from, labels } of branches) {
    for (const [label, targets] of labels) {
      for (const to of targets) yield { from, to, kind: "label", place: `label "${label}" of a branch of ${quoted(from)}` };
    }
  }
  for (const { name, jumps, onError } of nodes) {
    const place = (option: string): string => `option "${option}" of node "${name}"`;
    for (const to of jumps) yield { from: name, to, kind: "jump", place: place("jumps") };
    if (onError !== undefined) yield { from: name, to: onError, kind: "error", place: place("onError") };
  }
}
