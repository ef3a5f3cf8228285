/** From sums to what is kept: the files to look into, and the history in a few numbers. */
import type { Contributor, History, HotFile, OrphanedFile } from "../model.ts";
import { fewestForHalf, ranked, sumOf } from "./people.ts";
import type { Tally } from "./tally.ts";
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
    if (found === undefined || file.binary || found.bytes === 0 || found.bytes > mostBytes) continue;
    const { changes, recentChanges, lastChange } = file;
    if (recent && recentChanges === 0) continue;
    const [added, deleted] = recent ? [file.recentAdded, file.recentDeleted] : [file.added, file.deleted];
    all.push({ path, formerPaths: file.formerPaths.slice(0, 5), ...found, changes, recentChanges, added, deleted, lastChange });
  }
  const order = (a: HotFile, b: HotFile): number =>
    b.recentChanges - a.recentChanges || b.changes - a.changes || b.bytes - a.bytes || (a.path < b.path ? -1 : 1);
  return all.toSorted(order).slice(0, most);
}

interface Ownerships {
  readonly filesByOwner: ReadonlyMap<string, number>;
  readonly orphans: readonly OrphanedFile[];
}

function ownerships(tally: Tally): Ownerships {
  const filesByOwner = new Map<string, number>();
  const orphans: OrphanedFile[] = [];
  for (const [path, file] of tally.files) {
    const [owner, lines] = ranked(file.authors)[0] ?? [];
    if (owner === undefined || lines === undefined) continue;
    filesByOwner.set(owner, (filesByOwner.get(owner) ?? 0) + 1);
    const ownerLastSeen = tally.people.get(owner)?.lastCommit ?? 0;
    if (tally.measuredAt - ownerLastSeen < goneAfter) continue;
    const share = lines / sumOf(file.authors.values());
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
