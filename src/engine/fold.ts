/** How one write becomes part of a channel's value. Pure: it gives another cell, or the same one when nothing changed. */
import { isDeepStrictEqual } from "node:util";
import type { ChannelChange, PreparedWrite } from "../checkpoint/checkpointer.ts";
import { StateError } from "../errors/errors.ts";
import type { PlannedChannel } from "../graph/plan.ts";
import { AppendList } from "../support/append-list.ts";
import { validateWith } from "../support/schema.ts";
import { isThenable } from "../support/thenable.ts";
import { adopt, type Adopted, handOut } from "../support/value.ts";
import { listCell, plainCell, valueOf, type Cell } from "./state.ts";

export interface Folded {
  readonly cell: Cell;
  /** Estimated bytes of what changed. */
  readonly size: number;
  /** Set when the write did no more than append these. */
  readonly appended?: readonly unknown[];
}

const isListKind = (channel: PlannedChannel): boolean => channel.kind === "list" || channel.kind === "messages";

/** A cell that holds `value` as it is, such as a restored or an initial one. */
export function cellOf(channel: PlannedChannel, value: unknown, live: boolean): Cell {
  return isListKind(channel) && Array.isArray(value) ? listCell(AppendList.of(value), live) : plainCell(value, live);
}

/** Folds a prepared write into a channel. Throws `StateError` (`reducer_failed`, `invalid_update`, `unserializable_value`). */
export function foldWrite(channel: PlannedChannel, cell: Cell, write: PreparedWrite): Folded {
  if (write.replace) return { cell: sameOr(cell, cellOf(channel, write.value, write.live)), size: write.size };
  switch (channel.kind) {
    case "value":
    case "optional":
      return { cell: sameOr(cell, plainCell(write.value, write.live)), size: write.size };
    case "list":
      return appendFold(cell, write);
    case "messages":
      return foldMessages(cell, write);
    case "merge":
      return { cell: foldMerge(cell, write.value as Readonly<Record<string, unknown>>, write.live), size: write.size };
    case "reduce":
      return foldReduced(channel, cell, write.value, write.live);
  }
}

/** Whether both hold the same value. */
export const isSame = (cell: Cell, next: Cell): boolean =>
  cell === next || (cell.list?.length === next.list?.length && Object.is(valueOf(cell), valueOf(next)));

const sameOr = (cell: Cell, next: Cell): Cell => (isSame(cell, next) ? cell : next);

function appendFold(cell: Cell, write: PreparedWrite): Folded {
  // Checked when it was prepared: a list channel takes lists.
  const items = write.value as readonly unknown[];
  if (items.length === 0) return { cell, size: 0, appended: items };
  return { cell: listCell(listOf(cell).append(items), cell.live || write.live), size: write.size, appended: items };
}

const listOf = (cell: Cell): AppendList => cell.list ?? AppendList.of(Array.isArray(cell.value) ? cell.value : []);

/** Shallow, RFC 7396: `null` deletes a key, `undefined` is no write. */
function foldMerge(cell: Cell, patch: Readonly<Record<string, unknown>>, live: boolean): Cell {
  const current = cell.value as Readonly<Record<string, unknown>>;
  const merged = new Map(Object.entries(current));
  let changed = false;
  for (const [key, value] of Object.entries(patch)) {
    if (value === undefined) continue;
    if (value === null ? !merged.has(key) : merged.has(key) && Object.is(merged.get(key), value)) continue;
    changed = true;
    if (value === null) merged.delete(key);
    else merged.set(key, value);
  }
  // `Object.fromEntries` defines properties, so that a key "__proto__" stays data.
  return changed ? plainCell(Object.freeze(Object.fromEntries(merged)), cell.live || live) : cell;
}

type MessageWrite = Readonly<Record<string, unknown>>;

const removedId = (write: MessageWrite): string | undefined =>
  typeof write["remove"] === "string" && write["role"] === undefined ? write["remove"] : undefined;

/** Appends; a message whose id is there already replaces that one, `{ remove: id }` takes it out. */
function foldMessages(cell: Cell, write: PreparedWrite): Folded {
  // Checked when it was prepared: a list of objects.
  const writes = write.value as readonly MessageWrite[];
  const current = listOf(cell);
  const kept = current.toArray() as readonly MessageWrite[];
  if (isOnlyAppended(kept, writes)) return appendFold(cell, write);
  let messages = [...kept];
  for (const each of writes) {
    const removed = removedId(each);
    if (removed !== undefined) {
      messages = messages.filter((message) => message["id"] !== removed);
      continue;
    }
    const place = each["id"] === undefined ? -1 : messages.findIndex((message) => message["id"] === each["id"]);
    if (place < 0) messages.push(each);
    else messages[place] = each;
  }
  const unchanged = messages.length === kept.length && messages.every((message, index) => Object.is(message, kept[index]));
  return { cell: unchanged ? cell : listCell(AppendList.of(messages), cell.live || write.live), size: write.size };
}

/** Removes nothing, and no id that it brings is there already or comes twice. */
function isOnlyAppended(kept: readonly MessageWrite[], writes: readonly MessageWrite[]): boolean {
  if (writes.some((each) => removedId(each) !== undefined)) return false;
  const ids = writes.map((each) => each["id"]).filter((id) => id !== undefined);
  if (ids.length === 0) return true;
  const written = new Set(ids);
  return written.size === ids.length && !kept.some((message) => message["id"] !== undefined && written.has(message["id"]));
}

function foldReduced(channel: PlannedChannel, cell: Cell, update: unknown, live: boolean): Folded {
  const before = valueOf(cell);
  // Freezing does not protect these: a reducer that changes them changes copies of its own.
  const current = cell.live ? handOut(before) : before;
  const reduced = callReducer(channel, current, live ? handOut(update) : update);
  if (Object.is(reduced, current) && (!cell.live || isDeepStrictEqual(current, before))) return { cell, size: 0 };
  const adopted = adoptReduced(channel.name, reduced);
  return { cell: sameOr(cell, plainCell(adopted.value, adopted.live || live)), size: adopted.size };
}

function callReducer({ name: channel, reduce }: PlannedChannel, current: unknown, update: unknown): unknown {
  let reduced: unknown;
  let pending: boolean;
  try {
    reduced = reduce?.(current, update);
    pending = isThenable(reduced);
  } catch (cause) {
    throw new StateError("reducer_failed", { channel, reason: "threw an error" }, { cause });
  }
  if (!pending) return reduced;
  Promise.resolve(reduced).catch(() => {}); // it is refused, whatever it settles to
  throw new StateError("reducer_failed", { channel, reason: "returned a promise" });
}

function adoptReduced(channel: string, reduced: unknown): Adopted {
  try {
    return adopt(reduced, channel);
  } catch (error) {
    if (error instanceof StateError) Object.assign(error, { facts: Object.freeze({ ...error.facts, channel }) });
    throw error;
  }
}

/** The cell as its channel's schema gives it. Throws `StateError` with the given code and the path of what it refused. */
export function validated(channel: PlannedChannel, cell: Cell, code: "invalid_update" | "invalid_state"): Cell {
  if (channel.schema === undefined) return cell;
  const checked = validateWith(channel.schema, cell.live ? handOut(valueOf(cell)) : valueOf(cell));
  if (!checked.ok) {
    const path = checked.path === "" ? channel.name : `${channel.name}${checked.path.startsWith("[") ? "" : "."}${checked.path}`;
    throw new StateError(code, { channel: channel.name, path, reason: `${path}: ${checked.message}` });
  }
  // Schemas build their output anew: one that says the same is no change, and the cell keeps its log.
  if (isDeepStrictEqual(checked.value, valueOf(cell))) return cell;
  const adopted = adopt(checked.value, channel.name);
  return cellOf(channel, adopted.value, adopted.live);
}

/** What the store is told of a channel that went from `before` to `after`. */
export function changeOf(channel: PlannedChannel, before: Cell, after: Cell, appended: readonly unknown[] | undefined): ChannelChange {
  if (appended !== undefined && before.list !== undefined && after.list?.length === before.list.length + appended.length) {
    return { channel: channel.name, kind: "append", items: appended };
  }
  return { channel: channel.name, kind: "set", value: valueOf(after) };
}
