/** What is outside of the sessions: a journal that survives any kill, and things that fail the first time. */
import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";

/** One line of the journal. */
export type Note = { readonly session: string } & (
  | {
      /** A node, or a sub-step of it, began to run. */
      readonly kind: "ran";
      readonly step: number;
      readonly entry: string;
      readonly once?: string;
      readonly key: string;
      readonly invocation: string;
    }
  | {
      /** A write returned: what it stored is stored. `step` is the last that is done with it. */
      readonly kind: "stored";
      readonly epoch: number;
      readonly step: number;
      readonly results: readonly string[];
      readonly once: readonly string[];
    }
  /** `once` gave its result: it is stored. */
  | { readonly kind: "returned"; readonly step: number; readonly entry: string; readonly once: string }
  /** An invocation is about to be asked for. */
  | { readonly kind: "begins"; readonly by: "start" | "resume" | "next" }
  /** The state of a run that was told as complete. */
  | { readonly kind: "completed"; readonly inputs: number; readonly state: unknown }
  | { readonly kind: "failed"; readonly code: string; readonly message: string }
);

export interface World {
  note(line: Note): void;
  /** Whether this happens for the first time, over all processes. */
  isFirst(what: string): boolean;
  /** The process is at this point: it may end there. */
  pass(point: string): void;
}

export function openWorld(folder: string, pass: World["pass"]): World {
  const journal = openSync(join(folder, "journal"), "a");
  return {
    pass,
    note: (line) => {
      pass("journal before");
      // One write, to the end of the file: whole, or not at all.
      writeSync(journal, `${JSON.stringify(line)}\n`);
      pass("journal after");
    },
    isFirst: (what) => {
      try {
        closeSync(openSync(join(folder, encodeURIComponent(what)), "wx"));
        return true;
      } catch {
        return false;
      }
    },
  };
}
