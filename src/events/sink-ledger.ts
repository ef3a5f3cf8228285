/** What became of each event of one sink: the counts behind its health, and what the other sinks are told of it. */
import type { AnyEvent, RunnerEventData, SerializedError } from "./event.ts";
import type { SinkHealth } from "./sink.ts";

export type DropReason = RunnerEventData["sink.dropped"]["reason"];

/** Tells the others what became of this sink. */
export type TellOthers = <Type extends keyof RunnerEventData>(type: Type, data: RunnerEventData[Type]) => void;

/**
 * Only the runner's own events are about sinks. They are counted like any other, but a failure to deliver nothing but them is announced
 * to nobody: two bad sinks would feed each other for ever.
 */
export const isSinkEvent = (event: AnyEvent): boolean => event.type.startsWith("sink.");

export class SinkLedger {
  readonly name: string;
  readonly #tell: TellOthers;
  #delivered = 0;
  #dropped = 0;
  #failures = 0;
  #healthy = true;
  #lastError: string | undefined;
  #toldFailure = false;
  #untold = new Map<DropReason, number>();
  #worthTelling = false;

  constructor(name: string, tell: TellOthers) {
    this.name = name;
    this.#tell = tell;
  }

  get healthy(): boolean {
    return this.#healthy;
  }

  get delivered(): number {
    return this.#delivered;
  }

  get dropped(): number {
    return this.#dropped;
  }

  succeed(events: readonly AnyEvent[]): void {
    this.#delivered += events.length;
    this.#healthy = true;
    if (!this.#toldFailure) return;
    this.#toldFailure = false;
    this.#tell("sink.recovered", { sink: this.name });
  }

  /** One failed write. It is told once, until a write succeeds again. */
  fail(events: readonly AnyEvent[], error: SerializedError): void {
    this.countFailure(error);
    this.#healthy = false;
    if (this.#toldFailure || events.every(isSinkEvent)) return;
    this.#toldFailure = true;
    this.#tell("sink.failed", { sink: this.name, error });
  }

  /** A failure that says nothing of the sink's writes. */
  countFailure(error: SerializedError): void {
    this.#failures += 1;
    this.#lastError = error.message === "" ? error.name : error.message;
  }

  drop(events: readonly AnyEvent[], reason: DropReason): void {
    if (events.length === 0) return;
    this.#dropped += events.length;
    this.#untold.set(reason, (this.#untold.get(reason) ?? 0) + events.length);
    this.#worthTelling ||= !events.every(isSinkEvent);
  }

  /** Tells the drops not told yet, if an event of a session is among them, or if it is the last occasion. */
  tellDrops(last = false): void {
    if (!this.#worthTelling && !last) return;
    const untold = this.#untold;
    this.#untold = new Map();
    this.#worthTelling = false;
    for (const [reason, count] of untold) this.#tell("sink.dropped", { sink: this.name, count, reason });
  }

  health(queued: number): SinkHealth {
    return {
      name: this.name,
      healthy: this.#healthy,
      queued,
      delivered: this.#delivered,
      dropped: this.#dropped,
      failures: this.#failures,
      ...(this.#lastError === undefined ? {} : { lastError: this.#lastError }),
    };
  }
}
