/** Numbers and times as a reader wants them. */
import { day, monthsBetween } from "../analysis/time.ts";

export const number = (value: number): string => value.toLocaleString("en-US");
export const percent = (part: number): string => `${number(Math.round(part * 100))} %`;
export const date = (time: number): string => new Date(time).toISOString().slice(0, 10);

/** "1 file", "2,000 files"; irregular plurals are given. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${number(count)} ${count === 1 ? one : many}`;
}

/** "less than a day", "12 days", "5 months", "3 years": what has passed whole, never more. */
export function span(from: number, to: number): string {
  const days = Math.max(0, Math.floor((to - from) / day));
  if (days < 1) return "less than a day";
  const months = monthsBetween(from, to);
  if (months < 2) return counted(days, "day");
  return months < 24 ? counted(months, "month") : counted(Math.floor(months / 12), "year");
}

/** A bar for each value, the largest the tallest. */
export function sparkline(values: readonly number[]): string {
  const bars = "▁▂▃▄▅▆▇█";
  const most = Math.max(...values);
  return values.map((value) => (value === 0 ? "·" : bars[Math.ceil((value / most) * bars.length) - 1])).join("");
}
