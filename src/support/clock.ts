/** Time as an argument: dates, durations and timers, so that tests move it by hand. */
export interface Clock {
  /** Milliseconds since the epoch, with fractions: dates. */
  now(): number;
  /** Milliseconds from anywhere, never backwards, with fractions: durations. */
  monotonic(): number;
  /** Calls `run` once after so many milliseconds, unless cleared before. */
  setTimeout(run: () => void, milliseconds: number): { clear(): void };
}

/** Milliseconds: the longest delay that a timer of Node takes; a longer one would fire at once. */
export const longestDelay = 2_147_483_647;

function startTimer(run: () => void, milliseconds: number): { clear(): void } {
  let timer: NodeJS.Timeout;
  const wait = (left: number): void => {
    timer = left > longestDelay ? setTimeout(() => wait(left - longestDelay), longestDelay) : setTimeout(run, left);
  };
  wait(milliseconds);
  return { clear: () => clearTimeout(timer) };
}

/** The machine's own clock: the default. */
export const systemClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  monotonic: () => performance.now(),
  setTimeout: startTimer,
};
