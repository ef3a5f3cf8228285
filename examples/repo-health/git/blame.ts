/** Who wrote the lines that a file has now. */

/** Changes of white space alone make nobody an author. The lines themselves are not printed. */
export function blameArguments(commit: string, path: string): readonly string[] {
  return ["blame", "--incremental", "-w", "--no-textconv", commit, "--", path];
}

/**
 * Lines by author. Each group begins with "commit line line count"; who wrote the commit is said the first time it appears. Where the history is
 * cut off (`cutOff`), lines that are older belong to nobody that is known.
 */
export async function readBlame(batches: AsyncIterable<readonly string[]>, cutOff: boolean): Promise<ReadonlyMap<string, number>> {
  const authors = new Map<string, string>();
  const older = new Set<string>();
  const groups: { readonly commit: string; readonly lines: number }[] = [];
  let commit = "";
  for await (const pieces of batches) {
    for (const line of pieces) {
      const [, hash, count] = /^([0-9a-f]{40,64}) \d+ \d+ (\d+)$/.exec(line) ?? [];
      if (hash !== undefined) {
        commit = hash;
        groups.push({ commit, lines: Number(count) });
      } else if (line.startsWith("author ")) authors.set(commit, line.slice(7).trim());
      else if (line === "boundary") older.add(commit);
    }
  }
  const lines = new Map<string, number>();
  for (const group of groups) {
    if (cutOff && older.has(group.commit)) continue;
    const author = authors.get(group.commit) ?? "";
    const name = author === "" ? "(no name)" : author;
    lines.set(name, (lines.get(name) ?? 0) + group.lines);
  }
  return lines;
}
