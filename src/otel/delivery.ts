/** Brings a batch to where it belongs: again and again while that may help, until it is told to stop. */
import type { Complain } from "./complaint.ts";

/** What became of one attempt. */
export type Outcome =
  /** `rejected`: how many of its items the collector would not have; `note`: what it said to that. */
  | { readonly kind: "taken"; readonly rejected: number; readonly note?: string }
  /** Trying again would not help. */
  | { readonly kind: "refused"; readonly reason: string }
  /** `wait`: milliseconds that the other side asks for. */
  | { readonly kind: "unavailable"; readonly reason: string; readonly wait?: number };

export interface Destination<Batch> {
  /** What it means if nothing arrives there, such as "traces cannot be sent to …". Only where that may take longer than somebody waits. */
  readonly failure?: string;
  /** Makes one attempt; never rejects. */
  send(batch: Batch): Promise<Outcome>;
  /** The same at once, where that is possible: for a process that is about to end. */
  sendNow?(batch: Batch): Outcome;
  /** Ends what is under way, and takes nothing more. */
  close(): void;
}

/** Time and chance; a wait holds no process. */
export interface CourierTools {
  /** Milliseconds, from anywhere. */
  readonly now: () => number;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly wait: (run: () => void, milliseconds: number) => { clear(): void };
}

const systemTools: CourierTools = {
  now: () => performance.now(),
  random: Math.random,
  wait: (run, milliseconds) => {
    const timer = setTimeout(run, milliseconds).unref();
    return { clear: () => clearTimeout(timer) };
  },
};

const firstBackoff = 1000;
const longestBackoff = 5000;
/** While somebody waits for the end of it. */
const hurriedBackoff = 200;
/** A longer wait than this is not believed. */
const longestWait = 300_000;

/** Delivers one batch at a time. */
export class Courier<Batch> {
  readonly destination: Destination<Batch>;
  readonly #complain: Complain;
  readonly #giveUpAfter: number;
  readonly #tools: CourierTools;
  #hurries = 0;
  #closed = false;
  #pause: { readonly end: () => void; readonly mayBeCut: boolean } | undefined;

  /** `giveUpAfter` in milliseconds. */
  constructor(destination: Destination<Batch>, complain: Complain, giveUpAfter: number, tools: CourierTools = systemTools) {
    this.destination = destination;
    this.#complain = complain;
    this.#giveUpAfter = giveUpAfter;
    this.#tools = tools;
  }

  /** Resolves with how many of the `size` items were taken; never rejects. */
  async deliver(batch: Batch, size: number): Promise<number> {
    const deadline = this.#tools.now() + this.#giveUpAfter;
    for (let backoff = firstBackoff; !this.#closed; backoff = Math.min(backoff * 1.5, longestBackoff)) {
      const outcome = await this.destination.send(batch);
      if (outcome.kind !== "unavailable") return this.conclude(outcome, size);
      if (this.#closed) break;
      this.#complain(outcome.reason);
      const usual = this.#hurries > 0 ? hurriedBackoff : backoff;
      const pause = outcome.wait === undefined ? usual * (0.8 + 0.4 * this.#tools.random()) : Math.min(outcome.wait, longestWait);
      if (this.#tools.now() + pause > deadline) break;
      await this.#rest(pause, outcome.wait === undefined);
    }
    return 0;
  }

  /** How many of the `size` items the last attempt brought home; says what went wrong with the others. */
  conclude(outcome: Outcome, size: number): number {
    const problem = outcome.kind === "taken" ? outcome.note : outcome.reason;
    if (problem !== undefined) this.#complain(problem);
    return outcome.kind === "taken" ? size - Math.min(size, outcome.rejected) : 0;
  }

  /** Somebody waits: pauses are short until the function that it returns is called. One that the other side asked for stays. */
  hurry(): () => void {
    this.#hurries += 1;
    if (this.#pause?.mayBeCut === true) this.#pause.end();
    return () => {
      this.#hurries -= 1;
    };
  }

  /** Says that somebody waited so many milliseconds for what has not arrived. */
  tellLate(milliseconds: number): void {
    const { failure } = this.destination;
    if (failure !== undefined) this.#complain(`${failure}: not everything was acknowledged within ${milliseconds / 1000} s.`);
  }

  close(): void {
    this.#closed = true;
    this.#pause?.end();
    this.destination.close();
  }

  async #rest(milliseconds: number, mayBeCut: boolean): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = this.#tools.wait(resolve, milliseconds);
      const end = (): void => {
        timer.clear();
        resolve();
      };
      this.#pause = { end, mayBeCut };
    });
    this.#pause = undefined;
  }
}
