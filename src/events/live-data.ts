/** Events whose data freezing cannot protect: each reader gets what it cannot spoil for others. */
import { handOut } from "../support/value.ts";
import type { AnyEvent } from "./event.ts";

/* Few events hold a Map, Set, Date, typed array or error: all others are one object for all readers. */
const live = new WeakSet<AnyEvent>();

/** From adopted data: what it is handed out as is another object only if something in it is live. */
export const isLive = (data: unknown): boolean => handOut(data) !== data;

export function markLive(event: AnyEvent): void {
  live.add(event);
}

/** The event for one reader. */
export function handOutEvent<Event extends AnyEvent>(event: Event): Event {
  return live.has(event) ? Object.freeze({ ...event, data: handOut(event.data) }) : event;
}
