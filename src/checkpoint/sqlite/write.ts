/** What is written of a session: records, changes of the newest one, results. Each write is one transaction, under the writer's fence. */
import type { Amendment, CheckpointRecord, Fence, SaveReceipt, StateDelta, StepResults } from "../checkpointer.ts";
import type { Sealed } from "../codec.ts";
import { amended, deltaText, openTree, stateText } from "../codec/record.ts";
import { checkIds } from "../options.ts";
import { type Connection, unlessTaken } from "./connection.ts";
import { conflict, fenced, type Head, isCurrent } from "./head.ts";
import { reading, storedResults } from "./read.ts";
import { onceList, type RecordRow, resultName, type ResultRow, resultRows } from "./rows.ts";
import { longestSequence, recordId, sequenceBits } from "./schema.ts";
import type { Store } from "./store.ts";

/** Bytes that a delta counts for at least: reading many small ones takes its time too. */
const smallestDelta = 100;
/** Bytes of a delta around its changes, and of each change around its value and its channel's name: not of the state, and so not counted. */
const deltaFrame = 18;
const changeFrame = 16;
/** A snapshot is due when what was written since is twice its size: so no more than two and a half times what a list holds is ever stored of it. */
const growth = 2;
/** Bytes that a snapshot counts for at least: of a small state, not every few records are one. */
const smallestSnapshot = 4096;
/** Bytes; a larger state is left as it was written, in parts: it might be more than one value may hold. */
const largestSnapshot = 2 ** 28;

const insertRecord = `INSERT INTO checkpoints (
  id, checkpoint_id, parent_id, graph, epoch, step, status, created_at, snapshot, size, since, record, state, open
) VALUES (${recordId}, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

/* A newer record has this row id already, and a newer owner or a deleted session leave nothing to select. */
const appendRecord = (snapshot: 0 | 1): string => `INSERT INTO checkpoints (
  id, checkpoint_id, graph, epoch, step, status, created_at, snapshot, size, since, record, state
) SELECT key << ${sequenceBits} | ?, ?, ?, owner_epoch, ?, 'running', ?, ${snapshot}, ?, ?, ?, ? FROM sessions WHERE key = ? AND owner_epoch = ?`;
const appendSnapshot = appendRecord(1);
const appendDelta = appendRecord(0);

interface Written {
  readonly text: string;
  readonly isSnapshot: boolean;
}

/** The changes, or the whole state once what was written since the last snapshot is twice its size. */
function writtenState(head: Head | undefined, delta: StateDelta): Written {
  if (head === undefined) return { text: stateText(delta.state()), isSnapshot: true };
  const { base, since } = head;
  const isSnapshot = since >= growth * Math.max(smallestSnapshot, base) && since + base < largestSnapshot;
  return { text: isSnapshot ? stateText(delta.state()) : deltaText(delta), isSnapshot };
}

const bytesOf = (sealed: Sealed | null): number => (typeof sealed === "string" ? Buffer.byteLength(sealed) : (sealed?.length ?? 0));

/** Bytes by which the next snapshot comes nearer. */
const weightOf = ({ changes }: StateDelta, size: number): number =>
  Math.max(smallestDelta, size - deltaFrame - changes.reduce((sum, { channel }) => sum + channel.length + changeFrame, 0));

/** Nothing when it is the record before; empty when there is none although there is a record before. */
function parentColumn(before: Head | undefined, { parentId }: CheckpointRecord): string | null {
  if (parentId === before?.checkpointId) return null;
  return parentId ?? "";
}

/** What is written of a record, whatever the statement. */
interface Part {
  readonly head: Head;
  readonly isSnapshot: boolean;
  readonly fixed: Sealed;
  readonly state: Sealed;
  /** Bytes, of the state and of both. */
  readonly stateSize: number;
  readonly size: number;
}

interface Place {
  /** The session's row, and that of the record's graph. */
  readonly key: number;
  readonly graph: number;
  readonly before: Head | undefined;
}

function partOf({ seals }: Store, { key, graph, before }: Place, record: CheckpointRecord, delta: StateDelta): Part {
  const { sessionId, checkpointId, epoch, step, status } = record;
  const sequence = before === undefined ? 0 : before.sequence + 1;
  if (sequence > longestSequence) throw new RangeError(`a session has at most ${longestSequence + 1} records`);
  const { text, isSnapshot } = writtenState(before, delta);
  const state = seals.state(sessionId, sequence, text);
  const fixed = seals.fixed(record);
  const stateSize = bytesOf(state);
  const since = isSnapshot || before === undefined ? 0 : before.since + weightOf(delta, stateSize);
  const base = isSnapshot || before === undefined ? stateSize : before.base;
  const hasResults = record.results.length > 0 || record.once.size > 0;
  const head = { key, sequence, checkpointId, ownerEpoch: epoch, status, step, graph, hasResults, base, since };
  return { head, isSnapshot, fixed, state, stateSize, size: stateSize + bytesOf(fixed) };
}

export function save(store: Store, fence: Fence, record: CheckpointRecord, delta: StateDelta): SaveReceipt {
  checkIds(record);
  return append(store, fence, record, delta) ?? saveWhole(store, fence, record, delta);
}

/** Whether all there is to know of it stands in the statement that adds it. */
const isUsual = (record: CheckpointRecord, head: Head, { epoch }: Fence): boolean =>
  record.status === "running" &&
  record.epoch === epoch &&
  record.parentId === head.checkpointId &&
  record.results.length === 0 &&
  record.once.size === 0 &&
  openTree(record) === undefined;

/** The usual save, of a session that runs and goes on to run: one statement. `undefined` when there is more to do, or to refuse. */
function append(store: Store, fence: Fence, record: CheckpointRecord, delta: StateDelta): SaveReceipt | undefined {
  const { connection, heads, graphs } = store;
  const before = heads.get(record.sessionId);
  if (before === undefined || before.hasResults || !isCurrent(before, fence) || !isUsual(record, before, fence)) return undefined;
  const { key, graph } = before;
  if (graphs.keyOf(record) !== graph) return undefined;
  const { head, isSnapshot, fixed, state, stateSize, size } = partOf(store, { key, graph, before }, record, delta);
  const { checkpointId, step, time } = record;
  const statement = connection.statement(isSnapshot ? appendSnapshot : appendDelta);
  const { sequence, since } = head;
  const added = unlessTaken(() =>
    statement.run(sequence, checkpointId, graph, step, time, stateSize, since, fixed, state, key, fence.epoch),
  );
  if (added?.changes !== 1) return undefined;
  heads.set(record.sessionId, head);
  return { size };
}

function saveWhole(store: Store, fence: Fence, record: CheckpointRecord, delta: StateDelta): SaveReceipt {
  const { connection, heads, graphs, seals } = store;
  const { sessionId } = record;
  heads.forget(sessionId);
  // By itself: what is remembered of it must not be rolled back.
  const graph = graphs.keyOf(record);
  const { head, size } = connection.write(() => {
    const before = fenced(connection, sessionId, fence);
    const key = before?.key ?? insertSession(connection, record);
    const part = partOf(store, { key, graph, before }, record, delta);
    const open = seals.open(sessionId, record.checkpointId, record.status, record);
    insert(connection, part, record, parentColumn(before, record), open);
    insertResults(store, part.head, resultRows(seals, sessionId, { results: record.results, once: onceList(record.once) }));
    if (before !== undefined) {
      // Its results were of the step that this record ends: whoever begins there again runs that step again.
      if (before.hasResults && record.step > before.step) deleteResults(connection, before);
      updateSession(connection, key, record);
    }
    return { head: part.head, size: part.size + bytesOf(open) };
  });
  heads.set(sessionId, head);
  return { size };
}

function insert(connection: Connection, part: Part, record: CheckpointRecord, parent: string | null, open: Sealed | null): void {
  const { checkpointId, epoch, step, status, time } = record;
  const { head, isSnapshot, stateSize, fixed, state } = part;
  const snapshot = isSnapshot ? 1 : 0;
  const place = [head.key, head.sequence, checkpointId, parent, head.graph, epoch, step, status, time] as const;
  connection.statement(insertRecord).run(...place, snapshot, stateSize, head.since, fixed, state, open);
}

function insertSession(connection: Connection, { sessionId, graph, fingerprint, status, step, epoch, time }: CheckpointRecord): number {
  const sql = `INSERT INTO sessions (id, graph, fingerprint, status, step, owner_epoch, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;
  return Number(connection.statement(sql).run(sessionId, graph, fingerprint, status, step, epoch, time, time).lastInsertRowid);
}

function updateSession(connection: Connection, key: number, { graph, fingerprint, status, step, epoch, time }: CheckpointRecord): void {
  const sql = "UPDATE sessions SET graph = ?, fingerprint = ?, status = ?, step = ?, owner_epoch = ?, updated_at = ? WHERE key = ?";
  connection.statement(sql).run(graph, fingerprint, status, step, epoch, time, key);
}

function insertResults({ connection }: Store, { key, sequence }: Head, rows: readonly ResultRow[]): void {
  const statement = connection.statement("INSERT OR REPLACE INTO results (session, sequence, entry, name, data) VALUES (?, ?, ?, ?, ?)");
  for (const { entry, name, data } of rows) statement.run(key, sequence, entry, name, data);
}

function deleteResults(connection: Connection, { key, sequence }: Head): void {
  connection.statement("DELETE FROM results WHERE session = ? AND sequence = ? AND name = ?").run(key, sequence, resultName);
}

export function addResults(store: Store, sessionId: string, fence: Fence, added: StepResults): void {
  const { connection, heads, seals } = store;
  const rows = resultRows(seals, sessionId, added);
  const head = connection.write(() => {
    const current = fenced(connection, sessionId, fence);
    if (current === undefined) throw conflict(sessionId, fence);
    insertResults(store, current, rows);
    return current;
  });
  heads.set(sessionId, { ...head, hasResults: head.hasResults || rows.length > 0 });
}

export function amend(store: Store, sessionId: string, fence: Fence, change: Amendment): SaveReceipt {
  const { connection, heads } = store;
  heads.forget(sessionId);
  return connection.write(() => {
    const head = fenced(connection, sessionId, fence);
    if (head === undefined) throw conflict(sessionId, fence);
    const size = amendRecord(store, sessionId, head, change) + amendResults(store, sessionId, head, change);
    const sql = "UPDATE sessions SET status = ?, step = ?, owner_epoch = ?, updated_at = ? WHERE key = ?";
    connection.statement(sql).run(change.status ?? head.status, head.step, change.epoch ?? head.ownerEpoch, change.time, head.key);
    return { size };
  });
}

function amendRecord({ connection, seals }: Store, sessionId: string, head: Head, change: Amendment): number {
  const { key, sequence, checkpointId } = head;
  const select = `SELECT status, open FROM checkpoints WHERE id = ${recordId}`;
  // The head is that of a record, within this transaction.
  const row = connection.first(select, key, sequence) as Pick<RecordRow, "status" | "open">;
  const status = change.status ?? head.status;
  const before = reading(sessionId, checkpointId, () => seals.openOf(sessionId, { ...row, checkpoint_id: checkpointId }));
  const after = seals.open(sessionId, checkpointId, status, amended(before, change));
  const sql = `UPDATE checkpoints SET status = ?, updated_at = ?, open = ? WHERE id = ${recordId}`;
  connection.statement(sql).run(status, change.time, after, key, sequence);
  return bytesOf(after);
}

const resultKey = ({ entry, name }: Pick<ResultRow, "entry" | "name">): string => `${name}\0${entry}`;

/** Only what differs is written. Gives its bytes. */
function amendResults(store: Store, sessionId: string, head: Head, { results, once }: Amendment): number {
  const { connection, seals } = store;
  if (results === undefined && once === undefined) return 0;
  const wanted = resultRows(seals, sessionId, { results: results ?? [], once: once === undefined ? [] : onceList(once) });
  if (wanted.length === 0 && !head.hasResults) return 0;
  const stored = storedResults(store, head.key, head.sequence);
  const isNamed = ({ name }: ResultRow): boolean => (name === resultName ? results !== undefined : once !== undefined);
  const before = new Map(stored.filter(isNamed).map((row) => [resultKey(row), row.data]));
  const changed = wanted.filter((row) => !sameBytes(before.get(resultKey(row)), row.data));
  insertResults(store, head, changed);
  for (const row of wanted) before.delete(resultKey(row));
  const remove = connection.statement("DELETE FROM results WHERE session = ? AND sequence = ? AND entry = ? AND name = ?");
  for (const key of before.keys()) {
    const [name = "", entry = ""] = key.split("\0");
    remove.run(head.key, head.sequence, entry, name);
  }
  return changed.reduce((sum, { data }) => sum + bytesOf(data), 0);
}

/** Bytes of a codec may differ each time that they are made. */
const sameBytes = (before: ResultRow["data"] | undefined, after: ResultRow["data"]): boolean =>
  typeof before === "string" && before === after;
