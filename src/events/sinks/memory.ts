/** A sink that keeps the newest events in memory: for tests, and for a look into a running process. */
import type { AnyEvent } from "../event.ts";
import { positiveInteger, queueSettings } from "../queue-options.ts";
import type { EventSink, QueueOptions } from "../sink.ts";

const defaultKeep = 10_000;

/** Keeps the newest `keep` events (default 10 000), which closing leaves. Throws `RunnerError` `invalid_option`. */
export function memorySink(options: QueueOptions & { readonly keep?: number } = {}): EventSink & { readonly events: readonly AnyEvent[] } {
  const queue = queueSettings(options, "block");
  const keep = options.keep === Number.POSITIVE_INFINITY ? options.keep : positiveInteger("keep", options.keep, defaultKeep);
  const kept: AnyEvent[] = [];
  const trim = (limit: number): void => {
    if (kept.length > limit) kept.splice(0, kept.length - keep);
  };
  return {
    name: "memory",
    queue,
    get events() {
      trim(keep);
      return kept;
    },
    write(events) {
      for (const event of events) kept.push(event);
      // Not at every event past the limit, which would move all that is kept each time.
      trim(keep * 2);
    },
  };
}
