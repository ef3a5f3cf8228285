/** What is read of a session: the nearest snapshot before a record, and what was written from there on. */
import { applyTo, type Cells, noCells, valuesOf } from "../cells.ts";
import type { StoredCheckpoint } from "../checkpointer.ts";
import { changesOf } from "../codec/record.ts";
import { FormatError } from "../codec/untag.ts";
import { CheckpointError } from "../../errors/errors.ts";
import { idProblem } from "../options.ts";
import { isDamage } from "./connection.ts";
import { recordColumns, type RecordRow, type ResultRow } from "./rows.ts";
import { firstId, lastId, longestSequence, recordId } from "./schema.ts";
import type { Store } from "./store.ts";

export interface SessionRow {
  readonly key: number;
  readonly id: string;
  readonly owner_epoch: number;
  readonly created_at: number;
}

export function sessionRow({ connection }: Store, sessionId: string): SessionRow | undefined {
  // The statement would look for another: half a surrogate pair is bound as U+FFFD.
  if (idProblem(sessionId) !== undefined) return undefined;
  const sql = "SELECT key, id, owner_epoch, created_at FROM sessions WHERE id = ?";
  return connection.first(sql, sessionId);
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
  return connection.first(sql, key, key);
}

/** The number of a record by its id; most ids end with it. */
export function sequenceOf(store: Store, key: number, checkpointId: string): number | undefined {
  // As for a session's.
  if (idProblem(checkpointId) !== undefined) return undefined;
  const guess = Math.min(longestSequence, Number(/\.(\d{1,9})$/.exec(checkpointId)?.[1] ?? 0));
  if (checkpointIdOf(store, key, guess) === checkpointId) return guess;
  const sql = `SELECT id & ${longestSequence} AS sequence FROM checkpoints WHERE id BETWEEN ${firstId} AND ${lastId} AND checkpoint_id = ?`;
  return store.connection.first<{ readonly sequence: number }>(sql, key, key, checkpointId)?.sequence;
}

function rowOf(store: Store, key: number, checkpointId: string | undefined): RecordRow | undefined {
  if (checkpointId === undefined) return newestRow(store, key);
  const sequence = sequenceOf(store, key, checkpointId);
  const sql = `SELECT ${recordColumns} FROM checkpoints c WHERE c.id = ${recordId}`;
  return sequence === undefined ? undefined : store.connection.first(sql, key, sequence);
}

/** As a list: thousands of them are read for one state. */
type StateRow = readonly [sequence: number, snapshot: number, state: unknown];

const stateRows = `
  SELECT id & ${longestSequence}, snapshot, state FROM checkpoints WHERE id <= ${recordId} AND id >= coalesce(
    (SELECT max(id) FROM checkpoints WHERE snapshot = 1 AND id BETWEEN ${firstId} AND ${recordId}), ${recordId}
  ) ORDER BY id`;

function checkpointIdOf({ connection }: Store, key: number, sequence: number): string {
  return String(connection.statement(`SELECT checkpoint_id FROM checkpoints WHERE id = ${recordId}`).get(key, sequence)?.["checkpoint_id"]);
}

/** A state, or why it cannot be read. */
export type Outcome = { readonly cells: Cells } | { readonly error: unknown };

export const nothing: Outcome = { cells: noCells };

/** The states after the records from `first` to `last`, in order. What is built on damage is damaged, up to the next snapshot. */
export function statesOf(store: Store, session: SessionRow, first: number, last: number): readonly Outcome[] {
  const { connection, seals } = store;
  const statement = connection.statement(stateRows);
  statement.setReturnArrays(true);
  const { key } = session;
  let cells = new Map<string, unknown>();
  let error: unknown = new FormatError("there is no snapshot before it");
  const states: Outcome[] = [];
  // The columns are those of the statement.
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

export function stateOf(
  store: Store,
  session: SessionRow,
  { sequence, checkpoint_id }: Pick<RecordRow, "sequence" | "checkpoint_id">,
): Cells {
  const [state = nothing] = statesOf(store, session, sequence, sequence);
  return opened(session.id, checkpoint_id, state);
}

function opened(sessionId: string, checkpointId: string, state: Outcome): Cells {
  if ("cells" in state) return state.cells;
  throw corrupt(sessionId, checkpointId, state.error);
}

export function storedResults({ connection }: Store, key: number, sequence: number): readonly ResultRow[] {
  return connection.all("SELECT entry, name, data FROM results WHERE session = ? AND sequence = ?", key, sequence);
}

export interface Found {
  readonly row: RecordRow;
  readonly results: readonly ResultRow[];
  readonly state: Outcome;
}

/** Throws `CheckpointError` `checkpoint_corrupt`. */
export function checkpointOf({ seals, graphs }: Store, session: SessionRow, { row, results, state }: Found): StoredCheckpoint {
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
    return checkpointOf(store, session, { row, state, results: storedResults(store, session.key, row.sequence) });
  });
}
