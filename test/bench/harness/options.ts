/** The command line of the benchmarks. */
import { parseArgs } from "node:util";

export interface BenchOptions {
  /** Names of rows; empty for all. */
  readonly only: readonly string[];
  readonly json: string | undefined;
  readonly check: boolean;
  readonly peer: boolean;
}

export const usage = `usage: npm run bench -- [--only <row>]… [--json <file>] [--check] [--no-peer]

  --only <row>   runs this row; may be given several times
  --json <file>  writes every figure and sample to a file
  --check        exits with 1 when a row is over its budget, or could not be measured
  --no-peer      leaves the peer out`;

/** Throws an error that says what was wrong. */
export function readOptions(args: readonly string[], rows: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    allowNegative: true,
    options: {
      only: { type: "string", multiple: true, default: [] },
      json: { type: "string" },
      check: { type: "boolean", default: false },
      peer: { type: "boolean", default: true },
    },
  });
  for (const name of values.only) {
    if (!rows.includes(name)) throw new Error(`No row is named "${name}". There are: ${rows.join(", ")}.`);
  }
  return { only: values.only, json: values.json, check: values.check, peer: values.peer };
}
