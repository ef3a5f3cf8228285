/** What is done to whole sessions: forks, their end, their removal. */
import type { ChannelChange, CheckpointRecord, StoredCheckpoint } from "../checkpoint/checkpointer.ts";
import { maybeCheckpoint } from "../engine/checkpoint.ts";
import { isSessionComplete } from "../engine/complete.ts";
import { openInterrupts } from "../engine/execution.ts";
import { RunnerError, SpanloomError } from "../errors/errors.ts";
import { makeExecution } from "./begin.ts";
import type { Core, Ticket } from "./core.ts";
import { openSession, readSession } from "./open-session.ts";
import { restoredDue, restoredState } from "./resume.ts";

function forkedStatus({ next, status, interrupts, answers }: CheckpointRecord): CheckpointRecord["status"] {
  if (isSessionComplete({ frontier: next })) return "completed";
  if (status === "paused" && openInterrupts({ interrupts, answers }).length > 0) return "paused";
  return status === "failed" || status === "cancelled" ? status : "idle";
}

/** A session of its own: one record with the whole state, whose parent is the origin's checkpoint. */
export async function forkSession(core: Core, origin: string, sessionId: string, checkpointId: string | undefined): Promise<void> {
  const { store, settings } = core.ports;
  const stored = await readSession(core, origin, checkpointId);
  const { record, state, size } = stored;
  const changes = Object.entries(state).map(([channel, value]): ChannelChange => ({ channel, kind: "set", value }));
  const forked: CheckpointRecord = {
    ...record,
    sessionId,
    checkpointId: `${settings.createId()}.0`,
    parentId: record.checkpointId,
    epoch: 0,
    time: settings.clock.now(),
    status: forkedStatus(record),
    failure: record.failure,
    forkedFrom: { sessionId: origin, checkpointId: record.checkpointId },
    finished: false,
  };
  try {
    await store.save({ checkpointId: undefined, epoch: 0 }, forked, changes, size);
  } catch (error) {
    if (SpanloomError.is(error, "checkpoint_conflict")) throw new RunnerError("session_exists", { sessionId }, { cause: error });
    throw error;
  }
}

/** Ends a session with its true status, and tells it: from now on it can only be read. */
export async function finishSession(core: Core, ticket: Ticket): Promise<StoredCheckpoint> {
  const loaded = await openSession(core, ticket.sessionId);
  const { stored } = loaded;
  const { status } = stored.record;
  const state = restoredState(core, stored);
  const due = restoredDue(stored);
  const beginning = { kind: "resume", epoch: stored.ownerEpoch + 1, state, due, status, resting: "idle", loaded } as const;
  await core.release(ticket.sessionId, "finish");
  const execution = makeExecution(core, ticket, beginning, undefined);
  const silent = { ...execution, events: execution.events.silenced() };
  await maybeCheckpoint(silent, undefined, { kind: "status", status, due, takeOverFrom: stored.ownerEpoch, finished: true });
  execution.events.emit("session.finished", { status });
  return readSession(core, ticket.sessionId);
}

/** Removes a session. Throws `session_not_found` when there is none. */
export async function deleteSession(core: Core, sessionId: string): Promise<void> {
  await readSession(core, sessionId);
  await core.release(sessionId, "delete");
  await core.ports.store.delete(sessionId);
}
