/** The history as git tells it: the command, and from its output to commits. */

export interface Change {
  readonly path: string;
  /** The name before, when the commit renamed the file. */
  readonly from: string | undefined;
  /** Lines; `undefined` for a binary file. */
  readonly added: number | undefined;
  readonly deleted: number | undefined;
}

export interface Commit {
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** As `.mailmap` has it. */
  readonly author: string;
  readonly parents: number;
  /** None for a merge. */
  readonly changes: readonly Change[];
}

/** Newest first. Every part ends with NUL, so that names with line feeds and quotes come as they are; a commit begins with \x01. */
export function logArguments(commit: string, options: readonly string[] = [], paths: readonly string[] = []): readonly string[] {
  const format = "--format=%x01%at%x00%aN%x00%P";
  const diff = ["--numstat", "--find-renames", "--no-ext-diff", "--no-textconv", "--no-color"];
  return ["log", "-z", ...diff, format, ...options, commit, "--", ...paths];
}

/** One after another, `undefined` at the end. */
function cursor(batches: AsyncIterable<readonly string[]>): () => Promise<string | undefined> {
  const iterator = batches[Symbol.asyncIterator]();
  let pieces: readonly string[] = [];
  let index = 0;
  return async () => {
    while (index >= pieces.length) {
      const next = await iterator.next();
      if (next.done === true) return undefined;
      pieces = next.value;
      index = 0;
    }
    return pieces[index++];
  };
}

const numberOf = (text: string | undefined): number | undefined => (text === "-" ? undefined : Number(text));

/** Commits as their pieces come, one held at a time. */
export async function* readLog(batches: AsyncIterable<readonly string[]>): AsyncGenerator<Commit> {
  const next = cursor(batches);
  let commit: (Commit & { readonly changes: Change[] }) | undefined;
  for (let piece = await next(); piece !== undefined; piece = await next()) {
    if (piece.startsWith("\u0001")) {
      if (commit !== undefined) yield commit;
      const [author = "", parents = ""] = [await next(), await next()];
      commit = {
        time: Number(piece.slice(1)) * 1_000,
        author: author.trim() === "" ? "(no name)" : author.trim(),
        parents: parents === "" ? 0 : parents.split(" ").length,
        changes: [],
      };
      continue;
    }
    // "added TAB deleted TAB path", a line feed before the first. Without a path it is a rename, whose two paths follow.
    const [, added, deleted, path] = /^\n?(-|\d+)\t(-|\d+)\t([^]*)$/.exec(piece) ?? [];
    if (path === undefined) continue;
    const from = path === "" ? await next() : undefined;
    const to = path === "" ? await next() : path;
    commit?.changes.push({ path: to ?? "", from, added: numberOf(added), deleted: numberOf(deleted) });
  }
  if (commit !== undefined) yield commit;
}
