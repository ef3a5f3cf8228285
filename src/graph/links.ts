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

const quoted = (name: string): string => (name === START ? "START" : `"${name}"`);

export function linksOf(declaration: Declaration, findings: Findings): readonly Link[] {
  const named = new Set(declaration.nodes.map(({ name }) => name));
  const [sources, targets] = [new Set([...named, START]), new Set([...named, END])];
  const unknown = new Map<string, Unknown>();
  const uninvited = new Map<string, Mention[]>();
  for (const name of declaration.inputs) {
    if (!named.has(name)) note(unknown, name, { subject: 'Option "inputs" of the graph', known: named, others: [] });
  }
  const links: Link[] = [];
  for (const mention of mentionsOf(declaration)) {
    const { kind, subject } = mention;
    const from = resolve(mention.from, sources, unknown, { subject, known: sources, others: [mention.to] });
    const to = resolve(mention.to, targets, unknown, { subject, known: targets, others: [mention.from] });
    const exact = from === mention.from && to === mention.to;
    if (from !== undefined && to !== undefined) links.push({ from, to, kind: exact ? kind : "guess" });
    if (!exact && from !== undefined) findings.excused.exits.add(from);
    if (!exact && to !== undefined) findings.excused.entries.add(to);
    if (kind !== "jump" && declaration.inputs.has(mention.to) && targets.has(mention.to)) {
      uninvited.set(mention.to, [...(uninvited.get(mention.to) ?? []), mention]);
    }
  }
  for (const [name, { subject, known, others, times }] of unknown) {
    report(findings, "unknown_node", { node: name, where: `${subject}${more(times)}`, hint: hint(name, known) }, [name, ...others]);
  }
  for (const [node, mentions] of uninvited) {
    const by = `${mentions[0]?.object}${more(mentions.length)}`;
    report(findings, "missing_input", { node, by }, [node, ...new Set(mentions.map(({ from }) => from))]);
  }
  return links;
}

interface Unknown {
  readonly subject: string;
  readonly known: Iterable<string>;
  readonly others: readonly string[];
  readonly times: number;
}

const more = (times: number): string => (times > 1 ? ` (and ${times - 1} more)` : "");

function note(unknown: Map<string, Unknown>, name: string, found: Omit<Unknown, "times">): void {
  const before = unknown.get(name);
  unknown.set(name, before === undefined ? { ...found, times: 1 } : { ...before, times: before.times + 1 });
}

function resolve(
  name: string,
  known: ReadonlySet<string>,
  unknown: Map<string, Unknown>,
  found: Omit<Unknown, "times">,
): string | undefined {
  if (known.has(name)) return name;
  note(unknown, name, found);
  return suggest(name, known);
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
