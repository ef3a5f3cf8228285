/** Phase 4, `maybeCheckpoint`: the only way to the store, on creation, after a superstep, on a pause, and on an error. */
import type { ChannelChange, CheckpointRecord, SaveReceipt } from "../checkpoint/checkpointer.ts";
import { RunnerError, SpanloomError } from "../errors/errors.ts";
import { serializeError } from "../events/serialize.ts";
import type { SessionStatus } from "../events/event.ts";
import { isThenable } from "../support/thenable.ts";
import type { Awaitable, Values } from "../support/types.ts";
import type { CheckpointTrace, InvocationTrace, SuperstepTrace } from "../telemetry/instrumentation.ts";
import { type DueStep, type Execution, nothingDue, type SessionState, type Unsaved } from "./execution.ts";
import { phaseFailure } from "./span-failure.ts";
import { type Cell, valueOf } from "./state.ts";

/** The span that the save's own is a child of. */
type Parent = InvocationTrace | SuperstepTrace | undefined;

/** A record of its own: the creation, a superstep, an update, a next input. */
export interface RecordSave {
  readonly kind: "record";
  readonly state: SessionState;
  readonly due: DueStep;
  readonly status: SessionStatus;
  readonly changes: readonly ChannelChange[];
  readonly size: number;
  readonly ranNodes: readonly string[];
  readonly skippedNodes: readonly string[];
  readonly updatedChannels: readonly string[];
  readonly failure?: unknown;
  /** This invocation takes the session over from the owner of this epoch. */
  readonly takeOverFrom?: number;
}

/** The newest record's status: a failure, a pause, a cancellation, answers, a new owner. */
export interface StatusSave {
  readonly kind: "status";
  readonly status: SessionStatus;
  readonly due: DueStep;
  readonly failure?: unknown;
  /** This invocation takes the session over from the owner of this epoch. */
  readonly takeOverFrom?: number;
  readonly finished?: boolean;
}

export type Save = RecordSave | StatusSave;

/** Saves, unless `autosave` is off; at once, if the store answers at once. Throws `RunnerError` `checkpoint_failed` when the store refuses. */
export function maybeCheckpoint(execution: Execution, parent: Parent, wanted: Save): Awaitable<void> {
  const { settings, store, clock } = execution;
  if (!settings.autosave) return adopt(execution, wanted, execution.checkpointId);
  const save = withUnsaved(execution, wanted);
  const step = save.kind === "record" ? save.state.step : execution.state.step;
  const trace = parent?.checkpoint(step, store.backend, settings.durability);
  // Told to listeners alone.
  const started = execution.events.listening ? clock.monotonic() : undefined;
  const checkpointId = save.kind === "record" ? `${execution.invocationId}.${execution.records}` : execution.checkpointId;
  const saved = ({ size }: SaveReceipt): void => {
    trace?.end({ outcome: "saved", size });
    adopt(execution, save, checkpointId);
    execution.unsaved = save.kind === "record" ? nothingUnsaved : { ...execution.unsaved, takeOverFrom: undefined };
    const duration = started === undefined ? 0 : clock.monotonic() - started;
    const data = { checkpointId: checkpointId ?? "", size, duration };
    execution.events.emit("checkpoint.saved", data, { step, span: trace });
  };
  const refused = (error: unknown): void => failed(execution, save, step, error, trace);
  let written: Awaitable<SaveReceipt>;
  try {
    written = write(execution, save, checkpointId);
  } catch (error) {
    return refused(error);
  }
  return isThenable(written) ? Promise.resolve(written).then(saved, refused) : saved(written);
}

/** The status of a record that the store has not got is saved with that record. */
function withUnsaved({ state, unsaved }: Execution, save: Save): Save {
  if (save.kind === "record" || unsaved.record === undefined) return save;
  return { ...unsaved.record, ...save, kind: "record", state, changes: [], size: 0 };
}

const noChanges: Unsaved["changes"] = Object.freeze([]);

export const nothingUnsaved: Unsaved = Object.freeze({ record: undefined, changes: noChanges, size: 0, takeOverFrom: undefined });

/** The store does not have what holds of the session: only who runs it knows. */
export const isUnsaved = ({ settings, unsaved }: Execution): boolean => !settings.autosave || unsaved.record !== undefined;

/** What was to be saved is what holds from now on. */
function adopt(execution: Execution, save: Save, checkpointId: string | undefined): void {
  execution.status = save.status;
  execution.due = save.due;
  if (save.kind !== "record") return;
  execution.state = save.state;
  execution.checkpointId = checkpointId;
  execution.records += 1;
}

function write(execution: Execution, save: Save, checkpointId: string | undefined): Awaitable<SaveReceipt> {
  const { store, sessionId, epoch, clock, unsaved, trace } = execution;
  const takeOverFrom = save.takeOverFrom ?? unsaved.takeOverFrom;
  const fence = { checkpointId: execution.checkpointId, epoch: takeOverFrom ?? epoch };
  if (save.kind === "record") {
    const changes = unsaved.changes.length === 0 ? save.changes : [...unsaved.changes, ...save.changes];
    const { cells } = save.state.image;
    const state = (): Values => storedValues(execution.plan, cells);
    return store.save(fence, recordOf(execution, save, checkpointId ?? ""), { changes, size: unsaved.size + save.size, state });
  }
  const { status, due, failure, finished } = save;
  const hasNewOwner = takeOverFrom !== undefined;
  return store.amend(sessionId, fence, {
    status,
    interrupts: due.interrupts,
    answers: due.answers,
    results: [...due.results.values()],
    once: due.once,
    pausePassed: due.pausePassed,
    failure: failure === undefined ? undefined : serializeError(failure),
    time: clock.now(),
    ...(finished === undefined ? {} : { finished }),
    ...(hasNewOwner ? { epoch } : {}),
    // Also of the same owner: it has made spans since its last record.
    ...(hasNewOwner || trace !== undefined ? { trace: tracedBy(execution) } : {}),
  });
}

/** By channel, as they are kept: a store writes them out, or refers to them. */
function storedValues({ channels }: Execution["plan"], cells: readonly Cell[]): Values {
  // `fromEntries` defines properties, so that a channel "__proto__" stays data.
  return Object.fromEntries(channels.map(({ name, index }) => [name, valueOf(cells[index] as Cell)]));
}

const tracedBy = ({ trace, lineage }: Execution): CheckpointRecord["trace"] => trace?.stored ?? lineage.trace;

function recordOf(execution: Execution, save: RecordSave, checkpointId: string): CheckpointRecord {
  const { plan, graph } = execution;
  const { state, due } = save;
  return {
    checkpointId,
    parentId: execution.checkpointId,
    sessionId: execution.sessionId,
    graph: plan.name,
    graphVersion: plan.version,
    fingerprint: plan.fingerprint,
    description: graph.description,
    epoch: execution.epoch,
    step: state.step,
    time: execution.clock.now(),
    next: state.frontier,
    arrivals: state.arrivals,
    channels: graph.channelNames,
    versions: state.image.versions,
    seen: state.seen,
    ranNodes: save.ranNodes,
    skippedNodes: save.skippedNodes,
    updatedChannels: save.updatedChannels,
    trace: tracedBy(execution),
    forkedFrom: execution.lineage.forkedFrom,
    finished: false,
    status: save.status,
    interrupts: due.interrupts,
    answers: due.answers,
    results: due === nothingDue ? noResults : [...due.results.values()],
    once: due.once,
    pausePassed: due.pausePassed,
    failure: save.failure === undefined ? undefined : serializeError(save.failure),
  };
}

const noResults: CheckpointRecord["results"] = Object.freeze([]);

/** Under "warn" the run goes on, and the next record holds what this one could not; a conflict always ends it. */
function failed(execution: Execution, save: Save, step: number, error: unknown, trace: CheckpointTrace | undefined): void {
  const { events, settings, sessionId } = execution;
  const conflict = SpanloomError.is(error, "checkpoint_conflict");
  trace?.end({ outcome: conflict ? "conflict" : "failed", size: 0, failure: phaseFailure(error, "checkpoint_failed") });
  const serialized = serializeError(error);
  events.emit("checkpoint.failed", { error: serialized }, { step, span: trace });
  if (conflict || settings.onCheckpointError === "fail") {
    throw new RunnerError("checkpoint_failed", { sessionId, step, reason: serialized.message }, { cause: error });
  }
  const { checkpointId, records, unsaved } = execution;
  const takeOverFrom = save.takeOverFrom ?? unsaved.takeOverFrom;
  execution.unsaved = { ...unsaved, takeOverFrom };
  if (save.kind === "record") {
    const changes = [...unsaved.changes, ...save.changes];
    execution.unsaved = { record: save, changes, size: unsaved.size + save.size, takeOverFrom };
  }
  adopt(execution, save, checkpointId);
  execution.records = records;
}
