/** Runs a row: rounds that are not counted, then rounds in which subject, floor and peer take turns, each after a garbage collection. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Peer } from "./peer.ts";
import type { Row, Subjects } from "./row.ts";

/** What each round gave, in the row's unit; empty where a row has no such subject. */
export interface Samples {
  readonly measured: number[];
  readonly floor: number[];
  readonly peer: number[];
}

const sides = ["measured", "floor", "peer"] as const;

/** Collects all garbage, and what finalizers and queued turns let go of after it. */
export async function collectGarbage(): Promise<void> {
  if (globalThis.gc === undefined) throw new Error("The benchmarks measure memory: run them as `node --expose-gc test/bench/main.ts`.");
  for (let pass = 0; pass < 2; pass += 1) {
    // oxlint-disable-next-line eslint/no-await-in-loop -- the second pass takes what the first has freed
    await nextTurn();
    globalThis.gc();
  }
}

async function runRound(row: Row, subjects: Subjects, round: number, samples: Samples, collect: () => Promise<void>): Promise<void> {
  // Another side begins in each round: none always runs right after the same neighbour.
  for (let turn = 0; turn < sides.length; turn += 1) {
    const side = sides[(round + turn) % sides.length] ?? "measured";
    const take = subjects[side]?.bind(subjects);
    if (take === undefined) continue;
    // oxlint-disable-next-line eslint/no-await-in-loop -- two at once would measure each other
    await collect();
    // oxlint-disable-next-line eslint/no-await-in-loop -- as above
    if (row.settles) await take();
    // oxlint-disable-next-line eslint/no-await-in-loop -- as above
    samples[side].push(await take());
  }
}

const none = (): Samples => ({ measured: [], floor: [], peer: [] });

export async function measureRow(row: Row, peer: Peer | undefined, collect = collectGarbage): Promise<Samples> {
  const subjects = await row.open(peer);
  try {
    const [warmUp, samples] = [none(), none()];
    for (let round = 0; round < row.warmUps + row.rounds; round += 1) {
      // oxlint-disable-next-line eslint/no-await-in-loop -- rounds follow each other
      await runRound(row, subjects, round, round < row.warmUps ? warmUp : samples, collect);
    }
    return samples;
  } finally {
    await subjects.close?.();
  }
}
