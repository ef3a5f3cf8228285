/** The port through which events leave the process: what a sink is, and how its queue is set. */
import type { Awaitable, Duration } from "../support/types.ts";
import type { AnyEvent } from "./event.ts";

/** What happens to an event that finds the queue full. */
export type QueuePolicy = "block" | "drop-oldest" | "drop-newest";

/**
 * "block" slows runs down at superstep boundaries, never inside `emit`; a batch that outlives `timeout` becomes a counted drop, so a
 * sink that hangs delays a run by that much at most.
 */
export interface QueueOptions {
  /** Events held at most, those being written included. Default 1 024. */
  readonly capacity?: number;
  /** Default "drop-oldest"; "block" for the JSON-lines and memory sinks. */
  readonly policy?: QueuePolicy;
  /** Events in one write at most; with "drop-oldest" also at most half the capacity. Default 128. */
  readonly batch?: number;
  /** Of one write; default 10 s. A failed batch is tried three times in all, then dropped. An unhealthy sink stops blocking. */
  readonly timeout?: Duration;
}

/** Where events go. Batches come in order; the next one begins when the last has settled or has outlived its time. */
export interface EventSink {
  readonly name: string;
  readonly queue?: QueueOptions;
  /**
   * Takes a frozen batch; throwing or rejecting has it tried again. The signal aborts when the write has outlived its time. One that
   * throws `StateError` with code `unserializable_value` before it wrote anything has its batch given again, event by event.
   */
  write(events: readonly AnyEvent[], signal: AbortSignal): Awaitable<void>;
  flush?(): Awaitable<void>;
  /** Frees what the sink holds; one that is written to again afterwards opens again. */
  close?(): Awaitable<void>;
}

/** How one sink does. `queued` includes what is being written: published = delivered + dropped + queued. */
export interface SinkHealth {
  readonly name: string;
  /** Its last write succeeded. */
  readonly healthy: boolean;
  readonly queued: number;
  readonly delivered: number;
  readonly dropped: number;
  /** Failed writes, each try of a batch by itself. */
  readonly failures: number;
  readonly lastError?: string;
}
