/** A session that another version of its graph has stored: whether it may go on, and as what. */
import type { CheckpointRecord, FrontierEntry, StoredCheckpoint } from "../checkpoint/checkpointer.ts";
import type { DueStep } from "../engine/execution.ts";
import { RunnerError } from "../errors/errors.ts";
import { errorsChannel } from "../graph/names.ts";
import type { Plan } from "../graph/plan.ts";
import type { Values } from "../support/types.ts";
import { migrate } from "./migration.ts";
import { renameDue } from "./rename-due.ts";
import type { RunnerSettings } from "./settings.ts";

/** What of a stored session goes on. */
export interface Continued {
  readonly state: Values;
  readonly next: readonly FrontierEntry[];
  readonly due: DueStep;
  /** The id that an interrupt has now. */
  readonly idOf: (id: string) => string;
  /** By a migration: what is stored is of the graph before, names and all. */
  readonly migrated: boolean;
}

/** The change of a graph in which nothing that is stored is missing. */
export const differs = "its nodes, edges or channels differ";

/** What a stored session needs and the graph no longer has. */
function missingParts(plan: Plan, record: CheckpointRecord): readonly string[] {
  const due = record.next.filter(({ node }) => !plan.nodeIndex.has(node)).map(({ node }) => `node "${node}" is due, and gone`);
  const joins = new Set(plan.joins.map(({ key }) => key));
  const arrived = Array.from(record.arrivals.keys()).filter((key) => !joins.has(key));
  const kinds = new Map(plan.channels.map(({ name, kind }) => [name, kind]));
  const channels = record.description.channels.flatMap(({ name, kind }) => {
    const now = kinds.get(name);
    if (now === kind || name === errorsChannel) return [];
    return now === undefined ? [`channel "${name}" is gone`] : [`channel "${name}" was of kind ${kind}, and is of kind ${now}`];
  });
  return [...new Set(due), ...arrived.map((key) => `the join ${key} has arrivals, and is gone`), ...channels];
}

const asItIs = (id: string): string => id;

/** `due`: what is known of the step that is due, by its stored names. Throws `RunnerError` `graph_changed` with the list of what changed. */
export function continueWith(
  plan: Plan,
  stored: StoredCheckpoint,
  due: DueStep,
  onGraphChange: RunnerSettings["onGraphChange"],
): Continued {
  const { record, state } = stored;
  if (record.fingerprint === plan.fingerprint) return { state, next: record.next, due, idOf: asItIs, migrated: false };
  if (typeof onGraphChange === "function") {
    const { renaming, ...migrated } = migrate(plan, stored, due, onGraphChange);
    return { ...migrated, ...renameDue(due, renaming), migrated: true };
  }
  const missing = missingParts(plan, record);
  const changes = missing.length > 0 ? missing : [differs];
  const left = record.next.filter(({ node }) => plan.nodeIndex.has(node));
  // With nothing left of what was due, the session would pass for completed.
  const lost = left.length === 0 && record.next.length > 0;
  if (onGraphChange === "error" || lost || (onGraphChange === "compatible" && missing.length > 0)) {
    throw new RunnerError("graph_changed", { sessionId: record.sessionId, changes });
  }
  if (onGraphChange === "warn") warn(record.sessionId, changes);
  const renamed = left.length === record.next.length ? { due, idOf: asItIs } : renameDue(due, new Map(left.map((entry) => [entry, entry])));
  return { state, next: left, ...renamed, migrated: false };
}

function warn(sessionId: string, changes: readonly string[]): void {
  const message = `Session ${JSON.stringify(sessionId)} goes on with a changed graph, by \`onGraphChange: "warn"\`: ${changes.join("; ")}.`;
  process.emitWarning(message, { code: "SPANLOOM_GRAPH_CHANGED" });
}
