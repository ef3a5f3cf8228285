/** What a store answers, or why it does not: an error of its own becomes one that callers can tell. */
import type { Checkpointer } from "../checkpoint/checkpointer.ts";
import { CheckpointError, SpanloomError } from "../errors/errors.ts";
import { messageOf } from "../support/show.ts";
import type { Awaitable } from "../support/types.ts";

function unavailable({ backend }: Checkpointer, cause: unknown): unknown {
  if (SpanloomError.is(cause)) return cause;
  return new CheckpointError("checkpointer_unavailable", { backend, reason: messageOf(cause) }, { cause });
}

/** Rejects with `CheckpointError` `checkpointer_unavailable`, unless the store's error is one of ours. So does `listing`. */
export async function asking<T>(store: Checkpointer, ask: (store: Checkpointer) => Awaitable<T>): Promise<T> {
  try {
    return await ask(store);
  } catch (error) {
    throw unavailable(store, error);
  }
}

export async function* listing<T>(store: Checkpointer, list: (store: Checkpointer) => AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* list(store);
  } catch (error) {
    throw unavailable(store, error);
  }
}
