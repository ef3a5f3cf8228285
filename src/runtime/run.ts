/** One run as its caller holds it: its events, its result, and the way to stop it. */
import type { AnyEvent } from "../events/event.ts";
import type { EventOutlet } from "../events/invocation-events.ts";
import { EventLog } from "../events/subscription.ts";
import type { InvocationResult } from "./invocation.ts";

/** A run whose types are unknown here; `Run` gives them. */
export interface LooseRun extends AsyncIterable<AnyEvent>, AsyncDisposable {
  readonly sessionId: string;
  readonly invocationId: string;
  readonly result: Promise<InvocationResult>;
  readonly cancel: (reason?: unknown) => void;
}

/** The log that a run's readers share, and its end. */
export class RunLog implements EventOutlet {
  readonly #log = new EventLog();

  get listening(): boolean {
    return !this.#log.ended;
  }

  publish(event: AnyEvent): void {
    // A run's log gets the events of its invocation alone.
    this.#log.push(event as Parameters<EventLog["push"]>[0]);
  }

  end(): void {
    this.#log.end();
  }

  [Symbol.asyncIterator](): AsyncIterator<AnyEvent, undefined> {
    return this.#log[Symbol.asyncIterator]();
  }
}

/** A run that was refused before it could begin: nothing throws synchronously, its result rejects. */
export function runOrRefusal(sessionId: string, begin: () => LooseRun): LooseRun {
  try {
    return begin();
  } catch (error) {
    const refused = Promise.reject<InvocationResult>(error);
    return makeRun({ sessionId, invocationId: "" }, new RunLog(), refused, () => {});
  }
}

export function makeRun(
  ids: { readonly sessionId: string; readonly invocationId: string },
  log: RunLog,
  started: Promise<InvocationResult>,
  cancel: (reason: unknown) => void,
): LooseRun {
  const result = started.finally(() => log.end());
  // Reported by events and spans: nobody need await it.
  result.catch(() => {});
  return {
    ...ids,
    result,
    cancel: (reason) => cancel(reason),
    [Symbol.asyncIterator]: () => log[Symbol.asyncIterator](),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
