/** Durations as people write them, in milliseconds. */

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of a finite number ≥ 0, or of "250ms", "10s", "5m", "2h", "1d"; `undefined` for anything else. */
export function parseDuration(value: unknown): number | undefined {
  if (typeof value === "number") return Number.isFinite(value) && value >= 0 ? value : undefined;
  if (typeof value !== "string") return undefined;
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(value) ?? [];
  const milliseconds = Number(amount) * (units[unit ?? ""] ?? Number.NaN);
  return Number.isFinite(milliseconds) ? milliseconds : undefined;
}
