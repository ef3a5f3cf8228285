/** The removal of sessions and of what is old in them. Free pages are used again; the file itself does not shrink. */
import { SpanloomError } from "../../errors/errors.ts";
import { valuesOf } from "../cells.ts";
import type { Checkpointer } from "../checkpointer.ts";
import { stateText } from "../codec/record.ts";
import { pruneOptions, removalOptions } from "../options.ts";
import { type SessionRow, sessionRow, stateOf } from "./read.ts";
import { firstId, lastId, longestSequence, recordId } from "./schema.ts";
import type { Store } from "./store.ts";

function removeSession({ connection }: Store, key: number): void {
  connection.statement("DELETE FROM results WHERE session = ?").run(key);
  connection.statement(`DELETE FROM checkpoints WHERE id BETWEEN ${firstId} AND ${lastId}`).run(key, key);
  connection.statement("DELETE FROM sessions WHERE key = ?").run(key);
}

export function deleteSession(store: Store, sessionId: string): boolean {
  store.heads.forget(sessionId);
  return store.connection.write(() => {
    const session = sessionRow(store, sessionId);
    if (session === undefined) return false;
    removeSession(store, session.key);
    return true;
  });
}

interface KeptRow {
  readonly sequence: number;
  readonly checkpoint_id: string;
  readonly snapshot: number;
}

/** The oldest record that is kept, when there are older ones. */
const oldestKept = `
  SELECT id & ${longestSequence} AS sequence, checkpoint_id, snapshot FROM checkpoints WHERE id BETWEEN ${firstId} AND ${lastId}
  ORDER BY id DESC LIMIT 1 OFFSET ?`;

function pruneSession(store: Store, session: SessionRow, keep: number): number {
  const { connection, seals } = store;
  const { key } = session;
  const row = connection.first<KeptRow>(oldestKept, key, key, keep - 1);
  if (row === undefined) return 0;
  const older = `FROM checkpoints WHERE id >= ${firstId} AND id < ${firstId} + ?`;
  const { count = 0 } = connection.first<{ readonly count: number }>(`SELECT count(*) AS count ${older}`, key, key, row.sequence) ?? {};
  if (count === 0) return 0;
  if (row.snapshot === 0) {
    // What it was built on goes.
    const state = seals.state(session.id, row.sequence, stateText(valuesOf(stateOf(store, session, row))));
    const sql = `UPDATE checkpoints SET snapshot = 1, since = 0, size = ?, state = ? WHERE id = ${recordId}`;
    connection.statement(sql).run(Buffer.byteLength(state), state, key, row.sequence);
  }
  const named = `UPDATE checkpoints AS c SET parent_id = (SELECT p.checkpoint_id FROM checkpoints p WHERE p.id = c.id - 1)`;
  connection.statement(`${named} WHERE c.id = ${recordId} AND c.parent_id IS NULL`).run(key, row.sequence);
  connection.statement(`DELETE ${older}`).run(key, key, row.sequence);
  connection.statement("DELETE FROM results WHERE session = ? AND sequence < ?").run(key, row.sequence);
  return count;
}

/** Session by session, each in a transaction of its own: others write in between. */
export async function prune(store: Store, options: Parameters<Checkpointer["prune"]>[0]): Promise<number> {
  const { keep, sessionId } = pruneOptions(options);
  const { connection } = store;
  const all = (): readonly string[] => connection.all<{ readonly id: string }>("SELECT id FROM sessions").map(({ id }) => id);
  const ids = sessionId === undefined ? await connection.attempt(all) : [sessionId];
  const pruneOne = (id: string): number =>
    connection.write(() => {
      const session = sessionRow(store, id);
      return session === undefined ? 0 : pruneSession(store, session, keep);
    });
  let gone = 0;
  let damage: SpanloomError | undefined;
  for (const id of ids) {
    try {
      gone += await connection.attempt(() => pruneOne(id));
    } catch (error) {
      // One that is damaged stays as it is, and keeps no other from being trimmed.
      if (!SpanloomError.is(error, "checkpoint_corrupt")) throw error;
      damage ??= error;
    }
  }
  if (damage !== undefined) throw damage;
  return gone;
}

export async function deleteSessions(store: Store, options: Parameters<Checkpointer["deleteSessions"]>[0]): Promise<number> {
  const { age, statuses } = removalOptions(options);
  const { connection } = store;
  return connection.attempt(() =>
    connection.write(() => {
      const newest = age === undefined ? Number.MAX_VALUE : Date.now() - age;
      const sql = "SELECT key, id, status FROM sessions WHERE status <> 'running' AND updated_at <= ?";
      const old = connection.all<{ readonly key: number; readonly id: string; readonly status: string }>(sql, newest);
      const removed = old.filter(({ status }) => statuses === undefined || statuses.includes(status));
      for (const { key, id } of removed) {
        store.heads.forget(id);
        removeSession(store, key);
      }
      return removed.length;
    }),
  );
}
