/** The records of a session, newest first, read in pages: each costs one way from a snapshot to its newest record. */
import type { Checkpointer, StoredCheckpoint } from "../checkpointer.ts";
import { CheckpointError } from "../../errors/errors.ts";
import { checkpointOf, type Found, nothing, storedResults, sequenceOf, type SessionRow, sessionRow, statesOf } from "./read.ts";
import { recordColumns, type RecordRow } from "./rows.ts";
import { firstId, longestSequence } from "./schema.ts";
import type { Store } from "./store.ts";

/** Records that are read at once. */
const page = 256;

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
    const rows = store.connection.all<RecordRow>(sql, key, key, end, most);
    const first = rows.at(-1)?.sequence ?? 0;
    const states = statesOf(store, session, first, rows[0]?.sequence ?? -1);
    const found = rows.map((row) => ({
      row,
      state: states[row.sequence - first] ?? nothing,
      results: storedResults(store, key, row.sequence),
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
