/** What must hold of a file and of the sessions in it, whatever processes were killed that wrote to it. */
import { DatabaseSync } from "node:sqlite";
import { type Checkpointer, type CheckpointRecord, SpanloomError } from "spanloom";
import { sqliteCheckpointer } from "spanloom/sqlite";
import { forkSuffix } from "./case.ts";

export function damageOf(database: string): readonly string[] {
  const file = new DatabaseSync(database);
  try {
    const integrity = file.prepare("PRAGMA integrity_check").all();
    return integrity.some((row) => row["integrity_check"] !== "ok") ? [`the file is damaged: ${JSON.stringify(integrity)}`] : [];
  } finally {
    file.close();
  }
}

/** The session's records, and those of its fork, follow each other without a gap, from the first step to a complete one. */
export async function historyWrong(database: string, sessionId: string, hasFork: boolean): Promise<readonly string[]> {
  const store = sqliteCheckpointer(database, { busyTimeout: "60s" });
  try {
    return [...(await brokenChain(store, sessionId)), ...(hasFork ? await brokenChain(store, `${sessionId}${forkSuffix}`) : [])];
  } catch (error) {
    if (!SpanloomError.is(error)) throw error;
    return [`the history cannot be read: ${error.code}: ${error.message}`];
  } finally {
    await store.close();
  }
}

async function brokenChain(store: Checkpointer, sessionId: string): Promise<readonly string[]> {
  const records: CheckpointRecord[] = [];
  for await (const { record } of store.history(sessionId)) records.unshift(record);
  const wrong: string[] = [];
  records.forEach(({ checkpointId, parentId, step, epoch, forkedFrom }, index) => {
    const before = records[index - 1];
    const place = `the record ${checkpointId} of step ${step}`;
    if (parentId !== (before ?? forkedFrom)?.checkpointId) wrong.push(`${place} does not follow the one before it`);
    if (before === undefined && step !== 0 && parentId === undefined) wrong.push(`${place} is the first of its session`);
    // A next input is of the step before it.
    if (before !== undefined && ![before.step, before.step + 1].includes(step))
      wrong.push(`${place} comes after one of step ${before.step}`);
    if (before !== undefined && epoch < before.epoch) wrong.push(`${place} is of epoch ${epoch}, after epoch ${before.epoch}`);
  });
  const newest = records.at(-1);
  if (newest?.status !== "completed") wrong.push(`the newest record is ${newest?.status ?? "not there"}`);
  const ids = new Set(records.map(({ checkpointId }) => checkpointId));
  return ids.size === records.length ? wrong : [...wrong, "two records have one id"];
}
