/** Ids that sort by the time they were made: UUID version 7 (RFC 9562), by the clock and the random source of the runner. */
import type { Clock } from "../support/clock.ts";

const drawn = new Uint32Array(256);
let left = 0;

/** In [0, 1), of the machine's secure source, which is asked for many at a time. */
export function secureRandom(): number {
  if (left === 0) left = crypto.getRandomValues(drawn).length;
  left -= 1;
  return (drawn[left] ?? 0) / 2 ** 32;
}

const hex = (value: number, digits: number): string => Math.floor(value).toString(16).padStart(digits, "0").slice(-digits);

/** Those of one source differ and sort as they were made, whatever clock and random give: they hold a counter of 26 bits. */
export function idSource(clock: Clock, random: () => number): () => string {
  const part = (): string => hex(random() * 2 ** 24, 6);
  let count = 0;
  return () => {
    const time = hex(Math.max(0, clock.now()), 12);
    const counted = hex(count >>> 14, 3);
    const variant = hex(0x8000 + (count & 0x3fff), 4);
    count = (count + 1) % 2 ** 26;
    // Joined, not concatenated: a text that is kept for long holds no list of its parts.
    return [time.slice(0, 8), time.slice(8), `7${counted}`, variant, part() + part()].join("-");
  };
}
