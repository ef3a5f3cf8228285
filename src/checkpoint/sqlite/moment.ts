/**
 * One moment of the file, held from the second write of a turn of the event loop to the turn's end. SQLite refuses a write on it when another
 * connection has written since (`SQLITE_BUSY_SNAPSHOT`, https://sqlite.org/isolation.html): so what a write has found there need not be looked
 * at by the next, and the locks of reading are taken once for all of them.
 */
import { atTurnsEnd } from "../../support/turn.ts";

/** A number of its own for each that is held. */
export const noMoment = 0;

export class Moment {
  readonly #read: () => Iterator<unknown>;
  /** A row that was not the last: until it is given up, the read transaction stays. */
  #held: Iterator<unknown> | undefined;
  #number = noMoment;
  #writes = 0;
  #isRefused = false;

  /** `read` begins a statement that reads. */
  constructor(read: () => Iterator<unknown>) {
    this.#read = read;
  }

  /** The one that is held, or `noMoment`. */
  get number(): number {
    return this.#held === undefined ? noMoment : this.#number;
  }

  /** Before each write that may be on it. A turn of one write holds none: most nodes wait for something. */
  hold(): void {
    this.#writes += 1;
    if (this.#writes === 1) atTurnsEnd(this.#turnEnds);
    else if (this.#held === undefined && !this.#isRefused) this.#begin();
  }

  #begin(): void {
    const held = this.#read();
    held.next();
    this.#held = held;
    this.#number += 1;
  }

  /** What others have written since is seen again. */
  release(): void {
    this.#held?.return?.();
    this.#held = undefined;
  }

  /** Not again in this turn: others write too. */
  refuse(): void {
    this.release();
    this.#isRefused = true;
  }

  readonly #turnEnds = (): void => {
    this.#writes = 0;
    this.#isRefused = false;
    this.release();
  };
}
