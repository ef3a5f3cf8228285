/** `spanloom` with SQLite where a test asks for the memory store: each store a database of its own. */
import type { Checkpointer } from "../../src/index.ts";
import { sqliteCheckpointer } from "../../src/sqlite.ts";

export * from "../../src/index.ts";

/** Takes the place of the one above. */
export const memoryCheckpointer = (): Checkpointer => sqliteCheckpointer(":memory:");
