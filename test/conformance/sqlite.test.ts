/** The SQLite store, by the suite that every store passes: as it is, and with a codec. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import type { Checkpointer } from "spanloom";
import { type Codec, sqliteCheckpointer, type SqliteOptions } from "spanloom/sqlite";
import { checkpointerConformance } from "spanloom/testing";

const folder = mkdtempSync(join(tmpdir(), "spanloom-conformance-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;

function storesWith(options?: SqliteOptions) {
  const paths = new WeakMap<Checkpointer, string>();
  const open = (path: string): Promise<Checkpointer> => {
    const store = sqliteCheckpointer(path, options);
    paths.set(store, path);
    return Promise.resolve(store);
  };
  return {
    open: () => open(join(folder, `${(files += 1)}.db`)),
    reopen: (closed: Checkpointer) => open(paths.get(closed) ?? "of no store"),
  };
}

const codec: Codec = { id: "deflate-1", encode: (bytes) => deflateRawSync(bytes, { level: 1 }), decode: (bytes) => inflateRawSync(bytes) };

checkpointerConformance("the SQLite store", storesWith(), { describe, it, expect });
checkpointerConformance("the SQLite store with a codec", storesWith({ codec }), { describe, it, expect });
