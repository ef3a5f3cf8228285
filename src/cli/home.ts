/** What a run leaves on disk: its events and its trace, under names that are known only once it has begun. */
import { mkdtempSync, renameSync, rmSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { EventSink } from "../events/sink.ts";
import type { AnyEvent } from "../events/event.ts";
import { makeFolders } from "../support/make-folders.ts";
import { CommandError } from "./exit-codes.ts";
import { messageOf } from "./format.ts";

/** A trace while it is written: in a folder of its own, out of sight until it is complete. */
export interface TraceDraft {
  /** To be written to. */
  readonly file: string;
  /** What was written so far; empty when there is nothing. */
  read(): Promise<string>;
  /** Gives the trace its name at once and whole, and the path, absolute; `undefined` when nothing was written. */
  publish(invocationId: string): string | undefined;
  /** Leaves nothing behind. Harmless after `publish`. */
  discard(): void;
}

/** A name for a file, whatever the id holds. */
const fileName = (id: string): string => id.replace(/[^\w.-]/g, (character) => encodeURIComponent(character).replaceAll("*", "%2A"));

/** The folder for traces, or for events, under `home`; made if it is missing. Throws `CommandError` `home_unusable`. */
function makeFolder(home: string, name: "traces" | "events"): string {
  const folder = resolve(home, name);
  try {
    makeFolders(folder, 0o700);
    return folder;
  } catch (cause) {
    throw new CommandError("home_unusable", { folder, reason: messageOf(cause) }, { cause });
  }
}

/** Opens a draft in `<home>/traces`. Throws `CommandError` `home_unusable`. */
export function draftTrace(home: string): TraceDraft {
  const folder = makeFolder(home, "traces");
  let draft: string;
  try {
    draft = mkdtempSync(join(folder, ".running-"));
  } catch (cause) {
    throw new CommandError("home_unusable", { folder, reason: messageOf(cause) }, { cause });
  }
  const file = join(draft, "trace.otlp.jsonl");
  const discard = (): void => rmSync(draft, { recursive: true, force: true });
  return {
    file,
    read: () => readFile(file, "utf8").catch(() => ""),
    publish: (invocationId) => {
      const path = join(folder, `${fileName(invocationId)}.otlp.jsonl`);
      try {
        // A write that failed leaves an empty file.
        if (statSync(file).size === 0) return undefined;
        renameSync(file, path);
        return path;
      } catch {
        return undefined;
      } finally {
        discard();
      }
    },
    discard,
  };
}

/** A sink that opens `<home>/events/<invocation id>.jsonl` when the first event tells the id. Throws `CommandError` `home_unusable`. */
export function invocationSink(home: string, open: (path: string) => EventSink): EventSink {
  const folder = makeFolder(home, "events");
  let inner: EventSink | undefined;
  let waiting: readonly AnyEvent[] = [];
  return {
    name: "jsonl",
    queue: { policy: "block" },
    write: async (events, signal) => {
      const invocationId = events.find((event) => event.invocationId !== undefined)?.invocationId;
      if (inner === undefined && invocationId !== undefined) inner = open(join(folder, `${fileName(invocationId)}.jsonl`));
      if (inner === undefined) {
        waiting = [...waiting, ...events];
        return;
      }
      await inner.write(waiting.length === 0 ? events : [...waiting, ...events], signal);
      waiting = [];
    },
    flush: async () => inner?.flush?.(),
    close: async () => inner?.close?.(),
  };
}
