/** A bounded queue before one destination, emptied batch after batch: one at a time, so that no burst is refused for its size. */
import type { Deadline, Flushable } from "./deadline.ts";
import type { Courier } from "./delivery.ts";
import type { QueueSettings } from "./environment.ts";

/* Lets the application run before the next batch is encoded. It is not unref'd: Node would then wait for another reason to turn. */
const soon = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

interface Waiter {
  readonly until: number;
  readonly resolve: () => void;
}

export class Outbox<Item> implements Flushable {
  readonly #courier: Courier<Item[]>;
  readonly #settings: QueueSettings;
  readonly #ready: Promise<void> | undefined;
  readonly #full: () => void;
  #waiting: Item[] = [];
  /** How many items were ever put in; how many of them are to be sent without delay, are done with, and were waited for in vain. */
  #added = 0;
  #due = 0;
  #handled = 0;
  #givenUp = 0;
  #acknowledged = 0;
  #timer: NodeJS.Timeout | undefined;
  #pumping = false;
  #closed = false;
  #waiters: Waiter[] = [];

  /** Sends nothing before `ready`; calls `full` whenever it drops an item. */
  constructor(courier: Courier<Item[]>, settings: QueueSettings, full: () => void, ready?: Promise<void>) {
    this.#courier = courier;
    this.#settings = settings;
    this.#full = full;
    this.#ready = ready;
  }

  /** How many items have arrived. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  add(item: Item): void {
    if (this.#closed) return;
    const { capacity, batchSize, delay } = this.#settings;
    if (this.#waiting.length >= capacity) return this.#full();
    this.#waiting.push(item);
    this.#added += 1;
    if (this.#pumping) return;
    if (this.#waiting.length >= batchSize) void this.#pump();
    else this.#timer ??= setTimeout(() => this.#sendAll(), delay).unref();
  }

  get isGivenUp(): boolean {
    return this.#givenUp === this.#added;
  }

  async drained(deadline?: Deadline): Promise<void> {
    const until = this.#added;
    if (this.#closed || this.#handled >= until) return;
    const relax = this.#courier.hurry();
    const done = new Promise<void>((resolve) => void this.#waiters.push({ until, resolve }));
    this.#sendAll();
    const inTime = await (deadline?.wait(done) ?? done.then(() => true));
    relax();
    if (inTime || deadline === undefined) return;
    this.#givenUp = until;
    this.#courier.tellLate(deadline.milliseconds);
  }

  /** Sends what waits without giving way to anything else, if the destination can. */
  drainNow(): void {
    const { destination } = this.#courier;
    while (destination.sendNow !== undefined && this.#waiting.length > 0) {
      const batch = this.#next();
      this.#done(batch.length, this.#courier.conclude(destination.sendNow(batch), batch.length));
    }
  }

  /** What has not arrived by now is lost. */
  close(): void {
    if (this.#closed) return;
    this.drainNow();
    this.#closed = true;
    this.#waiting = [];
    clearTimeout(this.#timer);
    this.#courier.close();
    for (const { resolve } of this.#waiters.splice(0)) resolve();
  }

  #next(): Item[] {
    return this.#waiting.splice(0, this.#settings.batchSize);
  }

  #sendAll(): void {
    this.#due = this.#added;
    void this.#pump();
  }

  #done(size: number, acknowledged: number): void {
    this.#handled += size;
    this.#acknowledged += acknowledged;
    const reached = this.#waiters.filter(({ until }) => until <= this.#handled);
    this.#waiters = this.#waiters.filter(({ until }) => until > this.#handled);
    for (const { resolve } of reached) resolve();
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#ready;
    await soon();
    while (this.#waiting.length > 0 && (this.#handled < this.#due || this.#waiting.length >= this.#settings.batchSize)) {
      const batch = this.#next();
      const acknowledged = await this.#courier.deliver(batch, batch.length);
      if (this.#closed) return;
      this.#done(batch.length, acknowledged);
      await soon();
    }
    this.#pumping = false;
    if (this.#waiting.length > 0) this.#timer = setTimeout(() => this.#sendAll(), this.#settings.delay).unref();
  }
}
