/** Where the command line keeps sessions: in an SQLite file under its home, in another one, or in memory alone. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Checkpointer } from "../checkpoint/checkpointer.ts";
import { SpanloomError } from "../errors/errors.ts";
import { CommandError } from "./exit-codes.ts";
import { messageOf } from "./format.ts";

/** What `--home` and `--db` say. */
export interface StorageOptions {
  readonly home: string;
  readonly db?: string;
}

export const defaultHome = ".spanloom";

/** The absolute path of the file; `undefined` for "none". Throws `CommandError` `database_unsupported`, which repeats no address: it may hold a password. */
export function databasePath({ home, db }: StorageOptions): string | undefined {
  if (db === undefined) return resolve(home, "sessions.db");
  if (db === "none") return undefined;
  if (/^postgres(ql)?:/i.test(db)) throw new CommandError("database_unsupported", { what: "a PostgreSQL database" });
  if (db === ":memory:") throw new CommandError("database_unsupported", { what: "a database in memory" });
  if (/^[a-z][a-z\d+.-]+:\/\//i.test(db)) throw new CommandError("database_unsupported", { what: "an address" });
  return resolve(db);
}

function unusable(path: string, error: unknown): unknown {
  if (!SpanloomError.is(error)) return error;
  const reason = SpanloomError.is(error, "checkpointer_unavailable") ? String(error.facts["reason"]) : messageOf(error).replace(/\.$/, "");
  // Its own sentence says no more than this one.
  return new CommandError("database_unusable", { path, reason }, { cause: error.cause });
}

/** Opened, and made if there is none: what is wrong with the file shows here. Throws `CommandError` `database_unusable`. */
export async function openDatabase(path: string): Promise<Checkpointer> {
  // Loaded only where sessions are kept.
  const { sqliteCheckpointer } = await import("../sqlite.ts");
  const store = sqliteCheckpointer(path);
  try {
    await store.load("");
    return store;
  } catch (error) {
    await store.close();
    throw unusable(path, error);
  }
}

/** The same, of a file that exists: who only reads makes none. */
export async function openExisting(path: string): Promise<Checkpointer | undefined> {
  return existsSync(path) ? openDatabase(path) : undefined;
}
