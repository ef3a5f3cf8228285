/** Phase 2, `applyBarrierAndUpdate`: folds the results of all entries into a copy of the state, in frontier order, or throws and changes nothing. Pure. */
import type { ChannelChange, EntryResult, PreparedWrite } from "../checkpoint/checkpointer.ts";
import { RunnerError, SpanloomError, StateError } from "../errors/errors.ts";
import type { Plan, PlannedChannel } from "../graph/plan.ts";
import { handOut } from "../support/value.ts";
import { changeOf, foldWrite, isSame, validated } from "./fold.ts";
import type { BarrierOutcome } from "./outcome.ts";
import type { Cell, StateImage } from "./state.ts";

/** A channel that this superstep wrote to. */
interface Touched {
  readonly channel: PlannedChannel;
  readonly before: Cell;
  cell: Cell;
  /** The nodes that wrote, one per entry. */
  readonly writers: string[];
  /** Those of them that set it by `replace`. */
  readonly replacers: string[];
  /** A schema judges a value as a whole where it is written: what came last was such a one. */
  judged: boolean;
  size: number;
  /** What was appended, while nothing else was done to the channel. */
  appended: unknown[] | undefined;
}

const isSingle = ({ kind }: PlannedChannel): boolean => kind === "value" || kind === "optional";

function checkConcurrent({ channel, writers, replacers }: Touched, step: number): void {
  const nodes = isSingle(channel) ? writers : replacers;
  if (nodes.length < 2 || channel.concurrent === "last") return;
  throw new StateError("concurrent_write", { channel: channel.name, nodes: [...nodes], step });
}

function fold(touched: Touched, write: PreparedWrite, node: string, step: number): void {
  touched.writers.push(node);
  if (write.replace) touched.replacers.push(node);
  checkConcurrent(touched, step);
  const { cell, size, appended } = foldWrite(touched.channel, touched.cell, write);
  touched.size += size;
  touched.cell = cell;
  touched.judged = write.replace || isSingle(touched.channel);
  if (appended === undefined) touched.appended = undefined;
  else for (const item of appended) touched.appended?.push(item);
}

function touch(touched: Map<number, Touched>, plan: Plan, image: StateImage, index: number): Touched {
  const found = touched.get(index);
  if (found !== undefined) return found;
  const before = image.cells[index] as Cell;
  const channel = plan.channels[index] as PlannedChannel;
  const made = { channel, before, cell: before, writers: [], replacers: [], judged: false, size: 0, appended: [] };
  touched.set(index, made);
  return made;
}

/* Errors are the runtime's own records, adopted when they were made: only their contexts may hold anything live. */
function errorsWrite(errors: readonly unknown[]): PreparedWrite {
  return { channel: "errors", replace: false, value: errors, live: handOut(errors) !== errors, size: 200 * errors.length };
}

const nothingTouched: ReadonlyMap<number, Touched> = new Map();

function foldAll(plan: Plan, image: StateImage, results: readonly EntryResult[], step: number): ReadonlyMap<number, Touched> {
  if (results.every(({ writes, errors }) => writes.length === 0 && errors.length === 0)) return nothingTouched;
  const touched = new Map<number, Touched>();
  for (const { node, writes, errors } of results) {
    for (const write of writes) {
      const index = plan.channelIndex.get(write.channel);
      // A stored result may be of a graph that had the channel.
      if (index !== undefined) fold(touch(touched, plan, image, index), write, node, step);
    }
    if (errors.length > 0) fold(touch(touched, plan, image, plan.channels.length - 1), errorsWrite(errors), node, step);
  }
  for (const each of touched.values()) if (!each.judged) judge(each);
  return touched;
}

/** The folded value becomes what its schema makes of it; the store is then told the whole of it. */
function judge(touched: Touched): void {
  const cell = validated(touched.channel, touched.cell, "invalid_update");
  if (cell !== touched.cell) touched.appended = undefined;
  touched.cell = cell;
}

function outcomeOf(plan: Plan, image: StateImage, results: readonly EntryResult[], touched: ReadonlyMap<number, Touched>): BarrierOutcome {
  const errors: unknown[] = [];
  let commands = 0;
  for (const result of results) {
    for (const error of result.errors) errors.push(error);
    if (result.command !== undefined) commands += 1;
  }
  if (touched.size === 0) return { image, updatedChannels: [], changes: [], size: 0, errors, commands };
  const changed = [...touched.values()]
    .filter(({ cell, before }) => !isSame(cell, before))
    .toSorted((left, right) => left.channel.index - right.channel.index);
  if (changed.length === 0) return { image, updatedChannels: [], changes: [], size: 0, errors, commands };
  const cells = image.cells.slice();
  const versions = image.versions.slice();
  const changes: ChannelChange[] = [];
  let size = 0;
  for (const { channel, before, cell, appended, size: bytes } of changed) {
    cells[channel.index] = cell;
    versions[channel.index] = (versions[channel.index] ?? 1) + 1;
    changes.push(changeOf(channel, before, cell, appended));
    size += bytes;
  }
  const next: StateImage = { cells, versions };
  return { image: next, updatedChannels: changed.map(({ channel }) => channel.name), changes, size, errors, commands };
}

/** `results` in frontier order. Throws `RunnerError` `barrier`, with the typed error as its cause. */
export function applyBarrierAndUpdate(plan: Plan, image: StateImage, results: readonly EntryResult[], step: number): BarrierOutcome {
  try {
    return outcomeOf(plan, image, results, foldAll(plan, image, results, step));
  } catch (cause) {
    if (!SpanloomError.is(cause)) throw cause;
    const { channel } = cause.facts;
    const facts = { step, reason: cause.message, ...(typeof channel === "string" ? { channel } : {}) };
    throw new RunnerError("barrier", facts, { cause });
  }
}
