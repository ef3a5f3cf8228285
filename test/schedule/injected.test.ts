/** Clock, random source and ids are arguments: they reach every time, every id and every backoff. */
import { describe, expect, it } from "vitest";
import { createRunner, memoryCheckpointer, RunnerError } from "spanloom";
import { manualClock, seededRandom } from "spanloom/testing";
import { collect, list, solo } from "./support.ts";

describe("the clock", () => {
  it("gives every event its time, and sessions theirs", async () => {
    const clock = manualClock(1_000_000);
    await clock.advance(500);
    const compiled = solo(async (_state, { reportError }) => {
      reportError(new Error("x"));
      await clock.advance(250);
    });
    const runner = createRunner(compiled, { clock, checkpointer: memoryCheckpointer() });
    const { events, result } = await collect(runner.stream({}, { sessionId: "s" }));
    for (const { time } of events) expect([1_000_500, 1_000_750]).toContain(time);
    expect(events.at(-1)?.time).toBe(1_000_750);
    expect(result?.state.errors[0]?.when).toBe(1_000_500);
    expect(events.find(({ type }) => type === "node.completed")?.data).toMatchObject({ duration: 250 });
    expect(events.find(({ type }) => type === "superstep.completed")?.data).toMatchObject({ duration: 250 });
    expect(await runner.session("s").state()).toMatchObject({ createdAt: 1_000_500, updatedAt: 1_000_750 });
  });

  it("and the random source make a run that comes out the same, event for event", async () => {
    const record = async () => {
      const clock = manualClock(5);
      const compiled = solo(
        (_state, { attempt }) => {
          if (attempt < 3) throw new Error("x");
          return { n: attempt };
        },
        { retry: { attempts: 3 } },
      );
      const runner = createRunner(compiled, { clock, random: seededRandom(42), telemetry: false });
      const streamed = collect(runner.stream({}));
      await clock.advance(60_000);
      return (await streamed).events;
    };
    const first = await record();
    expect(first.length).toBeGreaterThan(8);
    expect(await record()).toEqual(first);
  });
});

describe("createId", () => {
  it("makes the ids of sessions and invocations", async () => {
    let count = 0;
    const runner = createRunner(
      solo(() => ({ n: 1 })),
      { createId: () => `id-${(count += 1)}`, checkpointer: memoryCheckpointer() },
    );
    const { sessionId, invocationId } = await runner.invoke({});
    expect([sessionId, invocationId].toSorted()).toEqual(["id-1", "id-2"]);
    const fork = await runner.session(sessionId).fork();
    expect(fork.id).toMatch(/^id-/);
  });

  it("is by default a UUID of version 7, by the runner's clock, and no two are equal", async () => {
    const clock = manualClock(Date.UTC(2024, 0, 2));
    const runner = createRunner(
      solo(() => ({ n: 1 })),
      { clock, checkpointer: memoryCheckpointer() },
    );
    const results = await Promise.all(Array.from({ length: 20 }, () => runner.invoke({})));
    const ids = results.flatMap(({ sessionId, invocationId }) => [sessionId, invocationId]);
    expect(new Set(ids).size).toBe(40);
    const millis = Date.UTC(2024, 0, 2).toString(16).padStart(12, "0");
    for (const id of ids) {
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(id.replaceAll("-", "").slice(0, 12)).toBe(millis);
    }
    expect(await list(runner.sessions())).toHaveLength(20);
  });
});

describe("a random source that gives what it must not", () => {
  it("makes no delay below nothing or above the cap, nor one that is no number; nor ids of another form", async () => {
    for (const [given, expected] of [
      [Number.NaN, 0],
      [-1, 0],
      [5, 99],
      [1, 99],
      [Number.POSITIVE_INFINITY, 99],
      ["x", 0],
    ] as const) {
      const clock = manualClock(0);
      const compiled = solo(
        (_state, { attempt }) => {
          if (attempt === 1) throw new Error("x");
        },
        { retry: { attempts: 2, initialDelay: 100 } },
      );
      const runner = createRunner(compiled, { clock, random: () => given as number, checkpointer: memoryCheckpointer() });
      const streamed = collect(runner.stream({}));
      await clock.advance(1_000);
      const { events, result } = await streamed;
      const [delay = -1] = events.flatMap((event) => (event.type === "node.retrying" ? [event.data.delay] : []));
      expect(Math.floor(delay), String(given)).toBe(expected);
      expect(result?.sessionId).toMatch(/^[0-9a-f-]{36}$/);
    }
  });
});

describe("what cannot be a clock, a random source or an id source", () => {
  it("is an invalid option", () => {
    const compiled = solo(() => {});
    for (const options of [{ clock: {} }, { clock: 1 }, { random: 0.5 }, { createId: "id" }, { maxSteps: 0 }]) {
      expect(() => createRunner(compiled, options as never)).toThrow(RunnerError);
    }
  });
});
