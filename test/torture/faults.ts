/** Named points that a process passes on its way into the store; at one of them it ends as if its machine had stopped. */
import { DatabaseSync, StatementSync } from "node:sqlite";
import type { Checkpointer } from "spanloom";
import type { World } from "./world.ts";

export interface Fault {
  readonly point: string;
  /** At the how manieth passing, from 1. */
  readonly at: number;
}

export interface Passings {
  readonly counts: ReadonlyMap<string, number>;
  pass(point: string): void;
}

/** Counts every passing, and dies at the one that it is told of. */
export function passings(fault: Fault | undefined): Passings {
  const counts = new Map<string, number>();
  return {
    counts,
    pass: (point) => {
      const count = (counts.get(point) ?? 0) + 1;
      counts.set(point, count);
      if (fault?.point === point && fault.at === count) process.kill(process.pid, "SIGKILL");
    },
  };
}

const statementName =
  /^(?:BEGIN IMMEDIATE|BEGIN|COMMIT|ROLLBACK|INSERT(?: OR REPLACE)? INTO \w+|UPDATE \w+|DELETE FROM \w+|SELECT|PRAGMA \w+|CREATE)/;
const nameOf = (sql: string): string => statementName.exec(sql.trim())?.[0] ?? "other";

/* Prototypes are changed, so that the store itself needs no seams. */
type Method = (this: { readonly sourceSQL?: string }, ...given: readonly unknown[]) => unknown;

/** Every statement of SQLite passes two points: before it, and after it. */
export function watchSqlite({ pass }: Passings): void {
  const wrap = (
    prototype: object,
    name: string,
    sqlOf: (self: { readonly sourceSQL?: string }, given: readonly unknown[]) => string,
  ): void => {
    const inner = Reflect.get(prototype, name) as Method;
    const outer: Method = function call(...given) {
      const point = nameOf(sqlOf(this, given));
      pass(`${point} before`);
      const result = inner.apply(this, [...given]);
      pass(`${point} after`);
      return result;
    };
    Reflect.set(prototype, name, outer);
  };
  for (const name of ["run", "get", "all", "iterate"]) wrap(StatementSync.prototype, name, ({ sourceSQL = "" }) => sourceSQL);
  wrap(DatabaseSync.prototype, "exec", (_self, [sql]) => String(sql));
}

/** The store, telling the journal what it has stored once it says so, and passing two points at each call. */
export function watched(store: Checkpointer, { pass }: Passings, world: World): Checkpointer {
  /** By session: the last step that is done. */
  const done = new Map<string, number>();
  const stored = (session: string, epoch: number, results: readonly Entry[], once: readonly string[]): void =>
    world.note({ kind: "stored", session, epoch, step: done.get(session) ?? 0, results: results.map(entryName), once });
  return {
    ...store,
    load: async (...given) => {
      pass("load before");
      const found = await store.load(...given);
      if (found !== undefined && given[1] === undefined) done.set(given[0], found.record.step);
      pass("load after");
      return found;
    },
    save: async (fence, record, delta) => {
      pass("save before");
      const receipt = await store.save(fence, record, delta);
      pass("save after");
      done.set(record.sessionId, record.step);
      stored(record.sessionId, record.epoch, record.results, onceNames(record.once));
      return receipt;
    },
    amend: async (sessionId, fence, change) => {
      pass("amend before");
      const receipt = await store.amend(sessionId, fence, change);
      pass("amend after");
      stored(sessionId, change.epoch ?? fence.epoch, change.results ?? [], onceNames(change.once ?? new Map()));
      return receipt;
    },
    addResults: async (sessionId, fence, added) => {
      pass("addResults before");
      await store.addResults(sessionId, fence, added);
      pass("addResults after");
      const once = added.once.map(({ entry, key }) => `${entry} ${key}`);
      stored(sessionId, fence.epoch, added.results, once);
    },
  };
}

interface Entry {
  readonly node: string;
  readonly ordinal: number;
}

const entryName = ({ node, ordinal }: Entry): string => `${node}/${ordinal}`;

const onceNames = (once: ReadonlyMap<string, ReadonlyMap<string, unknown>>): readonly string[] =>
  Array.from(once).flatMap(([entry, kept]) => Array.from(kept.keys(), (key) => `${entry} ${key}`));
