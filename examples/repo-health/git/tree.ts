/** The files of a commit, with their sizes. */

export interface TreeFile {
  /** The id of its content. */
  readonly object: string;
  readonly bytes: number;
}

export function treeArguments(commit: string): readonly string[] {
  return ["ls-tree", "-r", "-z", "--long", "--full-tree", commit];
}

/** "mode type object size TAB path". Links and submodules are no files. */
export async function readTree(batches: AsyncIterable<readonly string[]>): Promise<ReadonlyMap<string, TreeFile>> {
  const files = new Map<string, TreeFile>();
  for await (const pieces of batches) {
    for (const piece of pieces) {
      const [, object, bytes, path] = /^100\d{3} blob ([0-9a-f]+) +(\d+)\t([^]+)$/.exec(piece) ?? [];
      if (object !== undefined && path !== undefined) files.set(path, { object, bytes: Number(bytes) });
    }
  }
  return files;
}
