/** What the functions that read and write share. */
import type { Connection } from "./connection.ts";
import type { Graphs } from "./graphs.ts";
import type { Heads } from "./head.ts";
import type { Seals } from "./rows.ts";

export interface Store {
  readonly connection: Connection;
  readonly seals: Seals;
  readonly heads: Heads;
  readonly graphs: Graphs;
}
