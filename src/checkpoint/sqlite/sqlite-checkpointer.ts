/** Sessions in an SQLite file that several processes may share: the store of one machine. */
import { resolve } from "node:path";
import { RunnerError } from "../../errors/errors.ts";
import { parseDuration } from "../../support/duration.ts";
import { isRecord } from "../../support/plain.ts";
import { show } from "../../support/show.ts";
import type { Duration } from "../../support/types.ts";
import type { Checkpointer } from "../checkpointer.ts";
import type { Codec } from "../codec.ts";
import { amend } from "./amend.ts";
import { deleteSession, deleteSessions, prune } from "./care.ts";
import { Connection } from "./connection.ts";
import { Graphs } from "./graphs.ts";
import { Heads } from "./head.ts";
import { history } from "./history.ts";
import { list } from "./list.ts";
import { load } from "./read.ts";
import { Seals } from "./rows.ts";
import type { Store } from "./store.ts";
import { addResults, save } from "./write.ts";

export interface SqliteOptions {
  /** What a committed step survives: `"normal"` (default) the death of the process, `"full"` also that of the machine, at the price of a flush to disk for each write. */
  readonly synchronous?: "normal" | "full";
  /** How long a call waits for another process's lock, before it fails with `checkpointer_unavailable`. Milliseconds, or a duration such as `"2s"`; default 5 s. */
  readonly busyTimeout?: Duration;
  /** Encrypts or compresses what is stored. A file is read with the codec that wrote it, or not at all. */
  readonly codec?: Codec;
}

function refuse(option: string, reason: string): never {
  throw new RunnerError("invalid_option", { option, reason });
}

function checkedCodec(codec: unknown): Codec | undefined {
  if (codec === undefined) return undefined;
  if (!isRecord(codec) || typeof codec["encode"] !== "function" || typeof codec["decode"] !== "function") {
    return refuse("codec", "must be an object with id, encode and decode");
  }
  const { id } = codec;
  const isId = typeof id === "string" && /^[\w.-]{1,64}$/.test(id) && id !== "json";
  if (!isId) return refuse("codec.id", `must be up to 64 letters, digits, ".", "_" or "-", and not "json"; it is ${show(id)}`);
  // Its parts were looked at above.
  return codec as unknown as Codec;
}

function checkedPath(path: unknown): string {
  const isPath = typeof path === "string" && path !== "" && !path.includes("\0");
  if (!isPath) return refuse("path", `must be the path of a file, or ":memory:", not ${show(path)}`);
  // What the working folder is when the file is opened does not matter.
  return path === ":memory:" ? path : resolve(path);
}

/**
 * A store in an SQLite file (WAL), made when it does not exist; `":memory:"` is one that ends with it. Several processes may use one file.
 * The file is opened at the first use, which fails with `checkpointer_unavailable` or `schema_too_new` if it cannot be. Whoever makes the
 * store closes it. Throws `RunnerError` `invalid_option`.
 */
export function sqliteCheckpointer(path: string, options: SqliteOptions = {}): Checkpointer {
  if (!isRecord(options)) refuse("options", `must be an object, not ${show(options)}`);
  const { synchronous = "normal", busyTimeout = 5_000 } = options;
  if (synchronous !== "normal" && synchronous !== "full") refuse("synchronous", `must be "normal" or "full", not ${show(synchronous)}`);
  const milliseconds = parseDuration(busyTimeout) ?? refuse("busyTimeout", 'must be a duration, such as 500 or "5s"');
  const connection = new Connection({ path: checkedPath(path), synchronous, busyTimeout: milliseconds });
  const seals = new Seals(checkedCodec(options.codec));
  return storeOn({ connection, seals, heads: new Heads(), graphs: new Graphs(connection) });
}

/* Functions that know no `this`, as those of the memory store. */
function storeOn(store: Store): Checkpointer {
  const { connection } = store;
  // Asynchronous, so that a refusal is a rejection.
  // oxlint-disable-next-line typescript/require-await -- the port is asynchronous, this store is not
  const close = async (): Promise<void> => connection.close();
  return {
    backend: "sqlite",
    load: (sessionId, checkpointId) => connection.attempt(() => load(store, sessionId, checkpointId)),
    save: (fence, record, delta) => connection.attempt(() => save(store, fence, record, delta)),
    amend: (sessionId, fence, change) => connection.attempt(() => amend(store, sessionId, fence, change)),
    addResults: (sessionId, fence, added) => connection.attempt(() => addResults(store, sessionId, fence, added)),
    history: (sessionId, options) => history(store, sessionId, options),
    list: (filter) => list(store, filter),
    delete: async (sessionId) => connection.attempt(() => deleteSession(store, sessionId)),
    prune: (options) => prune(store, options),
    deleteSessions: (options) => deleteSessions(store, options),
    close,
    [Symbol.asyncDispose]: close,
  };
}
