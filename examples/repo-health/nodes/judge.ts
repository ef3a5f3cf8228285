/** From what was found to a judgement: no node here asks git anything. */
import { type NodeOf, replace } from "spanloom";
import { healthOf } from "../analysis/health.ts";
import { hotSpots } from "../analysis/hot-spots.ts";
import { type base, known } from "../base.ts";

/** The reduce after the map over files. They are kept once: as hot spots. */
export const rankFiles: NodeOf<typeof base, "rank"> = (state) => {
  const { since } = known(state.history, "history");
  return { hotSpots: hotSpots(state.measured, since !== null), measured: replace([]) };
};

/** After both the files and the branches. */
export const assess: NodeOf<typeof base, "assess"> = (state) => ({
  health: healthOf(known(state.history, "history"), state.hotSpots, known(state.branches, "branches")),
});
