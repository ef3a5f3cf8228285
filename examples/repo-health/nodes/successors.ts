/** Finds who could take over the files that hang on one person. It runs only when the score asks for it. */
import { posix } from "node:path";
import type { NodeOf } from "spanloom";
import { isOrphaned } from "../analysis/hot-spots.ts";
import { isBot, ranked } from "../analysis/people.ts";
import { goneAfter } from "../analysis/summary.ts";
import { type base, located } from "../base.ts";
import type { Git, GitOptions } from "../git/git.ts";
import type { HotSpot, Successors } from "../model.ts";

const mostFiles = 5;

/** Files that nobody knows any more first, then those that one person knows; the hottest of each first, as they come. */
function inDanger(spots: readonly HotSpot[]): readonly HotSpot[] {
  const knownByOne = spots.filter((spot) => spot.busFactor === 1 && !isOrphaned(spot));
  return [...spots.filter(isOrphaned), ...knownByOne].slice(0, mostFiles);
}

/** Who committed to these paths in the last half year, but for the owner. */
async function lately(git: Git, root: string, args: readonly string[], owner: string, options: GitOptions): Promise<Successors["people"]> {
  const counts = new Map<string, number>();
  for await (const names of git.pieces(root, ["log", "-z", "--no-merges", "--format=%aN", ...args], options)) {
    for (const name of names) if (name !== owner && !isBot(name)) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return ranked(counts)
    .slice(0, 3)
    .map(([name, commits]) => ({ name, commits }));
}

export const findSuccessors: NodeOf<typeof base, "successors"> = async (state, { services: { git }, signal, reportError }) => {
  const { root, commit, measuredAt } = located(state.origin);
  const since = `--max-age=${Math.floor((measuredAt - goneAfter) / 1_000)}`;
  const find = async ({ path, owners }: HotSpot): Promise<readonly Successors[]> => {
    const among = (where: string) => lately(git, root, [since, commit, "--", where], owners[0]?.name ?? "", { signal });
    try {
      const onFile = await among(path);
      if (onFile.length > 0) return [{ path, where: "file", people: onFile }];
      return [{ path, where: "folder", people: await among(posix.dirname(path)) }];
    } catch (error) {
      signal.throwIfAborted();
      reportError(error, { tags: ["successors"], context: { path } });
      return [];
    }
  };
  return { successors: (await Promise.all(inDanger(state.hotSpots).map(find))).flat() };
};
