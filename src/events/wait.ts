/** Waiting: for a condition that somebody makes true, and no longer than so long. */
import type { Clock } from "../support/clock.ts";

/** Those who wait for conditions on the same thing; whoever changes it calls `check`. */
export class Waiters {
  #waiting: { readonly reached: () => boolean; readonly resolve: () => void }[] = [];

  until(reached: () => boolean): Promise<void> {
    if (reached()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ reached, resolve }));
  }

  check(): void {
    if (this.#waiting.length === 0) return;
    this.#waiting = this.#waiting.filter((waiter) => {
      const reached = waiter.reached();
      if (reached) waiter.resolve();
      return !reached;
    });
  }
}

/** Calls exactly one of the three, unless what it gives is called before: that leaves no timer. */
export function settleWithin(
  clock: Clock,
  promise: Promise<unknown>,
  milliseconds: number,
  then: { readonly resolved: () => void; readonly rejected: (error: unknown) => void; readonly late: () => void },
): () => void {
  let open = true;
  const once = (call: () => void): void => {
    if (!open) return;
    stop();
    call();
  };
  const timer = clock.setTimeout(() => once(then.late), milliseconds);
  const stop = (): void => {
    open = false;
    timer.clear();
  };
  promise.then(
    () => once(then.resolved),
    (error: unknown) => once(() => then.rejected(error)),
  );
  return stop;
}

/** Resolves when `promise` settles, or after so many milliseconds. Leaves no timer. */
export function within(clock: Clock, promise: Promise<unknown>, milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    settleWithin(clock, promise, Math.max(0, milliseconds), { resolved: resolve, rejected: () => resolve(), late: resolve });
  });
}
