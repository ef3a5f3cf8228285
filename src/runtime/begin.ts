/** Makes an execution of a session, and tells that its invocation has begun. */
import type { ChannelChange, StoredCheckpoint } from "../checkpoint/checkpointer.ts";
import { nothingUnsaved } from "../engine/checkpoint.ts";
import { type DueStep, type Execution, noLineage, type SessionState } from "../engine/execution.ts";
import type { SessionStatus } from "../events/event.ts";
import { InvocationEvents } from "../events/invocation-events.ts";
import type { InvocationFacts, InvocationKind } from "../telemetry/instrumentation.ts";
import type { Core, Ticket } from "./core.ts";
import { layered } from "./layered.ts";
import { Invocation } from "./invocation.ts";
import { refuseOption } from "./settings.ts";

export interface Beginning {
  readonly kind: InvocationKind;
  readonly epoch: number;
  readonly state: SessionState;
  readonly due: DueStep;
  readonly status: SessionStatus;
  readonly resting: Execution["resting"];
  /** The newest checkpoint, when there is one, and what loading it took. */
  readonly loaded: Loaded | undefined;
  /** What became of stored values when they were restored. The next record holds it. */
  readonly changes: readonly ChannelChange[];
}

export interface Loaded {
  readonly stored: StoredCheckpoint;
  /** Dates. */
  readonly startTime: number;
  readonly endTime: number;
}

function factsOf(core: Core, ticket: Ticket, { kind, loaded }: Beginning): InvocationFacts {
  const { plan, settings, store } = core.ports;
  const facts = {
    graph: plan.name,
    graphVersion: plan.version,
    fingerprint: plan.fingerprint,
    sessionId: ticket.sessionId,
    invocationId: ticket.invocationId,
    kind,
    durability: settings.engine.durability,
  };
  if (loaded === undefined) return { ...facts, stored: undefined, forked: false };
  const { stored, startTime, endTime } = loaded;
  const { record, size } = stored;
  const load = { startTime, endTime, backend: store.backend, step: record.step, size };
  return { ...facts, stored: record.trace, forked: isNewFork(stored), load };
}

/** Nothing has run in it yet: its trace is that of its origin. */
const isNewFork = ({ record, ownerEpoch }: StoredCheckpoint): boolean => record.forkedFrom !== undefined && ownerEpoch === 0;

/** A write from outside leaves a new fork one; an invocation makes a line of its own of it, traced or not. */
function lineageOf({ loaded, epoch }: Beginning): Execution["lineage"] {
  if (loaded === undefined) return noLineage;
  const { stored } = loaded;
  const { trace, forkedFrom } = stored.record;
  if (!isNewFork(stored)) return { trace, forkedFrom: undefined };
  return epoch === stored.ownerEpoch ? { trace, forkedFrom } : noLineage;
}

/** The runner's, with those of the call over them. */
export function servicesOf(core: Core, { options }: Ticket): unknown {
  const { services } = core.ports.settings;
  if (options.services === undefined) return services;
  return typeof services === "object" && services !== null ? layered(services, options.services) : options.services;
}

/** How many a session has made, by the id of its newest. */
function recordsOf({ loaded }: Beginning): number {
  const number = Number(loaded?.stored.record.checkpointId.split(".").at(-1) ?? -1);
  return Number.isSafeInteger(number) ? number + 1 : 0;
}

/** Everything that a superstep needs, without a trace. */
export function makeExecution(core: Core, ticket: Ticket, beginning: Beginning, trace: Execution["trace"]): Execution {
  const { plan, graph, settings, store, ownsStore, bus, outlets } = core.ports;
  const { sessionId, invocationId, cancellation, log } = ticket;
  const identity = { graph: plan.name, sessionId, invocationId, epoch: beginning.epoch };
  return {
    plan,
    graph,
    settings: settings.engine,
    services: servicesOf(core, ticket),
    sessionId,
    invocationId,
    epoch: beginning.epoch,
    clock: settings.clock,
    random: settings.random,
    events: new InvocationEvents(identity, settings.clock, log === undefined ? [outlets] : [log, outlets]),
    trace,
    lineage: lineageOf(beginning),
    cancellation,
    store,
    shared: !ownsStore,
    late: core.late,
    sinks: bus,
    state: beginning.state,
    due: beginning.due,
    resting: beginning.resting,
    status: beginning.status,
    checkpointId: beginning.loaded?.stored.record.checkpointId,
    records: recordsOf(beginning),
    steps: 0,
    unsaved: { ...nothingUnsaved, changes: beginning.changes },
    progressedAt: settings.clock.monotonic(),
  };
}

/**
 * For a write that belongs to no run: what the store refuses has no next record to be in, and so is never only warned of. Throws
 * `invalid_option` when nothing may be saved.
 */
export function outsideRuns(execution: Execution): Execution {
  const { settings } = execution;
  if (!settings.autosave) refuseOption("autosave", "is off: a session that is stored cannot be written to");
  return { ...execution, settings: { ...settings, onCheckpointError: "fail" } };
}

/** Opens the invocation's span and tells that it has begun: after this, it must be run or failed. */
export function beginInvocation(core: Core, ticket: Ticket, beginning: Beginning): Invocation {
  const trace = core.ports.instrumentation?.startInvocation(factsOf(core, ticket, beginning));
  const execution = makeExecution(core, ticket, beginning, trace);
  const place = { span: trace };
  if (beginning.loaded === undefined) execution.events.emit("session.created", { fingerprint: core.ports.plan.fingerprint }, place);
  execution.events.emit("invocation.started", { kind: beginning.kind }, place);
  const invocation = new Invocation(execution, (ended) => forget(core, ended));
  core.track(invocation);
  return invocation;
}

/** The default store forgets a session once it completes. */
async function forget({ ports }: Core, { execution }: Invocation): Promise<void> {
  if (ports.ownsStore && execution.status === "completed") await ports.store.delete(execution.sessionId);
}
