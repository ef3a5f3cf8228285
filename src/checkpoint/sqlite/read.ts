/** What is read of a session: the nearest snapshot before a record, and what was written from there on. */
import { applyTo, type Cells, noCells, valuesOf } from "../cells.ts";
import type { Checkpointer, SessionFilter, SessionSummary, StoredCheckpoint } from "../checkpointer.ts";
import { changesOf } from "../codec/record.ts";
import { FormatError } from "../codec/untag.ts";
import { CheckpointError } from "../../errors/errors.ts";
import { idProblem } from "../options.ts";
import { isDamage } from "./connection.ts";
import { firstId, lastId } from "./head.ts";
import { recordColumns, type RecordRow, type ResultRow } from "./rows.ts";
import { longestSequence, sequenceBits } from "./schema.ts";
import type { Store } from "./store.ts";

export interface SessionRow {
  readonly key: number;
  readonly id: string;
  readonly owner_epoch: number;
  readonly created_at: number;
}

/** Records that a history reads at once. */
const page = 256;

const id = `? << ${sequenceBits} | ?`;

export function sessionRow({ connection }: Store, sessionId: string): SessionRow | undefined {
  // The statement would look for another: half a surrogate pair is bound as U+FFFD.
  if (idProblem(sessionId) !== undefined) return undefined;
  const sql = "SELECT key, id, owner_epoch, created_at FROM sessions WHERE id = ?";
  // The columns are those of the query, here and below.
  return connection.statement(sql).get(sessionId) as unknown as SessionRow | undefined;
}

/** Damage is of a session and a checkpoint; any other error is what it was. */
function corrupt(sessionId: string, checkpointId: string, cause: unknown): unknown {
  if (!(cause instanceof FormatError) && !isDamage(cause)) return cause;
  return new CheckpointError("checkpoint_corrupt", { sessionId, checkpointId, reason: (cause as Error).message }, { cause });
}

/** Throws `CheckpointError` `checkpoint_corrupt`. */
export function reading<T>(sessionId: string, checkpointId: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw corrupt(sessionId, checkpointId, cause);
  }
}

function newestRow({ connection }: Store, key: number): RecordRow | undefined {
  const sql = `SELECT ${recordColumns} FROM checkpoints c WHERE c.id BETWEEN ${firstId} AND ${lastId} ORDER BY c.id DESC LIMIT 1`;
  return connection.statement(sql).get(key, key) as unknown as RecordRow | undefined;
}

/** The number of a record by its id; most ids end with it. */
function sequenceOf(store: Store, key: number, checkpointId: string): number | undefined {
  // As for a session's.
  if (idProblem(checkpointId) !== undefined) return undefined;
  const guess = Math.min(longestSequence, Number(/\.(\d{1,9})$/.exec(checkpointId)?.[1] ?? 0));
  if (checkpointIdOf(store, key, guess) === checkpointId) return guess;
  const sql = `SELECT id & ${longestSequence} AS sequence FROM checkpoints WHERE id BETWEEN ${firstId} AND ${lastId} AND checkpoint_id = ?`;
  const row = store.connection.statement(sql).get(key, key, checkpointId) as { readonly sequence: number } | undefined;
  return row?.sequence;
}

function rowOf(store: Store, key: number, checkpointId: string | undefined): RecordRow | undefined {
  if (checkpointId === undefined) return newestRow(store, key);
  const sequence = sequenceOf(store, key, checkpointId);
  const statement = store.connection.statement(`SELECT ${recordColumns} FROM checkpoints c WHERE c.id = ${id}`);
  return sequence === undefined ? undefined : (statement.get(key, sequence) as unknown as RecordRow);
}

/** As a list: thousands of them are read for one state. */
type StateRow = readonly [sequence: number, snapshot: number, state: unknown];

const stateRows = `
  SELECT id & ${longestSequence}, snapshot, state FROM checkpoints WHERE id <= ${id} AND id >= coalesce(
    (SELECT max(id) FROM checkpoints WHERE snapshot = 1 AND id BETWEEN ${firstId} AND ${id}), ${id}
  ) ORDER BY id`;

function checkpointIdOf({ connection }: Store, key: number, sequence: number): string {
  return String(connection.statement(`SELECT checkpoint_id FROM checkpoints WHERE id = ${id}`).get(key, sequence)?.["checkpoint_id"]);
}

/** A state, or why it cannot be read. */
type Outcome = { readonly cells: Cells } | { readonly error: unknown };

const nothing: Outcome = { cells: noCells };

/** The states after the records from `first` to `last`, in order. What is built on damage is damaged, up to the next snapshot. */
function statesOf(store: Store, session: SessionRow, first: number, last: number): readonly Outcome[] {
  const { connection, seals } = store;
  const statement = connection.statement(stateRows);
  statement.setReturnArrays(true);
  const { key } = session;
  let cells = new Map<string, unknown>();
  let error: unknown = new FormatError("there is no snapshot before it");
  const states: Outcome[] = [];
  for (const row of statement.iterate(key, last, key, key, first, key, first) as unknown as Iterable<StateRow>) {
    const [sequence, snapshot, state] = row;
    if (snapshot === 1) [cells, error] = [new Map(), undefined];
    if (error === undefined) {
      try {
        applyTo(cells, changesOf(seals.stateOf(session.id, sequence, state)));
      } catch (cause) {
        error = corrupt(session.id, checkpointIdOf(store, key, sequence), cause);
      }
    }
    if (sequence >= first) states.push(error === undefined ? { cells: sequence === last ? cells : new Map(cells) } : { error });
  }
  return states;
}

export function stateOf(store: Store, session: SessionRow, { sequence, checkpoint_id }: RecordRow): Cells {
  const [state = nothing] = statesOf(store, session, sequence, sequence);
  return opened(session.id, checkpoint_id, state);
}

function opened(sessionId: string, checkpointId: string, state: Outcome): Cells {
  if ("cells" in state) return state.cells;
  throw corrupt(sessionId, checkpointId, state.error);
}

function resultRows({ connection }: Store, key: number, sequence: number): readonly ResultRow[] {
  const statement = connection.statement("SELECT entry, name, data FROM results WHERE session = ? AND sequence = ?");
  return statement.all(key, sequence) as unknown as readonly ResultRow[];
}

interface Found {
  readonly row: RecordRow;
  readonly results: readonly ResultRow[];
  readonly state: Outcome;
}

/** Throws `CheckpointError` `checkpoint_corrupt`. */
function checkpointOf({ seals, graphs }: Store, session: SessionRow, { row, results, state }: Found): StoredCheckpoint {
  // Its own damage is told before that of what it is built on.
  const record = reading(session.id, row.checkpoint_id, () =>
    seals.recordOf(session.id, row, graphs.partOf(row.graph), seals.resultsOf(session.id, results)),
  );
  return {
    record,
    state: valuesOf(opened(session.id, row.checkpoint_id, state)),
    createdAt: session.created_at,
    updatedAt: row.updated_at ?? row.created_at,
    ownerEpoch: session.owner_epoch,
    size: row.size + row.record.length + (row.open?.length ?? 0),
  };
}

export function load(store: Store, sessionId: string, checkpointId: string | undefined): StoredCheckpoint | undefined {
  return store.connection.read(() => {
    const session = sessionRow(store, sessionId);
    const row = session === undefined ? undefined : rowOf(store, session.key, checkpointId);
    if (session === undefined || row === undefined) return undefined;
    const [state = nothing] = statesOf(store, session, row.sequence, row.sequence);
    return checkpointOf(store, session, { row, state, results: resultRows(store, session.key, row.sequence) });
  });
}

type HistoryOptions = NonNullable<Parameters<Checkpointer["history"]>[1]>;

interface Place {
  readonly key: number;
  /** The number after that of the next record. */
  readonly end: number;
}

function historyStart(store: Store, sessionId: string, before: string | undefined): Place | undefined {
  return store.connection.read(() => {
    const session = sessionRow(store, sessionId);
    if (session === undefined) return undefined;
    const { key } = session;
    if (before === undefined) return { key, end: longestSequence + 1 };
    const end = sequenceOf(store, key, before);
    if (end === undefined) throw new CheckpointError("checkpoint_not_found", { sessionId, checkpointId: before });
    return { key, end };
  });
}

interface Page {
  readonly session: SessionRow;
  /** Newest first. */
  readonly found: readonly Found[];
}

function historyPage(store: Store, sessionId: string, { key, end }: Place, most: number): Page | undefined {
  return store.connection.read(() => {
    const session = sessionRow(store, sessionId);
    // Another may have its id by now.
    if (session?.key !== key) return undefined;
    const sql = `SELECT ${recordColumns} FROM checkpoints c WHERE c.id >= ${firstId} AND c.id < ${firstId} + ? ORDER BY c.id DESC LIMIT ?`;
    const rows = store.connection.statement(sql).all(key, key, end, most) as unknown as readonly RecordRow[];
    const first = rows.at(-1)?.sequence ?? 0;
    const states = statesOf(store, session, first, rows[0]?.sequence ?? -1);
    const found = rows.map((row) => ({
      row,
      state: states[row.sequence - first] ?? nothing,
      results: resultRows(store, key, row.sequence),
    }));
    return { session, found };
  });
}

/** Page by page: what is written or removed meanwhile may be missing, and is never given twice. */
export async function* history(store: Store, sessionId: string, options: HistoryOptions = {}): AsyncGenerator<StoredCheckpoint> {
  const { connection } = store;
  let left = options.limit ?? Number.POSITIVE_INFINITY;
  let place = await connection.attempt(() => historyStart(store, sessionId, options.before));
  while (place !== undefined && left > 0) {
    const from = place;
    const most = Math.min(page, left);
    const { session, found } = (await connection.attempt(() => historyPage(store, sessionId, from, most))) ?? {};
    if (session === undefined || found === undefined) return;
    for (const each of found) yield checkpointOf(store, session, each);
    left -= found.length;
    const last = found.at(-1)?.row.sequence;
    place = found.length < most || last === undefined ? undefined : { key: from.key, end: last };
  }
}

/* A session that runs does not say in its row when it was written last: its newest record does. */
const summary = (where: string): string => `
  SELECT s.key, s.id, s.graph, s.fingerprint, s.status, s.step, s.created_at, s.updated_at FROM sessions s WHERE s.status <> 'running' ${where}
  UNION ALL
  SELECT s.key, s.id, s.graph, s.fingerprint, s.status, c.step, s.created_at, coalesce(c.updated_at, c.created_at)
  FROM sessions s JOIN checkpoints c ON c.id = (
    SELECT max(id) FROM checkpoints WHERE id BETWEEN s.key << ${sequenceBits} AND (s.key << ${sequenceBits} | ${longestSequence})
  )
  WHERE s.status = 'running' ${where}
  ORDER BY 8 DESC, 1 DESC LIMIT ?`;

interface SummaryRow {
  readonly id: string;
  readonly graph: string;
  readonly fingerprint: string;
  readonly status: SessionSummary["status"];
  readonly step: number;
  readonly created_at: number;
  readonly updated_at: number;
}

export async function* list({ connection }: Store, { graph, status, limit }: SessionFilter = {}): AsyncGenerator<SessionSummary> {
  const filters = [...(graph === undefined ? [] : ["AND s.graph = ?"]), ...(status === undefined ? [] : ["AND s.status = ?"])];
  const values = [...(graph === undefined ? [] : [graph]), ...(status === undefined ? [] : [status])];
  const most = limit === undefined || !Number.isFinite(limit) ? -1 : limit;
  const sql = summary(filters.join(" "));
  const rows = await connection.attempt(() => connection.statement(sql).all(...values, ...values, most));
  for (const row of rows as unknown as readonly SummaryRow[]) {
    const { id: sessionId, graph: name, fingerprint, step, created_at: createdAt, updated_at: updatedAt } = row;
    yield { sessionId, graph: name, fingerprint, status: row.status, step, createdAt, updatedAt };
  }
}
