/** All that can be read of a store, and how two readings differ. */
import type { Checkpointer, CheckpointRecord, EntryResult, SessionInfo, StoredCheckpoint } from "../../checkpoint/checkpointer.ts";
import { adopt } from "../../support/value.ts";
import { recordDifferences, valueDifferences } from "./differences.ts";

/** A checkpoint without its size, which is each store's own. */
export type Known = Omit<StoredCheckpoint, "size">;

export async function all<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

const keyOf = ({ node, ordinal }: EntryResult): string => JSON.stringify([node, ordinal]);

/** Of two results of one entry the later counts; their order does not. */
function sorted(results: readonly EntryResult[]): readonly (readonly [string, EntryResult])[] {
  const byEntry = new Map(results.map((result) => [keyOf(result), result]));
  return Array.from(byEntry).toSorted(([left], [right]) => (left < right ? -1 : 1));
}

const comparable = ({ results, ...record }: CheckpointRecord): object => ({ ...record, results: sorted(results) });

/** Channels in any order; their values exactly. */
function stateDifferences(actual: StoredCheckpoint["state"], expected: StoredCheckpoint["state"], path: string): readonly string[] {
  const [found, wanted] = [actual, expected].map((state) => Object.keys(state).toSorted());
  const channels = recordDifferences(found, wanted, `the channels of ${path}`);
  if (channels.length > 0) return channels;
  return Object.keys(expected).flatMap((channel) => valueDifferences(actual[channel], expected[channel], `${path}[${channel}]`));
}

function checkpointDifferences(actual: Known, expected: Known): readonly string[] {
  const path = expected.record.checkpointId;
  const times = ({ createdAt, updatedAt, ownerEpoch }: Known): object => ({ createdAt, updatedAt, ownerEpoch });
  return [
    ...recordDifferences(comparable(actual.record), comparable(expected.record), `record of ${path}`),
    ...recordDifferences(times(actual), times(expected), path),
    ...stateDifferences(actual.state, expected.state, `state of ${path}`),
  ];
}

/** What every read of a store gives. */
export interface Everything {
  readonly list: readonly SessionInfo[];
  /** In the order of the list. */
  readonly sessions: readonly {
    readonly newest: Known | undefined;
    /** Newest first. */
    readonly history: readonly Known[];
    /** The same, each by its id. */
    readonly named: readonly (Known | undefined)[];
  }[];
}

/** As copies: what a store does later to its own objects does not change them. */
export async function everythingOf(store: Checkpointer): Promise<Everything> {
  const list = await all(store.list());
  const sessions: Everything["sessions"][number][] = [];
  for (const { sessionId } of list) {
    const history = await all(store.history(sessionId));
    const named: (Known | undefined)[] = [];
    for (const { record } of history) named.push(await store.load(sessionId, record.checkpointId));
    sessions.push({ newest: await store.load(sessionId), history, named });
  }
  // A copy is of the same type.
  return adopt({ list, sessions }, "everything").value as Everything;
}

/** One by one. */
export function historyDifferences(actual: readonly (Known | undefined)[], expected: readonly (Known | undefined)[]): readonly string[] {
  if (actual.length !== expected.length) return [`${actual.length} checkpoints instead of ${expected.length}`];
  return actual.flatMap((found, index) => {
    const wanted = expected[index];
    if (found === undefined || wanted === undefined) return found === wanted ? [] : [`checkpoint ${index} is not there in both`];
    return checkpointDifferences(found, wanted);
  });
}

export function everythingDifferences(actual: Everything, expected: Everything): readonly string[] {
  const listed = recordDifferences(actual.list, expected.list, "list");
  if (listed.length > 0) return listed;
  return expected.sessions.flatMap((wanted, index) => {
    const found = actual.sessions[index];
    if (found === undefined) return [`session ${index} is missing`];
    return [
      ...historyDifferences([found.newest], [wanted.newest]),
      ...historyDifferences(found.history, wanted.history),
      ...historyDifferences(found.named, wanted.named),
    ];
  });
}
