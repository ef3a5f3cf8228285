/** `isSessionComplete` and `finalizeStateSnapshot`: when a session is done, and what it leaves. */
import type { Values } from "../support/types.ts";
import type { Execution, SessionState } from "./execution.ts";
import { plainViewOf, versionsOf } from "./state.ts";

/** Nothing is due. END is never in a frontier, so that a frontier of END alone is an empty one. */
export const isSessionComplete = ({ frontier }: Pick<SessionState, "frontier">): boolean => frontier.length === 0;

export interface StateSnapshot {
  readonly state: Values;
  readonly versions: Readonly<Record<string, number>>;
  /** Supersteps of the session so far. */
  readonly step: number;
}

/** The state of the last barrier, as a run hands it out. */
export function finalizeStateSnapshot({ plan, state }: Pick<Execution, "plan" | "state">): StateSnapshot {
  return { state: plainViewOf(plan, state.image), versions: versionsOf(plan, state.image.versions), step: state.step };
}
