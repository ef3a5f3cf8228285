/** What is done to whole sessions: forks, their end, their removal. */
import type { ChannelChange, Checkpointer, CheckpointRecord, StoredCheckpoint } from "../checkpoint/checkpointer.ts";
import { maybeCheckpoint } from "../engine/checkpoint.ts";
import { isSessionComplete } from "../engine/complete.ts";
import { openInterrupts } from "../engine/execution.ts";
import { RunnerError, SpanloomError } from "../errors/errors.ts";
import { messageOf } from "../support/show.ts";
import { makeExecution, outsideRuns } from "./begin.ts";
import type { Core, Ticket } from "./core.ts";
import { checkUnfinished, openSession, readSession } from "./open-session.ts";
import { asking } from "./reading.ts";
import { stateAsStored, storedDue } from "./restore.ts";
import type { RunnerSettings } from "./settings.ts";

function forkedStatus({ next, status, interrupts, answers }: CheckpointRecord): CheckpointRecord["status"] {
  if (isSessionComplete({ frontier: next })) return "completed";
  if (status === "paused" && openInterrupts({ interrupts, answers }).length > 0) return "paused";
  return status === "failed" || status === "cancelled" ? status : "idle";
}

/** What a fork begins as, and whether that is the session's newest checkpoint, which may still change. */
export interface ForkOrigin {
  readonly origin: StoredCheckpoint;
  readonly isNewest: boolean;
}

/**
 * By a reader of one session. A newest checkpoint that is damaged need not be whole for those before it. Throws what the reader does, and
 * `session_finished`.
 */
export async function forkOrigin(
  read: (checkpointId?: string) => Promise<StoredCheckpoint>,
  checkpointId: string | undefined,
): Promise<ForkOrigin> {
  let newest: StoredCheckpoint | undefined;
  try {
    newest = await read();
  } catch (error) {
    if (checkpointId === undefined || !SpanloomError.is(error, "checkpoint_corrupt")) throw error;
  }
  if (newest !== undefined) checkUnfinished(newest.record);
  const isNewest = checkpointId === undefined || checkpointId === newest?.record.checkpointId;
  return { origin: isNewest && newest !== undefined ? newest : await read(checkpointId), isNewest };
}

/** What a fork is made with. */
export interface ForkPorts {
  readonly store: Checkpointer;
  readonly settings: Pick<RunnerSettings, "clock" | "createId">;
}

/** A session of its own: one record with the whole state, whose parent is the origin's checkpoint. */
export async function forkSession(
  { store, settings }: ForkPorts,
  { record, state, size }: StoredCheckpoint,
  sessionId: string,
): Promise<void> {
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
    forkedFrom: { sessionId: record.sessionId, checkpointId: record.checkpointId },
    finished: false,
  };
  try {
    await store.save({ checkpointId: undefined, epoch: 0 }, forked, { changes, size, state: () => state });
  } catch (error) {
    if (SpanloomError.is(error, "checkpoint_conflict")) throw new RunnerError("session_exists", { sessionId }, { cause: error });
    throw new RunnerError("checkpoint_failed", { sessionId, step: record.step, reason: messageOf(error) }, { cause: error });
  }
}

/** Ends a session with its true status, and tells it: from now on it can only be read. */
export async function finishSession(core: Core, ticket: Ticket): Promise<StoredCheckpoint> {
  const loaded = await openSession(core, ticket.sessionId);
  const { stored } = loaded;
  // Its owner is gone, or has lost it by this.
  const status = stored.record.status === "running" ? "idle" : stored.record.status;
  // It stays as it was stored, also if the graph has changed: nothing of it will run.
  const [state, due] = [stateAsStored(core, stored), storedDue(stored)];
  const beginning = { kind: "resume", epoch: stored.ownerEpoch + 1, state, due, status, resting: "idle", loaded, changes: [] } as const;
  await core.release(ticket.sessionId, "finish");
  const execution = makeExecution(core, ticket, beginning, undefined);
  const silent = { ...outsideRuns(execution), events: execution.events.silenced() };
  await maybeCheckpoint(silent, undefined, { kind: "status", status, due, takeOverFrom: stored.ownerEpoch, finished: true });
  execution.events.emit("session.finished", { status });
  return readSession(core, ticket.sessionId);
}

/** Removes a session, also one that is damaged. Throws `session_not_found` when there is none. */
export async function deleteSession(core: Core, sessionId: string): Promise<void> {
  try {
    await readSession(core, sessionId);
  } catch (error) {
    if (!SpanloomError.is(error, "checkpoint_corrupt")) throw error;
  }
  await core.release(sessionId, "delete");
  await asking(core.ports.store, (from) => from.delete(sessionId));
}
