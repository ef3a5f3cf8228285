/** The history as sums. It grows with the files and the people there are, never with the number of commits. */
import type { Change, Commit } from "../git/log.ts";
import type { TreeFile } from "../git/tree.ts";
import type { Origin } from "../model.ts";
import { isBot } from "./people.ts";
import { day, lastMonths, monthOf, monthsBefore } from "./time.ts";

interface FileTally {
  changes: number;
  recentChanges: number;
  added: number;
  deleted: number;
  recentAdded: number;
  recentDeleted: number;
  lastChange: number;
  binary: boolean;
  readonly formerPaths: string[];
  readonly authors: Map<string, AuthorTally>;
}

export interface AuthorTally {
  changes: number;
  /** Lines added. */
  lines: number;
}

interface PersonTally {
  commits: number;
  lastCommit: number;
}

interface MonthTally {
  commits: number;
  added: number;
  deleted: number;
  readonly people: Set<string>;
}

interface PaceTally {
  commits: number;
  lines: number;
}

export interface Tally {
  readonly measuredAt: number;
  readonly recentSince: number;
  readonly shallow: boolean;
  readonly isNoise: (path: string) => boolean;
  /** Files, links and submodules that exist, noise left out. Others that there were count in the sums of lines alone. */
  readonly tree: ReadonlyMap<string, TreeFile>;
  readonly files: Map<string, FileTally>;
  /** Today's name of a file, by a name that it had. */
  readonly currentNames: Map<string, string>;
  readonly people: Map<string, PersonTally>;
  readonly months: ReadonlyMap<string, MonthTally>;
  readonly pace: { readonly now: PaceTally; readonly before: PaceTally };
  commits: number;
  merges: number;
  firstCommit: number;
  lastCommit: number;
}

export interface TallyOptions {
  /** Of the commit. */
  readonly files: ReadonlyMap<string, TreeFile>;
  readonly isNoise: (path: string) => boolean;
  /** What counts as recent. */
  readonly months: number;
}

export function createTally({ measuredAt, shallow }: Origin, { files, isNoise, months }: TallyOptions): Tally {
  return {
    measuredAt,
    recentSince: monthsBefore(measuredAt, months),
    shallow,
    isNoise,
    tree: new Map([...files].filter(([path]) => !isNoise(path))),
    files: new Map(),
    currentNames: new Map(),
    people: new Map(),
    months: new Map(lastMonths(measuredAt).map((month) => [month, { commits: 0, added: 0, deleted: 0, people: new Set<string>() }])),
    pace: { now: { commits: 0, lines: 0 }, before: { commits: 0, lines: 0 } },
    commits: 0,
    merges: 0,
    firstCommit: Number.POSITIVE_INFINITY,
    lastCommit: Number.NEGATIVE_INFINITY,
  };
}

/** Commits come newest first, so a rename is met before the changes under the old name. */
function fileOf(tally: Tally, { path, from }: Change): FileTally | undefined {
  const name = tally.currentNames.get(path) ?? path;
  if (from !== undefined) tally.currentNames.set(from, name);
  if (!tally.tree.has(name)) return undefined;
  let file = tally.files.get(name);
  if (file === undefined) {
    const nothing = { changes: 0, recentChanges: 0, added: 0, deleted: 0, recentAdded: 0, recentDeleted: 0, lastChange: 0, binary: false };
    file = { ...nothing, formerPaths: [], authors: new Map() };
    tally.files.set(name, file);
  }
  if (from !== undefined && from !== name && !file.formerPaths.includes(from)) file.formerPaths.push(from);
  return file;
}

function countChange(tally: Tally, change: Change, author: string, time: number): void {
  const file = fileOf(tally, change);
  if (file === undefined) return;
  const { added = 0, deleted = 0 } = change;
  if (file.changes === 0) file.binary = change.added === undefined;
  file.changes += 1;
  file.added += added;
  file.deleted += deleted;
  file.lastChange = Math.max(file.lastChange, time);
  if (time >= tally.recentSince) {
    file.recentChanges += 1;
    file.recentAdded += added;
    file.recentDeleted += deleted;
  }
  if (isBot(author)) return;
  const own = file.authors.get(author) ?? { changes: 0, lines: 0 };
  own.changes += 1;
  own.lines += added;
  file.authors.set(author, own);
}

function countPerson(tally: Tally, author: string, time: number): void {
  const person = tally.people.get(author) ?? { commits: 0, lastCommit: time };
  person.commits += 1;
  person.lastCommit = Math.max(person.lastCommit, time);
  tally.people.set(author, person);
}

function countTime(tally: Tally, author: string, time: number, added: number, deleted: number): void {
  const month = tally.months.get(monthOf(time));
  if (month !== undefined) {
    month.commits += 1;
    month.added += added;
    month.deleted += deleted;
    month.people.add(author);
  }
  const age = tally.measuredAt - time;
  const pace = age < 90 * day ? tally.pace.now : age < 180 * day ? tally.pace.before : undefined;
  if (pace === undefined) return;
  pace.commits += 1;
  pace.lines += added + deleted;
}

/** Takes in one commit, in place. */
export function count(tally: Tally, commit: Commit): void {
  const { author, parents } = commit;
  // A clock that was ahead makes no activity of the future.
  const time = Math.min(commit.time, tally.measuredAt);
  tally.commits += 1;
  if (parents > 1) tally.merges += 1;
  tally.firstCommit = Math.min(tally.firstCommit, time);
  tally.lastCommit = Math.max(tally.lastCommit, time);
  if (!isBot(author)) countPerson(tally, author, time);
  // Where a shallow history is cut off, git shows every file as new: nobody's work.
  const changes = tally.shallow && parents === 0 ? [] : commit.changes;
  let [added, deleted] = [0, 0];
  for (const change of changes) {
    if (tally.isNoise(change.path)) continue;
    added += change.added ?? 0;
    deleted += change.deleted ?? 0;
    countChange(tally, change, author, time);
  }
  countTime(tally, author, time, added, deleted);
}
