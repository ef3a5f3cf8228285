/** From sums to what is kept: the files to look into, and the history in a few numbers. */
import type { Contributor, History, HotFile, OrphanedFile } from "../model.ts";
import { fewestForHalf, sumOf } from "./people.ts";
import type { AuthorTally, Tally } from "./tally.ts";
import { day } from "./time.ts";

/** After so long without a commit, a person counts as gone. */
export const goneAfter = 180 * day;

/** Larger files are data: their lines are not read. */
const mostBytes = 2_000_000;

/** Whether anything happened in the period; otherwise the whole history is what there is to look at. */
function isRecent(tally: Tally): boolean {
  return [...tally.files.values()].some((file) => file.recentChanges > 0);
}

/** The most changed text files, most changes first. */
export function hotFiles(tally: Tally, most: number): readonly HotFile[] {
  const all: HotFile[] = [];
  const recent = isRecent(tally);
  for (const [path, file] of tally.files) {
    const found = tally.tree.get(path);
    if (found === undefined || !found.regular || file.binary || found.bytes === 0 || found.bytes > mostBytes) continue;
    const { changes, recentChanges, lastChange } = file;
    const { object, bytes } = found;
    if (recent && recentChanges === 0) continue;
    const [added, deleted] = recent ? [file.recentAdded, file.recentDeleted] : [file.added, file.deleted];
    all.push({ path, formerPaths: file.formerPaths.slice(0, 5), object, bytes, changes, recentChanges, added, deleted, lastChange });
  }
  const order = (a: HotFile, b: HotFile): number =>
    b.recentChanges - a.recentChanges || b.changes - a.changes || b.bytes - a.bytes || (a.path < b.path ? -1 : 1);
  return all.toSorted(order).slice(0, most);
}

/** Who added the most lines, and the part of them. Changes decide between equals, and alone where nobody added a line: a binary file has none. */
function mainAuthor(authors: ReadonlyMap<string, AuthorTally>): { readonly owner: string; readonly share: number } | undefined {
  const [first] = [...authors].toSorted(([a, m], [b, n]) => n.lines - m.lines || n.changes - m.changes || (a < b ? -1 : 1));
  if (first === undefined) return undefined;
  const [owner, own] = first;
  const unit = own.lines === 0 ? "changes" : "lines";
  return { owner, share: own[unit] / sumOf(Array.from(authors.values(), (author) => author[unit])) };
}

interface Ownerships {
  readonly filesByOwner: ReadonlyMap<string, number>;
  readonly orphans: readonly OrphanedFile[];
}

function ownerships(tally: Tally): Ownerships {
  const filesByOwner = new Map<string, number>();
  const orphans: OrphanedFile[] = [];
  for (const [path, file] of tally.files) {
    const main = mainAuthor(file.authors);
    if (main === undefined) continue;
    const { owner, share } = main;
    filesByOwner.set(owner, (filesByOwner.get(owner) ?? 0) + 1);
    const ownerLastSeen = tally.people.get(owner)?.lastCommit ?? 0;
    if (tally.measuredAt - ownerLastSeen < goneAfter) continue;
    orphans.push({ path, owner, share, ownerLastSeen, recentChanges: file.recentChanges });
  }
  return { filesByOwner, orphans };
}

function contributors(tally: Tally, filesByOwner: ReadonlyMap<string, number>): readonly Contributor[] {
  const all = Array.from(tally.people, ([name, person]): Contributor => ({ name, ...person, files: filesByOwner.get(name) ?? 0 }));
  return all.toSorted((a, b) => b.files - a.files || b.commits - a.commits || (a.name < b.name ? -1 : 1)).slice(0, 10);
}

function changesOf(tally: Tally, hot: readonly HotFile[]): History["changes"] {
  const key = isRecent(tally) ? "recentChanges" : "changes";
  return { all: sumOf(Array.from(tally.files.values(), (file) => file[key])), hot: sumOf(hot.map((file) => file[key])) };
}

/** `ignored`: how many files were left out as noise. */
export function summarise(tally: Tally, hot: readonly HotFile[], ignored: number): History {
  const { filesByOwner, orphans } = ownerships(tally);
  const mostWanted = (a: OrphanedFile, b: OrphanedFile): number =>
    b.recentChanges - a.recentChanges || b.share - a.share || (a.path < b.path ? -1 : 1);
  return {
    firstCommit: tally.firstCommit,
    lastCommit: tally.lastCommit,
    merges: tally.merges,
    people: tally.people.size,
    active: Array.from(tally.people).flatMap(([name, { lastCommit }]) => (tally.measuredAt - lastCommit < goneAfter ? [name] : [])),
    contributors: contributors(tally, filesByOwner),
    busFactor: fewestForHalf(filesByOwner),
    files: { known: sumOf(filesByOwner.values()), ignored, orphaned: orphans.length },
    since: isRecent(tally) ? tally.recentSince : null,
    changes: changesOf(tally, hot),
    months: Array.from(tally.months, ([month, { people, ...sums }]) => ({ month, ...sums, people: people.size })),
    pace: tally.pace,
    orphans: orphans.toSorted(mostWanted).slice(0, 20),
  };
}
