/** The table that is printed: one line per row, columns aligned. */
import type { Budget, Unit } from "./row.ts";
import type { RowReport } from "./verdict.ts";

/** Three digits that count, and no more. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toFixed(digits);
}

/** A quantity with its unit; bytes above a thousand and microseconds above ten thousand in the next larger unit. */
export function formatQuantity(value: number | undefined, unit: Unit): string {
  if (value === undefined) return "";
  if (unit === "B" && Math.abs(value) >= 1000) return `${formatNumber(value / 1024)} KB`;
  if (unit === "µs" && Math.abs(value) >= 10_000) return `${formatNumber(value / 1000)} ms`;
  return unit === "×" ? formatNumber(value) : `${formatNumber(value)} ${unit}`;
}

const formatTimes = (value: number | undefined): string => (value === undefined ? "" : `${formatNumber(value)} ×`);

export function formatBudget(budget: Budget, unit: Unit): string {
  if (budget.of === "peer") return `≥ ${budget.timesFaster} × faster than the peer`;
  if (budget.of === "floor") return `≤ ${budget.atMost} × the floor`;
  return `≤ ${formatQuantity(budget.atMost, unit)}`;
}

const formatAim = ({ aim, measured, unit }: RowReport): string =>
  aim === undefined ? "" : `${formatQuantity(aim, unit)}${measured <= aim ? "" : " (missed)"}`;

const heading = ["row", "measured", "aim", "floor", "× floor", "peer", "faster than peer", "budget", "verdict"];

function cells(row: RowReport): readonly string[] {
  const { title, unit, measured, floor, perFloor, peer, timesFaster, budgets, verdict } = row;
  return [
    title,
    formatQuantity(measured, unit),
    formatAim(row),
    formatQuantity(floor, unit),
    formatTimes(perFloor),
    formatQuantity(peer, unit),
    formatTimes(timesFaster),
    budgets.map((budget) => formatBudget(budget, unit)).join(", "),
    verdict === "over" ? "OVER" : verdict,
  ];
}

/** Columns between two spaces; figures to the right, words to the left. */
export function alignColumns(lines: readonly (readonly string[])[], left: ReadonlySet<number>): string {
  const width = (column: number): number => Math.max(...lines.map((line) => line[column]?.length ?? 0));
  const widths = (lines[0] ?? []).map((_, column) => width(column));
  const pad = (cell: string, column: number): string =>
    left.has(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
  return lines.map((line) => line.map(pad).join("  ").trimEnd()).join("\n");
}

const wordColumns = new Set([0, 7, 8]);

/** The whole table, with the rows' notes below it. */
export function formatTable(rows: readonly RowReport[]): string {
  const table = alignColumns([heading, ...rows.map(cells)], wordColumns);
  const notes = rows.flatMap(({ title, note }) => (note === undefined ? [] : [`${title}: ${note}`]));
  return notes.length === 0 ? table : `${table}\n\n${notes.join("\n")}`;
}
