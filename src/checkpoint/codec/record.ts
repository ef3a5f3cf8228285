/** Records as trees of values: what they do not hold is left out. Columns that a store searches by are its own, and not in here. */
import type { Amendment, ChannelChange, CheckpointRecord, EntryResult, FrontierEntry, RecordStatus, StateDelta } from "../checkpointer.ts";
import type { Values } from "../../support/types.ts";
import { tag } from "./tag.ts";
import { FormatError } from "./untag.ts";

type Tree = Readonly<Record<string, unknown>>;

/** What of a record never changes, beside a store's own columns. */
export type FixedPart = Pick<
  CheckpointRecord,
  "next" | "arrivals" | "versions" | "seen" | "ranNodes" | "skippedNodes" | "updatedChannels" | "trace" | "forkedFrom"
>;

/** What of the newest record may change, beside a store's own columns, and results, which are kept one by one. */
export type OpenPart = Pick<RecordStatus, "interrupts" | "answers" | "pausePassed" | "failure"> & {
  readonly finished: boolean;
  /** Of a new owner; `undefined` while the record's own counts. */
  readonly owner?: { readonly trace: CheckpointRecord["trace"] } | undefined;
};

/** Of the graph that made a record: the same for many. */
export type GraphPart = Pick<CheckpointRecord, "graph" | "graphVersion" | "fingerprint" | "description" | "channels">;

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === false || (Array.isArray(value) && value.length === 0) || (value instanceof Map && value.size === 0);

/** Of parts that are no values of the user's: maps are written as pairs. */
function compact(parts: Tree): Tree {
  const tree: Record<string, unknown> = {};
  for (const key of Object.keys(parts)) if (!isEmpty(parts[key])) tree[key] = parts[key] instanceof Map ? [...parts[key]] : parts[key];
  return tree;
}

const isPlainEntry = ({ ordinal, sent, item, failure }: FrontierEntry): boolean =>
  ordinal === 0 && !sent && item === undefined && failure === undefined;

const entryTree = (entry: FrontierEntry): unknown => {
  if (isPlainEntry(entry)) return entry.node;
  const { node, ordinal, sent, item, failure } = entry;
  // An item is any value, empty or not.
  const values = { ...(item === undefined ? {} : { item: tag(item) }), ...(failure === undefined ? {} : { failure: tag(failure) }) };
  return { node, ordinal, sent, ...values };
};

const filled = <T>(list: readonly T[]): readonly T[] | undefined => (list.length === 0 ? undefined : list);

const pairsOf = <V>(map: ReadonlyMap<string, V>): readonly (readonly [string, V])[] | undefined => (map.size === 0 ? undefined : [...map]);

/** Written at every superstep: only items and failures are values of any kind, all else is JSON as it is. */
export function fixedText(record: CheckpointRecord): string {
  const { next, arrivals, versions, seen, ranNodes, skippedNodes, updatedChannels, trace, forkedFrom } = record;
  return JSON.stringify({
    next: next.length === 0 ? undefined : next.map(entryTree),
    arrivals: pairsOf(arrivals),
    versions,
    seen: pairsOf(seen),
    ran: filled(ranNodes),
    skipped: filled(skippedNodes),
    updated: filled(updatedChannels),
    trace,
    forkedFrom,
  });
}

/** `undefined` when there is nothing in it. */
export function openTree({ interrupts, answers, pausePassed, failure, finished, owner }: OpenPart): Tree | undefined {
  const isNothing = interrupts.length === 0 && answers.size === 0 && !finished;
  if (isNothing && pausePassed === undefined && failure === undefined && owner === undefined) return undefined;
  return compact({ interrupts, answers, pausePassed, failure, finished, owner });
}

const nothingOpen: OpenPart = Object.freeze({
  interrupts: Object.freeze([]),
  answers: new Map(),
  pausePassed: undefined,
  failure: undefined,
  finished: false,
  owner: undefined,
});

/** What the amendment names is replaced. */
export function amended(before: OpenPart, change: Amendment): OpenPart {
  const { interrupts, answers, finished } = { ...before, ...change };
  return {
    interrupts,
    answers,
    finished,
    pausePassed: "pausePassed" in change ? change.pausePassed : before.pausePassed,
    failure: "failure" in change ? change.failure : before.failure,
    owner: "trace" in change ? { trace: change.trace } : before.owner,
  };
}

/* What is read is checked as far as the runtime relies on it; the check sum has said that it is what was written. */
function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fail(part: string): never {
  throw new FormatError(`its ${part} are not as they are written`);
}

/* What a list holds is as it was written, by this file: of any type that its reader names. */
// oxlint-disable-next-line typescript/no-explicit-any
function listOf(tree: Tree, key: string): readonly any[] {
  const value = Object.hasOwn(tree, key) ? tree[key] : [];
  return Array.isArray(value) ? value : fail(key);
}

function mapOf(tree: Tree, key: string): ReadonlyMap<string, never> {
  const pairs: readonly (readonly [string, never])[] = listOf(tree, key);
  return pairs.every((pair) => Array.isArray(pair) && typeof pair[0] === "string") ? new Map(pairs) : fail(key);
}

function entryOf(tree: unknown): FrontierEntry {
  if (typeof tree === "string") return { node: tree, ordinal: 0, sent: false, item: undefined, failure: undefined };
  if (!isTree(tree) || typeof tree["node"] !== "string" || typeof tree["ordinal"] !== "number") return fail("entries");
  const { node, ordinal, sent, item, failure } = tree;
  // A failure is as it was written.
  return { node, ordinal, sent: sent === true, item, failure: failure as FrontierEntry["failure"] };
}

export function fixedPartOf(tree: unknown): FixedPart {
  if (!isTree(tree)) return fail("parts");
  const { trace, forkedFrom } = tree;
  return {
    next: listOf(tree, "next").map(entryOf),
    arrivals: mapOf(tree, "arrivals"),
    versions: listOf(tree, "versions"),
    seen: mapOf(tree, "seen"),
    ranNodes: listOf(tree, "ran"),
    skippedNodes: listOf(tree, "skipped"),
    updatedChannels: listOf(tree, "updated"),
    // Read by those who trust nothing.
    trace: trace as FixedPart["trace"],
    forkedFrom: forkedFrom as FixedPart["forkedFrom"],
  };
}

export function openPartOf(tree: unknown): OpenPart {
  if (tree === undefined) return nothingOpen;
  if (!isTree(tree)) return fail("parts");
  const { pausePassed, failure, finished, owner } = tree;
  return {
    interrupts: listOf(tree, "interrupts"),
    answers: mapOf(tree, "answers"),
    // As they were written.
    pausePassed: pausePassed as OpenPart["pausePassed"],
    failure: failure as OpenPart["failure"],
    finished: finished === true,
    // What is left out is a trace that there is none of.
    owner: isTree(owner) ? { trace: owner["trace"] as CheckpointRecord["trace"] } : undefined,
  };
}

export const graphTree = ({ graph, graphVersion, fingerprint, description, channels }: GraphPart): Tree =>
  compact({ graph, graphVersion, fingerprint, description, channels });

export function graphPartOf(tree: unknown): GraphPart {
  if (!isTree(tree) || !isTree(tree["description"])) return fail("graph parts");
  const { graph, graphVersion, fingerprint, description } = tree;
  // As they were written.
  const part = { graph, graphVersion, fingerprint, description } as unknown as Omit<GraphPart, "channels">;
  return { ...part, channels: listOf(tree, "channels") };
}

export const deltaText = ({ changes }: StateDelta): string =>
  JSON.stringify(changes.map((change) => [change.channel, change.kind, tag(change.kind === "set" ? change.value : change.items)]));

export const stateText = (state: Values): string =>
  JSON.stringify(Object.keys(state).map((channel) => [channel, "set", tag(state[channel])]));

/** A whole state is changes like any other: each channel is set. */
export function changesOf(tree: unknown): readonly ChannelChange[] {
  const changes: readonly unknown[] = Array.isArray(tree) ? tree : fail("changes");
  return changes.map((change): ChannelChange => {
    const [channel, kind, value]: readonly unknown[] = Array.isArray(change) ? change : fail("changes");
    if (typeof channel !== "string") return fail("changes");
    if (kind === "set") return { channel, kind, value };
    return kind === "append" && Array.isArray(value) ? { channel, kind, items: value } : fail("changes");
  });
}

export const resultTree = ({ node, ordinal, writes, command, errors, failure, seen }: EntryResult): Tree =>
  compact({ node, ordinal, writes, command, errors, failure, seen });

export function resultOf(tree: unknown): EntryResult {
  if (!isTree(tree) || typeof tree["node"] !== "string" || typeof tree["ordinal"] !== "number") return fail("results");
  const { node, ordinal, command, failure, seen } = tree;
  // As they were written.
  const rest = { command, failure, seen } as Pick<EntryResult, "command" | "failure" | "seen">;
  return { node, ordinal, writes: listOf(tree, "writes"), errors: listOf(tree, "errors"), ...rest };
}
