/** A sink that appends each event to a file, as one line of JSON. */
import { resolve } from "node:path";
import { RunnerError } from "../../errors/errors.ts";
import { queueSettings } from "../queue-options.ts";
import { encodeEvent } from "../serialize.ts";
import type { EventSink, QueueOptions } from "../sink.ts";
import { AppendFile } from "./append-file.ts";

/** One at a time, in the order asked: a write that outlived its time may still be under way when the next one comes. */
class Turns {
  #taken = false;
  readonly #waiting = new Set<() => void>();

  /** Resolves when it is the caller's turn; rejects, and leaves the line, when the signal aborts before. */
  take(signal?: AbortSignal): Promise<void> {
    return new Promise((go, leave) => {
      const abort = (): void => {
        this.#waiting.delete(start);
        leave(signal?.reason);
      };
      const start = (): void => {
        signal?.removeEventListener("abort", abort);
        this.#taken = true;
        go();
      };
      if (signal?.aborted) return abort();
      if (!this.#taken) return start();
      signal?.addEventListener("abort", abort, { once: true });
      this.#waiting.add(start);
    });
  }

  give(): void {
    this.#taken = false;
    const [next] = this.#waiting;
    if (next === undefined) return;
    this.#waiting.delete(next);
    next();
  }
}

/**
 * One JSON object per line, one process per file. Opens it with the first event and makes missing folders; a new file has mode 0600. Cuts a
 * torn last line that a crash left, and makes the file again if it is deleted. Throws `RunnerError` `invalid_option`.
 */
export function jsonlSink(path: string, options?: QueueOptions): EventSink {
  const given: unknown = path;
  if (typeof given !== "string" || given === "") {
    throw new RunnerError("invalid_option", { option: "path", reason: "must be the path of a file" });
  }
  const queue = queueSettings(options, "block");
  const file = new AppendFile(resolve(given));
  const turns = new Turns();
  const inTurn = async (work: () => Promise<void>, signal?: AbortSignal): Promise<void> => {
    await turns.take(signal);
    try {
      await work();
    } finally {
      turns.give();
    }
  };
  return {
    name: "jsonl",
    queue,
    async write(events, signal) {
      const lines = events.map((event) => `${encodeEvent(event)}\n`).join("");
      await inTurn(() => file.append(lines), signal);
    },
    close: () => inTurn(() => file.close()),
  };
}
