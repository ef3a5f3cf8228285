/** Events to publish, sinks that misbehave as told, and a clock that knows which timers are still open. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { EventBus, type EventBusOptions } from "../../src/events/bus.ts";
import type { AnyEvent, EventEnvelope, RunnerEvent, RuntimeEvent, RuntimeEventData } from "../../src/events/event.ts";
import type { EventSink, QueueOptions } from "../../src/events/sink.ts";
import { manualClock } from "../../src/testing/manual-clock.ts";

export type SessionEvent = EventEnvelope & { readonly type: string; readonly data: unknown };

export function envelope(seq: number): EventEnvelope {
  return { epoch: 1, seq, time: seq * 10, graph: "g", sessionId: "s", invocationId: "i" };
}

/** One of a graph's own events. */
export function custom(seq: number, data: unknown = {}): SessionEvent {
  return Object.freeze({ ...envelope(seq), type: "token", node: "n", data });
}

export function runtime<Type extends RuntimeEvent["type"]>(type: Type, data: RuntimeEventData[Type]): RuntimeEvent {
  // The type parameter ties the data to its type; a union made of them does not show it.
  return Object.freeze({ ...envelope(1), type, data }) as unknown as RuntimeEvent;
}

export function isSinkEvent(event: AnyEvent): event is RunnerEvent {
  return event.type.startsWith("sink.");
}

export function testClock() {
  const clock = manualClock(1_000_000);
  const open = new Set<object>();
  return {
    ...clock,
    /** Timers that neither fired nor were cleared. */
    get openTimers() {
      return open.size;
    },
    setTimeout: (run: () => void, milliseconds: number) => {
      const token = {};
      open.add(token);
      const timer = clock.setTimeout(() => {
        open.delete(token);
        run();
      }, milliseconds);
      return {
        clear: () => {
          open.delete(token);
          timer.clear();
        },
      };
    },
  };
}

/** Lets promises settle, without moving any clock. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await nextTurn();
}

export function startBus(sinks: readonly EventSink[], options: Partial<EventBusOptions> = {}) {
  const clock = testClock();
  return { clock, bus: new EventBus({ graph: "g", clock, sinks, ...options }) };
}

export interface Recorded extends EventSink {
  /** Of every write, whatever its outcome. */
  readonly batches: readonly (readonly number[])[];
  readonly signals: readonly AbortSignal[];
}

type Write = (events: readonly AnyEvent[], signal: AbortSignal) => unknown;

/** Records each write, then does what `write` does; the last one given is used for all that follow. */
export function sinkOf(name: string, queue: QueueOptions, ...writes: readonly Write[]): Recorded {
  const batches: number[][] = [];
  const signals: AbortSignal[] = [];
  return {
    name,
    queue,
    batches,
    signals,
    write: (events, signal) => {
      const write = writes[Math.min(batches.length, writes.length - 1)];
      batches.push(events.map((event) => event.seq));
      signals.push(signal);
      return write?.(events, signal) as Promise<void>;
    },
  };
}

/** A write that waits until it is let go. */
export function gate() {
  let open: (() => void) | undefined;
  return {
    write: () =>
      new Promise<void>((resolve) => {
        open = resolve;
      }),
    open: () => open?.(),
  };
}

export const hang: Write = () => new Promise<never>(() => {});
export const succeed: Write = () => undefined;
export const reject: Write = () => Promise.reject(new Error("the disk is full"));
