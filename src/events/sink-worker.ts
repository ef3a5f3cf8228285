/** Delivers events to one sink: a bounded queue, and one write at a time that may fail, throw or hang. */
import { AsyncLocalStorage } from "node:async_hooks";
import { SpanloomError } from "../errors/errors.ts";
import type { Clock } from "../support/clock.ts";
import type { AnyEvent } from "./event.ts";
import { EventQueue } from "./event-queue.ts";
import type { QueueSettings } from "./queue-options.ts";
import { serializeError } from "./serialize.ts";
import type { EventSink } from "./sink.ts";
import { isSinkEvent, type SinkLedger } from "./sink-ledger.ts";
import { SinkWriter, type Written } from "./sink-write.ts";
import { Waiters, within } from "./wait.ts";

/** Milliseconds before the second and the third try of a batch; after that it is dropped. */
const retryDelays: readonly number[] = [100, 300];

interface Batch {
  readonly events: readonly AnyEvent[];
  /** Of its first event, among all that the queue took. */
  readonly position: number;
  tries: number;
}

/** Sinks run outside the context of whoever published, so that the spans they make hang on no node. */
const outside = AsyncLocalStorage.snapshot();

export class SinkWorker {
  readonly ledger: SinkLedger;
  readonly #sink: EventSink;
  readonly #settings: QueueSettings;
  readonly #clock: Clock;
  readonly #writer: SinkWriter;
  readonly #waiting = new EventQueue();
  readonly #waiters = new Waiters();
  #writing: Batch | undefined;
  /** Ends the write, or the pause before the next try, that is under way, timers included. */
  #interrupt: (() => void) | undefined;
  #scheduled = false;
  /** "sealed": only the runner's own events are taken; "ended": nothing is. */
  #state: "open" | "sealed" | "ended" = "open";
  /** The next so many events are written one by one, because one of them cannot be encoded. */
  #singles = 0;
  #taken = 0;
  /** What had been delivered when the sink was last flushed. */
  #flushed: number | undefined;
  #room: Promise<void> | undefined;

  constructor(sink: EventSink, settings: QueueSettings, clock: Clock, ledger: SinkLedger) {
    this.#sink = sink;
    this.#settings = settings;
    this.#clock = clock;
    this.#writer = new SinkWriter(sink, clock, settings.timeout);
    this.ledger = ledger;
  }

  get queued(): number {
    return this.#waiting.length + (this.#writing?.events.length ?? 0);
  }

  /** Whether runs are to wait at their next boundary. */
  get over(): boolean {
    return this.#settings.policy === "block" && this.ledger.healthy && this.queued > this.#settings.capacity;
  }

  /** Never throws, and never calls the sink. */
  push(event: AnyEvent): void {
    if (this.#state === "ended" || (this.#state === "sealed" && !isSinkEvent(event))) {
      this.ledger.drop([event], "closed");
    } else if (this.#makeRoom(event)) {
      this.#taken += 1;
      this.#waiting.push(event);
      this.#schedule();
    }
  }

  /** Resolves when runs need not wait any more; the time-out of the write under way bounds a sink that hangs. */
  room(): Promise<void> {
    this.#room ??= this.#waiters
      .until(() => !this.over)
      .then(() => {
        this.#room = undefined;
      });
    return this.#room;
  }

  /** Resolves when all that was taken until now has been delivered or dropped and the sink has flushed, or let its time pass. */
  async flush(): Promise<void> {
    await this.#settled();
    if (this.#state !== "ended") await within(this.#clock, this.#call("flush"), this.#settings.timeout);
  }

  /** From now on only the runner's own events are taken. */
  seal(): void {
    if (this.#state === "open") this.#state = "sealed";
  }

  /** Resolves when all that was taken until now is delivered or dropped and the sink has flushed: never, if the sink hangs. */
  async drain(): Promise<void> {
    await this.#settled();
    if (this.#state === "ended" || this.#flushed === this.ledger.delivered) return;
    this.#flushed = this.ledger.delivered;
    await this.#call("flush");
  }

  /** Drains once more, then takes nothing and closes the sink: never ready, if the sink hangs. */
  async finish(): Promise<void> {
    do await this.drain();
    while (this.queued > 0);
    this.#state = "ended";
    await this.#call("close");
  }

  /** Drops whatever is left, aborts the write under way and clears every timer. */
  end(): void {
    this.#state = "ended";
    this.#interrupt?.();
    this.#interrupt = undefined;
    const writing = this.#writing?.events ?? [];
    this.#writing = undefined;
    this.ledger.drop([...writing, ...this.#waiting.take(this.#waiting.length)], "closed");
    this.#waiters.check();
  }

  /** Whether the event may join the queue; drops it, or an older one, if the queue is full. */
  #makeRoom(event: AnyEvent): boolean {
    const { capacity, policy } = this.#settings;
    // The queue of a healthy sink that blocks grows by one superstep at most; an unhealthy one blocks nobody and must drop instead.
    if (this.queued < capacity || (policy === "block" && this.ledger.healthy)) return true;
    // What is told of another sink makes no room for itself: a bad neighbour must not cost this sink an event.
    const oldest = policy === "drop-newest" || isSinkEvent(event) ? undefined : this.#waiting.takeOldest();
    this.ledger.drop([oldest ?? event], "full");
    return oldest !== undefined;
  }

  #schedule(): void {
    if (this.#scheduled || this.#writing !== undefined) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      outside(() => this.#pump());
    });
  }

  #pump(): void {
    while (this.#writing === undefined && this.#waiting.length > 0) {
      const position = this.#taken - this.#waiting.length;
      this.#writing = { events: Object.freeze(this.#waiting.take(this.#nextSize())), position, tries: 0 };
      this.#write(this.#writing);
    }
  }

  #nextSize(): number {
    if (this.#singles > 0) {
      this.#singles -= 1;
      return 1;
    }
    const { batch, capacity, policy } = this.#settings;
    // Half the capacity stays for newer events, or a slow write would turn "drop-oldest" into its opposite.
    return policy === "drop-oldest" ? Math.min(batch, Math.max(1, Math.floor(capacity / 2))) : batch;
  }

  #write(batch: Batch): void {
    batch.tries += 1;
    const written = this.#writer.write(batch.events, (ended) => {
      this.#interrupt = undefined;
      this.#settle(batch, ended);
      this.#pump();
    });
    if (typeof written === "function") this.#interrupt = written;
    else this.#settle(batch, written);
  }

  #settle(batch: Batch, written: Written): void {
    if (written.kind === "succeeded") this.#succeeded(batch);
    else if (written.kind === "failed") this.#failed(batch, written.error);
    else this.#timedOut(batch, written.error, written.abort);
  }

  #succeeded(batch: Batch): void {
    this.#writing = undefined;
    this.ledger.succeed(batch.events);
    this.#afterWrite();
  }

  #failed(batch: Batch, error: unknown): void {
    const isolated = SpanloomError.is(error, "unserializable_value");
    if (!isolated) this.ledger.fail(batch.events, serializeError(error));
    const delay = retryDelays[batch.tries - 1];
    if (isolated) this.#isolate(batch);
    else if (delay === undefined) this.#giveUp(batch, "failed");
    else this.#retryAfter(batch, delay);
    this.#afterWrite();
  }

  #timedOut(batch: Batch, error: unknown, abort: () => void): void {
    this.ledger.fail(batch.events, serializeError(error));
    this.#giveUp(batch, "timeout");
    abort();
    this.#afterWrite();
  }

  /** The fault is an event's, not the sink's: written one by one, only that event is lost. */
  #isolate(batch: Batch): void {
    if (batch.events.length === 1) {
      this.#giveUp(batch, "unserializable");
    } else {
      this.#writing = undefined;
      this.#waiting.putBack(batch.events);
      this.#singles = batch.events.length;
    }
  }

  #giveUp(batch: Batch, reason: "failed" | "timeout" | "unserializable"): void {
    this.#writing = undefined;
    this.ledger.drop(batch.events, reason);
  }

  #retryAfter(batch: Batch, delay: number): void {
    const timer = this.#clock.setTimeout(() => {
      this.#interrupt = undefined;
      this.#write(batch);
      this.#pump();
    }, delay);
    this.#interrupt = () => timer.clear();
  }

  #afterWrite(): void {
    this.ledger.tellDrops();
    this.#waiters.check();
  }

  /** Flushes or closes the sink, if it can. What it throws is counted, never passed on. */
  async #call(method: "flush" | "close"): Promise<void> {
    try {
      await outside(() => this.#sink[method]?.());
    } catch (error) {
      this.ledger.countFailure(serializeError(error));
    }
  }

  /** Resolves when what was taken until now has left: positions leave from the front of the write, then of the queue. */
  #settled(): Promise<void> {
    const target = this.#taken;
    return this.#waiters.until(() => (this.#writing?.position ?? this.#taken - this.#waiting.length) >= target);
  }
}
