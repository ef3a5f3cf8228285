/** Loads a session, and refuses one that cannot be opened here. */
import type { Checkpointer, CheckpointRecord, StoredCheckpoint } from "../checkpoint/checkpointer.ts";
import { CheckpointError, RunnerError } from "../errors/errors.ts";
import { spanDate } from "../telemetry/span-clock.ts";
import type { Loaded } from "./begin.ts";
import type { Core } from "./core.ts";
import { asking } from "./reading.ts";

/** The newest checkpoint, or the named one, of any graph. Throws `session_not_found` or `checkpoint_not_found`. */
export async function readStored(store: Checkpointer, sessionId: string, checkpointId?: string): Promise<StoredCheckpoint> {
  const stored = await asking(store, (from) => from.load(sessionId, checkpointId));
  if (stored !== undefined) return stored;
  const exists = checkpointId !== undefined && (await asking(store, (from) => from.load(sessionId))) !== undefined;
  if (exists) throw new CheckpointError("checkpoint_not_found", { sessionId, checkpointId });
  throw new RunnerError("session_not_found", { sessionId });
}

/** The same, of this runner's graph. Throws also `wrong_graph`. */
export async function readSession(core: Core, sessionId: string, checkpointId?: string): Promise<StoredCheckpoint> {
  const { store, plan } = core.ports;
  const stored = await readStored(store, sessionId, checkpointId);
  checkGraph(stored.record, plan.name);
  return stored;
}

export function checkGraph({ sessionId, graph }: CheckpointRecord, expected: string): void {
  if (graph !== expected) throw new RunnerError("wrong_graph", { sessionId, graph, expected });
}

/** The newest checkpoint, to be gone on with; with what loading took. Throws also `session_finished`. */
export async function openSession(core: Core, sessionId: string): Promise<Loaded> {
  const startTime = spanDate();
  const stored = await readSession(core, sessionId);
  const endTime = spanDate();
  checkUnfinished(stored.record);
  return { stored, startTime, endTime };
}

/** Throws `session_finished`. */
export function checkUnfinished({ sessionId, finished }: CheckpointRecord): void {
  if (finished) throw new RunnerError("session_finished", { sessionId });
}
