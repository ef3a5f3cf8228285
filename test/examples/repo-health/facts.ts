/** Findings to judge and to write about, each with what a test says about it. */
import type { Branches, History, HotSpot, MeasuredFile, Origin } from "../../../examples/repo-health/model.ts";
import { daysAgo, today } from "./repository.ts";

export const origin: Origin = {
  root: "/r",
  name: "r",
  commit: "0123456789abcdef",
  branch: "main",
  shallow: false,
  commits: 100,
  measuredAt: today,
};

export function history(facts: Partial<History> = {}): History {
  return {
    firstCommit: daysAgo(1_000),
    lastCommit: daysAgo(1),
    merges: 0,
    people: 3,
    active: ["Bea"],
    contributors: [{ name: "Bea", commits: 50, files: 6, lastCommit: daysAgo(1) }],
    busFactor: 2,
    files: { known: 10, ignored: 0, orphaned: 0 },
    since: daysAgo(365),
    changes: { all: 100, hot: 40 },
    months: [{ month: "2026-06", commits: 1, people: 1, added: 1, deleted: 1 }],
    pace: { now: { commits: 1, lines: 10 }, before: { commits: 1, lines: 20 } },
    orphans: [],
    ...facts,
  };
}

export function measured(facts: Partial<MeasuredFile> = {}): MeasuredFile {
  return {
    path: "src/a.ts",
    formerPaths: [],
    object: "0",
    bytes: 1_000,
    changes: 10,
    recentChanges: 10,
    added: 100,
    deleted: 10,
    lastChange: daysAgo(1),
    lines: 100,
    meanDepth: 1,
    maxDepth: 3,
    owners: [{ name: "Bea", lines: 60, share: 0.6 }],
    people: 2,
    busFactor: 1,
    lost: 0,
    months: Array.from({ length: 12 }, () => 0),
    companions: [],
    ...facts,
  };
}

export const spot = (facts: Partial<HotSpot> = {}): HotSpot => ({ ...measured(), heat: 50, ...facts });

export const branches = (facts: Partial<Branches> = {}): Branches => ({ total: 1, stale: 0, staleMerged: 0, oldest: [], ...facts });
