/** What must hold of a journal, whatever kills it tells of; each violation is a sentence. */
import { isDeepStrictEqual } from "node:util";
import { forkSuffix } from "./case.ts";
import type { Note } from "./world.ts";

type Kind<K extends Note["kind"]> = Extract<Note, { kind: K }>;
type Ran = Kind<"ran">;

/** `expected`: what an uninterrupted run of the same graph told. */
export function violations(notes: readonly Note[], expected: readonly Note[]): readonly string[] {
  const found = [false, true].flatMap((isFork) => {
    const isOf = ({ session }: Note): boolean => session.endsWith(forkSuffix) === isFork;
    const [own, whole] = [notes.filter(isOf), expected.filter(isOf)];
    return [...wrongEnds(own, whole), ...otherWork(own, whole), ...rerun(own), ...afterTheEnd(own), ...wrongEpochs(own)];
  });
  return [...found, ...wrongKeys(notes)];
}

const endsOf = (notes: readonly Note[]): ReadonlyMap<number, unknown> =>
  new Map(notes.flatMap((note) => (note.kind === "completed" ? [[note.inputs, note.state] as const] : [])));

/** Each time that it is told as complete, also by a process that comes later, the state is that of the uninterrupted run. */
function wrongEnds(notes: readonly Note[], expected: readonly Note[]): readonly string[] {
  const wanted = endsOf(expected);
  const wrong = notes.flatMap((note) =>
    note.kind === "completed" && !isDeepStrictEqual(note.state, wanted.get(note.inputs))
      ? [`after input ${note.inputs} the state is ${JSON.stringify(note.state)}, not ${JSON.stringify(wanted.get(note.inputs))}`]
      : [],
  );
  const told = endsOf(notes).size;
  const missing = told === wanted.size ? [] : [`${told} of ${wanted.size} inputs were told as complete`];
  const failed = notes.flatMap((note) =>
    note.kind === "failed" && note.code !== "scheduler" ? [`it failed: ${note.code}: ${note.message}`] : [],
  );
  return [...wrong, ...missing, ...failed];
}

const workOf = (notes: readonly Note[]): ReadonlySet<string> =>
  new Set(notes.flatMap((note) => (note.kind === "ran" ? [`${note.step} ${note.entry} ${note.once ?? ""}`] : [])));

/** The same entries and sub-steps run in the same steps as without a kill: none is left out, none is added. */
function otherWork(notes: readonly Note[], expected: readonly Note[]): readonly string[] {
  const [own, wanted] = [workOf(notes), workOf(expected)];
  const added = [...own].filter((work) => !wanted.has(work)).map((work) => `${work} ran, which does not run`);
  const missed = [...wanted].filter((work) => !own.has(work)).map((work) => `${work} never ran`);
  return [...added, ...missed];
}

/** What was stored before is not run again: an entry, a sub-step, or a step that is done. */
function rerun(notes: readonly Note[]): readonly string[] {
  let done = 0;
  const results = new Set<string>();
  const once = new Set<string>();
  const stored = (note: Kind<"stored">): void => {
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
    if (note.kind === "returned") once.add(`${note.step} ${note.entry} ${note.once}`);
    return note.kind === "ran" ? (again(note) ?? []) : [];
  });
}

/** Every try of an entry has one key, and no two entries have the same, those of a fork included. */
function wrongKeys(notes: readonly Note[]): readonly string[] {
  const places = new Map<string, string>();
  const keys = new Map<string, string>();
  return notes.flatMap((note) => {
    if (note.kind !== "ran") return [];
    const place = `${note.session} ${note.step} ${note.entry}`;
    const [known = place, before = note.key] = [places.get(note.key), keys.get(place)];
    places.set(note.key, place);
    keys.set(place, note.key);
    return [
      ...(known === place ? [] : [`the key ${note.key} is that of ${known} and of ${place}`]),
      ...(before === note.key ? [] : [`${place} has the keys ${before} and ${note.key}`]),
    ];
  });
}

/** Once it was told as complete, nothing runs before its next input. */
function afterTheEnd(notes: readonly Note[]): readonly string[] {
  let isOver = false;
  return notes.flatMap((note) => {
    if (note.kind === "completed") isOver = true;
    if (note.kind === "begins" && note.by === "next") isOver = false;
    return note.kind === "ran" && isOver ? [`${note.entry} of step ${note.step} ran after it was told as complete`] : [];
  });
}

/** Each invocation writes under one epoch, which is above those of all before it. */
function wrongEpochs(notes: readonly Note[]): readonly string[] {
  let highest = -1;
  let isNew = false;
  return notes.flatMap((note) => {
    if (note.kind === "begins") isNew = true;
    if (note.kind !== "stored") return [];
    const { epoch } = note;
    const isRight = isNew ? epoch > highest : epoch === highest || highest === -1;
    const wrong = isRight
      ? []
      : [`epoch ${epoch} was written ${isNew ? "by an invocation" : "in the middle of one"} after epoch ${highest}`];
    isNew = false;
    highest = Math.max(highest, epoch);
    return wrong;
  });
}
