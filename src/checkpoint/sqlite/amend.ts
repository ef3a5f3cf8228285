/** What is changed of a session's newest record. One transaction, under the writer's fence. */
import type { Amendment, Fence, SaveReceipt } from "../checkpointer.ts";
import { amended } from "../codec/record.ts";
import { conflict, fenced, type Head } from "./head.ts";
import { reading, storedResults } from "./read.ts";
import { onceList, type RecordRow, resultName, type ResultRow, resultRows } from "./rows.ts";
import { recordId } from "./schema.ts";
import type { Store } from "./store.ts";
import { bytesOf, insertResults } from "./write.ts";

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
