/** The graphs that made records: each definition is stored once, and remembered by whoever wrote or read it. */
import type { GraphDescription } from "../../graph/graph.ts";
import { read, seal, unseal, write } from "../codec.ts";
import { type GraphPart, graphPartOf, graphTree } from "../codec/record.ts";
import type { Connection } from "./connection.ts";
import { graphPlace } from "./rows.ts";

interface Known {
  readonly key: number;
  readonly part: GraphPart;
}

/** Names are no payloads: no codec is asked. */
const plain = undefined;

const isSame = (known: GraphPart, part: GraphPart): boolean =>
  known.channels === part.channels &&
  known.graphVersion === part.graphVersion &&
  known.graph === part.graph &&
  known.fingerprint === part.fingerprint;

export class Graphs {
  readonly #connection: Connection;
  /** By what a runner gives with each of its records. */
  readonly #written = new WeakMap<GraphDescription, Known>();
  readonly #read = new Map<number, GraphPart>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** The row of the record's graph, which is made if there is none. */
  keyOf(part: GraphPart): number {
    const { graph, graphVersion, fingerprint, description, channels } = part;
    const known = this.#written.get(description);
    if (known !== undefined && isSame(known.part, part)) return known.key;
    const definition = seal(write(graphTree(part)), graphPlace(fingerprint), plain);
    const find = this.#connection.statement("SELECT key FROM graphs WHERE fingerprint = ? AND definition = ?");
    const found = find.get(fingerprint, definition) as { readonly key: number } | undefined;
    const key = found?.key ?? this.#insert(fingerprint, definition);
    this.#written.set(description, { key, part: { graph, graphVersion, fingerprint, description, channels } });
    return key;
  }

  #insert(fingerprint: string, definition: ReturnType<typeof seal>): number {
    const statement = this.#connection.statement("INSERT INTO graphs (fingerprint, definition) VALUES (?, ?)");
    return Number(statement.run(fingerprint, definition).lastInsertRowid);
  }

  /** Throws `FormatError`. */
  partOf(key: number): GraphPart {
    const known = this.#read.get(key);
    if (known !== undefined) return known;
    const row = this.#connection.statement("SELECT fingerprint, definition FROM graphs WHERE key = ?").get(key);
    const part = graphPartOf(read(unseal(row?.["definition"], graphPlace(String(row?.["fingerprint"])), plain)));
    this.#read.set(key, part);
    return part;
  }
}
