/** Files of a row that are gone when it is done, and SQLite's view of them. */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

export interface Scratch {
  /** Of a file of this name. */
  path(name: string): string;
  remove(): void;
}

/** A folder of its own where the system keeps such: `TMPDIR` says where. */
export function openScratch(): Scratch {
  const folder = mkdtempSync(join(tmpdir(), "spanloom-bench-"));
  return { path: (name) => join(folder, name), remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** A connection as durable as Spanloom's own, and otherwise as SQLite sets it. */
export function openRaw(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
  return database;
}

/** Of the file, once it holds all that was written. */
export function fileBytes(path: string): number {
  const database = new DatabaseSync(path);
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  database.close();
  return statSync(path).size;
}

/** Inserts a text of so many bytes, each in a transaction of its own: what a durable step costs at least. */
export interface RawLog {
  insert(): void;
  /** So many in one transaction. */
  insertAll(count: number): void;
  close(): void;
}

export function openRawLog(path: string, bytes: number): RawLog {
  const database = openRaw(path);
  database.exec("CREATE TABLE log (id INTEGER PRIMARY KEY, data TEXT NOT NULL) STRICT");
  const statement = database.prepare("INSERT INTO log (data) VALUES (?)");
  const [begin, commit] = [database.prepare("BEGIN IMMEDIATE"), database.prepare("COMMIT")];
  const text = "x".repeat(bytes);
  return {
    insert: () => void statement.run(text),
    insertAll(count) {
      begin.run();
      for (let done = 0; done < count; done += 1) statement.run(text);
      commit.run();
    },
    close: () => database.close(),
  };
}
