/** The session as it is now, for those who read it. */
import { isUnsaved } from "../engine/checkpoint.ts";
import type { Core } from "./core.ts";
import { readSession } from "./open-session.ts";
import { type LooseSnapshot, snapshotOf, snapshotOfExecution } from "./snapshot.ts";

/** Throws as `readSession` does. */
async function currentSnapshot(core: Core, sessionId: string): Promise<LooseSnapshot> {
  const execution = core.held.get(sessionId)?.execution;
  if (execution !== undefined && isUnsaved(execution)) return snapshotOfExecution(execution);
  return snapshotOf(await readSession(core, sessionId));
}

/** The same for those outside: what is stored of a session stepped by hand says how it is between the steps. */
export async function observedSnapshot(core: Core, sessionId: string): Promise<LooseSnapshot> {
  const snapshot = await currentSnapshot(core, sessionId);
  const running = snapshot.status === "idle" && core.isUnderWay(sessionId);
  return running ? Object.freeze({ ...snapshot, status: "running" }) : snapshot;
}

/** The same after a write; if nothing is due any more, an invocation stepped by hand has come to its end, and the default store forgets. */
export async function snapshotAfterWrite(core: Core, sessionId: string): Promise<LooseSnapshot> {
  // Taken before: the default store forgets what has completed.
  const snapshot = await currentSnapshot(core, sessionId);
  if (snapshot.status !== "completed") return snapshot;
  if (core.held.has(sessionId)) await core.release(sessionId, "completed");
  else if (core.ports.ownsStore) await core.ports.store.delete(sessionId);
  return snapshot;
}
