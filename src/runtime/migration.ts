/** A migration that the runner was given: called, and what it gives checked, before anything of it counts. */
import type { FrontierEntry, StoredCheckpoint } from "../checkpoint/checkpointer.ts";
import { type DueStep, entryKey } from "../engine/execution.ts";
import { RunnerError } from "../errors/errors.ts";
import { isInputNode, type Plan } from "../graph/plan.ts";
import { isPlain } from "../support/plain.ts";
import { show } from "../support/show.ts";
import { isThenable } from "../support/thenable.ts";
import type { Values } from "../support/types.ts";
import { handOut } from "../support/value.ts";
import type { Renaming } from "./rename-due.ts";
import type { RunnerOptions } from "./types.ts";

export type Migration = Extract<RunnerOptions["onGraphChange"], (...given: never) => unknown>;

export interface Migrated {
  readonly state: Values;
  readonly next: readonly FrontierEntry[];
  readonly renaming: Renaming;
}

type Refuse = (change: string, options?: ErrorOptions) => never;

/** Throws `RunnerError` `graph_changed` for what cannot be; the values themselves are judged when they are restored. */
export function migrate(plan: Plan, { record, state }: StoredCheckpoint, due: DueStep, migration: Migration): Migrated {
  const refuse: Refuse = (change, options) => {
    throw new RunnerError("graph_changed", { sessionId: record.sessionId, changes: [change] }, options);
  };
  // A finished entry is named only if its node is gone: then it must become another.
  const isDone = (entry: FrontierEntry): boolean => due.results.has(entryKey(entry)) && plan.nodeIndex.has(entry.node);
  const open = record.next.filter((entry) => !isDone(entry));
  let given: unknown;
  try {
    // What is live in it is a copy, as is the record of it: the store keeps its own.
    given = migration(record.description, { state: { ...(handOut(state) as Values) }, next: open.map(({ node }) => node) });
  } catch (cause) {
    return refuse("the migration threw an error", { cause });
  }
  const migrated = checked(plan, given, refuse);
  const { next, renaming } = renamed(record.next, isDone, open, migrated.next);
  const unsent = next.find(({ node, sent }) => !sent && isInputNode(plan, node));
  if (unsent !== undefined) refuse(`the migration names "${unsent.node}", which only a send can reach`);
  return { state: migrated.state, next, renaming };
}

function checked(plan: Plan, given: unknown, refuse: Refuse): { readonly state: Values; readonly next: readonly string[] } {
  if (isThenable(given)) {
    Promise.resolve(given).catch(() => {}); // it is refused, whatever it settles to
    return refuse("the migration gave a promise; migrations are synchronous");
  }
  if (!isPlain(given)) return refuse(`the migration gave ${show(given)}, not { state, next }`);
  const { state, next } = given;
  if (!isPlain(state)) return refuse(`the migration gave a \`state\` that is no object of channels, but ${show(state)}`);
  const names: readonly unknown[] = Array.isArray(next) ? next : refuse(`the migration gave a \`next\` that is no list, but ${show(next)}`);
  const strange = Object.keys(state).find((name) => !plan.channelIndex.has(name));
  if (strange !== undefined) refuse(`the migration gives "${strange}", which is no channel`);
  return { state, next: names.map((name) => nodeName(plan, name, refuse)) };
}

function nodeName(plan: Plan, name: unknown, refuse: Refuse): string {
  if (typeof name !== "string") return refuse(`the migration gave a \`next\` that holds ${show(name)}, not names of nodes`);
  return plan.nodeIndex.has(name) ? name : refuse(`the migration names "${name}", which is no node`);
}

/** Entries under the names that they were given, one for one; of another number, they are new. What has finished stays as it is. */
function renamed(
  all: readonly FrontierEntry[],
  isDone: (entry: FrontierEntry) => boolean,
  open: readonly FrontierEntry[],
  names: readonly string[],
): Pick<Migrated, "next" | "renaming"> {
  const same = names.length === open.length;
  const kept = all.filter((entry) => isDone(entry) || (same && names[open.indexOf(entry)] === entry.node));
  const taken = new Set(kept.map(entryKey));
  const renaming = new Map(kept.map((entry) => [entry, entry]));
  const named = names.map((node, index): FrontierEntry => {
    const before = same ? open[index] : undefined;
    if (before?.node === node) return before;
    const { sent = false, item, failure } = before ?? {};
    const entry = Object.freeze({ node, ordinal: freeOrdinal(taken, node), sent, item, failure });
    if (before !== undefined) renaming.set(before, entry);
    return entry;
  });
  const next = same ? all.flatMap((entry) => renaming.get(entry) ?? []) : [...kept, ...named];
  return { next, renaming };
}

function freeOrdinal(taken: Set<string>, node: string): number {
  let ordinal = 0;
  while (taken.has(entryKey({ node, ordinal }))) ordinal += 1;
  taken.add(entryKey({ node, ordinal }));
  return ordinal;
}
