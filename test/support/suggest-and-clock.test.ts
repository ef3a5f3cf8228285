/** Suggestions for misspelt names, and the machine's clock. */
import { describe, expect, it, vi } from "vitest";
import { systemClock } from "../../src/support/clock.ts";
import { hint, suggest } from "../../src/support/suggest.ts";

describe("suggest", () => {
  const known = ["search", "summarize", "write", "a"];
  it.each([
    ["serach", "search"],
    ["SEARCH", "search"],
    ["summarise", "summarize"],
    // Letters that are swapped count once.
    ["wrtie", "write"],
    ["A", "a"],
    // Any short name would resemble any other.
    ["b", undefined],
    ["publish", undefined],
    ["x".repeat(101), undefined],
  ])("%s: %s", (name, nearest) => {
    expect(suggest(name, known)).toBe(nearest);
  });

  it("says the nearest name, else what is known", () => {
    expect(hint("wrte", known)).toBe(' Did you mean "write"?');
    expect(hint("publish", ["a", "b"])).toBe(' Known: "a", "b".');
    expect(hint("publish", [])).toBe("");
    const many = Array.from({ length: 12 }, (_item, index) => `node number ${index}`);
    expect(hint("publish", many)).toMatch(/"node number 9" and 2 more\.$/);
  });
});

describe("systemClock", () => {
  it("tells dates, and durations that never go backwards", () => {
    const date = Date.now();
    expect(Math.abs(systemClock.now() - date)).toBeLessThan(60_000);
    const before = systemClock.monotonic();
    expect(systemClock.monotonic()).toBeGreaterThanOrEqual(before);
  });

  it("keeps timers longer than Node's longest delay, and clears them", () => {
    vi.useFakeTimers();
    try {
      const fired: string[] = [];
      const month = 30 * 24 * 3600 * 1000;
      systemClock.setTimeout(() => fired.push("kept"), month);
      systemClock.setTimeout(() => fired.push("cleared"), month).clear();
      vi.advanceTimersByTime(month - 1);
      expect(fired).toEqual([]);
      vi.advanceTimersByTime(1);
      expect(fired).toEqual(["kept"]);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});
