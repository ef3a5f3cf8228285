/** The state as a history of it is kept in memory: versions share what they have in common, so that each costs what its superstep wrote. */
import { AppendList } from "../support/append-list.ts";
import type { Values } from "../support/types.ts";
import type { ChannelChange } from "./checkpointer.ts";

/** Values by channel; never changed. A list that grew is an append list, whose array is made only when it is read. */
export type Cells = ReadonlyMap<string, unknown>;

export const noCells: Cells = new Map();

export function applyChanges(cells: Cells, changes: readonly ChannelChange[]): Cells {
  if (changes.length === 0) return cells;
  const next = new Map(cells);
  applyTo(next, changes);
  return next;
}

/** The same in place, for a reader who needs no state but the last. */
export function applyTo(cells: Map<string, unknown>, changes: readonly ChannelChange[]): void {
  for (const change of changes) {
    if (change.kind === "set") cells.set(change.channel, change.value);
    else cells.set(change.channel, listOf(cells.get(change.channel)).append(change.items));
  }
}

const listOf = (value: unknown): AppendList =>
  value instanceof AppendList ? value : AppendList.of(Array.isArray(value) ? (value as readonly unknown[]) : []);

export function valuesOf(cells: Cells): Values {
  // `fromEntries` defines properties, so that a channel "__proto__" stays data.
  return Object.fromEntries(Array.from(cells, ([channel, value]) => [channel, value instanceof AppendList ? value.toArray() : value]));
}
