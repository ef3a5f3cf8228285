/** Judges what was measured: ratios against budgets, never a time against the clock of some other machine. */
import type { Samples } from "./measure.ts";
import type { Budget, Row, Unit } from "./row.ts";
import { median, medianRatio } from "./statistics.ts";

/** "unmeasured": a budget needs a side that was not run. */
export type Verdict = "ok" | "over" | "unmeasured";

export interface RowReport {
  readonly name: string;
  readonly title: string;
  readonly unit: Unit;
  readonly measured: number;
  readonly aim: number | undefined;
  readonly floor: number | undefined;
  /** The measured over the floor. */
  readonly perFloor: number | undefined;
  readonly peer: number | undefined;
  /** The peer over the measured: how many times faster. */
  readonly timesFaster: number | undefined;
  readonly budgets: readonly Budget[];
  readonly verdict: Verdict;
  readonly note: string | undefined;
  readonly samples: Samples;
}

type Figures = Pick<RowReport, "measured" | "perFloor" | "timesFaster">;

/** Whether one budget holds. */
export function judge(budget: Budget, { measured, perFloor, timesFaster }: Figures): Verdict {
  const [value, holds] =
    budget.of === "peer"
      ? [timesFaster, timesFaster !== undefined && timesFaster >= budget.timesFaster]
      : budget.of === "floor"
        ? [perFloor, perFloor !== undefined && perFloor <= budget.atMost]
        : [measured, measured <= budget.atMost];
  if (value === undefined) return "unmeasured";
  return holds ? "ok" : "over";
}

/** The worst of several. */
export function worst(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes("over")) return "over";
  return verdicts.includes("unmeasured") ? "unmeasured" : "ok";
}

const medianOf = (values: readonly number[]): number | undefined => (values.length === 0 ? undefined : median(values));

export function report(row: Row, samples: Samples): RowReport {
  const { name, title, unit, aim, budgets, note } = row;
  const figures = {
    measured: median(samples.measured),
    perFloor: medianRatio(samples.measured, samples.floor),
    timesFaster: medianRatio(samples.peer, samples.measured),
  };
  const verdict = worst(budgets.map((budget) => judge(budget, figures)));
  return {
    name,
    title,
    unit,
    aim,
    ...figures,
    floor: medianOf(samples.floor),
    peer: medianOf(samples.peer),
    budgets,
    verdict,
    note,
    samples,
  };
}
