/** What a writer has to know of a session's newest record; remembered while the session runs, and checked by every write. */
import { CheckpointError } from "../../errors/errors.ts";
import type { Fence } from "../checkpointer.ts";
import { idProblem } from "../options.ts";
import type { Connection } from "./connection.ts";
import { noMoment } from "./moment.ts";
import { longestSequence, newestId } from "./schema.ts";

export interface Head {
  /** The session's row. */
  readonly key: number;
  /** The newest record's. */
  readonly sequence: number;
  readonly checkpointId: string;
  readonly ownerEpoch: number;
  readonly status: string;
  readonly step: number;
  /** The row of the graph that made it. */
  readonly graph: number;
  /** Whether results or sub-steps are stored with it. */
  readonly hasResults: boolean;
  /** Bytes of the last snapshot, and of what was written since. */
  readonly base: number;
  readonly since: number;
  /** On which it was written: while that is held, no other connection has written since. */
  readonly moment: number;
}

const newest = `
  SELECT s.key, s.owner_epoch, s.status, c.id & ${longestSequence} AS sequence, c.checkpoint_id, c.step, c.graph, c.since,
    (SELECT size FROM checkpoints WHERE snapshot = 1 AND id <= c.id ORDER BY id DESC LIMIT 1) AS base,
    EXISTS (SELECT 1 FROM results WHERE session = s.key AND sequence = c.id & ${longestSequence}) AS has_results
  FROM sessions s JOIN checkpoints c ON c.id = ${newestId} WHERE s.id = ?`;

interface NewestRow {
  readonly key: number;
  readonly owner_epoch: number;
  readonly status: string;
  readonly sequence: number;
  readonly checkpoint_id: string;
  readonly step: number;
  readonly graph: number;
  readonly since: number;
  readonly base: number;
  readonly has_results: number;
}

/** Within a transaction, or what it says may have passed. */
function readHead(connection: Connection, sessionId: string): Head | undefined {
  // The statement would look for another: half a surrogate pair is bound as U+FFFD.
  if (idProblem(sessionId) !== undefined) return undefined;
  const row = connection.first<NewestRow>(newest, sessionId);
  if (row === undefined) return undefined;
  const { key, sequence, status, step, graph, base, since } = row;
  const hasResults = row.has_results === 1;
  const [checkpointId, ownerEpoch] = [row.checkpoint_id, row.owner_epoch];
  return { key, sequence, checkpointId, ownerEpoch, status, step, graph, hasResults, base, since, moment: noMoment };
}

export const isCurrent = (head: Head, fence: Fence): boolean => head.checkpointId === fence.checkpointId && head.ownerEpoch === fence.epoch;

export function conflict(sessionId: string, { checkpointId, epoch }: Fence): CheckpointError {
  return new CheckpointError("checkpoint_conflict", { sessionId, epoch, ...(checkpointId === undefined ? {} : { checkpointId }) });
}

/** The session as the fence says it is; `undefined` when it says that there is none. Throws `checkpoint_conflict`. */
export function fenced(connection: Connection, sessionId: string, fence: Fence): Head | undefined {
  const head = readHead(connection, sessionId);
  if (head === undefined ? fence.checkpointId !== undefined : !isCurrent(head, fence)) throw conflict(sessionId, fence);
  return head;
}

/** Sessions that are remembered at once. */
const most = 10_000;

/** Of sessions that run: one that rests costs no memory. */
export class Heads {
  readonly #heads = new Map<string, Head>();

  get(sessionId: string): Head | undefined {
    return this.#heads.get(sessionId);
  }

  set(sessionId: string, head: Head): void {
    if (head.status !== "running") return this.forget(sessionId);
    this.#heads.set(sessionId, head);
    if (this.#heads.size <= most) return;
    // The one that was added first: most likely its run was given up.
    for (const first of this.#heads.keys()) return this.forget(first);
  }

  forget(sessionId: string): void {
    this.#heads.delete(sessionId);
  }
}
