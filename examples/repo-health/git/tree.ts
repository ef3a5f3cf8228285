/** What a commit holds: files, links and submodules, with their sizes. */

export interface TreeFile {
  /** The id of its content. */
  readonly object: string;
  readonly bytes: number;
  /** A link or a submodule is not: it changes as files do, but has no lines to look into. */
  readonly regular: boolean;
}

export function treeArguments(commit: string): readonly string[] {
  return ["ls-tree", "-r", "-z", "--long", "--full-tree", commit];
}

/** "mode type object size TAB path"; a submodule has no size. */
export async function readTree(batches: AsyncIterable<readonly string[]>): Promise<ReadonlyMap<string, TreeFile>> {
  const files = new Map<string, TreeFile>();
  for await (const pieces of batches) {
    for (const piece of pieces) {
      const [, mode, object, bytes, path] = /^(\d+) (?:blob|commit) ([0-9a-f]+) +(\d+|-)\t([^]+)$/.exec(piece) ?? [];
      if (mode === undefined || object === undefined || path === undefined) continue;
      files.set(path, { object, bytes: bytes === "-" ? 0 : Number(bytes), regular: mode.startsWith("100") });
    }
  }
  return files;
}
