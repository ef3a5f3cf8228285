/** The database that the peer's saver is given: better-sqlite3's interface, as far as the saver uses it. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";

interface Statement {
  run(...values: readonly unknown[]): { readonly changes: number };
  get(...values: readonly unknown[]): unknown;
  all(...values: readonly unknown[]): readonly unknown[];
}

interface Database {
  prepare(sql: string): Statement;
  exec(sql: string): Database;
  pragma(text: string): unknown;
  transaction(work: (value: number) => number): (value: number) => number;
  close(): void;
}

const place = new URL("../bench/peer/better-sqlite3/index.js", import.meta.url);
// Plain JavaScript of another package: what is used of it is said above.
const { default: PeerDatabase } = (await import(place.href)) as { readonly default: new (path: string) => Database };

describe("the peer's database", () => {
  let database: Database;

  beforeEach(() => {
    database = new PeerDatabase(":memory:").exec("CREATE TABLE numbers (value INTEGER, note TEXT)");
  });

  afterEach(() => database.close());

  it("takes undefined for NULL", () => {
    database.prepare("INSERT INTO numbers VALUES (?, ?)").run(1, undefined);
    expect(database.prepare("SELECT note FROM numbers WHERE value = ?").get(1)).toEqual({ note: null });
  });

  it("gives undefined for no row", () => {
    expect(database.prepare("SELECT note FROM numbers").get()).toBeUndefined();
  });

  it("commits a transaction and gives its result, or rolls it back and throws", () => {
    const insert = database.prepare("INSERT INTO numbers (value) VALUES (?)");
    const write = database.transaction((value) => {
      insert.run(value);
      if (value < 0) throw new Error("negative");
      return value;
    });
    expect(write(1)).toBe(1);
    expect(() => write(-1)).toThrow("negative");
    expect(write(2)).toBe(2);
    expect(database.prepare("SELECT value FROM numbers").all()).toEqual([{ value: 1 }, { value: 2 }]);
  });

  it("has the synchronous mode and the cache that better-sqlite3 is compiled with", () => {
    expect([database.pragma("synchronous"), database.pragma("cache_size")]).toEqual([[{ synchronous: 1 }], [{ cache_size: -16_000 }]]);
  });
});
