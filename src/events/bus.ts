/** Carries the events of a runner's runs to its sinks: none of them can harm a run, or another sink. */
import type { Clock } from "../support/clock.ts";
import type { AnyEvent, RunnerEventData } from "./event.ts";
import { handOutEvent } from "./live-data.ts";
import { sinkSettings } from "./queue-options.ts";
import type { EventSink, SinkHealth } from "./sink.ts";
import { SinkLedger } from "./sink-ledger.ts";
import { sinkView } from "./sink-view.ts";
import { SinkWorker } from "./sink-worker.ts";
import { within } from "./wait.ts";

/** How much of the time to close is for delivering what is queued; the rest is for telling what was lost and closing the sinks. */
const deliveryShare = 0.75;

export interface EventBusOptions {
  readonly graph: string;
  readonly clock: Clock;
  readonly sinks: readonly EventSink[];
  /** Sinks get interrupts' payloads. Default false. */
  readonly payloads?: boolean | undefined;
  /** Sinks get errors' messages. Default true. */
  readonly errorMessages?: boolean | undefined;
}

/** One per runner. Throws `RunnerError` `invalid_option` for a sink that is none, or whose queue cannot be. */
export class EventBus {
  readonly #graph: string;
  readonly #clock: Clock;
  readonly #view: (event: AnyEvent) => AnyEvent;
  readonly #workers: readonly SinkWorker[];
  #sequence = 0;
  #closing: Promise<{ readonly lostEvents: number }> | undefined;

  constructor(options: EventBusOptions) {
    this.#graph = options.graph;
    this.#clock = options.clock;
    this.#view = sinkView(options);
    this.#workers = options.sinks.map((sink, index) => this.#startWorker(sink, index));
  }

  /** Whether anybody gets what is published: if not, an event need not be built. */
  get listening(): boolean {
    return this.#workers.length > 0;
  }

  /** Queues a deeply frozen event for every sink. Never throws, and calls no sink. */
  publish(event: AnyEvent): void {
    if (this.#workers.length === 0) return;
    const shown = this.#view(event);
    for (const worker of this.#workers) worker.push(handOutEvent(shown));
  }

  /** What a run waits for between supersteps: `undefined`, unless a healthy sink that blocks is past its capacity. */
  boundary(): Promise<void> | undefined {
    let waits: Promise<void>[] | undefined;
    for (const worker of this.#workers) {
      if (worker.over) (waits ??= []).push(worker.room());
    }
    return waits === undefined ? undefined : Promise.all(waits).then(() => undefined);
  }

  /** Resolves when all that was published until now is delivered or dropped, and the sinks have flushed or let their time pass. Never rejects. */
  async flush(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.flush()));
  }

  /**
   * Delivers what is queued, then flushes and closes the sinks, within so many milliseconds. Says how many events it could not deliver,
   * each once per sink that missed it. What is published from now on is dropped and counted. A second call gives the first's answer.
   */
  close(timeoutMilliseconds: number): Promise<{ readonly lostEvents: number }> {
    this.#closing ??= this.#close(timeoutMilliseconds);
    return this.#closing;
  }

  /** Of each sink, in the order given. */
  health(): readonly SinkHealth[] {
    return this.#workers.map((worker) => worker.ledger.health(worker.queued));
  }

  #startWorker(sink: EventSink, index: number): SinkWorker {
    const settings = sinkSettings(sink, index);
    const ledger = new SinkLedger(sink.name, (type, data) => this.#announce(worker, type, data));
    const worker: SinkWorker = new SinkWorker(sink, settings, this.#clock, ledger);
    return worker;
  }

  /** A sink never hears of itself. */
  #announce<Type extends keyof RunnerEventData>(about: SinkWorker, type: Type, data: RunnerEventData[Type]): void {
    this.#sequence += 1;
    const event = { type, seq: this.#sequence, time: this.#clock.now(), graph: this.#graph, data: Object.freeze(data) };
    // The type parameter ties the data to its type; a union made of them does not show it.
    const shown = this.#view(Object.freeze(event) as unknown as AnyEvent);
    for (const worker of this.#workers) {
      if (worker !== about) worker.push(shown);
    }
  }

  async #close(timeout: number): Promise<{ readonly lostEvents: number }> {
    const started = this.#clock.monotonic();
    const before = this.#dropped();
    for (const worker of this.#workers) worker.seal();
    await within(this.#clock, Promise.all(this.#workers.map((worker) => worker.drain())), timeout * deliveryShare);
    for (const worker of this.#workers) {
      if (worker.queued > 0) worker.end();
    }
    for (const worker of this.#workers) worker.ledger.tellDrops(true);
    const left = timeout - (this.#clock.monotonic() - started);
    await within(this.#clock, Promise.all(this.#workers.map((worker) => worker.finish())), left);
    for (const worker of this.#workers) worker.end();
    return { lostEvents: this.#dropped() - before };
  }

  #dropped(): number {
    return this.#workers.reduce((sum, worker) => sum + worker.ledger.dropped, 0);
  }
}
