/** What to do first: every finding that somebody can act on, as a sentence with its numbers, the most urgent first. */
import { isOrphaned } from "../analysis/hot-spots.ts";
import type { Branches, Companion, History, HotSpot, Origin, Recommendation, Successors } from "../model.ts";
import { code, plain } from "./markdown.ts";
import { counted, date, number, percent } from "./words.ts";

export interface Findings {
  readonly origin: Origin;
  readonly history: History;
  readonly spots: readonly HotSpot[];
  readonly branches: Branches;
  readonly successors: readonly Successors[];
}

type Advice = (findings: Findings) => readonly Recommendation[];

const most = 8;
/** Of one kind, so that it does not fill the list. */
const mostOfAKind = 3;

function changed(spot: HotSpot, { history }: Findings): string {
  return history.since === null
    ? `changed ${counted(spot.changes, "time")} in all`
    : `changed ${counted(spot.recentChanges, "time")} since ${date(history.since)}`;
}

const partOfOwner = (spot: HotSpot): string => {
  const owner = spot.owners[0];
  return owner === undefined ? "nobody who is known" : `${plain(owner.name)} wrote ${percent(owner.share)}`;
};

function successorsOf({ successors }: Findings, { path }: HotSpot): string {
  const found = successors.find((candidate) => candidate.path === path);
  if (found === undefined) return "";
  if (found.people.length === 0) return " Nobody else lately worked in its folder.";
  const people = found.people.map(({ name, commits }) => `${plain(name)} (${counted(commits, "commit")})`).join(", ");
  return found.where === "file" ? ` Others who lately worked on it: ${people}.` : ` Lately active in its folder: ${people}.`;
}

const shallowClone: Advice = ({ origin }) => {
  if (!origin.shallow) return [];
  const why = `This clone holds the newest ${counted(origin.commits, "commit")} alone: every number here is a part.`;
  return [{ what: "Fetch the whole history (`git fetch --unshallow`) and measure again", why, urgency: 100 }];
};

const orphanedSpots: Advice = (findings) =>
  findings.spots
    .filter(isOrphaned)
    .slice(0, mostOfAKind)
    .map((spot) => {
      const gone = `${percent(spot.lost)} of its ${counted(spot.lines, "line")} were written by people who have committed nothing for half a year or longer`;
      const why = `${gone}; it ${changed(spot, findings)}. ${partOfOwner(spot)}.${successorsOf(findings, spot)}`;
      return { what: `Find a new owner for ${code(spot.path)}`, why, urgency: 40 * spot.lost + 0.6 * spot.heat };
    });

const largeFiles: Advice = (findings) =>
  findings.spots
    .filter(({ heat, lines, maxDepth }) => heat >= 40 && (lines > 500 || (lines > 200 && maxDepth >= 8)))
    .slice(0, mostOfAKind)
    .map((spot) => {
      const nested = spot.maxDepth === 0 ? "" : `, nested up to ${counted(spot.maxDepth, "level")} deep`;
      const [companion] = spot.companions;
      const along = companion === undefined ? "" : ` ${code(companion.path)} changed along in ${percent(companion.share)} of the commits.`;
      const why = `${counted(spot.lines, "line")}${nested}; it ${changed(spot, findings)}.${along}`;
      return { what: `Split ${code(spot.path)}`, why, urgency: 20 + 0.6 * spot.heat };
    });

/** A file that one person knows and who is still there: one recommendation for all of them. */
const knownByOne: Advice = (findings) => {
  const { spots, history } = findings;
  const alone = spots.filter((spot) => spot.busFactor === 1 && !isOrphaned(spot));
  const [first, ...others] = alone;
  if (first === undefined || history.people === 1) return [];
  const urgency = 10 + 0.6 * first.heat;
  const why = `${partOfOwner(first)} of its ${counted(first.lines, "line")}; it ${changed(first, findings)}.${successorsOf(findings, first)}`;
  if (others.length === 0) return [{ what: `Bring a second person into ${code(first.path)}`, why, urgency }];
  const next = others.slice(0, mostOfAKind).map((spot) => `${code(spot.path)} (${partOfOwner(spot)})`);
  const what = `Bring a second person into ${counted(alone.length, "hot spot")} that one person knows, ${code(first.path)} first`;
  return [{ what, why: `${why} Then ${next.join(", ")}.`, urgency }];
};

/** A file and its test, or its header, are meant to change together. */
function belongTogether(a: string, b: string): boolean {
  const stem = (path: string): string =>
    path
      .replace(/^.*\//, "")
      .replace(/\..*$/, "")
      .replace(/^test_|[_-](test|spec)$/i, "");
  return stem(a) === stem(b);
}

/** Pairs that change together although nothing in their names says so; each pair once. */
const hiddenTies: Advice = ({ spots }) => {
  const tie = (spot: HotSpot): Companion | undefined =>
    spot.companions.find(({ path, share, times }) => share >= 0.6 && times >= 5 && !belongTogether(path, spot.path));
  const seen = new Set<string>();
  const all = spots.flatMap((spot): readonly Recommendation[] => {
    const companion = tie(spot);
    if (companion === undefined || seen.has(companion.path)) return [];
    seen.add(spot.path);
    const why = `They changed in the same commit ${counted(companion.times, "time")}, ${percent(companion.share)} of the changes of the first. What they share may want a place of its own.`;
    return [{ what: `Look at what ties ${code(spot.path)} to ${code(companion.path)}`, why, urgency: 0.5 * spot.heat }];
  });
  return all.slice(0, mostOfAKind);
};

const fewPeople: Advice = ({ history }) => {
  const [first] = history.contributors;
  if (history.busFactor !== 1 || first === undefined) return [];
  const name = plain(first.name);
  const files = `the main author of ${number(first.files)} of ${counted(history.files.known, "file")}`;
  const isGone = !history.active.includes(first.name);
  const silent = `has committed nothing since ${date(first.lastCommit)}`;
  if (history.people === 1) {
    const why = `Everything was written by ${name}, ${files}`;
    return isGone
      ? [{ what: "Find a new maintainer", why: `${why}, who ${silent}: it has no owner now.`, urgency: 45 }]
      : [{ what: "Find a second maintainer", why: `${why}: nobody else could go on.`, urgency: 45 }];
  }
  // Who has gone can teach nobody.
  const why = isGone
    ? `${name} is ${files}, and ${silent}: what ${name} knew has no owner now.`
    : `${name} is ${files}. Reviews and pairing in the hot spots spread it at the least cost.`;
  return [{ what: isGone ? `Find owners for what ${name} knew` : `Spread what ${name} knows`, why, urgency: 55 }];
};

const orphanedFiles: Advice = ({ history, spots }) => {
  const listed = new Set(spots.map(({ path }) => path));
  const others = history.orphans.filter(({ path, recentChanges }) => recentChanges > 0 && !listed.has(path));
  if (others.length === 0) return [];
  const { orphaned, known } = history.files;
  const examples = others.slice(0, mostOfAKind).map(({ path, owner }) => `${code(path)} (${plain(owner)})`);
  const why = `People who have gone are the main authors of ${counted(orphaned, "file")} (${percent(orphaned / known)}). Others still change ${examples.join(", ")}.`;
  return [{ what: "Name owners for files that outlived their authors", why, urgency: 25 + (50 * orphaned) / known }];
};

const mergedBranches: Advice = ({ branches: { staleMerged } }) => {
  if (staleMerged === 0) return [];
  const why = "All of it is merged, and nothing has happened there for 90 days: it can go without a loss.";
  return [{ what: `Delete ${counted(staleMerged, "merged branch", "merged branches")}`, why, urgency: 10 + Math.min(20, staleMerged) }];
};

const forgottenBranches: Advice = ({ branches }) =>
  branches.oldest
    .filter(({ merged }) => !merged)
    .toSorted((a, b) => (b.ahead ?? 0) - (a.ahead ?? 0))
    .slice(0, mostOfAKind)
    .map(({ name, author, ahead, behind, lastCommit }) => {
      const state = ahead === null ? "its commits are not merged" : `${counted(ahead, "commit")} not merged, ${number(behind ?? 0)} behind`;
      const why = `Last touched on ${date(lastCommit)} by ${plain(author)}; ${state}. Merge it, or close it and keep a tag.`;
      return { what: `Decide on the branch ${code(name)}`, why, urgency: 20 + Math.min(20, ahead ?? 0) };
    });

const advice: readonly Advice[] = [
  shallowClone,
  orphanedSpots,
  largeFiles,
  knownByOne,
  hiddenTies,
  fewPeople,
  orphanedFiles,
  mergedBranches,
  forgottenBranches,
];

/** Eight at most. */
export function recommend(findings: Findings): readonly Recommendation[] {
  const all = advice.flatMap((advise) => advise(findings));
  return all.toSorted((a, b) => b.urgency - a.urgency).slice(0, most);
}
