/** Which files change together with one, and when it changed: from the commits that touched it. */
import type { Commit } from "../git/log.ts";
import type { Companion } from "../model.ts";
import { lastMonths, monthOf } from "./time.ts";

/** A commit of more files (a new layout, another licence) says nothing on what belongs together. */
const mostFiles = 30;
/** Fewer times may be chance. */
const fewestTimes = 3;

export interface FileHistory {
  /** Commits in each of the last twelve months, oldest first. */
  readonly months: readonly number[];
  /** Most often first; they may be gone by now. */
  readonly companions: readonly Companion[];
}

export interface FileHistoryOptions {
  /** The file's own, former ones included. */
  readonly names: readonly string[];
  readonly measuredAt: number;
  /** The history ends somewhere, where git shows every file as new. */
  readonly cutOff: boolean;
}

export async function fileHistory(commits: AsyncIterable<Commit>, options: FileHistoryOptions): Promise<FileHistory> {
  const { names, measuredAt, cutOff } = options;
  const own = new Set(names);
  const months = new Map(lastMonths(measuredAt).map((month) => [month, 0]));
  const times = new Map<string, number>();
  let changes = 0;
  for await (const commit of commits) {
    if (commit.parents > 1 || (cutOff && commit.parents === 0)) continue;
    changes += 1;
    const month = monthOf(Math.min(commit.time, measuredAt));
    const known = months.get(month);
    if (known !== undefined) months.set(month, known + 1);
    if (commit.changes.length > mostFiles) continue;
    for (const { path } of commit.changes) if (!own.has(path)) times.set(path, (times.get(path) ?? 0) + 1);
  }
  const companions = Array.from(times, ([path, count]): Companion => ({ path, times: count, share: count / changes }))
    .filter((companion) => companion.times >= fewestTimes)
    .toSorted((a, b) => b.times - a.times || (a.path < b.path ? -1 : 1));
  return { months: [...months.values()], companions: companions.slice(0, 10) };
}
