/** What the peer's saver uses of better-sqlite3's interface, over node:sqlite, so that both sides of a row run on the same SQLite. */
import { DatabaseSync } from "node:sqlite";

const nullOf = (value) => (value === undefined ? null : value);

/** What better-sqlite3 takes for NULL, node:sqlite refuses. */
class Statement {
  #statement;

  constructor(statement) {
    this.#statement = statement;
  }

  run(...values) {
    return this.#statement.run(...values.map(nullOf));
  }

  get(...values) {
    return this.#statement.get(...values.map(nullOf));
  }

  all(...values) {
    return this.#statement.all(...values.map(nullOf));
  }

  iterate(...values) {
    return this.#statement.iterate(...values.map(nullOf));
  }
}

export default class Database {
  #database;
  #begin;
  #commit;

  constructor(path) {
    this.#database = new DatabaseSync(path);
    // What better-sqlite3 is compiled with: https://github.com/WiseLibs/better-sqlite3/blob/master/docs/compilation.md
    this.#database.exec("PRAGMA synchronous = NORMAL; PRAGMA cache_size = -16000");
    this.#begin = this.#database.prepare("BEGIN");
    this.#commit = this.#database.prepare("COMMIT");
  }

  prepare(sql) {
    return new Statement(this.#database.prepare(sql));
  }

  exec(sql) {
    this.#database.exec(sql);
    return this;
  }

  pragma(text) {
    return this.#database.prepare(`PRAGMA ${text}`).all();
  }

  /** Everything that `work` writes, or nothing. */
  transaction(work) {
    return (...values) => {
      this.#begin.run();
      try {
        const result = work(...values);
        this.#commit.run();
        return result;
      } catch (error) {
        if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
        throw error;
      }
    };
  }

  close() {
    this.#database.close();
    return this;
  }
}
