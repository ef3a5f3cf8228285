/** Which branches nobody works on any more. */
import type { BranchRef } from "../git/refs.ts";
import { isBot } from "./people.ts";
import { day } from "./time.ts";

const staleAfter = 90 * day;

/** Oldest first. The branch that is measured is none of them, nor are those in use, those that hold releases, and those of bots. */
export function staleBranches(refs: readonly BranchRef[], current: string | null, measuredAt: number): readonly BranchRef[] {
  const kept = /^(main|master|develop|trunk|gh-pages|(release|support|hotfix|stable|maint)([-/.].*)?|v?\d+(\.(\d+|x))*)$/;
  const isStale = ({ lastCommit }: BranchRef): boolean => measuredAt - lastCommit >= staleAfter;
  const isKept = ({ name, inUse }: BranchRef): boolean => inUse || name === current || kept.test(name);
  return refs.filter((ref) => isStale(ref) && !isKept(ref) && !isBot(ref.author));
}
