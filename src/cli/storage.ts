/** Where a run's session is kept: opened before anything runs, closed after everything has. */
import type { Checkpointer, StoredCheckpoint } from "../checkpoint/checkpointer.ts";
import { boundedMemoryCheckpointer } from "../checkpoint/memory/memory-checkpointer.ts";
import { SpanloomError } from "../errors/errors.ts";
import { isThenable } from "../support/thenable.ts";
import { databasePath, openDatabase, openExisting, type StorageOptions } from "./database.ts";
import { CommandError } from "./exit-codes.ts";
import { messageOf } from "./format.ts";
import { makeFolder } from "./home.ts";
import { type OwnWrite, tellingWrites } from "./own-writes.ts";
import { modulesFolder, rememberModule, type SessionModule, type SessionPlace } from "./session-modules.ts";

export interface Storage {
  readonly store: Checkpointer;
  /** `undefined` in memory. */
  readonly place: SessionPlace | undefined;
}

/** Where sessions are stored. */
export interface SessionStore extends Storage {
  readonly place: SessionPlace;
}

/** Records of a session in memory that are kept: nobody but this process can read them, and each holds its state. */
const keptRecords = 128;

/** Throws `CommandError` `home_unusable`, `database_unusable` or `database_unsupported`. */
export async function openStorage(options: StorageOptions): Promise<Storage> {
  const database = databasePath(options);
  if (database === undefined) return { store: boundedMemoryCheckpointer({ keep: keptRecords }), place: undefined };
  makeFolder(options.home, modulesFolder);
  return { store: await openDatabase(database), place: { home: options.home, database } };
}

/** The path of the file, which has to be one. Throws `CommandError` `nothing_stored` or `database_unsupported`. */
export function storedPlace(options: StorageOptions): SessionPlace {
  const database = databasePath(options);
  if (database === undefined) throw new CommandError("nothing_stored", {});
  return { home: options.home, database };
}

async function isStored(store: Checkpointer, sessionId: string): Promise<boolean> {
  try {
    return (await store.load(sessionId)) !== undefined;
  } catch (error) {
    // It is there, and older checkpoints may be whole.
    if (SpanloomError.is(error, "checkpoint_corrupt")) return true;
    throw error;
  }
}

/** Throws `CommandError` `session_not_found` for one that is not there; makes no file. */
export async function openSessionStore(sessionId: string, options: StorageOptions): Promise<SessionStore> {
  const place = storedPlace(options);
  const store = await openExisting(place.database);
  if (store !== undefined && (await isStored(store, sessionId))) return { store, place };
  await store?.close();
  throw new CommandError("session_not_found", { sessionId, path: place.database });
}

/** The session as of its last barrier, or of the named one, if the store answers at once: who ends with the process cannot wait. */
export function barrierAtOnce(store: Checkpointer, sessionId: string, checkpointId?: string): StoredCheckpoint | undefined {
  try {
    const found = store.load(sessionId, checkpointId);
    return isThenable(found) ? undefined : found;
  } catch {
    return undefined;
  }
}

/** The store for a run with this module, which is remembered as the session's. */
export interface RunStore {
  readonly store: Checkpointer;
  /** What could not be kept so far, in sentences. */
  readonly losses: readonly string[];
  /** The newest that succeeded; `undefined` before there is one. */
  readonly lastWrite: () => OwnWrite | undefined;
}

/** Made for one run. */
export function rememberingStore({ store, place }: Storage, module: SessionModule): RunStore {
  const losses: string[] = [];
  let last: OwnWrite | undefined;
  const remember = (sessionId: string): void => {
    if (place === undefined) return;
    try {
      rememberModule(place, sessionId, module);
    } catch (error) {
      losses.push(`Which module the session runs could not be stored, so that resume needs --module: ${messageOf(error)}`);
    }
  };
  const telling = tellingWrites(store, (write) => {
    if (last === undefined) remember(write.sessionId);
    last = write;
  });
  return { store: telling, losses, lastWrite: () => last };
}
