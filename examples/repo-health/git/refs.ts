/** Branches, local and remote, as git lists them. */

export interface BranchRef {
  /** Without "refs/heads/" or the remote's name. */
  readonly name: string;
  readonly ref: string;
  /** Milliseconds since the epoch. */
  readonly lastCommit: number;
  readonly author: string;
}

/** With `mergedInto`, those alone of which every commit is in it. */
export function refArguments(mergedInto?: string): readonly string[] {
  const format = "--format=%(refname)%00%(symref)%00%(committerdate:unix)%00%(authorname)";
  return ["for-each-ref", format, ...(mergedInto === undefined ? [] : [`--merged=${mergedInto}`]), "refs/heads", "refs/remotes"];
}

function readRef(line: string): BranchRef | undefined {
  const [ref = "", symbolic, time, author = ""] = line.split("\0");
  // "origin/HEAD" is another name of a branch that is listed anyway.
  if (symbolic !== "" || time === undefined || time === "") return undefined;
  const name = ref.replace(/^refs\/heads\/|^refs\/remotes\/[^/]+\//, "");
  return { name, ref, lastCommit: Number(time) * 1_000, author };
}

/** One per name: of a branch and its copies on remotes, the one with the newest commit. Oldest first. */
export function readRefs(text: string): readonly BranchRef[] {
  const newest = new Map<string, BranchRef>();
  for (const line of text.split("\n")) {
    const found = readRef(line);
    const known = found === undefined ? undefined : newest.get(found.name);
    if (found !== undefined && (known === undefined || found.lastCommit > known.lastCommit)) newest.set(found.name, found);
  }
  return [...newest.values()].toSorted((a, b) => a.lastCommit - b.lastCommit || (a.name < b.name ? -1 : 1));
}
