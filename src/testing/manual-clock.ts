/** A clock that moves when told to, so that tests of time take none. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "../support/clock.ts";

/** Turns of the event loop that promises get to settle in, between two instants: enough for chains of awaits and small I/O. */
const turnsToSettle = 10;

interface ManualTimer {
  readonly due: number;
  readonly run: () => void;
}

async function settle(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await nextTurn();
}

/** The first timer due by `end`: by time, then by registration, which is the order of the set. */
function firstDue(timers: ReadonlySet<ManualTimer>, end: number): ManualTimer | undefined {
  let first: ManualTimer | undefined;
  for (const timer of timers) if (timer.due <= end && (first === undefined || timer.due < first.due)) first = timer;
  return first;
}

/**
 * A clock that moves when told to. `start` is its date, in milliseconds since the epoch (default 0).
 * `advance` fires what is due in order, letting promises settle in between; timers that are set meanwhile fire too when due.
 */
export function manualClock(start = 0): Clock & { advance(milliseconds: number): Promise<void> } {
  const timers = new Set<ManualTimer>();
  let elapsed = 0;

  async function advance(milliseconds: number): Promise<void> {
    const end = elapsed + Math.max(0, milliseconds);
    await settle(turnsToSettle);
    for (let timer = firstDue(timers, end); timer !== undefined; timer = firstDue(timers, end)) {
      elapsed = Math.max(elapsed, timer.due);
      timers.delete(timer);
      timer.run();
      const sameInstant = firstDue(timers, elapsed) !== undefined;
      await settle(sameInstant ? 1 : turnsToSettle);
    }
    elapsed = Math.max(elapsed, end);
  }

  return {
    now: () => start + elapsed,
    monotonic: () => elapsed,
    setTimeout: (run, milliseconds) => {
      const timer = { due: elapsed + Math.max(0, milliseconds), run };
      timers.add(timer);
      return { clear: () => void timers.delete(timer) };
    },
    advance,
  };
}
