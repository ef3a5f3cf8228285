/** Checks the options of sinks and fills in the defaults: one place for what every sink's queue may be. */
import { RunnerError } from "../errors/errors.ts";
import { parseDuration } from "../support/duration.ts";
import { show } from "../support/show.ts";
import type { EventSink, QueueOptions, QueuePolicy } from "./sink.ts";

/** Options with nothing left open; `timeout` in milliseconds. */
export interface QueueSettings {
  readonly capacity: number;
  readonly policy: QueuePolicy;
  readonly batch: number;
  readonly timeout: number;
}

const policies: readonly unknown[] = ["block", "drop-oldest", "drop-newest"] satisfies readonly QueuePolicy[];
const defaultTimeout = 10_000;

/** Gives `value` back if it is a whole number from 1; else throws `RunnerError` `invalid_option`. */
export function positiveInteger(option: string, value: number | undefined, missing: number): number {
  if (value === undefined) return missing;
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new RunnerError("invalid_option", { option, reason: `must be a whole number from 1, not ${show(value)}` });
}

/** Throws `RunnerError` `invalid_option`, naming the option with `prefix` before it. */
export function queueSettings(options: QueueOptions = {}, usual: QueuePolicy = "drop-oldest", prefix = ""): QueueSettings {
  // A caller in JavaScript may hand over anything.
  if (typeof options !== "object" || (options as unknown) === null) {
    throw new RunnerError("invalid_option", { option: prefix.replace(/\.$/u, "") || "options", reason: "must be an object" });
  }
  const { policy = usual, timeout = defaultTimeout } = options;
  if (!policies.includes(policy)) {
    const reason = `must be "block", "drop-oldest" or "drop-newest", not ${show(policy)}`;
    throw new RunnerError("invalid_option", { option: `${prefix}policy`, reason });
  }
  const milliseconds = parseDuration(timeout);
  if (milliseconds === undefined || milliseconds <= 0) {
    const reason = `must be a duration above 0, such as 500 or "10s", not ${show(timeout)}`;
    throw new RunnerError("invalid_option", { option: `${prefix}timeout`, reason });
  }
  return {
    capacity: positiveInteger(`${prefix}capacity`, options.capacity, 1024),
    policy,
    batch: positiveInteger(`${prefix}batch`, options.batch, 128),
    timeout: milliseconds,
  };
}

/** The settings of a runner's sink. Throws `RunnerError` `invalid_option` when it is no sink. */
export function sinkSettings(sink: EventSink, index: number): QueueSettings {
  const given: Partial<EventSink> | null | undefined = sink;
  if (typeof given?.name !== "string" || given.name === "" || typeof given.write !== "function") {
    throw new RunnerError("invalid_option", { option: `sinks[${index}]`, reason: "must have a name and a write function" });
  }
  return queueSettings(given.queue, "drop-oldest", `sinks[${index}].queue.`);
}
