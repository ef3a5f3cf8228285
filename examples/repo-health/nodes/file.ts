/** Looks into one file: who wrote its lines, when it changed and what along with it, how deep and long it is. Three commands at once, and many files at once. */
import type { NodeOf } from "spanloom";
import { fileHistory } from "../analysis/companions.ts";
import { noiseFilter, usualNoise } from "../analysis/noise.ts";
import { ownershipOf } from "../analysis/people.ts";
import { shapeOf } from "../analysis/shape.ts";
import { type base, known, type Located, located } from "../base.ts";
import { blameArguments, readBlame } from "../git/blame.ts";
import type { Git, GitOptions } from "../git/git.ts";
import { logArguments, readLog } from "../git/log.ts";
import { readTree, treeArguments } from "../git/tree.ts";
import type { Companion } from "../model.ts";

/** Those that the commit still has, three at most. */
async function existing(git: Git, origin: Located, companions: readonly Companion[], options: GitOptions): Promise<readonly Companion[]> {
  if (companions.length === 0) return [];
  const paths = companions.map(({ path }) => path);
  const tree = await readTree(git.pieces(origin.root, [...treeArguments(origin.commit), "--", ...paths], options));
  return companions.filter(({ path }) => tree.has(path)).slice(0, 3);
}

export const measureFile: NodeOf<typeof base, "file"> = async (state, { input, services: { git }, signal, emit }) => {
  const origin = located(state.origin);
  const { root, commit, shallow, measuredAt } = origin;
  const { since, active } = known(state.history, "history");
  const { rank, of, ...file } = input;
  const isNoise = noiseFilter([...usualNoise, ...state.ignore]);
  const names = [file.path, ...file.formerPaths];
  // `--full-diff`: of each commit that touched the file, the other files as well.
  const options = ["--full-diff", "--no-merges", ...(since === null ? [] : [`--max-age=${Math.floor(since / 1_000)}`])];
  const [lines, history, text] = await Promise.all([
    readBlame(git.pieces(root, blameArguments(commit, file.path), { signal, separator: "\n" }), shallow),
    fileHistory(readLog(git.pieces(root, logArguments(commit, options, names), { signal })), { names, measuredAt, cutOff: shallow }),
    git.text(root, ["cat-file", "blob", file.object], { signal }),
  ]);
  const meant = history.companions.filter(({ path }) => !isNoise(path));
  const companions = await existing(git, origin, meant, { signal });
  const ownership = ownershipOf(lines, new Set(active));
  emit("measured", { file: file.path, rank, of, busFactor: ownership.busFactor });
  return { measured: [{ ...file, ...shapeOf(text), ...ownership, months: history.months, companions }] };
};
