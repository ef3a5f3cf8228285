/** What is added to a session: records and results. Each write is one transaction, under the writer's fence. */
import type { CheckpointRecord, Fence, SaveReceipt, StateDelta, StepResults } from "../checkpointer.ts";
import type { Sealed } from "../codec.ts";
import { deltaText, openTree, stateText } from "../codec/record.ts";
import { checkIds } from "../options.ts";
import { type Connection, unlessTaken } from "./connection.ts";
import { conflict, fenced, type Head, isCurrent } from "./head.ts";
import { noMoment } from "./moment.ts";
import { onceList, resultName, type ResultRow, resultRows } from "./rows.ts";
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

/** The usual record, of a session that runs on: its row id and its owner come last. */
const usualColumns = "checkpoint_id, graph, step, created_at, size, since, record, state, status, snapshot, id, epoch";
const usualValues = (snapshot: 0 | 1): string => `?, ?, ?, ?, ?, ?, ?, ?, 'running', ${snapshot}, ? |`;

/* A newer record has this row id already, and a newer owner or a deleted session leave nothing to select. */
const fencedAppend = (snapshot: 0 | 1): string => `INSERT INTO checkpoints (${usualColumns})
  SELECT ${usualValues(snapshot)} (key << ${sequenceBits}), owner_epoch FROM sessions WHERE key = ? AND owner_epoch = ?`;

/* On the moment on which the record before was written: there is no newer one, and no newer owner. */
const plainAppend = (snapshot: 0 | 1): string => `INSERT INTO checkpoints (${usualColumns})
  VALUES (${usualValues(snapshot)} (? << ${sequenceBits}), ?)`;

const appendSnapshot = { fenced: fencedAppend(1), plain: plainAppend(1) };
const appendDelta = { fenced: fencedAppend(0), plain: plainAppend(0) };

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

export const bytesOf = (sealed: Sealed | null): number => (typeof sealed === "string" ? Buffer.byteLength(sealed) : (sealed?.length ?? 0));

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

function partOf({ connection, seals }: Store, { key, graph, before }: Place, record: CheckpointRecord, delta: StateDelta): Part {
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
  const { moment } = connection;
  const head = { key, sequence, checkpointId, ownerEpoch: epoch, status, step, graph, hasResults, base, since, moment };
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
  const statements = isSnapshot ? appendSnapshot : appendDelta;
  const statementOn = (moment: number): string => (moment !== noMoment && moment === before.moment ? statements.plain : statements.fenced);
  const { sequence, since } = head;
  const added = unlessTaken(() =>
    connection.append(statementOn, checkpointId, graph, step, time, stateSize, since, fixed, state, sequence, key, fence.epoch),
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

export function insertResults({ connection }: Store, { key, sequence }: Head, rows: readonly ResultRow[]): void {
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
