/** Which branches nobody works on any more. */
import type { BranchRef } from "../git/refs.ts";
import { isBot } from "./people.ts";
import { day } from "./time.ts";

const staleAfter = 90 * day;

/** Oldest first. The branch that is measured is none of them, nor are those that hold releases, nor those of bots. */
export function staleBranches(refs: readonly BranchRef[], current: string | null, measuredAt: number): readonly BranchRef[] {
  const kept = /^(main|master|develop|trunk|gh-pages|(release|support|hotfix|stable|maint)([-/.].*)?|v?\d+(\.(\d+|x))*)$/;
  const isStale = ({ lastCommit }: BranchRef): boolean => measuredAt - lastCommit >= staleAfter;
  return refs.filter((ref) => isStale(ref) && ref.name !== current && !kept.test(ref.name) && !isBot(ref.author));
}
