/** All checkpoints of a session, also where some of them are damaged. */
import type { Checkpointer, StoredCheckpoint } from "../checkpoint/checkpointer.ts";
import { SpanloomError } from "../errors/errors.ts";
import { listing } from "../runtime/reading.ts";
import { messageOf } from "./format.ts";

/** One that cannot be read. */
export interface Damaged {
  /** Its id. */
  readonly damaged: string;
  /** Why, in a sentence. */
  readonly reason: string;
}

/** Newest first. Throws as the store does, unless the reason is one damaged checkpoint. */
export async function* storedHistory(
  store: Checkpointer,
  sessionId: string,
  limit = Number.MAX_SAFE_INTEGER,
): AsyncGenerator<StoredCheckpoint | Damaged> {
  let left = limit;
  let before: string | undefined;
  while (left > 0) {
    const options = { limit: left, ...(before === undefined ? {} : { before }) };
    try {
      for await (const stored of listing(store, (from) => from.history(sessionId, options))) {
        left -= 1;
        yield stored;
      }
      return;
    } catch (error) {
      const damaged = SpanloomError.is(error, "checkpoint_corrupt") ? error.facts["checkpointId"] : undefined;
      // The same one again: it is not that alone.
      if (typeof damaged !== "string" || damaged === before) throw error;
      left -= 1;
      before = damaged;
      yield { damaged, reason: messageOf(error) };
    }
  }
}

/** How many there are, damaged ones too. */
export async function countStored(store: Checkpointer, sessionId: string): Promise<number> {
  const checkpoints = storedHistory(store, sessionId);
  let count = 0;
  while ((await checkpoints.next()).done !== true) count += 1;
  return count;
}
