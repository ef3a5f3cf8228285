/** Which module each session runs: a file per session under the home, so that its id alone is enough to go on with it. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { makeFolders } from "../support/make-folders.ts";
import { isRecord } from "../support/plain.ts";

/** A graph by the module that exports it. */
export interface SessionModule {
  /** Absolute. */
  readonly module: string;
  readonly export: string;
}

/** Where sessions are: ids are of a database, files of a home. */
export interface SessionPlace {
  readonly home: string;
  /** The database's path, absolute. */
  readonly database: string;
}

interface StoredModule extends SessionModule {
  readonly database: string;
  readonly sessionId: string;
}

/** The folder's name under the home. */
export const modulesFolder = "sessions";

const folderOf = ({ home }: SessionPlace): string => resolve(home, modulesFolder);

/** Ids hold anything, and names of files do not. */
function fileOf(place: SessionPlace, sessionId: string): string {
  const hash = createHash("sha256").update(`${place.database}\0${sessionId}`).digest("hex");
  return join(folderOf(place), `${hash}.json`);
}

function read(path: string): StoredModule | undefined {
  try {
    const found: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (!isRecord(found)) return undefined;
    const { database, sessionId, module, export: name } = found;
    const texts = [database, sessionId, module, name].every((text) => typeof text === "string");
    return texts ? { database: String(database), sessionId: String(sessionId), module: String(module), export: String(name) } : undefined;
  } catch {
    return undefined;
  }
}

/** Under its name at once and whole, for the owner alone. Throws where nothing can be written. */
export function rememberModule(place: SessionPlace, sessionId: string, given: SessionModule): void {
  const path = fileOf(place, sessionId);
  const draft = `${path}.${process.pid}`;
  const stored: StoredModule = { database: place.database, sessionId, module: given.module, export: given.export };
  makeFolders(folderOf(place), 0o700);
  try {
    writeFileSync(draft, `${JSON.stringify(stored, undefined, 2)}\n`, { mode: 0o600 });
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

/** `undefined` when nothing is known of it, or what was known cannot be read. */
export function recallModule(place: SessionPlace, sessionId: string): SessionModule | undefined {
  return read(fileOf(place, sessionId));
}

export function forgetModule(place: SessionPlace, sessionId: string): void {
  rmSync(fileOf(place, sessionId), { force: true });
}

/** Forgets those of sessions that are gone, however they went. */
export async function forgetAllBut(place: SessionPlace, existing: () => Promise<ReadonlySet<string>>): Promise<void> {
  const folder = folderOf(place);
  const stored = filesIn(folder).flatMap((name) => read(join(folder, name)) ?? []);
  // Asked after the files: of one that is written meanwhile, the session is there before.
  const known = await existing();
  for (const { database, sessionId } of stored) {
    if (database === place.database && !known.has(sessionId)) forgetModule(place, sessionId);
  }
}

function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith(".json"));
  } catch {
    return [];
  }
}
