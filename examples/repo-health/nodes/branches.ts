/** Finds the branches that nobody works on any more, and how far they are from the measured commit. */
import type { NodeOf } from "spanloom";
import { staleBranches } from "../analysis/branches.ts";
import { type base, located } from "../base.ts";
import { type BranchRef, readRefs, refArguments } from "../git/refs.ts";
import type { StaleBranch } from "../model.ts";

const mostListed = 20;

export const readBranches: NodeOf<typeof base, "branches"> = async (state, { services: { git }, signal, heartbeat, emit, reportError }) => {
  const { root, commit, branch, measuredAt } = located(state.origin);
  const refs = readRefs(await git.text(root, refArguments(), { signal }));
  const stale = staleBranches(refs, branch, measuredAt);
  const merged = new Set(readRefs(await git.text(root, refArguments(commit), { signal })).map(({ ref }) => ref));
  heartbeat();

  const distance = async ({ ref }: BranchRef): Promise<Pick<StaleBranch, "ahead" | "behind">> => {
    try {
      const counts = await git.text(root, ["rev-list", "--left-right", "--count", `${commit}...${ref}`], { signal });
      const [behind = 0, ahead = 0] = counts.trim().split("\t").map(Number);
      return { ahead, behind };
    } catch (error) {
      // A branch that cannot be compared is worth a line in the report, not the run.
      signal.throwIfAborted();
      reportError(error, { tags: ["branch"], context: { ref } });
      return { ahead: null, behind: null };
    }
  };

  const oldest: StaleBranch[] = [];
  for (const found of stale.slice(0, mostListed)) {
    const { name, author, lastCommit, ref } = found;
    oldest.push({ name, author, lastCommit, merged: merged.has(ref), ...(await distance(found)) });
    heartbeat();
  }
  emit("progress", { stage: "branches", done: oldest.length, total: stale.length });
  return { branches: { total: refs.length, stale: stale.length, staleMerged: stale.filter(({ ref }) => merged.has(ref)).length, oldest } };
};
