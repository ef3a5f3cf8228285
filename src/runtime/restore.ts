/** A stored session as this graph goes on with it. */
import type { ChannelChange, EntryResult, StoredCheckpoint } from "../checkpoint/checkpointer.ts";
import { cellOf, validated } from "../engine/fold.ts";
import { type DueStep, entryKey, type SessionState } from "../engine/execution.ts";
import { type Cell, type StateImage, valueOf } from "../engine/state.ts";
import { StateError } from "../errors/errors.ts";
import type { Plan, PlannedChannel } from "../graph/plan.ts";
import { isRecord } from "../support/plain.ts";
import { show } from "../support/show.ts";
import type { Values } from "../support/types.ts";
import type { Core } from "./core.ts";
import { type Continued, continueWith } from "./graph-change.ts";
import { initialImage } from "./input.ts";
import { adoptStored } from "./stored-value.ts";

export interface Restored extends Pick<Continued, "due" | "idOf" | "migrated"> {
  readonly state: SessionState;
  /** What became of stored values, by a schema, a migration or a graph that has more channels. The next record holds it. */
  readonly changes: readonly ChannelChange[];
}

/** What is known of the step that is due, as it was stored. */
export function storedDue({ record }: StoredCheckpoint): DueStep {
  const { interrupts, answers, once, pausePassed } = record;
  return { results: new Map(record.results.map((result) => [entryKey(result), result])), once, answers, interrupts, pausePassed };
}

/** Throws `graph_changed`, or `StateError` `invalid_state`. `known`: what is known of the step that is due, by its stored names. */
export function restore({ ports }: Core, stored: StoredCheckpoint, known: DueStep = storedDue(stored)): Restored {
  const { plan, settings } = ports;
  const { record } = stored;
  const { state, next, due, idOf, migrated } = continueWith(plan, stored, known, settings.onGraphChange);
  const { cells, changes } = restoredCells(plan, state, migrated);
  const aligned = (versions: readonly number[]): readonly number[] => alignedVersions(plan, record.channels, versions);
  const image: StateImage = { cells, versions: aligned(record.versions) };
  const seen = new Map(Array.from(record.seen, ([node, versions]) => [node, aligned(versions)]));
  const session = { step: record.step, image, frontier: next, arrivals: record.arrivals, seen };
  return { state: session, due: withSeen(due, aligned), changes, idOf, migrated };
}

/** Of a session that nothing is run of: what its channels hold is not looked at. */
export function stateAsStored({ ports }: Core, { record }: StoredCheckpoint): SessionState {
  const { step, next, arrivals, seen } = record;
  return { step, image: initialImage(ports.plan), frontier: next, arrivals, seen };
}

/** Results say which versions they were made of, in the order of the graph that made them. */
function withSeen(due: DueStep, aligned: (versions: readonly number[]) => readonly number[]): DueStep {
  const results = Array.from(due.results, ([key, result]): [string, EntryResult] => [
    key,
    result.seen === undefined ? result : { ...result, seen: aligned(result.seen) },
  ]);
  return { ...due, results: new Map(results) };
}

/** `all`: whatever is stored, it is not what is restored. */
function restoredCells(
  plan: Plan,
  state: Values,
  all: boolean,
): { readonly cells: readonly Cell[]; readonly changes: readonly ChannelChange[] } {
  const initial = initialImage(plan);
  const changes: ChannelChange[] = [];
  const cells = plan.channels.map((channel) => {
    const { name, index } = channel;
    const stored = Object.hasOwn(state, name) ? storedCell(channel, state[name]) : undefined;
    const cell = stored === undefined ? (initial.cells[index] as Cell) : judged(channel, stored);
    if (all || cell !== stored) changes.push({ channel: name, kind: "set", value: valueOf(cell) });
    return cell;
  });
  return { cells, changes };
}

function storedCell(channel: PlannedChannel, value: unknown): Cell {
  const { name, kind } = channel;
  const adopted = adoptStored(value, name);
  const isList = Array.isArray(adopted.value);
  if ((kind === "list" || kind === "messages") && !isList) refuse(name, `it is ${show(value)}, and a ${kind} channel holds a list`);
  if (kind === "merge" && !isRecord(adopted.value)) refuse(name, `it is ${show(value)}, and a merge channel holds an object`);
  return cellOf(channel, adopted.value, adopted.live);
}

function refuse(channel: string, reason: string): never {
  throw new StateError("invalid_state", { channel, path: channel, reason });
}

const judged = (channel: PlannedChannel, cell: Cell): Cell =>
  channel.kind === "optional" && valueOf(cell) === undefined ? cell : validated(channel, cell, "invalid_state");

/** Versions in the plan's order of channels, from those of the record's. */
function alignedVersions(plan: Plan, channels: readonly string[], versions: readonly number[]): readonly number[] {
  const byName = new Map(channels.map((name, index) => [name, versions[index] ?? 1]));
  return plan.channels.map(({ name }) => byName.get(name) ?? 1);
}
