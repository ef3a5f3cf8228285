/** What is removed leaves no rows behind: nothing that reads the store would tell. */
import { describe, expect, it } from "vitest";
import type { CheckpointRecord, Checkpointer } from "spanloom";
import { createRunner } from "spanloom";
import { counter, newFile, storeIn, withDatabase } from "./support.ts";

const rowsIn = (path: string): Readonly<Record<string, unknown>> =>
  withDatabase(path, (database) => {
    const count = (table: string): unknown => database.prepare(`SELECT count(*) AS count FROM ${table}`).get()?.["count"];
    return { sessions: count("sessions"), checkpoints: count("checkpoints"), results: count("results") };
  });

const result = { node: "count", ordinal: 0, writes: [], command: undefined, errors: [], failure: undefined };

/** The newest record of the session, with a result, is followed by one of the same step, which has one too. */
async function withResults(store: Checkpointer, sessionId: string): Promise<void> {
  await createRunner(counter(5), { checkpointer: store }).invoke({}, { sessionId });
  const newest = await store.load(sessionId);
  if (newest === undefined) throw new Error("There is no session.");
  const { checkpointId, epoch } = newest.record;
  await store.addResults(sessionId, { checkpointId, epoch }, { results: [result], once: [{ entry: "count/0", key: "a", value: 1 }] });
  const next: CheckpointRecord = { ...newest.record, checkpointId: "next", parentId: checkpointId, results: [result] };
  await store.save({ checkpointId, epoch }, next, { changes: [], size: 0, state: () => newest.state });
}

describe("what is removed", () => {
  it("leaves no rows of a session that is deleted, by its id or by its age", async () => {
    const path = newFile();
    const store = storeIn(path);
    for (const id of ["a", "b", "c"]) await withResults(store, id);
    expect(rowsIn(path)).toEqual({ sessions: 3, checkpoints: 21, results: 9 });
    await store.delete("a");
    expect(rowsIn(path)).toEqual({ sessions: 2, checkpoints: 14, results: 6 });
    await store.delete("b");
    expect(rowsIn(path)).toEqual({ sessions: 1, checkpoints: 7, results: 3 });
    expect(await store.deleteSessions({ status: "completed" })).toBe(1);
    expect(rowsIn(path)).toEqual({ sessions: 0, checkpoints: 0, results: 0 });
  });

  it("leaves no rows of records that are pruned", async () => {
    const path = newFile();
    const store = storeIn(path);
    await withResults(store, "a");
    expect(await store.prune({ keep: 1 })).toBe(6);
    expect(rowsIn(path)).toEqual({ sessions: 1, checkpoints: 1, results: 1 });
  });
});
