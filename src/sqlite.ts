/** `spanloom/sqlite`: sessions in an SQLite file. */
export { sqliteCheckpointer, type SqliteOptions } from "./checkpoint/sqlite/sqlite-checkpointer.ts";
export type { Codec } from "./checkpoint/codec.ts";
