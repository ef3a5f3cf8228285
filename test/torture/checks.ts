/** What must hold of a journal, whatever kills it tells of; each violation is a sentence. */
import { isDeepStrictEqual } from "node:util";
import type { Note } from "./world.ts";

type Ran = Extract<Note, { kind: "ran" }>;
type Stored = Extract<Note, { kind: "stored" }>;

/** `expected`: what an uninterrupted run of the same graph told. */
export function violations(notes: readonly Note[], expected: readonly Note[]): readonly string[] {
  return [...wrongEnds(notes, expected), ...rerun(notes), ...wrongKeys(notes), ...afterTheEnd(notes)];
}

const completed = (notes: readonly Note[]): readonly unknown[] => {
  const ends = new Map(notes.flatMap((note) => (note.kind === "completed" ? [[note.inputs, note.state] as const] : [])));
  return [...ends];
};

/** Each time that it is told as complete, also by a process that comes later, the state is that of the uninterrupted run. */
function wrongEnds(notes: readonly Note[], expected: readonly Note[]): readonly string[] {
  const wanted = new Map(expected.flatMap((note) => (note.kind === "completed" ? [[note.inputs, note.state] as const] : [])));
  const wrong = notes.flatMap((note) =>
    note.kind === "completed" && !isDeepStrictEqual(note.state, wanted.get(note.inputs))
      ? [`after input ${note.inputs} the state is ${JSON.stringify(note.state)}, not ${JSON.stringify(wanted.get(note.inputs))}`]
      : [],
  );
  const missing =
    completed(notes).length === wanted.size ? [] : [`${completed(notes).length} of ${wanted.size} inputs were told as complete`];
  const failed = notes.flatMap((note) =>
    note.kind === "failed" && note.code !== "scheduler" ? [`it failed: ${note.code}: ${note.message}`] : [],
  );
  return [...wrong, ...missing, ...failed];
}

/** What was stored before is not run again: an entry, a sub-step, or a step that is done. */
function rerun(notes: readonly Note[]): readonly string[] {
  let done = 0;
  const results = new Set<string>();
  const once = new Set<string>();
  const stored = (note: Stored): void => {
    done = Math.max(done, note.step);
    for (const entry of note.results) results.add(`${note.step + 1} ${entry}`);
    for (const name of note.once) once.add(`${note.step + 1} ${name}`);
  };
  const again = ({ step, entry, once: name }: Ran): string | undefined => {
    if (step <= done) return `step ${step} is done, and ${entry} ran again`;
    if (results.has(`${step} ${entry}`)) return `the result of ${entry} of step ${step} was stored, and it ran again`;
    return name !== undefined && once.has(`${step} ${entry} ${name}`)
      ? `once(${name}) of ${entry} of step ${step} was stored, and ran again`
      : undefined;
  };
  return notes.flatMap((note) => {
    if (note.kind === "stored") stored(note);
    return note.kind === "ran" ? (again(note) ?? []) : [];
  });
}

/** Every try of an entry has one key, and no two entries have the same. */
function wrongKeys(notes: readonly Note[]): readonly string[] {
  const keys = new Map<string, string>();
  return notes.flatMap((note) => {
    if (note.kind !== "ran") return [];
    const place = `${note.step} ${note.entry}`;
    const known = keys.get(note.key);
    keys.set(note.key, place);
    return known === undefined || known === place ? [] : [`the key ${note.key} is that of ${known} and of ${place}`];
  });
}

/** A session that was told as complete after its last input runs nothing any more. */
function afterTheEnd(notes: readonly Note[]): readonly string[] {
  const inputs = Math.max(0, ...notes.map((note) => (note.kind === "completed" ? note.inputs : 0)));
  const end = notes.findIndex((note) => note.kind === "completed" && note.inputs === inputs);
  return notes.slice(end).some(({ kind }) => kind === "ran") ? ["something ran after it was told as complete"] : [];
}
