/** Times of spans as the SDK takes them, to the nanosecond. */
import type { HrTime } from "@opentelemetry/api";
import { sinceSpanOrigin, spanOrigin } from "../span-clock.ts";

const originSeconds = Math.floor(spanOrigin / 1000);
const originNanoseconds = Math.round((spanOrigin - originSeconds * 1000) * 1e6);

/* Seconds and nanoseconds, not milliseconds: as one double a date has steps of 244 ns, and the SDK may round it up to a billion
   nanoseconds. Truncated, so that the order of two readings is kept. */
function sinceOrigin(milliseconds: number): HrTime {
  const nanoseconds = originNanoseconds + Math.floor(milliseconds * 1e6);
  const rest = nanoseconds % 1e9;
  return [originSeconds + (nanoseconds - rest) / 1e9, rest];
}

/** Now. */
export function spanTime(): HrTime {
  return sinceOrigin(sinceSpanOrigin());
}

/** A date in milliseconds since the epoch, as a span time; one that is no date, or lies ahead, is now. */
export function spanTimeOf(date: number | undefined): HrTime {
  const now = sinceSpanOrigin();
  if (date === undefined || !Number.isFinite(date) || date < 0 || date - spanOrigin > now) return sinceOrigin(now);
  const seconds = Math.floor(date / 1000);
  return [seconds, Math.min(999_999_999, Math.floor((date - seconds * 1000) * 1e6))];
}

/** Seconds from one span time to another. */
export function secondsBetween(start: HrTime, end: HrTime): number {
  return end[0] - start[0] + (end[1] - start[1]) / 1e9;
}
