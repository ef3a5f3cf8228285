/** `npm run torture -- --kills 10000`: kills processes until it has killed so many, and says what did not hold. */
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type CaseName, caseNames } from "./graphs.ts";
import { torture } from "./torture.ts";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "1000" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    graph: { type: "string", multiple: true, default: [...caseNames] },
    keep: { type: "boolean", default: false },
  },
});
const kills = Number(values.kills);
const seed = Number(values.seed);
const names = caseNames.filter((name) => values.graph.includes(name));
if (!Number.isSafeInteger(kills) || kills < 1 || !Number.isSafeInteger(seed) || names.length !== new Set(values.graph).size) {
  console.error(`usage: npm run torture -- [--kills n] [--seed n] [--graph ${caseNames.join("|")}]… [--keep]`);
  process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), "spanloom-torture-"));
const started = performance.now();
const summary = await torture({
  folder,
  names: names satisfies readonly CaseName[],
  kills,
  seed,
  lanes: availableParallelism(),
  say: console.error,
});
const seconds = Math.round((performance.now() - started) / 1000);
for (const violation of summary.violations) console.log(`VIOLATION ${violation}`);
const missed = summary.points.filter((point) => !summary.covered.includes(point));
if (missed.length > 0) console.log(`Nothing was killed at: ${missed.join(", ")}`);
console.log(
  `${summary.kills} kills in ${summary.sessions} sessions of ${names.length} graphs, at ${summary.covered.length} of ${summary.points.length} points and at ` +
    `random instants: ${summary.violations.length} violations. Seed ${seed}, ${seconds} s.`,
);
if (summary.violations.length === 0 && !values.keep) rmSync(folder, { recursive: true });
else console.log(`Journals and files are kept in ${folder}.`);
process.exitCode = summary.violations.length > 0 || missed.length > 0 ? 1 : 0;
