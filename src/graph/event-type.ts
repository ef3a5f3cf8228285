/** Declares the payload of an event that a graph's nodes may emit. */
export interface EventType<Data> {
  readonly "~data"?: Data;
}

export type EventTypes = Readonly<Record<string, EventType<unknown>>>;
export type DataOf<T> = T extends EventType<infer Data> ? Data : never;

/** An event of the graph's own; without a type argument it carries no data. Names hold no dot. */
export function event(): EventType<undefined>;
export function event<Data>(): EventType<Data>;
export function event(): EventType<unknown> {
  return {};
}
