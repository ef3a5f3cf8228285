/** Who gets a runner's events beside the run that they are of: its sinks, and subscribers to all of its runs. */
import type { EventBus } from "../events/bus.ts";
import type { AnyEvent } from "../events/event.ts";
import type { EventOutlet } from "../events/invocation-events.ts";
import { positiveInteger } from "../events/queue-options.ts";
import { EventLog } from "../events/subscription.ts";

/** Events from now on, until it is left or disposed of. */
export interface Subscription extends AsyncIterable<AnyEvent>, AsyncDisposable {}

export class Outlets implements EventOutlet {
  readonly #bus: EventBus;
  readonly #subscribers = new Set<EventLog>();
  #closed = false;

  constructor(bus: EventBus) {
    this.#bus = bus;
  }

  get listening(): boolean {
    return this.#bus.listening || this.#subscribers.size > 0;
  }

  publish(event: AnyEvent): void {
    this.#bus.publish(event);
    // Events of sessions alone: the bus tells its own to the sinks.
    for (const subscriber of this.#subscribers) subscriber.push(event as Parameters<EventLog["push"]>[0]);
  }

  /** Throws `RunnerError` `invalid_option` for a capacity that is no whole number from 1. */
  subscribe(capacity: number | undefined): Subscription {
    const log = new EventLog(positiveInteger("capacity", capacity, 10_000));
    if (this.#closed) log.end();
    else this.#subscribers.add(log);
    const leave = (): Promise<void> => {
      this.#subscribers.delete(log);
      log.end();
      return Promise.resolve();
    };
    return {
      [Symbol.asyncIterator]: () => leaving(log[Symbol.asyncIterator](), leave),
      [Symbol.asyncDispose]: leave,
    };
  }

  /** Subscribers get what is kept, then end. */
  close(): void {
    this.#closed = true;
    for (const subscriber of this.#subscribers) subscriber.end();
    this.#subscribers.clear();
  }
}

/** Who leaves the loop, leaves the subscription. */
function leaving(reader: AsyncIterator<AnyEvent, undefined>, leave: () => Promise<void>): AsyncIterator<AnyEvent, undefined> {
  return {
    next: () => reader.next(),
    return: async () => {
      await leave();
      return { done: true, value: undefined };
    },
  };
}
