/** A trace as lines of text: spans nested as in Jaeger, bars scaled to the width, failures and the slowest path marked. */
import { spanAttributes, spans as names } from "../telemetry/names.ts";
import { formatDuration, oneLine, truncate } from "./format.ts";
import type { OtlpSpan } from "./otlp-spans.ts";
import { type Paint, plain } from "./terminal.ts";

export interface WaterfallOptions {
  /** Columns. Default 100. */
  readonly width?: number;
  /** Default no colours. */
  readonly paint?: Paint;
  /** Spans shown of one parent. Default 20. */
  readonly siblings?: number;
}

interface Node {
  readonly span: OtlpSpan;
  readonly children: Node[];
}

interface Row {
  readonly depth: number;
  readonly label: string;
  /** Absent for a row that stands for spans left out. */
  readonly span?: OtlpSpan;
  readonly slowest: boolean;
}

const lengthOf = ({ start, end }: OtlpSpan): number => Math.max(0, end - start);
const byStart = (left: Node, right: Node): number => left.span.start - right.span.start || right.span.end - left.span.end;

const keyOf = (traceId: string, spanId: string): string => `${traceId}/${spanId}`;

/** Roots by start: a span whose parent is not among them is one, too. */
function nest(spans: readonly OtlpSpan[]): readonly Node[] {
  const nodes = new Map<string, Node>(spans.map((span) => [keyOf(span.traceId, span.spanId), { span, children: [] }]));
  const roots: Node[] = [];
  for (const node of nodes.values()) {
    const parent = node.span.parentSpanId === "" ? undefined : nodes.get(keyOf(node.span.traceId, node.span.parentSpanId));
    (parent?.children ?? roots).push(node);
  }
  for (const node of nodes.values()) node.children.sort(byStart);
  return roots.toSorted(byStart);
}

const slowestOf = (nodes: readonly Node[]): Node | undefined =>
  nodes.reduce<Node | undefined>(
    (most, node) => (most !== undefined && lengthOf(most.span) >= lengthOf(node.span) ? most : node),
    undefined,
  );

const endings: Readonly<Record<string, string>> = { paused: "‖ paused", cancelled: "■ cancelled", continued: "… continued" };

function labelOf({ name, failed, attributes }: OtlpSpan): string {
  const step = attributes[spanAttributes.step.key];
  const attempt = attributes[spanAttributes.nodeAttempt.key];
  const ending = endings[String(attributes[spanAttributes.invocationOutcome.key])];
  const error = attributes[spanAttributes.errorType.key];
  return [
    oneLine(name),
    ...(name === names.superstep.name && step !== undefined ? [String(step)] : []),
    ...(typeof attempt === "number" && attempt > 1 ? [`(attempt ${attempt})`] : []),
    ...(ending === undefined ? [] : [ending]),
    ...(failed ? [`✗${error === undefined ? "" : ` ${oneLine(String(error))}`}`] : []),
  ].join(" ");
}

/** Of many children the slowest, the last supersteps of a run that failed, then the failed, then the first are kept; in order of start. */
function keep({ span: parent, children }: Node, most: number): ReadonlySet<Node> {
  if (children.length <= most) return new Set(children);
  const slowest = slowestOf(children);
  const last = parent.failed ? children.filter(({ span }) => span.name === names.superstep.name).slice(-3) : [];
  const failed = children.filter(({ span }) => span.failed);
  const ranked = [...(slowest === undefined ? [] : [slowest]), ...last, ...failed, ...children];
  const kept = new Set<Node>();
  for (const child of ranked) if (kept.size < most) kept.add(child);
  return kept;
}

const plurals: Readonly<Record<string, string>> = {
  [names.superstep.name]: `${names.superstep.name}s`,
  [names.checkpoint.name]: `${names.checkpoint.name}s`,
};
const counted = (kind: string, count: number): string => `${count} more ${count === 1 ? kind : (plurals[kind] ?? `${kind} spans`)}`;

/** "… 180 more execute_node spans" for each kind of span left out. A kind is a name's first word. */
function leftOut(children: readonly Node[], kept: ReadonlySet<Node>, depth: number): readonly Row[] {
  const counts = new Map<string, number>();
  for (const child of children) {
    const kind = oneLine(child.span.name.split(" ", 1)[0] ?? "");
    if (!kept.has(child)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return Array.from(counts, ([kind, count]) => ({ depth, label: `… ${counted(kind, count)}`, slowest: false }));
}

/** An explicit stack, as traces may be nested deeper than calls can be. */
function rowsOf(roots: readonly Node[], most: number): readonly Row[] {
  const rows: Row[] = [];
  const slowestRoot = slowestOf(roots);
  type Due = { readonly node: Node; readonly depth: number; readonly slowest: boolean } | Row;
  const due: Due[] = roots.map((node) => ({ node, depth: 0, slowest: node === slowestRoot })).toReversed();
  for (let next = due.pop(); next !== undefined; next = due.pop()) {
    if (!("node" in next)) {
      rows.push(next);
      continue;
    }
    const { node, depth, slowest } = next;
    rows.push({ depth, label: labelOf(node.span), span: node.span, slowest });
    const kept = keep(node, most);
    const slowestChild = slowest ? slowestOf(node.children) : undefined;
    const shown = node.children.filter((child) => kept.has(child));
    due.push(...leftOut(node.children, kept, depth + 1).toReversed());
    due.push(...shown.map((child) => ({ node: child, depth: depth + 1, slowest: child === slowestChild })).toReversed());
  }
  return rows;
}

interface Scale {
  readonly from: number;
  readonly total: number;
  readonly columns: number;
}

function barOf(span: OtlpSpan, { from, total, columns }: Scale): string {
  const perMillisecond = total > 0 ? columns / total : 0;
  const offset = Math.min(columns - 1, Math.floor((span.start - from) * perMillisecond));
  const length = total > 0 ? Math.round(lengthOf(span) * perMillisecond) : columns;
  return " ".repeat(offset) + (length === 0 ? "▏" : "█".repeat(Math.min(length, columns - offset)));
}

const durationColumns = 9;

function lineOf(row: Row, labelColumns: number, scale: Scale, paint: Paint): string {
  const { span, slowest } = row;
  // Deep nesting must leave room for the name.
  const indent = " ".repeat(Math.min(row.depth * 2, Math.max(0, labelColumns - 12)));
  const label = truncate(indent + row.label, labelColumns).padEnd(labelColumns);
  if (span === undefined) return `  ${paint("dim", label)}`.trimEnd();
  const colour = span.failed ? "red" : slowest ? "bold" : undefined;
  const bar = scale.columns > 0 ? ` ${paint(span.failed ? "red" : slowest ? "yellow" : "cyan", barOf(span, scale))}` : "";
  const time = formatDuration(lengthOf(span)).padStart(durationColumns);
  return `${slowest ? paint("yellow", "▸") : " "} ${colour === undefined ? label : paint(colour, label)}${time}${bar}`;
}

/**
 * The lines of a waterfall, none for no spans. "▸" marks the slowest path: from the root, the longest child each time; "✗" what failed.
 * Where the width leaves no room, the bars go first.
 */
export function waterfall(spans: readonly OtlpSpan[], options: WaterfallOptions = {}): readonly string[] {
  const { width = 100, paint = plain, siblings = 20 } = options;
  const rows = rowsOf(nest(spans), siblings);
  const widest = rows.reduce((most, { depth, label }) => Math.max(most, depth * 2 + Array.from(label).length), 0);
  const free = width - 2 - durationColumns;
  const withBars = free >= 36;
  const labelColumns = Math.max(8, Math.min(widest, withBars ? Math.floor(free * 0.55) : free));
  const from = spans.reduce((least, { start }) => Math.min(least, start), Infinity);
  const until = spans.reduce((most, { end }) => Math.max(most, end), -Infinity);
  const scale = { from, total: until - from, columns: withBars ? free - labelColumns - 1 : 0 };
  return rows.map((row) => lineOf(row, labelColumns, scale, paint));
}
