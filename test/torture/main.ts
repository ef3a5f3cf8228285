/** `npm run torture -- --kills 10000`: kills processes until it has killed so many, and says what did not hold. */
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Kill } from "./driver.ts";
import { type CaseName, caseNames } from "./graphs.ts";
import { type Summary, torture } from "./torture.ts";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "1000" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    graph: { type: "string", multiple: true, default: [...caseNames] },
    plan: { type: "string" },
    keep: { type: "boolean", default: false },
  },
});

/** As a violation printed it. */
function planOf(text: string | undefined): readonly Kill[] | undefined {
  try {
    // Whoever gives another gets no kills.
    return text === undefined ? undefined : (JSON.parse(text) as readonly Kill[]);
  } catch {
    return usage();
  }
}

function usage(): never {
  console.error(`usage: npm run torture -- [--kills n] [--seed n] [--graph ${caseNames.join("|")}]… [--plan json] [--keep]`);
  process.exit(2);
}

function report({ kills, sessions, points, covered, violations }: Summary, seed: number, graphs: number, seconds: number): boolean {
  for (const { name, sessionId, plan, what } of violations) {
    console.log(`VIOLATION ${sessionId}: ${what}`);
    console.log(`  to repeat: npm run torture -- --seed ${seed} --graph ${name} --kills ${plan.length} --plan '${JSON.stringify(plan)}'`);
  }
  const missed = points.filter((point) => !covered.includes(point));
  if (missed.length > 0) console.log(`Nothing was killed at: ${missed.join(", ")}`);
  console.log(
    `${kills} kills and resumes in ${sessions} sessions of ${graphs} graphs, at ${covered.length} of ${points.length} points and at ` +
      `random instants: ${violations.length} violations. Seed ${seed}, ${seconds} s.`,
  );
  return violations.length === 0 && missed.length === 0;
}

const kills = Number(values.kills);
const seed = Number(values.seed);
const plan = planOf(values.plan);
const names: readonly CaseName[] = caseNames.filter((name) => values.graph.includes(name));
const areKnown = names.length === new Set(values.graph).size;
if (!Number.isSafeInteger(kills) || kills < 1 || !Number.isSafeInteger(seed) || !areKnown) usage();
const folder = mkdtempSync(join(tmpdir(), "spanloom-torture-"));
const started = performance.now();
const summary = await torture({ folder, names, kills, seed, lanes: availableParallelism(), plan, say: console.error });
const isRight = report(summary, seed, names.length, Math.round((performance.now() - started) / 1000));
if (isRight && !values.keep) rmSync(folder, { recursive: true });
else console.log(`Journals and files are kept in ${folder}.`);
process.exitCode = isRight ? 0 : 1;
