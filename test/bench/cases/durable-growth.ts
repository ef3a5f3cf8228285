/** Whether a late superstep costs more than an early one on a file, in time and in bytes, while a list grows that no step reads. */
import { now } from "../harness/clock.ts";
import type { Subjects } from "../harness/row.ts";
import { differences, median } from "../harness/statistics.ts";
import { openStore, recordBytes } from "../harness/store.ts";
import { itemOf, openLog } from "./log.ts";

const [few, many] = [1000, 10_000];
const windowSize = 100;
const windowsCompared = few / windowSize;

/** Of the medians of windows of 100 supersteps: what comes every few steps is in each, a snapshot in none but a few. */
export async function openDurableGrowth(): Promise<Subjects> {
  const store = openStore();
  const log = openLog(store.checkpointer);
  const windowsOf = async (count: number): Promise<readonly number[]> => {
    const stamps: number[] = [];
    await log.run(crypto.randomUUID(), count + 1, (turn) => {
      if (turn % windowSize === 0) stamps.push(now());
      return [itemOf(turn)];
    });
    return differences(stamps);
  };
  return {
    // The early ones are another run's, after the long one, so that both find the process equally warm.
    measured: async () => median((await windowsOf(many)).slice(-windowsCompared)) / median(await windowsOf(few)),
    close: async () => {
      await log.close();
      await store.close();
    },
  };
}

/** Of the medians of the records' bytes. */
export async function openDurableGrowthBytes(): Promise<Subjects> {
  return {
    measured: async () => {
      const store = openStore();
      const log = openLog(store.checkpointer);
      await log.run("session", many, (turn) => [itemOf(turn)]);
      const bytes = store.look(recordBytes);
      await log.close();
      await store.close();
      return median(bytes.slice(-few)) / median(bytes.slice(1, few + 1));
    },
  };
}
