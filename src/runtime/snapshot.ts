/** A stored checkpoint as its readers see it. */
import type { SessionInfo, StoredCheckpoint } from "../checkpoint/checkpointer.ts";
import { entryKey, type Execution, shownInterrupts } from "../engine/execution.ts";
import { plainViewOf, versionsOf } from "../engine/state.ts";
import type { Interrupt, SessionStatus } from "../events/event.ts";
import type { Values } from "../support/types.ts";
import { handOut } from "../support/value.ts";
import { adoptStored } from "./stored-value.ts";

/** A snapshot whose state's type is unknown here; `SessionSnapshot` gives it. */
export interface LooseSnapshot extends SessionInfo {
  readonly checkpointId: string;
  readonly parentId: string | undefined;
  readonly state: Values;
  readonly next: readonly string[];
  readonly versions: Readonly<Record<string, number>>;
  readonly interrupts: readonly Interrupt[];
  readonly ranNodes: readonly string[];
  readonly updatedChannels: readonly string[];
}

function sessionInfo({ record, createdAt, updatedAt }: StoredCheckpoint): SessionInfo {
  const { sessionId, graph, fingerprint, step } = record;
  const status: SessionStatus = record.status;
  return { sessionId, graph, fingerprint, status, step, createdAt, updatedAt };
}

/** A store may keep what it gives: nobody changes it from here. */
function frozen(snapshot: LooseSnapshot): LooseSnapshot {
  for (const part of Object.values(snapshot)) Object.freeze(part);
  return Object.freeze(snapshot);
}

/** Plain parts are frozen, live ones are copies. Channels are judged one by one, as they were when they were written. */
function stateOf(state: Values): Values {
  // `fromEntries` defines properties, so that a channel "__proto__" stays data.
  return Object.fromEntries(Object.entries(state).map(([name, value]) => [name, handOut(adoptStored(value, name).value)]));
}

export function snapshotOf(stored: StoredCheckpoint): LooseSnapshot {
  const { record, state } = stored;
  const done = new Set(record.results.map(entryKey));
  return frozen({
    ...sessionInfo(stored),
    checkpointId: record.checkpointId,
    parentId: record.parentId,
    state: stateOf(state),
    next: record.next.filter((entry) => !done.has(entryKey(entry))).map(({ node }) => node),
    versions: Object.fromEntries(record.channels.map((name, index) => [name, record.versions[index] ?? 1])),
    interrupts: shownInterrupts(record),
    ranNodes: record.ranNodes,
    updatedChannels: record.updatedChannels,
  });
}

/** A session that is not saved, as the execution that steps it by hand knows it. */
export function snapshotOfExecution({ sessionId, plan, status, state, due, clock }: Execution): LooseSnapshot {
  const time = clock.now();
  const { name: graph, fingerprint } = plan;
  const info = { sessionId, graph, fingerprint, status, step: state.step, createdAt: time, updatedAt: time };
  return frozen({
    ...info,
    checkpointId: "",
    parentId: undefined,
    state: plainViewOf(plan, state.image),
    next: state.frontier.filter((entry) => !due.results.has(entryKey(entry))).map(({ node }) => node),
    versions: versionsOf(plan, state.image.versions),
    interrupts: shownInterrupts(due),
    ranNodes: [],
    updatedChannels: [],
  });
}
