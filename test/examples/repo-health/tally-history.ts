/** Run by Node itself, with little memory: reads the history of the repository that it is given, and prints how many commits there were. */
import { count, createTally } from "../../../examples/repo-health/analysis/tally.ts";
import { hotFiles } from "../../../examples/repo-health/analysis/summary.ts";
import { openGit } from "../../../examples/repo-health/git/git.ts";
import { type Commit, logArguments, readLog } from "../../../examples/repo-health/git/log.ts";
import { readTree, treeArguments } from "../../../examples/repo-health/git/tree.ts";

const [, , folder = ".", keep] = process.argv;
const { signal } = new AbortController();
const git = openGit();
const files = await readTree(git.pieces(folder, treeArguments("main"), { signal }));
const origin = { root: folder, name: "", commit: "main", branch: "main", shallow: false, commits: 0, measuredAt: Date.now() };
const tally = createTally(origin, { files, isNoise: () => false, months: 12 });
const kept: Commit[] = [];
for await (const commit of readLog(git.pieces(folder, logArguments("main"), { signal }))) {
  count(tally, commit);
  // To see that the memory would not do for all commits at once.
  if (keep === "keep") kept.push(commit);
}
console.log(JSON.stringify({ commits: tally.commits, hot: hotFiles(tally, 3).length, kept: kept.length }));
