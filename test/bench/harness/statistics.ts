/** The arithmetic of rounds: medians, and ratios that are taken within a round, so that a slow moment of the machine meets both sides. */

/** The middle value, or the mean of the two in the middle. NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The median of `numerators[i] / denominators[i]`; `undefined` when there is nothing to compare. */
export function medianRatio(numerators: readonly number[], denominators: readonly number[]): number | undefined {
  const rounds = Math.min(numerators.length, denominators.length);
  if (rounds === 0) return undefined;
  return median(Array.from({ length: rounds }, (_, round) => (numerators[round] ?? Number.NaN) / (denominators[round] ?? Number.NaN)));
}

/** What lies between each moment and the next. */
export function differences(moments: readonly number[]): readonly number[] {
  return moments.slice(1).map((moment, index) => moment - (moments[index] ?? Number.NaN));
}
