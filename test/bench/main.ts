/** `npm run bench`: measures every row in this one process, prints the table, and says which budgets hold. */
import { writeFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { measureRow } from "./harness/measure.ts";
import { type BenchOptions, readOptions, usage } from "./harness/options.ts";
import { loadPeer, type Peer } from "./harness/peer.ts";
import { formatTable } from "./harness/table.ts";
import { report, type RowReport } from "./harness/verdict.ts";
import { rows } from "./rows.ts";

const say = (line: string): void => void process.stderr.write(`${line}\n`);

async function measureAll(only: readonly string[], peer: Peer | undefined): Promise<readonly RowReport[]> {
  const reports: RowReport[] = [];
  for (const row of rows.filter(({ name }) => only.length === 0 || only.includes(name))) {
    const start = performance.now();
    // oxlint-disable-next-line eslint/no-await-in-loop -- rows at once would measure each other
    reports.push(report(row, await measureRow(row, peer)));
    say(`${row.name}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  }
  return reports;
}

async function bench({ only, json, check, peer: wanted }: BenchOptions): Promise<void> {
  const peer = wanted ? await loadPeer(say) : undefined;
  const start = performance.now();
  const reports = await measureAll(only, peer);
  const seconds = (performance.now() - start) / 1000;
  const machine = `Node ${process.versions.node}, ${cpus()[0]?.model.trim() ?? "unknown processor"}, ${availableParallelism()} cores`;
  const against = peer === undefined ? "no peer" : `peer: LangGraph.js ${peer.version}`;
  console.log(`${formatTable(reports)}\n\n${machine}; ${against}; ${seconds.toFixed(0)} s`);
  if (json !== undefined) {
    writeFileSync(json, `${JSON.stringify({ machine, peer: peer?.version ?? null, seconds, rows: reports }, undefined, 2)}\n`);
  }
  const failing = reports.filter(({ verdict }) => verdict !== "ok");
  if (failing.length > 0) say(`Not within budget: ${failing.map(({ name, verdict }) => `${name} (${verdict})`).join(", ")}.`);
  if (check && failing.length > 0) process.exitCode = 1;
}

function optionsOrExit(): BenchOptions {
  try {
    return readOptions(
      process.argv.slice(2),
      rows.map(({ name }) => name),
    );
  } catch (error) {
    say(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return process.exit(2);
  }
}

await bench(optionsOrExit());
