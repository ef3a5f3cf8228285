/** Sessions in this process: the default store, and one for tests. It keeps references, never copies: all that it is given is frozen. */
import { CheckpointError } from "../../errors/errors.ts";
import type {
  Amendment,
  Checkpointer,
  CheckpointRecord,
  EntryResult,
  Fence,
  SaveReceipt,
  SessionFilter,
  SessionInfo,
  StateDelta,
  StepResults,
  StoredCheckpoint,
} from "../checkpointer.ts";
import { applyChanges, type Cells, noCells, valuesOf } from "../cells.ts";
import { checkIds, pruneOptions, removalOptions } from "../options.ts";

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

type Sessions = Map<string, MemorySession>;

function load(sessions: Sessions, sessionId: string, checkpointId: string | undefined): StoredCheckpoint | undefined {
  const session = sessions.get(sessionId);
  if (session === undefined) return undefined;
  const kept = checkpointId === undefined ? newest(session) : session.kept.find((each) => each.record.checkpointId === checkpointId);
  return kept === undefined ? undefined : stored(session, kept);
}

interface Store {
  readonly sessions: Sessions;
  /** How many records of a session at least. */
  readonly keep: number;
}

function save({ sessions, keep }: Store, fence: Fence, record: CheckpointRecord, { changes, size }: StateDelta): SaveReceipt {
  checkIds(record);
  const session = sessions.get(record.sessionId);
  checkFence(session, record.sessionId, fence);
  const before = session?.kept.at(-1);
  const cells = applyChanges(before?.cells ?? noCells, changes);
  const kept = { record, updatedAt: record.time, size: size + recordSize, cells };
  if (session === undefined || before === undefined) {
    const { sessionId: id, time: createdAt, epoch: ownerEpoch } = record;
    sessions.set(id, { id, createdAt, ownerEpoch, kept: [kept] });
    return kept;
  }
  // Its results were of the step that this record ends: whoever begins there again runs that step again.
  if (before.record.results.length > 0 && record.step > before.record.step) before.record = { ...before.record, results: [] };
  session.kept.push(kept);
  // Not at every record past the limit, which would move all that is kept each time.
  if (session.kept.length >= keep * 2) session.kept = session.kept.slice(-keep);
  session.ownerEpoch = record.epoch;
  return kept;
}

function owned(sessions: Sessions, sessionId: string, fence: Fence): MemorySession {
  const session = sessions.get(sessionId);
  checkFence(session, sessionId, fence);
  // A fence that matches no session at all names no checkpoint: nothing can be amended.
  if (session === undefined) throw new CheckpointError("checkpoint_conflict", { sessionId });
  return session;
}

function amend(session: MemorySession, { time, epoch, ...change }: Amendment): SaveReceipt {
  const kept = newest(session);
  kept.record = { ...kept.record, ...change };
  kept.updatedAt = time;
  session.ownerEpoch = epoch ?? session.ownerEpoch;
  return { size: recordSize };
}

function addResults(session: MemorySession, added: StepResults): void {
  const kept = newest(session);
  const results: readonly EntryResult[] = [...kept.record.results, ...added.results];
  kept.record = { ...kept.record, results, once: mergedOnce(kept.record.once, added.once) };
}

// oxlint-disable-next-line typescript/require-await -- the port is asynchronous, this store is not
async function* history(sessions: Sessions, sessionId: string, options: Parameters<Checkpointer["history"]>[1] = {}) {
  const session = sessions.get(sessionId);
  if (session === undefined) return;
  const { before, limit = Number.POSITIVE_INFINITY } = options;
  const end = before === undefined ? session.kept.length : session.kept.findIndex((each) => each.record.checkpointId === before);
  if (end < 0) throw new CheckpointError("checkpoint_not_found", { sessionId, checkpointId: String(before) });
  const listed = session.kept.slice(0, end).toReversed();
  for (const kept of listed.slice(0, limit)) yield stored(session, kept);
}

// oxlint-disable-next-line typescript/require-await -- as above
async function* list(sessions: Sessions, { graph, status, limit = Number.POSITIVE_INFINITY }: SessionFilter = {}) {
  const all = [...sessions.values()].toReversed().toSorted((left, right) => newest(right).updatedAt - newest(left).updatedAt);
  let count = 0;
  for (const session of all) {
    const { record } = newest(session);
    if (graph !== undefined && record.graph !== graph) continue;
    if (status !== undefined && record.status !== status) continue;
    if (count >= limit) return;
    count += 1;
    yield summaryOf(session);
  }
}

function summaryOf(session: MemorySession): SessionInfo {
  const { record, updatedAt } = newest(session);
  const { sessionId, graph, fingerprint, status, step } = record;
  return { sessionId, graph, fingerprint, status, step, createdAt: session.createdAt, updatedAt };
}

function prune(sessions: Sessions, options: Parameters<Checkpointer["prune"]>[0]): number {
  const { keep, sessionId } = pruneOptions(options);
  let gone = 0;
  for (const session of sessions.values()) {
    if (sessionId !== undefined && session.id !== sessionId) continue;
    gone += Math.max(0, session.kept.length - keep);
    session.kept = session.kept.slice(-keep);
  }
  return gone;
}

function deleteSessions(sessions: Sessions, options: Parameters<Checkpointer["deleteSessions"]>[0]): number {
  const { age, statuses } = removalOptions(options);
  let gone = 0;
  for (const session of sessions.values()) {
    const { status } = newest(session).record;
    const old = age === undefined || newest(session).updatedAt <= Date.now() - age;
    if (status === "running" || !old || (statuses !== undefined && !statuses.includes(status))) continue;
    sessions.delete(session.id);
    gone += 1;
  }
  return gone;
}

const nothing = (): Promise<void> => Promise.resolve();

/* Functions of its own that know no `this`: so that a store which wraps it may spread it, inherit from it or stand before it. */
function makeStore(keep: number): Checkpointer {
  const sessions: Sessions = new Map();
  const store: Store = { sessions, keep };
  return {
    backend: "memory",
    load: (sessionId, checkpointId) => load(sessions, sessionId, checkpointId),
    save: (fence, record, delta) => save(store, fence, record, delta),
    amend: (sessionId, fence, change) => amend(owned(sessions, sessionId, fence), change),
    addResults: (sessionId, fence, added) => addResults(owned(sessions, sessionId, fence), added),
    history: (sessionId, options) => history(sessions, sessionId, options),
    list: (filter) => list(sessions, filter),
    delete: (sessionId) => Promise.resolve(sessions.delete(sessionId)),
    // Asynchronous, so that a refusal is a rejection.
    // oxlint-disable-next-line typescript/require-await -- the port is asynchronous, this store is not
    prune: async (options) => prune(sessions, options),
    // oxlint-disable-next-line typescript/require-await -- as above
    deleteSessions: async (options) => deleteSessions(sessions, options),
    close: nothing,
    [Symbol.asyncDispose]: nothing,
  };
}

/** A store in this process: sessions live as long as it does. */
export function memoryCheckpointer(): Checkpointer {
  return makeStore(Number.POSITIVE_INFINITY);
}

/** The default store, which keeps the newest records of each session: at least so many. */
export function boundedMemoryCheckpointer({ keep }: { readonly keep: number }): Checkpointer {
  return makeStore(keep);
}
