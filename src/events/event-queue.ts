/** A first-in, first-out queue of events: every operation but `putBack` takes constant time over many. */
import type { AnyEvent } from "./event.ts";

/** Below this many taken slots it is not worth moving what is left. */
const worthMoving = 512;

export class EventQueue {
  #items: AnyEvent[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(event: AnyEvent): void {
    this.#items.push(event);
  }

  /** Takes up to `count` of the oldest. */
  take(count: number): AnyEvent[] {
    if (this.#head === 0 && count >= this.#items.length) {
      const all = this.#items;
      this.#items = [];
      return all;
    }
    const end = Math.min(this.#head + count, this.#items.length);
    const taken = this.#items.slice(this.#head, end);
    this.#moveHead(end);
    return taken;
  }

  takeOldest(): AnyEvent | undefined {
    const oldest = this.#items[this.#head];
    if (oldest !== undefined) this.#moveHead(this.#head + 1);
    return oldest;
  }

  /** Puts what was taken last before everything else again. */
  putBack(events: readonly AnyEvent[]): void {
    this.#items = [...events, ...this.#items.slice(this.#head)];
    this.#head = 0;
  }

  #moveHead(head: number): void {
    const empty = head === this.#items.length;
    if (empty || (head >= worthMoving && head * 2 >= this.#items.length)) {
      this.#items = empty ? [] : this.#items.slice(head);
      this.#head = 0;
    } else {
      this.#head = head;
    }
  }
}
