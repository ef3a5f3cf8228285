/** Branches, local and remote, as git lists them. */

export interface BranchRef {
  /** Without "refs/heads/" or the remote's name. */
  readonly name: string;
  readonly ref: string;
  /** Milliseconds since the epoch. */
  readonly lastCommit: number;
  readonly author: string;
  /** Checked out in a work tree, or a remote's default branch, here or there: git or others go on from it. */
  readonly inUse: boolean;
}

/** With `mergedInto`, those alone of which every commit is in it. */
export function refArguments(mergedInto?: string): readonly string[] {
  const format = "--format=%(refname)%00%(symref)%00%(upstream)%00%(worktreepath)%00%(committerdate:unix)%00%(authorname)";
  return ["for-each-ref", format, ...(mergedInto === undefined ? [] : [`--merged=${mergedInto}`]), "refs/heads", "refs/remotes"];
}

interface Line {
  readonly ref: string;
  /** What a symbolic one stands for, such as "origin/HEAD": the remote's default branch. Else empty. */
  readonly target: string;
  readonly upstream: string;
  readonly workTree: string;
  readonly time: string;
  readonly author: string;
}

function readLine(line: string): Line {
  const [ref = "", target = "", upstream = "", workTree = "", time = "", author = ""] = line.split("\0");
  return { ref, target, upstream, workTree, time, author };
}

/** Of a branch and its copy on a remote, the one with the newest commit; in use when either is. */
function merge(one: BranchRef, other: BranchRef | undefined): BranchRef {
  if (other === undefined) return one;
  return { ...(one.lastCommit > other.lastCommit ? one : other), inUse: one.inUse || other.inUse };
}

/** One per name. Oldest first. */
export function readRefs(text: string): readonly BranchRef[] {
  const lines = text.split("\n").map(readLine);
  const targets = new Set(lines.flatMap(({ target }) => (target === "" ? [] : [target])));
  const branches = new Map<string, BranchRef>();
  for (const { ref, target, upstream, workTree, time, author } of lines) {
    // A symbolic one is another name of a branch that is listed anyway.
    if (target !== "" || time === "") continue;
    const name = ref.replace(/^refs\/heads\/|^refs\/remotes\/[^/]+\//, "");
    const inUse = workTree !== "" || targets.has(ref) || targets.has(upstream);
    branches.set(name, merge({ name, ref, lastCommit: Number(time) * 1_000, author, inUse }, branches.get(name)));
  }
  return [...branches.values()].toSorted((a, b) => a.lastCommit - b.lastCommit || (a.name < b.name ? -1 : 1));
}
