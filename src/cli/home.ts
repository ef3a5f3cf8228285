/** What a run leaves on disk: its events and its trace, under names that are known only once it has begun. */
import { accessSync, constants, mkdtempSync, renameSync, rmSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
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

/** A folder under `home`; made if it is missing. Throws `CommandError` `home_unusable`. */
export function makeFolder(home: string, name: "traces" | "events" | "sessions"): string {
  const folder = resolve(home, name);
  try {
    makeFolders(folder, 0o700);
    return folder;
  } catch (cause) {
    throw new CommandError("home_unusable", { folder, reason: messageOf(cause) }, { cause });
  }
}

/** A draft without a name. */
function scratchIn(folder: string): TraceDraft {
  const file = join(folder, "trace.otlp.jsonl");
  return {
    file,
    read: () => readFile(file, "utf8").catch(() => ""),
    publish: () => undefined,
    discard: () => rmSync(folder, { recursive: true, force: true }),
  };
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
  const scratch = scratchIn(draft);
  return {
    ...scratch,
    publish: (invocationId) => {
      const path = join(folder, `${fileName(invocationId)}.otlp.jsonl`);
      const { file } = scratch;
      try {
        // A write that failed leaves an empty file.
        if (statSync(file).size === 0) return undefined;
        renameSync(file, path);
        return path;
      } catch {
        return undefined;
      } finally {
        scratch.discard();
      }
    },
  };
}

/** A draft that is never published, in the system's folder for such; `undefined` where nothing can be written there. */
export function scratchTrace(): TraceDraft | undefined {
  try {
    return scratchIn(mkdtempSync(join(tmpdir(), "spanloom-")));
  } catch {
    return undefined;
  }
}

/** Where the event log of an invocation is. */
export const eventLogPath = (home: string, invocationId: string): string => resolve(home, "events", `${fileName(invocationId)}.jsonl`);

/** Makes missing folders, but no file before there is an event. Throws `CommandError` `events_unusable` where there can be no such file. */
export function checkEventLog(given: string): void {
  const path = resolve(given);
  try {
    makeFolders(dirname(path));
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isDirectory() === true) throw new Error("it is a folder");
    accessSync(found === undefined ? dirname(path) : path, constants.W_OK);
  } catch (cause) {
    throw new CommandError("events_unusable", { path, reason: messageOf(cause) }, { cause });
  }
}

/** A sink that opens `<home>/events/<invocation id>.jsonl` when the first event tells the id. Throws `CommandError` `home_unusable`. */
export function invocationSink(home: string, open: (path: string) => EventSink): EventSink {
  makeFolder(home, "events");
  let inner: EventSink | undefined;
  let waiting: readonly AnyEvent[] = [];
  return {
    name: "jsonl",
    queue: { policy: "block" },
    write: async (events, signal) => {
      const invocationId = events.find((event) => event.invocationId !== undefined)?.invocationId;
      if (inner === undefined && invocationId !== undefined) inner = open(eventLogPath(home, invocationId));
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
