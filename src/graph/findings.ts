/** What is wrong with a graph, gathered while it is read, and what must not be held against it again. */
import type { CodeOf, FactsOf } from "../errors/catalogue.ts";
import { graphProblem, type GraphProblem } from "../errors/errors.ts";
import { suggest } from "../support/suggest.ts";

export interface Findings {
  readonly problems: GraphProblem[];
  /** Nodes whose ways out, or in, are told to be wrong already: that these lead nowhere is no problem of its own. */
  readonly excused: { readonly exits: Set<string>; readonly entries: Set<string> };
}

export function noFindings(): Findings {
  return { problems: [], excused: { exits: new Set(), entries: new Set() } };
}

export function report<C extends CodeOf<"graph">>(
  findings: Findings,
  code: C,
  facts: FactsOf<"graph", C>,
  nodes: Iterable<string> = [],
): void {
  findings.problems.push(graphProblem(code, facts, [...nodes]));
}

/** A wrong option of the graph, a channel or a node. */
export function reportOption(findings: Findings, where: Place, option: string, reason: string): void {
  report(findings, "invalid_option", { where: where.text, option, reason }, where.nodes);
}

/** What an option belongs to, in words, and the nodes among it. */
export interface Place {
  readonly text: string;
  readonly nodes: readonly string[];
}

export const theGraph: Place = { text: "the graph", nodes: [] };
export const channelPlace = (name: string): Place => ({ text: `channel "${name}"`, nodes: [] });
export const nodePlace = (name: string): Place => ({ text: `node "${name}"`, nodes: [name] });

/** Reports keys that are no option, since they would be without effect; gives the options that they seem to mean. */
export function checkKeys(
  findings: Findings,
  where: Place,
  given: Readonly<Record<string, unknown>>,
  known: readonly string[],
  prefix = "",
): ReadonlySet<string> {
  const meant = new Set<string>();
  for (const key of Object.keys(given)) {
    if (given[key] === undefined || known.includes(key)) continue;
    const nearest = suggest(key, known);
    const instead = nearest === undefined ? `there are ${known.join(", ")}` : `"${nearest}" is the nearest`;
    if (nearest !== undefined) meant.add(nearest);
    reportOption(findings, where, `${prefix}${key}`, `does not exist; ${instead}`);
  }
  return meant;
}

/** Anything that was given for a name, in a few words. */
export function shown(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "object" && value !== null) return "an object";
  return typeof value === "function" ? "a function" : String(value);
}
