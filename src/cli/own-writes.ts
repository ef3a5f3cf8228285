/** What this process itself wrote of a session: what others make of the session afterwards is not its run's. */
import type { Checkpointer, StoredCheckpoint } from "../checkpoint/checkpointer.ts";
import type { Interrupt } from "../events/event.ts";
import { snapshotOf } from "../runtime/snapshot.ts";
import { isThenable } from "../support/thenable.ts";
import type { Awaitable, Values } from "../support/types.ts";

/** A write that succeeded. */
export interface OwnWrite {
  readonly sessionId: string;
  /** Saved, or made this run's own. */
  readonly checkpointId: string;
  readonly epoch: number;
  /** `undefined` of a checkpoint that another process saved. */
  readonly step: number | undefined;
}

/** A store that tells each write that has succeeded: from the first on the session is there, and this process owns it. */
export function tellingWrites(store: Checkpointer, tell: (write: OwnWrite) => void): Checkpointer {
  let last: OwnWrite | undefined;
  const after = <T>(write: OwnWrite, receipt: Awaitable<T>): Awaitable<T> => {
    if (isThenable(receipt)) return Promise.resolve(receipt).then((value) => after(write, value));
    last = write;
    tell(write);
    return receipt;
  };
  return {
    ...store,
    save: (fence, record, delta) => {
      const { sessionId, checkpointId, epoch, step } = record;
      return after({ sessionId, checkpointId, epoch, step }, store.save(fence, record, delta));
    },
    amend: (sessionId, fence, change) => {
      const receipt = store.amend(sessionId, fence, change);
      const { checkpointId, epoch } = fence;
      // There is nothing to amend without one.
      if (checkpointId === undefined) return receipt;
      const step = last?.checkpointId === checkpointId ? last.step : undefined;
      return after({ sessionId, checkpointId, epoch: change.epoch ?? epoch, step }, receipt);
    },
  };
}

/** The session as of a barrier. */
export interface BarrierFacts {
  readonly state: Values;
  readonly versions: Readonly<Record<string, number>>;
  readonly interrupts: readonly Interrupt[];
}

/** What a run with this last write tells of a barrier; without one, the barrier is that which it found. */
export function factsOf(barrier: StoredCheckpoint, own: OwnWrite | undefined): BarrierFacts {
  const { state, versions, interrupts } = snapshotOf(barrier);
  const isOthers = own !== undefined && barrier.ownerEpoch !== own.epoch;
  // An owner changes no state, but what the newest checkpoint asks.
  return { state, versions, interrupts: isOthers ? [] : interrupts };
}
