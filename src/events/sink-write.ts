/** One write to a sink at a time: however it ends, that is told once, and its timer ends with it. */
import type { Clock } from "../support/clock.ts";
import { isThenable } from "../support/thenable.ts";
import type { AnyEvent } from "./event.ts";
import type { EventSink } from "./sink.ts";
import { settleWithin } from "./wait.ts";

export type Written =
  | { readonly kind: "succeeded" }
  | { readonly kind: "failed"; readonly error: unknown }
  /** `abort` tells the sink, whose write may still go on. */
  | { readonly kind: "late"; readonly error: unknown; readonly abort: () => void };

export class SinkWriter {
  readonly #sink: EventSink;
  readonly #clock: Clock;
  readonly #timeout: number;
  #controller = new AbortController();

  /** `timeout` in milliseconds. */
  constructor(sink: EventSink, clock: Clock, timeout: number) {
    this.#sink = sink;
    this.#clock = clock;
    this.#timeout = timeout;
  }

  /** How it ended, if it ended at once; else it is told `later`, unless the function that is given back stops it before. */
  write(events: readonly AnyEvent[], later: (written: Written) => void): Written | (() => void) {
    let outcome: unknown;
    try {
      outcome = this.#sink.write(events, this.#controller.signal);
      if (!isThenable(outcome)) return { kind: "succeeded" };
    } catch (error) {
      return { kind: "failed", error };
    }
    return this.#follow(Promise.resolve(outcome), later);
  }

  #follow(outcome: Promise<unknown>, later: (written: Written) => void): () => void {
    const controller = this.#controller;
    const settle = (written: Written): void => {
      // A sink may have listened to the signal: each asynchronous write has its own.
      this.#controller = new AbortController();
      later(written);
    };
    const stop = settleWithin(this.#clock, outcome, this.#timeout, {
      resolved: () => settle({ kind: "succeeded" }),
      rejected: (error) => settle({ kind: "failed", error }),
      late: () => {
        const error = new DOMException(`The sink did not write a batch within ${this.#timeout} ms.`, "TimeoutError");
        settle({ kind: "late", error, abort: () => controller.abort(error) });
      },
    });
    return () => {
      stop();
      controller.abort(new DOMException("The runner was closed before the sink had written.", "AbortError"));
    };
  }
}
