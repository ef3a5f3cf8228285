/** One open file: its statements, its transactions, and what is made of SQLite's errors. Everything is synchronous but waiting for a lock. */
import { closeSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type SQLInputValue, type StatementResultingChanges, type StatementSync } from "node:sqlite";
import { CheckpointError, SpanloomError } from "../../errors/errors.ts";
import { makeFolders } from "../../support/make-folders.ts";
import { messageOf } from "../../support/show.ts";
import type { Awaitable } from "../../support/types.ts";
import { Moment, noMoment } from "./moment.ts";
import { checkFile, migrate } from "./schema.ts";

export interface ConnectionOptions {
  /** `":memory:"`, or a file. */
  readonly path: string;
  readonly synchronous: "normal" | "full";
  /** Milliseconds. */
  readonly busyTimeout: number;
}

/** Milliseconds that SQLite itself waits for a lock, holding up the event loop: longer than other processes' usual transactions. */
const briefWait = 10;
/** Milliseconds between two tries after that, during which the event loop turns. */
const retryDelay = 10;

/** Primary result codes: https://sqlite.org/rescode.html */
const busy = 5;
const locked = 6;
const corrupt = 11;
const constraint = 19;
const notDatabase = 26;

function resultCode(error: unknown): number | undefined {
  const code: unknown = error instanceof Error && "errcode" in error ? error.errcode : undefined;
  return typeof code === "number" ? code & 0xff : undefined;
}

const isLocked = (error: unknown): boolean => [busy, locked].includes(resultCode(error) ?? 0);

/** What an insert gives, or `undefined` if there is such a row. */
export function unlessTaken<T>(insert: () => T): T | undefined {
  try {
    return insert();
  } catch (error) {
    if (resultCode(error) === constraint) return undefined;
    throw error;
  }
}

/** The file itself is damaged, whatever was asked of it. */
export const isDamage = (error: unknown): boolean => [corrupt, notDatabase].includes(resultCode(error) ?? 0);

const unavailable = (reason: string, cause?: unknown): CheckpointError =>
  new CheckpointError("checkpointer_unavailable", { backend: "sqlite", reason }, { cause });

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #statements = new Map<string, StatementSync>();
  readonly #moment = new Moment(() => this.#compiled("SELECT 1 FROM sqlite_schema").iterate());
  #database: DatabaseSync | undefined;
  #closed = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** For what sees all that has been written until then. */
  statement(sql: string): StatementSync {
    this.#moment.release();
    return this.#compiled(sql);
  }

  /** Of the moment that is held, or `noMoment`. */
  get moment(): number {
    return this.#moment.number;
  }

  /**
   * A write by one statement, made on the moment that is held: then nothing has been written since that this connection has not written.
   * Otherwise the statement is that for `noMoment`.
   */
  append(statementOn: (moment: number) => string, ...values: readonly SQLInputValue[]): StatementResultingChanges {
    const moment = this.#moment;
    try {
      moment.hold();
      return this.#compiled(statementOn(moment.number)).run(...values);
    } catch (error) {
      const wasHeld = moment.number !== noMoment;
      moment.refuse();
      if (!wasHeld || !isLocked(error)) throw error;
      // Another connection has written since, or is about to.
      return this.#compiled(statementOn(noMoment)).run(...values);
    }
  }

  /** Compiled once. The file is opened by the first. */
  #compiled(sql: string): StatementSync {
    const found = this.#statements.get(sql);
    if (found !== undefined) return found;
    const made = this.#opened().prepare(sql);
    this.#statements.set(sql, made);
    return made;
  }

  /** The first row. Its columns are those of the statement: whoever writes that names them. */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- as above
  first<Row>(sql: string, ...values: readonly SQLInputValue[]): Row | undefined {
    // As above.
    return this.statement(sql).get(...values) as Row | undefined;
  }

  /** All rows, as above. */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- as above
  all<Row>(sql: string, ...values: readonly SQLInputValue[]): readonly Row[] {
    // As above.
    return this.statement(sql).all(...values) as unknown as readonly Row[];
  }

  /** Everything or nothing. The work is synchronous and may be tried again from its start. */
  write<T>(work: () => T): T {
    return this.#transaction("BEGIN IMMEDIATE", work);
  }

  /** All that is read is of one moment. */
  read<T>(work: () => T): T {
    return this.#transaction("BEGIN", work);
  }

  /** At once, or as soon as another process lets go of the file. Throws `CheckpointError` `checkpointer_unavailable`. */
  attempt<T>(operation: () => T): Awaitable<T> {
    try {
      return operation();
    } catch (error) {
      if (isLocked(error)) return this.#retry(operation);
      throw translated(error);
    }
  }

  async #retry<T>(operation: () => T): Promise<T> {
    const { busyTimeout } = this.#options;
    const started = performance.now();
    for (;;) {
      if (performance.now() - started >= busyTimeout) throw unavailable(`another process has had it locked for ${busyTimeout} ms`);
      await new Promise((resolve) => setTimeout(resolve, retryDelay));
      try {
        return operation();
      } catch (error) {
        if (!isLocked(error)) throw translated(error);
      }
    }
  }

  close(): void {
    this.#closed = true;
    this.#giveUp();
  }

  #transaction<T>(begin: string, work: () => T): T {
    this.statement(begin).run();
    try {
      const result = work();
      this.statement("COMMIT").run();
      return result;
    } catch (error) {
      this.#rollBack();
      throw error;
    }
  }

  #rollBack(): void {
    // Some errors have ended it already.
    if (this.#database?.isTransaction !== true) return;
    try {
      this.#database.exec("ROLLBACK");
    } catch {
      // In a transaction that does not end nothing more could be done: closing ends it, and the next statement opens the file anew.
      this.#giveUp();
    }
  }

  #giveUp(): void {
    this.#moment.release();
    this.#statements.clear();
    const database = this.#database;
    this.#database = undefined;
    database?.close();
  }

  #opened(): DatabaseSync {
    if (this.#closed) throw unavailable("it is closed");
    this.#database ??= open(this.#options);
    return this.#database;
  }
}

/** Only the file's owner may read what sessions hold; what SQLite puts beside the file gets its mode. */
function prepareFile(path: string): void {
  if (path === ":memory:") return;
  makeFolders(dirname(path));
  closeSync(openSync(path, "a", 0o600));
}

function open({ path, synchronous, busyTimeout }: ConnectionOptions): DatabaseSync {
  prepareFile(path);
  const database = new DatabaseSync(path, { timeout: Math.min(briefWait, busyTimeout) });
  try {
    // Another's file is left as it is.
    checkFile(database);
    // The first two are of the file, and kept by it. A commit writes whole pages, and what one step writes is short. The log is written to the
    // file at every 16384 pages (16 MiB), for which the disk is waited for. What a large transaction leaves of the log is cut to 64 MiB.
    database.exec("PRAGMA page_size = 1024; PRAGMA journal_mode = WAL");
    database.exec("PRAGMA wal_autocheckpoint = 16384; PRAGMA journal_size_limit = 67108864");
    database.exec(`PRAGMA synchronous = ${synchronous}`);
    migrate(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function translated(error: unknown): unknown {
  return SpanloomError.is(error) ? error : unavailable(messageOf(error), error);
}
