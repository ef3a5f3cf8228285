/** Writes the report: all of it or nothing, and never half of it. */
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { NodeOf } from "spanloom";
import { type base, known } from "../base.ts";
import { recommend } from "../report/recommend.ts";
import { emptyReport, fullReport } from "../report/report.ts";

async function writeWhole(path: string, text: string, id: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${id}.tmp`;
  try {
    await writeFile(draft, text);
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
}

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
