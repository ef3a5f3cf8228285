/** A store of sessions in a file of its own, with the file's bytes beside it. */
import type { DatabaseSync } from "node:sqlite";
import type { Checkpointer } from "../../../src/index.ts";
import { sqliteCheckpointer } from "../../../src/sqlite.ts";
import { fileBytes, openRaw, openScratch, type Scratch } from "./scratch.ts";
import { storedRowBytes } from "./stored-bytes.ts";

export interface OpenStore {
  readonly checkpointer: Checkpointer;
  readonly scratch: Scratch;
  /** Of the file, once it holds all that was written. */
  fileBytes(): number;
  /** What `look` makes of the file, by a connection of its own. */
  look<T>(look: (database: DatabaseSync) => T): T;
  close(): Promise<void>;
}

export function openStore(): OpenStore {
  const scratch = openScratch();
  const path = scratch.path("sessions.db");
  const checkpointer = sqliteCheckpointer(path);
  return {
    checkpointer,
    scratch,
    fileBytes: () => fileBytes(path),
    look(look) {
      const database = openRaw(path);
      try {
        return look(database);
      } finally {
        database.close();
      }
    },
    async close() {
      await checkpointer.close();
      scratch.remove();
    },
  };
}

/** Bytes of the columns of each record, in the order in which they were written. */
export const recordBytes = (database: DatabaseSync): readonly number[] =>
  Array.from(database.prepare("SELECT * FROM checkpoints ORDER BY id").iterate(), storedRowBytes);

/** Bytes of the columns of the newest record of a session that ran on. */
export function usualRecordBytes(database: DatabaseSync): number {
  const row = database.prepare("SELECT * FROM checkpoints WHERE status = 'running' AND snapshot = 0 ORDER BY id DESC LIMIT 1").get();
  if (row === undefined) throw new Error("No session has run yet.");
  return storedRowBytes(row);
}

/** Bytes of the columns of all results that are stored. */
export const resultBytes = (database: DatabaseSync): number =>
  Array.from(database.prepare("SELECT * FROM results").iterate(), storedRowBytes).reduce((sum, bytes) => sum + bytes, 0);
