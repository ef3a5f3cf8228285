/** The clock of all rows: wall time, less the time in which this thread was ready to run and the machine ran others. */
import { openSync, readSync } from "node:fs";

/* "<time on the processor> <time waiting for one> <turns>", in nanoseconds, of the thread that opened it. */
function openStatistics(): number | undefined {
  try {
    return openSync("/proc/thread-self/schedstat", "r");
  } catch {
    // Not Linux, or a kernel without scheduler statistics: wall time it is.
    return undefined;
  }
}

const statistics = openStatistics();
const buffer = Buffer.alloc(64);

function millisecondsKeptWaiting(): number {
  if (statistics === undefined) return 0;
  const length = readSync(statistics, buffer, 0, buffer.length, 0);
  return Number(buffer.toString("latin1", 0, length).split(" ")[1] ?? 0) / 1e6;
}

/**
 * Milliseconds from anywhere. Work counts, and so does waiting for a timer or a reply; a neighbour that takes the processor away does not,
 * so that figures hold on a busy machine. A call takes some microseconds: read it at the ends of what is measured.
 */
export function now(): number {
  return performance.now() - millisecondsKeptWaiting();
}
