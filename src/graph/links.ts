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

/** Where a name is written: as the subject of a sentence, and in the middle of one. */
interface Mention extends Link {
  readonly subject: string;
  readonly object: string;
}

/** A name that is written where it must not be: in which places, and what is said of it. */
interface Misuse {
  readonly places: Set<string>;
  /** What it is written beside, where it is first met. */
  readonly beside: readonly string[];
  /** What may be written there. */
  readonly known: ReadonlySet<string>;
}
type Misuses = Map<string, Misuse>;

const quoted = (name: string): string => (name === START ? "START" : `"${name}"`);

export function linksOf(declaration: Declaration, findings: Findings): readonly Link[] {
  const { inputs } = declaration;
  const named = new Set(declaration.nodes.map(({ name }) => name));
  const [sources, targets] = [new Set([...named, START]), new Set([...named, END])];
  const [unknown, uninvited]: readonly [Misuses, Misuses] = [new Map(), new Map()];
  for (const name of inputs) if (!named.has(name)) misused(unknown, name, 'Option "inputs" of the graph', [], named);
  const links: Link[] = [];
  for (const { from: source, to: target, kind, subject, object } of mentionsOf(declaration)) {
    if (!sources.has(source)) misused(unknown, source, subject, [target], sources);
    if (!targets.has(target)) misused(unknown, target, subject, [source], targets);
    if (kind !== "jump" && inputs.has(target) && targets.has(target)) misused(uninvited, target, object, [source], targets);
    const [from, to] = [meant(source, sources), meant(target, targets)];
    const exact = from === source && to === target;
    if (from !== undefined && to !== undefined) links.push({ from, to, kind: exact ? kind : "guess" });
    if (!exact && from !== undefined) findings.excused.exits.add(from);
    if (!exact && to !== undefined) findings.excused.entries.add(to);
  }
  for (const [node, { places, beside, known }] of unknown) {
    report(findings, "unknown_node", { node, where: listed(places), hint: hint(node, known) }, [node, ...beside]);
  }
  for (const [node, { places, beside }] of uninvited) report(findings, "missing_input", { node, by: listed(places) }, [node, ...beside]);
  return links;
}

const meant = (name: string, known: ReadonlySet<string>): string | undefined => (known.has(name) ? name : suggest(name, known));

function misused(misuses: Misuses, name: string, place: string, beside: readonly string[], known: ReadonlySet<string>): void {
  const before = misuses.get(name);
  if (before === undefined) misuses.set(name, { places: new Set([place]), beside, known });
  else before.places.add(place);
}

function listed(places: ReadonlySet<string>): string {
  const [first = ""] = places;
  return places.size > 1 ? `${first} (and ${places.size - 1} more)` : first;
}

function* mentionsOf({ nodes, edges, branches }: Declaration): Generator<Mention> {
  for (const { from, to } of edges) {
    const ends = `${from.map(quoted).join(", ")} to "${to}"`;
    const kind = from.length === 1 ? "edge" : "join";
    for (const source of from) yield { from: source, to, kind, subject: `The edge from ${ends}`, object: `the edge from ${ends}` };
  }
  for (const { from, labels } of branches) {
    for (const [label, targets] of labels) {
      const object = `label "${label}" of a branch of ${quoted(from)}`;
      for (const to of targets) yield { from, to, kind: "label", subject: `L${object.slice(1)}`, object };
    }
  }
  for (const { name, jumps, onError } of nodes) {
    const subject = (option: string): string => `Option "${option}" of node "${name}"`;
    for (const to of jumps) yield { from: name, to, kind: "jump", subject: subject("jumps"), object: `a jump of "${name}"` };
    if (onError !== undefined) {
      yield { from: name, to: onError, kind: "error", subject: subject("onError"), object: `\`onError\` of node "${name}"` };
    }
  }
}
