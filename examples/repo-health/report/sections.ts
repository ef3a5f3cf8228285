/** The parts of the report, each from what it is about. */
import { isOrphaned } from "../analysis/hot-spots.ts";
import type { Branches, Health, History, HotSpot, Origin, Recommendation, UnmeasuredFile } from "../model.ts";
import { code, plain, table } from "./markdown.ts";
import { counted, date, number, percent, span, sparkline } from "./words.ts";

export function verdictSection(health: Health): string {
  if (health.score === null) return "**Not measurable:** no file has a change in the part of the history that is here.";
  const rows = health.signals.map(({ name, finding, lost, of }) => [name, finding, lost === 0 ? "0" : `−${lost}`, number(of)]);
  return [`**${health.score} of 100: ${health.verdict}.** What it costs:`, table(["Signal", "Finding", "Points:", "At most:"], rows)].join(
    "\n\n",
  );
}

export function actionSection(recommendations: readonly Recommendation[]): string {
  if (recommendations.length === 0) return "Nothing stands out. Measure again in a quarter.";
  return recommendations.map(({ what, why }, index) => `${index + 1}. **${what}.** ${why}`).join("\n");
}

const periodOf = ({ since }: History): string =>
  since === null ? "in the whole history, as nothing changed lately" : `since ${date(since)}`;

export function hotSpotSection(history: History, spots: readonly HotSpot[], unmeasured: readonly UnmeasuredFile[]): string {
  const { all, hot } = history.changes;
  const these = spots.length === 1 ? "This one takes" : `These ${number(spots.length)} take`;
  const intro = `Large files that change often, ${periodOf(history)}. ${these} ${percent(all === 0 ? 0 : hot / all)} of all changes of files.`;
  const headings = ["File", "Heat:", "Changes:", "Lines:", "Depth:", "+ / − lines:", "Last twelve months", "Changes along with it"];
  const rows = spots.map((spot) => [
    code(spot.path),
    number(spot.heat),
    number(history.since === null ? spot.changes : spot.recentChanges),
    number(spot.lines),
    `${spot.meanDepth.toFixed(1)} (${spot.maxDepth})`,
    `+${number(spot.added)} / −${number(spot.deleted)}`,
    sparkline(spot.months),
    spot.companions.map(({ path, share }) => `${code(path)} ${percent(share)}`).join(", "),
  ]);
  const left = unmeasured.map(({ path, reason }) => `- ${code(path)} could not be looked into: ${plain(reason)}`);
  return [spots.length === 0 ? "No text file has changed." : `${intro}\n\n${table(headings, rows)}`, left.join("\n")]
    .filter((part) => part !== "")
    .join("\n\n");
}

function ownershipRow(spot: HotSpot): readonly string[] {
  const owners = spot.owners.slice(0, 3).map(({ name, share }) => `${plain(name)} ${percent(share)}`);
  const factor = spot.busFactor === null ? "unknown" : number(spot.busFactor);
  return [
    code(spot.path),
    factor,
    owners.join(", "),
    number(spot.people),
    isOrphaned(spot) ? `**${percent(spot.lost)}**` : percent(spot.lost),
  ];
}

export function ownershipSection(history: History, spots: readonly HotSpot[], origin: Origin): string {
  const { busFactor, files, contributors, people, active } = history;
  const whole =
    busFactor === null
      ? "Who wrote the files is not in this history."
      : `**Bus factor ${busFactor}:** so few people are the main authors of more than half of the ${counted(files.known, "file")}. ${counted(people, "person", "people")} took part, ${number(active.length)} of them in the last half year.`;
  const rows = contributors.map(({ name, commits, files: main, lastCommit }) => {
    const seen = active.includes(name) ? date(lastCommit) : `**${date(lastCommit)}** (${span(lastCommit, origin.measuredAt)} ago)`;
    return [plain(name), number(main), number(commits), seen];
  });
  const parts = [whole, table(["Person", "Main author of files:", "Commits:", "Last commit"], rows)];
  if (spots.length === 0) return parts.join("\n\n");
  const note = "Of the hot spots, by the lines that are there today:";
  return [...parts, note, table(["File", "Bus factor:", "Owners", "People:", "Lost:"], spots.map(ownershipRow))].join("\n\n");
}

export function trendSection(history: History): string {
  const { now, before } = history.pace;
  const change = before.lines === 0 ? "" : ` (${now.lines >= before.lines ? "+" : "−"}${percent(Math.abs(now.lines / before.lines - 1))})`;
  const sentence = `In the last 90 days ${counted(now.commits, "commit")} changed ${counted(now.lines, "line")}; in the 90 days before, ${counted(before.commits, "commit")} changed ${number(before.lines)}${change}.`;
  const most = Math.max(1, ...history.months.map(({ added, deleted }) => added + deleted));
  const rows = history.months.map(({ month, commits, people, added, deleted }) => {
    const bar = "█".repeat(Math.ceil((20 * (added + deleted)) / most));
    return [month, number(commits), number(people), `+${number(added)}`, `−${number(deleted)}`, bar];
  });
  return [sentence, table(["Month", "Commits:", "People:", "Added:", "Deleted:", "Lines changed"], rows)].join("\n\n");
}

export function lossSection(history: History, origin: Origin): string {
  const { orphaned, known } = history.files;
  if (orphaned === 0) return "Every file's main author has committed something in the last half year.";
  const intro = `${counted(orphaned, "file")} of ${number(known)} (${percent(orphaned / known)}) ${orphaned === 1 ? "was" : "were"} mainly written by people who have committed nothing for half a year or longer. Those that others still change come first.`;
  const rows = history.orphans.map(({ path, owner, share, ownerLastSeen, recentChanges }) => [
    code(path),
    plain(owner),
    percent(share),
    `${date(ownerLastSeen)} (${span(ownerLastSeen, origin.measuredAt)} ago)`,
    number(recentChanges),
  ]);
  return [intro, table(["File", "Main author", "Wrote:", "Last seen", "Recent changes:"], rows)].join("\n\n");
}

export function branchSection({ total, stale, staleMerged, oldest }: Branches, origin: Origin): string {
  if (stale === 0) return `${counted(total, "branch", "branches")}, none of them stale (untouched for 90 days).`;
  const intro = `${number(stale)} of ${counted(total, "branch", "branches")} have not been touched for 90 days; ${number(staleMerged)} of these are merged.${stale > oldest.length ? ` The oldest ${oldest.length}:` : ""}`;
  const rows = oldest.map(({ name, author, lastCommit, merged, ahead, behind }) => [
    code(name),
    plain(author),
    `${date(lastCommit)} (${span(lastCommit, origin.measuredAt)} ago)`,
    merged ? "merged: can go" : ahead === null ? "not merged" : `${counted(ahead, "commit")} not merged, ${number(behind ?? 0)} behind`,
  ]);
  return [intro, table(["Branch", "Author", "Last commit", "State"], rows)].join("\n\n");
}
