/** Reads what `edge()` and `branch()` were given. Whether the names that they name exist is another question. */
import { edgeKey, type DeclaredBranch, type DeclaredEdge } from "./declaration.ts";
import type { Note } from "./draft.ts";
import { report, shown, type Findings } from "./findings.ts";
import { END, START } from "./names.ts";
import type { AnyFunction } from "./plan.ts";
import { isRecord } from "../support/plain.ts";

type EdgeNote = Extract<Note, { kind: "edge" }>;
type BranchNote = Extract<Note, { kind: "branch" }>;

/** One edge for each target, in the order given; also for what is told to be wrong, so that its other ends are checked too. */
export function readEdges(notes: readonly Note[], findings: Findings): readonly DeclaredEdge[] {
  const read = notes.flatMap((note) => (note.kind === "edge" ? [readEdge(note, findings)] : []));
  const times = new Map<string, number>();
  for (const edge of read.flatMap(({ edges, sound }) => (sound ? edges : []))) {
    const key = edgeKey(edge);
    times.set(key, (times.get(key) ?? 0) + 1);
    if (times.get(key) === 2) report(findings, "duplicate_edge", edge, [...edge.from, edge.to]);
  }
  return read.flatMap(({ edges }) => edges);
}

const listed = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);
const isString = (value: unknown): value is string => typeof value === "string";

function readEdge(note: EdgeNote, findings: Findings): { readonly edges: readonly DeclaredEdge[]; readonly sound: boolean } {
  const [sources, targets] = [listed(note.from), listed(note.to)];
  const ends = { from: sources.map(shown), to: targets.map(shown) };
  const reasons = [...whatIsWrong(sources, targets)];
  for (const reason of reasons) {
    report(findings, "invalid_edge", { ...ends, reason }, [...ends.from, ...ends.to]);
    excuse(findings, ends.from, ends.to);
  }
  const [from, to] = [sources.filter(isString), targets.filter(isString)];
  reportRepeated(findings, from, to);
  return { edges: to.map((target) => ({ from: [...new Set(from)], to: target })), sound: reasons.length === 0 };
}

function* whatIsWrong(from: readonly unknown[], to: readonly unknown[]): Generator<string> {
  if (from.length === 0) yield "has no source; name the node, or START, that it leads out of";
  if (to.length === 0) yield "has no target; name the node, or END, that it leads to";
  if (![...from, ...to].every(isString)) yield "names something that is not a string";
  if (from.includes(END)) yield "leads out of END, where the graph is left; lead it out of a node";
  if (to.includes(START)) yield "leads into START, where the graph is entered; lead it to the first node";
  if (from.length > 1 && from.includes(START)) yield "joins START with a node; give START an edge of its own";
}

function excuse({ excused }: Findings, from: readonly string[], to: readonly string[]): void {
  for (const source of from) excused.exits.add(source);
  for (const target of to) excused.entries.add(target);
}

/** A join that names a source twice. */
function reportRepeated(findings: Findings, sources: readonly string[], to: readonly string[]): void {
  for (const source of new Set(sources.filter((each, index) => sources.indexOf(each) !== index))) {
    for (const target of to) report(findings, "duplicate_edge", { from: [source], to: target }, [source, target]);
  }
}

export function readBranches(notes: readonly Note[], findings: Findings): readonly DeclaredBranch[] {
  return notes.flatMap((note) => (note.kind === "branch" ? readBranch(note, findings) : []));
}

function readBranch({ from, labels, decide }: BranchNote, findings: Findings): readonly DeclaredBranch[] {
  const wrong = (reason: string): void => report(findings, "invalid_branch", { from: shown(from), reason }, [shown(from)]);
  if (!isString(from)) wrong("leads out of something that is not a string; name the node that it leads out of");
  if (from === END) wrong("leads out of END, where the graph is left; lead it out of a node");
  const read = readLabels(shown(from), labels, findings);
  if (typeof decide !== "function") wrong("has no function that decides; give it one, as the third argument of branch()");
  if (!isString(from) || from === END) for (const target of [...read.values()].flat()) findings.excused.entries.add(target);
  if (!isString(from)) return [];
  // Checked above: a graph with any problem has no plan.
  return [{ from, labels: read, decide: decide as AnyFunction }];
}

function readLabels(from: string, labels: unknown, findings: Findings): ReadonlyMap<string, readonly string[]> {
  const read = new Map<string, readonly string[]>();
  const wrong = (reason: string): void => {
    findings.excused.exits.add(from);
    report(findings, "invalid_branch", { from, reason }, [from]);
  };
  const entries = isRecord(labels) ? Object.entries(labels) : [];
  if (entries.length === 0) wrong("has no labels; give it at least one, with the target that it leads to");
  for (const [label, value] of entries) {
    const targets = [...new Set(listed(value))];
    if (label === "") report(findings, "invalid_name", { what: "label", name: label, reason: "is empty" }, [from]);
    if (targets.length === 0) wrong(`has the label "${label}" without a target; name a node, or END`);
    else if (!targets.every(isString)) wrong(`has the label "${label}" that leads to something that is not a string`);
    else if (targets.includes(START)) wrong(`has the label "${label}" that leads into START; lead it to the first node`);
    read.set(
      label,
      targets.filter(isString).filter((target) => target !== START),
    );
  }
  return read;
}
