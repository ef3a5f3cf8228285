/** A session that another version of its graph has stored: whether it may go on, and as what. */
import type { CheckpointRecord, FrontierEntry, StoredCheckpoint } from "../checkpoint/checkpointer.ts";
import { RunnerError } from "../errors/errors.ts";
import { errorsChannel } from "../graph/names.ts";
import type { Plan } from "../graph/plan.ts";
import type { Values } from "../support/types.ts";
import type { RunnerSettings } from "./settings.ts";

/** What of a stored session goes on. */
export interface Continued {
  readonly state: Values;
  readonly next: readonly FrontierEntry[];
}

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

/** Throws `RunnerError` `graph_changed` with the list of what changed. */
export function continueWith(plan: Plan, stored: StoredCheckpoint, onGraphChange: RunnerSettings["onGraphChange"]): Continued {
  const { record, state } = stored;
  if (record.fingerprint === plan.fingerprint) return { state, next: record.next };
  const { sessionId } = record;
  if (typeof onGraphChange === "function") {
    const names = record.next.map(({ node }) => node);
    const migrated = onGraphChange(record.description, { state, next: names });
    return { state: migrated.state, next: renamed(plan, record, migrated.next) };
  }
  const changes = missingParts(plan, record);
  if (onGraphChange === "error" || (onGraphChange === "compatible" && changes.length > 0)) {
    throw new RunnerError("graph_changed", { sessionId, changes: changes.length > 0 ? changes : ["its nodes, edges or channels differ"] });
  }
  return { state, next: record.next.filter(({ node }) => plan.nodeIndex.has(node)) };
}

/** Entries under the names that the migration gave them, one for one; others are new. */
function renamed(plan: Plan, { sessionId, next }: CheckpointRecord, names: readonly string[]): readonly FrontierEntry[] {
  const unknown = names.filter((name) => !plan.nodeIndex.has(name)).map((name) => `the migration names "${name}", which is no node`);
  if (unknown.length > 0) throw new RunnerError("graph_changed", { sessionId, changes: unknown });
  const ordinals = new Map<string, number>();
  return names.map((node, index) => {
    const ordinal = ordinals.get(node) ?? 0;
    ordinals.set(node, ordinal + 1);
    const before = names.length === next.length ? next[index] : undefined;
    return { node, ordinal, sent: before?.sent ?? false, item: before?.item, failure: before?.failure };
  });
}
