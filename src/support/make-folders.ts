/** Makes a folder and those above it. */
import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

const hasCode = (error: unknown, code: string): boolean => error instanceof Error && "code" in error && error.code === code;

function makeFolder(folder: string, mode: number | undefined): void {
  try {
    mkdirSync(folder, { mode });
  } catch (error) {
    if (!hasCode(error, "EEXIST") || !statSync(folder).isDirectory()) throw error;
  }
}

/** Folder by folder: the `recursive` of Node never returns where a parent takes no folders at all, such as /proc. Throws as `mkdirSync`. */
export function makeFolders(folder: string, mode?: number): void {
  try {
    makeFolder(folder, mode);
  } catch (error) {
    if (!hasCode(error, "ENOENT") || dirname(folder) === folder) throw error;
    makeFolders(dirname(folder), mode);
    // Once more, and no further: the folder above it is there by now.
    makeFolder(folder, mode);
  }
}
