/** Numbers and times as a reader wants them. */
import { day } from "../analysis/time.ts";

export const number = (value: number): string => value.toLocaleString("en-US");
export const percent = (part: number): string => `${Math.round(part * 100)} %`;
export const date = (time: number): string => new Date(time).toISOString().slice(0, 10);

/** "1 file", "2,000 files"; irregular plurals are given. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${number(count)} ${count === 1 ? one : many}`;
}

/** "today", "12 days", "5 months", "3 years". */
export function span(from: number, to: number): string {
  const days = Math.max(0, Math.floor((to - from) / day));
  if (days < 1) return "less than a day";
  if (days < 60) return counted(days, "day");
  if (days < 730) return counted(Math.round(days / 30.44), "month");
  return counted(Math.round(days / 365.25), "year");
}

/** A bar for each value, the largest the tallest. */
export function sparkline(values: readonly number[]): string {
  const bars = "▁▂▃▄▅▆▇█";
  const most = Math.max(...values);
  return values.map((value) => (value === 0 ? "·" : bars[Math.ceil((value / most) * bars.length) - 1])).join("");
}
