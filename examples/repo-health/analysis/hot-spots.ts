/** Churn × size: a large file that changes often is where work and mistakes gather. */
import type { HotSpot, MeasuredFile } from "../model.ts";

/** Hottest first. The most changed file, were it also the longest, has 100; length counts by its logarithm, so that one huge file does not hide the rest. */
export function hotSpots(files: readonly MeasuredFile[], recent: boolean): readonly HotSpot[] {
  const changesOf = (file: MeasuredFile): number => (recent ? file.recentChanges : file.changes);
  const sizeOf = (file: MeasuredFile): number => Math.log2(1 + file.lines);
  const mostChanges = Math.max(1, ...files.map(changesOf));
  const largest = Math.max(1, ...files.map(sizeOf));
  const spots = files.map((file): HotSpot => {
    const heat = Math.round((100 * changesOf(file) * sizeOf(file)) / (mostChanges * largest));
    return { ...file, heat };
  });
  return spots.toSorted((a, b) => b.heat - a.heat || b.lines - a.lines || (a.path < b.path ? -1 : 1));
}

/** More than half of it was written by people who have gone. */
export const isOrphaned = (spot: HotSpot): boolean => spot.lost > 0.5;
