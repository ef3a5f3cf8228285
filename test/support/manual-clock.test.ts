/** The clock that tests move by hand, and the random source that they seed. */
import { describe, expect, it } from "vitest";
import { manualClock } from "../../src/testing/manual-clock.ts";
import { seededRandom } from "../../src/testing/random.ts";

describe("manualClock", () => {
  it("moves both times, and only when told to", async () => {
    const clock = manualClock(1_000);
    expect([clock.now(), clock.monotonic()]).toEqual([1_000, 0]);
    await clock.advance(250.5);
    expect([clock.now(), clock.monotonic()]).toEqual([1_250.5, 250.5]);
    await clock.advance(-100);
    expect(clock.monotonic()).toBe(250.5);
  });

  it("fires what is due by time, then by registration, each at its own time", async () => {
    const clock = manualClock();
    const fired: string[] = [];
    for (const [name, delay] of [
      ["b", 20],
      ["a", 10],
      ["c", 20],
      ["late", 31],
    ] as const) {
      // prettier-ignore
      clock.setTimeout(() => fired.push(`${name}@${clock.now()}`), delay);
    }
    await clock.advance(30);
    expect(fired).toEqual(["a@10", "b@20", "c@20"]);
    await clock.advance(1);
    expect(fired).toEqual(["a@10", "b@20", "c@20", "late@31"]);
  });

  it("fires timers that are set on the way, after chains of awaits too", async () => {
    const clock = manualClock();
    const wakings: number[] = [];
    const sleep = (delay: number): Promise<void> => new Promise((resolve) => void clock.setTimeout(resolve, delay));
    const loop = async (): Promise<void> => {
      for (let turn = 0; turn < 3; turn += 1) {
        await sleep(10);
        for (let tick = 0; tick < 50; tick += 1) await Promise.resolve();
        wakings.push(clock.now());
      }
    };
    const done = loop();
    await clock.advance(100);
    await done;
    expect(wakings).toEqual([10, 20, 30]);
    expect(clock.now()).toBe(100);
  });

  it("lets what one timer starts clear another of the same instant", async () => {
    const clock = manualClock();
    let fired = false;
    const second = { clear: () => {} };
    clock.setTimeout(() => void Promise.resolve().then(() => second.clear()), 10);
    second.clear = clock.setTimeout(() => (fired = true), 10).clear;
    await clock.advance(10);
    expect(fired).toBe(false);
  });

  it("fires what is due at once when advanced by nothing, and nothing that was cleared", async () => {
    const clock = manualClock();
    const fired: string[] = [];
    clock.setTimeout(() => fired.push("now"), 0);
    clock.setTimeout(() => fired.push("soon"), 1);
    clock.setTimeout(() => fired.push("never"), 0).clear();
    await clock.advance(0);
    expect(fired).toEqual(["now"]);
  });

  it("fails the advance in which a timer throws, and goes on afterwards", async () => {
    const clock = manualClock();
    const fired: string[] = [];
    clock.setTimeout(() => { throw new Error("broken"); }, 1); // prettier-ignore
    clock.setTimeout(() => fired.push("next"), 2);
    await expect(clock.advance(5)).rejects.toThrow("broken");
    await clock.advance(5);
    expect(fired).toEqual(["next"]);
  });
});

describe("seededRandom", () => {
  const take = (seed: number, count: number): readonly number[] => Array.from({ length: count }, seededRandom(seed));

  it("gives the same numbers for the same seed, others for another", () => {
    expect(take(1, 20)).toEqual(take(1, 20));
    expect(take(1, 20)).not.toEqual(take(2, 20));
  });

  it("gives numbers in [0, 1), evenly", () => {
    const numbers = take(7, 10_000);
    expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...numbers)).toBeLessThan(1);
    const tenths = Array.from({ length: 10 }, (_item, tenth) => numbers.filter((number) => Math.floor(number * 10) === tenth).length);
    for (const count of tenths) expect(Math.abs(count - 1_000)).toBeLessThan(150);
  });
});
