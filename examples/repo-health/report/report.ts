/** The report as one Markdown text. */
import type { ErrorRecord } from "spanloom";
import type { Findings } from "./recommend.ts";
import type { Health, Origin, Recommendation, UnmeasuredFile } from "../model.ts";
import { code, plain } from "./markdown.ts";
import { actionSection, branchSection, hotSpotSection, lossSection, ownershipSection, trendSection, verdictSection } from "./sections.ts";
import { counted, date, number, span } from "./words.ts";

export interface ReportInput extends Findings {
  readonly health: Health;
  readonly recommendations: readonly Recommendation[];
  readonly unmeasured: readonly UnmeasuredFile[];
  readonly errors: readonly ErrorRecord[];
}

const title = (origin: Origin): string => `# Repository health: ${plain(origin.name)}`;

function facts({ origin, history }: ReportInput): string {
  const where = origin.branch === null ? "no branch" : code(origin.branch);
  const age = `${counted(origin.commits, "commit")} in ${span(history.firstCommit, history.lastCommit)}, the last on ${date(history.lastCommit)}`;
  const files = `${counted(history.files.known, "file")} with a known author, ${number(history.files.ignored)} left out as noise`;
  return `${where} at ${code(origin.commit?.slice(0, 12) ?? "")} · ${age} · ${files} · measured on ${date(origin.measuredAt)}`;
}

const partial = (origin: Origin): string =>
  `> **Partial numbers.** This is a shallow clone: only the newest ${counted(origin.commits, "commit")} can be seen. Run \`git fetch --unshallow\` and measure again.`;

function problems(errors: readonly ErrorRecord[]): string {
  return errors.map(({ node, error }) => `- ${node === undefined ? "" : `${code(node)}: `}${plain(error.message)}`).join("\n");
}

const method = `- **Change**: a commit that touched the file, under its former names too; merges count as commits, not as changes. Lock files, generated and vendored files are left out.
- **Heat**: churn × size; the most changed file, were it also the longest, has 100.
- **Depth**: mean (deepest) level of indentation, in any language.
- **Owner** of a hot spot: who wrote most of the lines that are there today (\`git blame\`). **Main author** of any other file: who added the most lines to it over time, or changed it most often where that does not decide.
- **Bus factor**: the fewest people who together wrote more than half.
- **Gone**: no commit for 180 days. **Lost**: the part of the lines that people wrote who have gone.
- **Stale**: no commit on the branch for 90 days; branches of bots and of releases, default branches and those checked out are left out.
- People are told apart by name, as \`.mailmap\` has it; bots are left out.`;

/** What there is to say of a repository without a commit. */
export function emptyReport(origin: Origin): string {
  const branch = origin.branch === null ? "" : ` on ${code(origin.branch)}`;
  return `${title(origin)}\n\nThere is no commit${branch} yet: nothing to measure. Commit something, or name a branch that has commits as \`revision\`.\n`;
}

export function fullReport(input: ReportInput): string {
  const { origin, history, spots, health, branches } = input;
  const sections: readonly (readonly [string, string])[] = [
    ["What to do first", actionSection(input.recommendations)],
    ["Score", verdictSection(health)],
    ["Hot spots", hotSpotSection(history, spots, input.unmeasured)],
    ["Who knows what", ownershipSection(history, spots, origin)],
    ["Churn", trendSection(history)],
    ["Knowledge loss", lossSection(history, origin)],
    ["Branches", branchSection(branches, origin)],
    ["Problems while measuring", problems(input.errors)],
    ["How this was measured", method],
  ];
  const head = [title(origin), facts(input), ...(origin.shallow ? [partial(origin)] : [])];
  const body = sections.filter(([, text]) => text !== "").map(([heading, text]) => `## ${heading}\n\n${text}`);
  return `${[...head, ...body].join("\n\n")}\n`;
}
