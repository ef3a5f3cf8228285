/** Writes the report's file: all of it or nothing, and never half of it. */
import { mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

/** Folder by folder: the `recursive` of Node never returns where a parent takes no folders at all, such as /proc. */
async function makeFolders(folder: string): Promise<void> {
  if (await isFolder(folder)) return;
  if (dirname(folder) !== folder) await makeFolders(dirname(folder));
  await mkdir(folder).catch(async (error: unknown) => {
    // Somebody else may have made it in the meantime.
    if (!(await isFolder(folder))) throw error;
  });
}

/** The draft takes the place of what is there, so that must be a file. */
async function refuseOthers(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found !== undefined && !found.isFile()) throw new Error("it is a folder or a device");
}

/** With the folders above it. `id` tells apart the drafts of runs that write the same file. */
export async function writeWhole(path: string, text: string, id: string): Promise<void> {
  const draft = `${path}.${id}.tmp`;
  try {
    await refuseOthers(path);
    await makeFolders(dirname(path));
    await writeFile(draft, text);
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined);
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`The report cannot be written to ${path}: ${reason}. Give another "reportPath".`, { cause: error });
  }
}
