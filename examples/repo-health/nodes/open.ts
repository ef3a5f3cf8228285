/** Finds the repository and the commit to measure. An empty one goes straight to the report; what is none fails the run with a sentence that says what to do. */
import type { NodeOf } from "spanloom";
import type { base } from "../base.ts";
import { identify } from "../git/identify.ts";

export const open: NodeOf<typeof base, "open", "report"> = async (state, { services: { git }, signal, goto, reportError }) => {
  // The clock is read once and kept in the state: a resumed run measures the same day.
  const measuredAt = state.asOf === undefined ? Date.now() : Date.parse(state.asOf);
  const origin = await identify(git, state, measuredAt, { signal });
  if (origin.commit === null) return goto("report", { origin });
  if (origin.shallow) reportError(new Error("The clone is shallow: the numbers are partial."), { tags: ["partial"] });
  return { origin };
};
