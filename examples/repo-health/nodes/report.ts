/** Turns what was found into recommendations, and all of it into the report. */
import { resolve } from "node:path";
import type { NodeOf } from "spanloom";
import { type base, known } from "../base.ts";
import { recommend } from "../report/recommend.ts";
import { emptyReport, fullReport } from "../report/report.ts";
import { writeWhole } from "../report/write.ts";

export const writeReport: NodeOf<typeof base, "report"> = async (state, { invocationId, log }) => {
  const path = resolve(state.reportPath);
  const origin = known(state.origin, "origin");
  if (origin.commit === null) {
    await writeWhole(path, emptyReport(origin), invocationId);
    log.info("The report is written: there is no commit yet.", { path });
    return { report: path };
  }
  const { hotSpots: spots, successors, unmeasured, errors } = state;
  const [history, branches, health] = [known(state.history, "history"), known(state.branches, "branches"), known(state.health, "health")];
  const findings = { origin, history, spots, branches, successors };
  const recommendations = recommend(findings);
  await writeWhole(path, fullReport({ ...findings, health, recommendations, unmeasured, errors }), invocationId);
  log.info("The report is written.", { path, score: health.score });
  return { recommendations, report: path };
};
