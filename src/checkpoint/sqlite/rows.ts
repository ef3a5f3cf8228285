/** Rows of the tables, and what they stand for. */
import type { CheckpointRecord, EntryResult, StepResults } from "../checkpointer.ts";
import { type Codec, read, seal, type Sealed, unseal, write } from "../codec.ts";
import { fixedPartOf, fixedText, type GraphPart, openPartOf, type OpenPart, openTree, resultOf, resultTree } from "../codec/record.ts";
import { FormatError } from "../codec/untag.ts";
import { sessionStatuses } from "../../events/event.ts";
import { longestSequence } from "./schema.ts";

/** What of a record stands in columns. */
export interface RecordRow {
  readonly sequence: number;
  readonly checkpoint_id: string;
  readonly parent_id: string | null;
  readonly graph: number;
  readonly epoch: number;
  readonly step: number;
  readonly status: string;
  readonly created_at: number;
  readonly updated_at: number | null;
  readonly size: number;
  readonly record: Sealed;
  readonly open: Sealed | null;
}

/** Of the parent: nothing is stored when it is the record before, and an empty text when there is none although there is one before. */
const parent = "iif(c.parent_id IS NULL, (SELECT p.checkpoint_id FROM checkpoints p WHERE p.id = c.id - 1), nullif(c.parent_id, ''))";

/** For `checkpoints c`. */
export const recordColumns = `c.id & ${longestSequence} AS sequence, c.checkpoint_id, ${parent} AS parent_id, c.graph, c.epoch, c.step, c.status,
  c.created_at, c.updated_at, c.size, c.record, c.open`;

/* What a part belongs to is in its check sum: a part that was moved, or whose row was changed, is damage. */

const fixedPlace = (sessionId: string, checkpointId: string, epoch: number, step: number): string =>
  `record\0${sessionId}\0${checkpointId}\0${epoch}\0${step}\0`;

const openPlace = (sessionId: string, checkpointId: string, status: string): string => `open\0${sessionId}\0${checkpointId}\0${status}\0`;

const statePlace = (sessionId: string, sequence: number): string => `state\0${sessionId}\0${sequence}\0`;

const resultPlace = (sessionId: string, entry: string, name: string): string => `result\0${sessionId}\0${entry}\0${name}\0`;

export const graphPlace = (fingerprint: string): string => `graph\0${fingerprint}\0`;

/** Writes and reads what is sealed. */
export class Seals {
  readonly codec: Codec | undefined;

  constructor(codec: Codec | undefined) {
    this.codec = codec;
  }

  fixed(record: CheckpointRecord): Sealed {
    const { sessionId, checkpointId, epoch, step } = record;
    return seal(fixedText(record), fixedPlace(sessionId, checkpointId, epoch, step), this.codec);
  }

  /** `null` when there is nothing in it. */
  open(sessionId: string, checkpointId: string, status: string, part: OpenPart): Sealed | null {
    const tree = openTree(part);
    return tree === undefined ? null : seal(write(tree), openPlace(sessionId, checkpointId, status), this.codec);
  }

  openOf(sessionId: string, { checkpoint_id, status, open }: Pick<RecordRow, "checkpoint_id" | "status" | "open">): OpenPart {
    return openPartOf(open === null ? undefined : read(unseal(open, openPlace(sessionId, checkpoint_id, status), this.codec)));
  }

  state(sessionId: string, sequence: number, text: string): Sealed {
    return seal(text, statePlace(sessionId, sequence), this.codec);
  }

  stateOf(sessionId: string, sequence: number, sealed: unknown): unknown {
    return read(unseal(sealed, statePlace(sessionId, sequence), this.codec));
  }

  /** By names that are all well-formed texts without NUL. */
  result(sessionId: string, entry: string, name: string, data: unknown): Sealed {
    return seal(write(data), resultPlace(sessionId, entry, name), this.codec);
  }

  /** Throws `FormatError`, as all that read do. */
  recordOf(sessionId: string, row: RecordRow, graph: GraphPart, kept: KeptResults): CheckpointRecord {
    const { checkpoint_id: checkpointId, epoch, step, created_at: time } = row;
    const fixed = fixedPartOf(read(unseal(row.record, fixedPlace(sessionId, checkpointId, epoch, step), this.codec)));
    const { owner, ...open } = this.openOf(sessionId, row);
    return {
      ...fixed,
      ...open,
      ...graph,
      trace: owner === undefined ? fixed.trace : owner.trace,
      checkpointId,
      parentId: row.parent_id === null ? undefined : row.parent_id,
      sessionId,
      epoch,
      step,
      time,
      status: statusOf(row.status),
      ...kept,
    };
  }

  resultsOf(sessionId: string, rows: readonly ResultRow[]): KeptResults {
    const results: EntryResult[] = [];
    const once = new Map<string, Map<string, unknown>>();
    for (const { entry, name, data } of rows) {
      const tree = read(unseal(data, resultPlace(sessionId, entry, name), this.codec));
      if (name === resultName) results.push(resultOf(tree));
      else addOnce(once, tree);
    }
    return { results, once };
  }
}

function addOnce(once: Map<string, Map<string, unknown>>, tree: unknown): void {
  const [entry, key, value]: readonly unknown[] = Array.isArray(tree) ? tree : [];
  if (typeof entry !== "string" || typeof key !== "string") throw new FormatError("its sub-steps are not as they are written");
  const kept = once.get(entry) ?? new Map<string, unknown>();
  once.set(entry, kept.set(key, value));
}

export type KeptResults = Pick<CheckpointRecord, "results" | "once">;

export interface ResultRow {
  readonly entry: string;
  /** `"result"`, or `"once:"` and a key. */
  readonly name: string;
  readonly data: Sealed;
}

/** That of the entry itself. */
export const resultName = "result";

/** Any text as one that a column keeps: NUL and lone surrogates are escaped, as JSON does. */
const columnText = (text: string): string => JSON.stringify(text).slice(1, -1);

/** One row for each result and each sub-step. */
export function resultRows(seals: Seals, sessionId: string, { results, once }: StepResults): readonly ResultRow[] {
  const row = (entry: string, name: string, data: unknown): ResultRow => ({
    entry,
    name,
    data: seals.result(sessionId, entry, name, data),
  });
  return [
    ...results.map((result) => row(columnText(`${result.node}/${result.ordinal}`), resultName, resultTree(result))),
    ...once.map(({ entry, key, value }) => row(columnText(entry), `once:${columnText(key)}`, [entry, key, value])),
  ];
}

export const onceList = (once: CheckpointRecord["once"]): StepResults["once"] =>
  Array.from(once).flatMap(([entry, kept]) => Array.from(kept, ([key, value]) => ({ entry, key, value })));

function statusOf(text: string): CheckpointRecord["status"] {
  const status = sessionStatuses.find((each) => each === text);
  if (status === undefined) throw new FormatError("its status is none");
  return status;
}
