/** The arithmetic that budgets are judged by. */
import { describe, expect, it } from "vitest";
import { differences, median, medianRatio } from "../bench/harness/statistics.ts";

describe("median", () => {
  it("is the middle value, or the mean of the two in the middle, in whatever order they come", () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([4, 1, 100, 2])).toBe(3);
    expect(median([7])).toBe(7);
    expect(median([])).toBeNaN();
  });

  it("sorts numbers as numbers, and leaves what it is given as it was", () => {
    const values = [10, 9, 100];
    expect(median(values)).toBe(10);
    expect(values).toEqual([10, 9, 100]);
  });
});

describe("medianRatio", () => {
  it("compares within a round, so that a slow moment that meets both sides does not count", () => {
    expect(medianRatio([2, 20, 200], [1, 10, 100])).toBe(2);
  });

  it("uses complete rounds alone, and is undefined without any", () => {
    expect(medianRatio([6, 1000], [2])).toBe(3);
    expect(medianRatio([6], [])).toBeUndefined();
  });
});

describe("differences", () => {
  it("is what lies between each moment and the next, one fewer than there are", () => {
    expect(differences([5, 7, 12])).toEqual([2, 5]);
    expect(differences([5])).toEqual([]);
  });
});
