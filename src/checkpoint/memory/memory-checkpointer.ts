/** Sessions in this process: the default store, and one for tests. It keeps references, never copies: all that it is given is frozen. */
import { CheckpointError, RunnerError } from "../../errors/errors.ts";
import { parseDuration } from "../../support/duration.ts";
import type { OneOrMany } from "../../support/types.ts";
import type {
  Amendment,
  ChannelChange,
  Checkpointer,
  CheckpointRecord,
  EntryResult,
  Fence,
  SaveReceipt,
  SessionFilter,
  StepResults,
  StoredCheckpoint,
} from "../checkpointer.ts";
import { applyChanges, type Cells, noCells, valuesOf } from "./cells.ts";

interface Kept {
  record: CheckpointRecord;
  updatedAt: number;
  readonly cells: Cells;
  readonly size: number;
}

interface MemorySession {
  readonly id: string;
  readonly createdAt: number;
  ownerEpoch: number;
  /** Oldest first. */
  kept: Kept[];
}

/** Bytes of a record beside its values, about. */
const recordSize = 400;

const newest = (session: MemorySession): Kept => session.kept.at(-1) as Kept;

function stored(session: MemorySession, { record, updatedAt, cells, size }: Kept): StoredCheckpoint {
  return { record, createdAt: session.createdAt, updatedAt, ownerEpoch: session.ownerEpoch, size, state: valuesOf(cells) };
}

function checkFence(session: MemorySession | undefined, sessionId: string, fence: Fence): void {
  const matches = session === undefined ? fence.checkpointId === undefined : isCurrent(session, fence);
  if (matches) return;
  const { checkpointId, epoch } = fence;
  throw new CheckpointError("checkpoint_conflict", { sessionId, epoch, ...(checkpointId === undefined ? {} : { checkpointId }) });
}

const isCurrent = (session: MemorySession, fence: Fence): boolean =>
  session.ownerEpoch === fence.epoch && newest(session).record.checkpointId === fence.checkpointId;

function mergedOnce(current: CheckpointRecord["once"], added: StepResults["once"]): CheckpointRecord["once"] {
  const merged = new Map(current);
  for (const { entry, key, value } of added) merged.set(entry, new Map(merged.get(entry)).set(key, value));
  return merged;
}

export interface MemoryCheckpointerOptions {
  /** Records of one session that are kept; the oldest go. Default: all. */
  readonly keep?: number;
}

class MemoryCheckpointer implements Checkpointer {
  readonly backend = "memory";
  readonly #sessions = new Map<string, MemorySession>();
  readonly #keep: number;

  constructor(options: MemoryCheckpointerOptions) {
    this.#keep = options.keep ?? Number.POSITIVE_INFINITY;
  }

  load(sessionId: string, checkpointId?: string): StoredCheckpoint | undefined {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return undefined;
    const kept = checkpointId === undefined ? newest(session) : session.kept.find((each) => each.record.checkpointId === checkpointId);
    return kept === undefined ? undefined : stored(session, kept);
  }

  save(fence: Fence, record: CheckpointRecord, changes: readonly ChannelChange[], size: number): SaveReceipt {
    const session = this.#sessions.get(record.sessionId);
    checkFence(session, record.sessionId, fence);
    const before = session?.kept.at(-1);
    const cells = applyChanges(before?.cells ?? noCells, changes);
    const kept = { record, updatedAt: record.time, size: size + recordSize, cells };
    if (session === undefined || before === undefined) {
      const { sessionId: id, time: createdAt, epoch: ownerEpoch } = record;
      this.#sessions.set(id, { id, createdAt, ownerEpoch, kept: [kept] });
      return kept;
    }
    // Its results were of the step that this record ends: whoever begins there again runs that step again.
    if (before.record.results.length > 0 && record.step > before.record.step) before.record = { ...before.record, results: [] };
    session.kept.push(kept);
    // Not at every record past the limit, which would move all that is kept each time.
    if (session.kept.length >= this.#keep * 2) session.kept = session.kept.slice(-this.#keep);
    session.ownerEpoch = record.epoch;
    return kept;
  }

  amend(sessionId: string, fence: Fence, { time, epoch, ...change }: Amendment): SaveReceipt {
    const session = this.#owned(sessionId, fence);
    const kept = newest(session);
    kept.record = { ...kept.record, ...change };
    kept.updatedAt = time;
    session.ownerEpoch = epoch ?? session.ownerEpoch;
    return { size: recordSize };
  }

  addResults(sessionId: string, fence: Fence, added: StepResults): void {
    const session = this.#owned(sessionId, fence);
    const kept = newest(session);
    const results: readonly EntryResult[] = [...kept.record.results, ...added.results];
    kept.record = { ...kept.record, results, once: mergedOnce(kept.record.once, added.once) };
  }

  // oxlint-disable-next-line typescript/require-await -- the port is asynchronous, this store is not
  async *history(sessionId: string, options: { readonly limit?: number; readonly before?: string } = {}): AsyncGenerator<StoredCheckpoint> {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return;
    const { before, limit = Number.POSITIVE_INFINITY } = options;
    const end = before === undefined ? session.kept.length : session.kept.findIndex((each) => each.record.checkpointId === before);
    if (end < 0) throw new CheckpointError("checkpoint_not_found", { sessionId, checkpointId: String(before) });
    const listed = session.kept.slice(0, end).toReversed();
    for (const kept of listed.slice(0, limit)) yield stored(session, kept);
  }

  // oxlint-disable-next-line typescript/require-await -- as above
  async *list(filter: SessionFilter = {}): AsyncGenerator<StoredCheckpoint> {
    const { graph, status, limit = Number.POSITIVE_INFINITY } = filter;
    const all = [...this.#sessions.values()].toReversed().toSorted((left, right) => newest(right).updatedAt - newest(left).updatedAt);
    let count = 0;
    for (const session of all) {
      const { record } = newest(session);
      if (graph !== undefined && record.graph !== graph) continue;
      if (status !== undefined && record.status !== status) continue;
      if (count >= limit) return;
      count += 1;
      yield stored(session, newest(session));
    }
  }

  delete(sessionId: string): Promise<boolean> {
    return Promise.resolve(this.#sessions.delete(sessionId));
  }

  // oxlint-disable-next-line typescript/require-await -- as above
  async prune({ keep, sessionId }: { readonly keep: number; readonly sessionId?: string }): Promise<number> {
    if (!Number.isSafeInteger(keep) || keep < 1) {
      throw new RunnerError("invalid_option", { option: "keep", reason: "must be a whole number from 1" });
    }
    let gone = 0;
    for (const session of this.#sessions.values()) {
      if (sessionId !== undefined && session.id !== sessionId) continue;
      gone += Math.max(0, session.kept.length - keep);
      session.kept = session.kept.slice(-keep);
    }
    return gone;
  }

  // oxlint-disable-next-line typescript/require-await -- as above
  async deleteSessions(options: Parameters<Checkpointer["deleteSessions"]>[0]): Promise<number> {
    const age = options.olderThan === undefined ? undefined : parseDuration(options.olderThan);
    if (options.olderThan !== undefined && age === undefined) {
      throw new RunnerError("invalid_option", { option: "olderThan", reason: 'must be a duration, such as "30d"' });
    }
    const statuses = options.status === undefined ? undefined : listed(options.status);
    let gone = 0;
    for (const session of this.#sessions.values()) {
      const { status } = newest(session).record;
      const old = age === undefined || newest(session).updatedAt <= Date.now() - age;
      if (status === "running" || !old || (statuses !== undefined && !statuses.includes(status))) continue;
      this.#sessions.delete(session.id);
      gone += 1;
    }
    return gone;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #owned(sessionId: string, fence: Fence): MemorySession {
    const session = this.#sessions.get(sessionId);
    checkFence(session, sessionId, fence);
    // A fence that matches no session at all names no checkpoint: nothing can be amended.
    if (session === undefined) throw new CheckpointError("checkpoint_conflict", { sessionId });
    return session;
  }
}

const listed = <T>(value: OneOrMany<T>): readonly unknown[] => (Array.isArray(value) ? value : [value]);

/** A store in this process: sessions live as long as it does. */
export function memoryCheckpointer(): Checkpointer {
  return new MemoryCheckpointer({});
}

/** The default store, which keeps the newest records of each session. */
export function boundedMemoryCheckpointer(options: MemoryCheckpointerOptions): Checkpointer {
  return new MemoryCheckpointer(options);
}
