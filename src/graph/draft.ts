/** What a builder was asked for: notes that share their past, so that builders may branch and cost nothing to grow. */

/** One call of a builder, as it came: typed code makes sense, untyped code may have given anything. */
export type Note =
  | { readonly kind: "node"; readonly name: unknown; readonly run: unknown; readonly options: unknown }
  | { readonly kind: "edge"; readonly from: unknown; readonly to: unknown }
  | { readonly kind: "branch"; readonly from: unknown; readonly labels: unknown; readonly decide: unknown };

/** The newest note and those before it. */
export interface Notes {
  readonly note: Note;
  readonly before: Notes | undefined;
}

export interface Draft {
  readonly spec: unknown;
  readonly notes: Notes | undefined;
}

/** The draft with one more call noted. */
export function noted(draft: Draft, note: Note): Draft {
  return { spec: draft.spec, notes: { note, before: draft.notes } };
}

/** All notes, the oldest first. */
export function notesOf(draft: Draft): readonly Note[] {
  const all: Note[] = [];
  for (let at = draft.notes; at !== undefined; at = at.before) all.push(at.note);
  return all.toReversed();
}

/**
 * A copy of lists and records, `depth` levels down, so that nobody changes a note afterwards. What cannot be read is
 * noted as `null`, which no argument takes: never throws.
 */
export function snapshot(value: unknown, depth: number): unknown {
  if (depth === 0 || typeof value !== "object" || value === null) return value;
  try {
    if (Array.isArray(value)) return value.map((item) => snapshot(item, depth - 1));
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, snapshot(item, depth - 1)]));
  } catch {
    return null;
  }
}
