/** A bound that several things are waited for under. */
import { type Clock, systemClock } from "../support/clock.ts";

/** Its timer is all that holds the process meanwhile. */
export class Deadline {
  readonly milliseconds: number;
  readonly #passed: Promise<false>;
  readonly #timer: { clear(): void };

  constructor(milliseconds: number, clock: Clock = systemClock) {
    const { promise, resolve } = Promise.withResolvers<false>();
    this.milliseconds = milliseconds;
    this.#passed = promise;
    this.#timer = clock.setTimeout(() => resolve(false), milliseconds);
  }

  /** Resolves when the work has ended, with `true`, or at the deadline, with `false`. */
  wait(work: Promise<void>): Promise<boolean> {
    return Promise.race([work.then(() => true), this.#passed]);
  }

  clear(): void {
    this.#timer.clear();
  }
}

/** What a flush empties. */
export interface Flushable {
  /** Resolves once all that is in it now has arrived or is lost, or at the deadline, of which it complains then; never rejects. */
  drained(deadline?: Deadline): Promise<void>;
  /** Whether all that is in it was waited for in vain before. */
  readonly isGivenUp: boolean;
}
