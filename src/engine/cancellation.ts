/** How a run is stopped from outside: at once by a cancellation, or at the next boundary by a drain. */

/** Something under way that can be told to stop. */
export interface Stoppable {
  stop(reason: unknown): void;
}

export class Cancellation {
  /** What is under way in the present superstep. */
  readonly running = new Set<Stoppable>();
  #stopping = false;
  #draining = false;
  #reason: unknown;

  /** The run is to end: nothing more is started, and what runs is told to stop. */
  get requested(): boolean {
    return this.#stopping;
  }

  /** The run is to end at the next boundary, if not before. */
  get atBoundary(): boolean {
    return this.#stopping || this.#draining;
  }

  get reason(): unknown {
    return this.#reason;
  }

  /** The first reason holds. */
  cancel(reason: unknown): void {
    if (this.#stopping) return;
    if (!this.#draining) this.#reason = reason;
    this.#stopping = true;
    this.stopRunning(this.#reason);
  }

  drain(reason: unknown): void {
    if (this.atBoundary) return;
    this.#draining = true;
    this.#reason = reason;
  }

  /** Tells everything under way to stop. */
  stopRunning(reason: unknown): void {
    for (const each of this.running) each.stop(reason);
  }
}
