/** The events of one run, kept within a bound, for any number of readers that each begin at the first. */
import type { AnyEvent, RuntimeEvent } from "./event.ts";
import { handOutEvent } from "./live-data.ts";

const defaultCapacity = 10_000;

type SessionEvent = Exclude<AnyEvent, { readonly sessionId?: undefined }>;

/** A ring that grows as events come and is bounded; pushing takes constant time. */
export class EventLog<Event extends SessionEvent = SessionEvent> implements AsyncIterable<Event> {
  readonly #capacity: number;
  readonly #kept: Event[] = [];
  #pushed = 0;
  #ended = false;
  /** Only readers that wait for the next event: all others cost nothing. */
  readonly #waiting = new Set<Reader<Event>>();

  constructor(capacity = defaultCapacity) {
    this.#capacity = capacity;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** What is pushed after the end is ignored. */
  push(event: Event): void {
    if (this.#ended) return;
    if (this.#kept.length < this.#capacity) this.#kept.push(event);
    else this.#kept[this.#pushed % this.#capacity] = event;
    this.#pushed += 1;
    this.#wake();
  }

  /** Readers get what is kept, then end normally. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** A reader of its own, from the first event; a `stream.dropped` stands for what it missed. */
  [Symbol.asyncIterator](): AsyncIterator<Event, undefined> {
    return new Reader<Event>({
      get: (position) => this.#get(position),
      wait: (reader) => this.#waiting.add(reader),
      leave: (reader) => this.#waiting.delete(reader),
    });
  }

  /** The oldest event kept from `position` on, or whether there will be none. */
  #get(position: number): Found<Event> {
    const at = Math.max(position, this.#pushed - this.#kept.length);
    const event = at < this.#pushed ? this.#kept[at % this.#capacity] : undefined;
    return event === undefined ? this.#ended : { event, position: at };
  }

  #wake(): void {
    if (this.#waiting.size === 0) return;
    const readers = [...this.#waiting];
    this.#waiting.clear();
    for (const reader of readers) reader.wake();
  }
}

/** `true`: there is no more; `false`: not yet. */
type Found<Event> = boolean | { readonly event: Event; readonly position: number };

interface Source<Event extends SessionEvent> {
  get(position: number): Found<Event>;
  wait(reader: Reader<Event>): void;
  leave(reader: Reader<Event>): void;
}

const done: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });

function droppedBefore(next: SessionEvent, count: number): RuntimeEvent {
  return Object.freeze({ ...next, type: "stream.dropped", seq: next.seq - 1, data: Object.freeze({ count }) });
}

class Reader<Event extends SessionEvent> implements AsyncIterator<Event, undefined> {
  readonly #source: Source<Event>;
  #position = 0;
  #left = false;
  /** Calls of `next` that wait, oldest first. */
  #asked: ((result: IteratorResult<Event, undefined>) => void)[] = [];

  constructor(source: Source<Event>) {
    this.#source = source;
  }

  next(): Promise<IteratorResult<Event, undefined>> {
    const ready = this.#asked.length === 0 ? this.#take() : undefined;
    if (ready !== undefined) return Promise.resolve(ready);
    this.#source.wait(this);
    return new Promise((resolve) => this.#asked.push(resolve));
  }

  return(): Promise<IteratorResult<Event, undefined>> {
    this.#left = true;
    this.#source.leave(this);
    this.wake();
    return Promise.resolve(done);
  }

  wake(): void {
    while (this.#asked.length > 0) {
      const ready = this.#take();
      if (ready === undefined) {
        this.#source.wait(this);
        return;
      }
      this.#asked.shift()?.(ready);
    }
  }

  #take(): IteratorResult<Event, undefined> | undefined {
    const found = this.#left || this.#source.get(this.#position);
    if (found === true) return done;
    if (found === false) return undefined;
    const missed = found.position - this.#position;
    this.#position = found.position;
    // A graph's events are among those of its run, whatever their type: so is the runtime's own.
    if (missed > 0) return { done: false, value: droppedBefore(found.event, missed) as unknown as Event };
    this.#position += 1;
    return { done: false, value: handOutEvent(found.event) };
  }
}
