/** The tables, as numbered migrations: `PRAGMA user_version` says how many a file has had. `docs/storage.md` describes them. */
import type { DatabaseSync } from "node:sqlite";
import { CheckpointError } from "../../errors/errors.ts";

/** "Span", so that tools and this store tell the file from others'. */
const applicationId = 0x5370616e;

/** Bits of a record's row id that number it within its session; those above are the session's key. */
export const sequenceBits = 28;
/** Records of one session, at most. */
export const longestSequence = 2 ** sequenceBits - 1;

/** The row id of a record, by its session's key and its number; and the first and the last of a session. */
export const recordId = `(? << ${sequenceBits} | ?)`;
export const firstId = `(? << ${sequenceBits})`;
export const lastId = `(? << ${sequenceBits} | ${longestSequence})`;
/** That of the newest record of `sessions s`. */
export const newestId = `(
  SELECT max(id) FROM checkpoints WHERE id BETWEEN s.key << ${sequenceBits} AND (s.key << ${sequenceBits} | ${longestSequence})
)`;

/*
 * A session's log is a range of row ids, so that adding to it writes at one place, without an index. `sessions` says what lists search by;
 * of a running session, `step` and `updated_at` are those of its newest record, which are not written twice. Never change a migration: add one.
 */
const migrations: readonly string[] = [
  `
  CREATE TABLE graphs (
    key INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    definition TEXT NOT NULL
  ) STRICT;
  CREATE INDEX graphs_by_fingerprint ON graphs (fingerprint);

  CREATE TABLE sessions (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    graph TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    status TEXT NOT NULL,
    step INTEGER NOT NULL,
    owner_epoch INTEGER NOT NULL,
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL
  ) STRICT;
  CREATE INDEX sessions_by_update ON sessions (status, updated_at);

  CREATE TABLE checkpoints (
    id INTEGER PRIMARY KEY,
    checkpoint_id TEXT NOT NULL,
    parent_id TEXT,
    graph INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    step INTEGER NOT NULL,
    status TEXT NOT NULL,
    created_at REAL NOT NULL,
    updated_at REAL,
    snapshot INTEGER NOT NULL,
    size INTEGER NOT NULL,
    since INTEGER NOT NULL,
    record ANY NOT NULL,
    state ANY NOT NULL,
    open ANY
  ) STRICT;
  CREATE INDEX snapshots ON checkpoints (id) WHERE snapshot = 1;

  CREATE TABLE results (
    session INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    entry TEXT NOT NULL,
    name TEXT NOT NULL,
    data ANY NOT NULL,
    PRIMARY KEY (session, sequence, entry, name)
  ) STRICT, WITHOUT ROWID;

  CREATE VIEW history AS
    SELECT s.id AS session_id, c.id & ${longestSequence} AS sequence, c.checkpoint_id,
      iif(c.parent_id IS NULL, (SELECT p.checkpoint_id FROM checkpoints p WHERE p.id = c.id - 1), nullif(c.parent_id, '')) AS parent_id,
      c.epoch, c.step, c.status,
      strftime('%Y-%m-%d %H:%M:%f', c.created_at / 1000, 'unixepoch') AS created_at,
      strftime('%Y-%m-%d %H:%M:%f', coalesce(c.updated_at, c.created_at) / 1000, 'unixepoch') AS updated_at,
      c.snapshot, c.size, c.record, c.state, c.open
    FROM checkpoints c JOIN sessions s ON s.key = c.id >> ${sequenceBits};
  `,
];

const schemaVersion = migrations.length;

const numberOf = (database: DatabaseSync, pragma: string): number =>
  Number(Object.values(database.prepare(`PRAGMA ${pragma}`).get() ?? {})[0]);

/** All or nothing, whatever has been begun is ended. */
function within<T>(database: DatabaseSync, begin: "BEGIN" | "BEGIN IMMEDIATE", work: () => T): T {
  database.exec(begin);
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

/** Brings the file to this version's schema, in one transaction. Throws as `checkFile`. */
export function migrate(database: DatabaseSync): void {
  if (checkFile(database) === schemaVersion) return;
  within(database, "BEGIN IMMEDIATE", () => {
    // Another process may have done it meanwhile.
    for (const migration of migrations.slice(foundVersion(database))) database.exec(migration);
    database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${schemaVersion}`);
  });
}

/** Reads alone, all of one moment: another process may just be making the file. Throws `schema_too_new`, or `checkpointer_unavailable` for another's file. */
export const checkFile = (database: DatabaseSync): number => within(database, "BEGIN", () => foundVersion(database));

function foundVersion(database: DatabaseSync): number {
  const found = numberOf(database, "user_version");
  if (found > schemaVersion) throw new CheckpointError("schema_too_new", { backend: "sqlite", found, known: schemaVersion });
  const isOurs = numberOf(database, "application_id") === applicationId;
  const isEmpty = found === 0 && database.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() === undefined;
  if (!isOurs && !isEmpty) {
    throw new CheckpointError("checkpointer_unavailable", { backend: "sqlite", reason: "the file holds another application's tables" });
  }
  return found;
}
