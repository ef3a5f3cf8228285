/** One number for a repository, and the reasons for it. */
import type { Branches, Health, History, HotSpot, Signal } from "../model.ts";

const percent = (part: number): string => `${Math.round(part * 100)} %`;
const partOf = (count: number, all: number): number => (all === 0 ? 0 : count / all);

function signal(name: string, of: number, part: number, finding: string): Signal {
  return { name, finding, lost: Math.round(of * Math.min(1, part)), of };
}

const busFactorParts: readonly number[] = [1, 1, 0.6, 0.3];

function signals(history: History, spots: readonly HotSpot[], branches: Branches): readonly Signal[] {
  const { known, orphaned } = history.files;
  const people = history.busFactor ?? 0;
  const alone = spots.filter((spot) => spot.busFactor === 1).length;
  const large = spots.filter((spot) => spot.lines > 500).length;
  const unmerged = branches.stale - branches.staleMerged;
  const main = people === 1 ? "One person is the main author" : `${people} people are the main authors`;
  const has = (count: number): string => (count === 1 ? "has" : "have");
  return [
    signal("Bus factor", 20, busFactorParts[people] ?? 0, `${main} of more than half of the files.`),
    signal("Knowledge in one head", 25, partOf(alone, spots.length), `One person wrote most of ${alone} of ${spots.length} hot spots.`),
    signal("Knowledge loss", 30, partOf(orphaned, known), `The main author of ${percent(partOf(orphaned, known))} of the files has gone.`),
    signal("Large hot spots", 15, partOf(large, spots.length), `${large} of ${spots.length} hot spots ${has(large)} more than 500 lines.`),
    signal(
      "Forgotten work",
      10,
      unmerged / 10,
      `${unmerged} stale ${unmerged === 1 ? "branch" : "branches"} ${has(unmerged)} commits that are not merged.`,
    ),
  ];
}

/** Every signal costs points of 100. Without a file whose author is known there is no score. */
export function healthOf(history: History, spots: readonly HotSpot[], branches: Branches): Health {
  if (history.files.known === 0) return { score: null, verdict: "not measurable", signals: [] };
  const found = signals(history, spots, branches);
  const score = 100 - found.reduce((sum, { lost }) => sum + lost, 0);
  return { score, verdict: score >= 75 ? "healthy" : score >= 50 ? "needs attention" : "at risk", signals: found };
}
