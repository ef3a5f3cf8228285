/** Days and months, in UTC: no number of a report depends on where it is made. */

export const day = 86_400_000;

export const monthOf = (time: number): string => new Date(time).toISOString().slice(0, 7);

/** The last twelve months, oldest first, the one that `time` lies in included. */
export function lastMonths(time: number, count = 12): readonly string[] {
  const date = new Date(time);
  const first = date.getUTCMonth() - count + 1;
  return Array.from({ length: count }, (_, index) => monthOf(Date.UTC(date.getUTCFullYear(), first + index, 1)));
}

/** The same day so many months earlier, or that month's last day when it has no such day. */
export function monthsBefore(time: number, months: number): number {
  const date = new Date(time);
  const month = date.getUTCMonth() - months;
  const lastDay = new Date(Date.UTC(date.getUTCFullYear(), month + 1, 0)).getUTCDate();
  return date.setUTCMonth(month, Math.min(date.getUTCDate(), lastDay));
}

/** How many whole months lie between. */
export function monthsBetween(from: number, to: number): number {
  const [first, last] = [new Date(from), new Date(to)];
  const months = 12 * (last.getUTCFullYear() - first.getUTCFullYear()) + last.getUTCMonth() - first.getUTCMonth();
  return monthsBefore(to, months) < from ? months - 1 : months;
}
