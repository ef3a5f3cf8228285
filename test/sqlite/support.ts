/** What the tests of the SQLite store share: files in folders of their own, and a graph that counts. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach } from "vitest";
import { channel, type Checkpointer, END, graph, START } from "spanloom";
import { sqliteCheckpointer, type SqliteOptions } from "spanloom/sqlite";

const folders: string[] = [];
const opened: Checkpointer[] = [];

afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** The path of a file that does not exist yet. */
export function newFile(name = "sessions.db"): string {
  const folder = mkdtempSync(join(tmpdir(), "spanloom-sqlite-"));
  folders.push(folder);
  return join(folder, name);
}

/** Closed after the test. */
export function storeIn(path: string, options?: SqliteOptions): Checkpointer {
  const store = sqliteCheckpointer(path, options);
  opened.push(store);
  return store;
}

/** What another program sees in the file, or does to it. */
export function withDatabase<T>(path: string, work: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(path);
  try {
    return work(database);
  } finally {
    database.close();
  }
}

/** Counts to `to`, and appends each number to `log`. */
export const counter = (to: number, name = "counter") =>
  graph({ name, channels: { log: channel.list<number>(), n: channel.value(0) } })
    .node("count", ({ n }) => ({ log: [n], n: n + 1 }))
    .edge(START, "count")
    .branch("count", { again: "count", end: END }, ({ n }) => (n < to ? "again" : "end"))
    .compile();

export async function all<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}
