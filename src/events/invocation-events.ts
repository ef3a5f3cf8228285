/** The events of one invocation: each gets its number and its place, and is built only when somebody listens. */
import type { Clock } from "../support/clock.ts";
import { adopt } from "../support/value.ts";
import type { SpanIds } from "../telemetry/instrumentation.ts";
import type { AnyEvent, EventEnvelope, RuntimeEventData } from "./event.ts";
import { isLive, markLive } from "./live-data.ts";

/** Where an event happened. */
export interface EventPlace {
  readonly step?: number | undefined;
  readonly node?: string | undefined;
  readonly attempt?: number | undefined;
  readonly span?: SpanIds | undefined;
}

/** Who gets events; `listening` is asked before one is built. */
export interface EventOutlet {
  readonly listening: boolean;
  publish(event: AnyEvent): void;
}

export interface InvocationIdentity {
  readonly graph: string;
  readonly sessionId: string;
  readonly invocationId: string;
  readonly epoch: number;
}

const nowhere: EventPlace = Object.freeze({});

/** A copy that nobody can change: as the state would keep it, else structured-cloned, else a note of what it was. Never throws. */
export function copyOfData(data: unknown): unknown {
  try {
    return adopt(data, "data").value;
  } catch {
    // Instances of classes: their data without the class.
  }
  try {
    return adopt(structuredClone(data), "data").value;
  } catch (error) {
    return Object.freeze({ "~unserializable": error instanceof Error ? error.message : "it cannot be copied" });
  }
}

/** The runtime's own events that hold what a node gave. */
const given: ReadonlySet<string> = new Set(["interrupt.requested", "invocation.paused", "node.log"] satisfies (keyof RuntimeEventData)[]);

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function frozen(data: object): object {
  for (const value of Object.values(data)) if (Array.isArray(value)) Object.freeze(value);
  return Object.freeze(data);
}

export class InvocationEvents {
  readonly identity: InvocationIdentity;
  readonly #clock: Clock;
  readonly #outlets: readonly EventOutlet[];
  #sequence = 0;

  constructor(identity: InvocationIdentity, clock: Clock, outlets: readonly EventOutlet[]) {
    this.identity = identity;
    this.#clock = clock;
    this.#outlets = outlets;
  }

  /** The same invocation, telling nobody. */
  silenced(): InvocationEvents {
    return new InvocationEvents(this.identity, this.#clock, []);
  }

  /** Whether an event published now would reach anybody. */
  get listening(): boolean {
    for (const outlet of this.#outlets) if (outlet.listening) return true;
    return false;
  }

  /** A runtime event; `data` is made by its emitter and frozen here. */
  emit<Type extends keyof RuntimeEventData>(type: Type, data: RuntimeEventData[Type], place: EventPlace = nowhere): void {
    this.#sequence += 1;
    if (this.listening) this.#publish(type, frozen(data), place, given.has(type));
  }

  /** One of the graph's own: its data is copied, so that the emitter may go on changing it. */
  emitOwn(type: string, data: unknown, place: EventPlace): void {
    this.#sequence += 1;
    if (this.listening) this.#publish(type, copyOfData(data), place, true);
  }

  #publish(type: string, data: unknown, { step, node, attempt, span }: EventPlace, mayBeLive: boolean): void {
    const { epoch, graph, sessionId, invocationId } = this.identity;
    const made: Mutable<EventEnvelope> & { readonly type: string; data?: unknown } = {
      type,
      epoch,
      seq: this.#sequence,
      time: this.#clock.now(),
      graph,
      sessionId,
      invocationId,
    };
    if (step !== undefined) made.step = step;
    if (node !== undefined) made.node = node;
    if (attempt !== undefined) made.attempt = attempt;
    if (span !== undefined) {
      made.traceId = span.traceId;
      made.spanId = span.spanId;
    }
    made.data = data;
    // A type and its data belong together: `emit` and `emitOwn` see to it.
    const event = Object.freeze(made) as AnyEvent;
    if (mayBeLive && isLive(data)) markLive(event);
    for (const outlet of this.#outlets) if (outlet.listening) outlet.publish(event);
  }
}
