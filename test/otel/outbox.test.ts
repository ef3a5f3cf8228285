/** The queue before a destination: bounded, in order, and never more than one batch on its way. */
import { describe, expect, it } from "vitest";
import { manualClock } from "spanloom/testing";
import { Deadline } from "../../src/otel/deadline.ts";
import { Courier, type Destination, type Outcome } from "../../src/otel/delivery.ts";
import { Outbox } from "../../src/otel/outbox.ts";

const hour = 3_600_000;

/** Batches wait for `answer`. */
function setUp(capacity: number, batchSize: number, destination: Partial<Destination<number[]>> = {}, ready?: Promise<void>) {
  const batches: number[][] = [];
  const waiting: ((outcome: Outcome) => void)[] = [];
  let dropped = 0;
  const whole: Destination<number[]> = {
    send: (batch) => {
      batches.push(batch);
      return new Promise((resolve) => waiting.push(resolve));
    },
    close: () => {
      for (const resolve of waiting.splice(0)) resolve({ kind: "unavailable", reason: "closed" });
    },
    ...destination,
  };
  const complaints: string[] = [];
  const courier = new Courier(whole, (problem) => complaints.push(problem), Number.POSITIVE_INFINITY);
  const settings = { capacity, batchSize, delay: hour, giveUpAfter: Number.POSITIVE_INFINITY };
  const outbox = new Outbox(courier, settings, () => (dropped += 1), ready);
  const turn = async (): Promise<void> => {
    for (let round = 0; round < 4; round += 1) await new Promise((resolve) => void setImmediate(resolve));
  };
  return {
    outbox,
    batches,
    complaints,
    turn,
    add: (from: number, to: number) => {
      for (let item = from; item <= to; item += 1) outbox.add(item);
    },
    answer: async (outcome: Outcome = { kind: "taken", rejected: 0 }) => {
      waiting.shift()?.(outcome);
      await turn();
    },
    dropped: () => dropped,
  };
}

describe("an outbox", () => {
  it("sends full batches by itself, in order, one after the other", async () => {
    const { outbox, batches, add, answer, turn } = setUp(100, 2);
    add(1, 5);
    await turn();
    expect(batches).toEqual([[1, 2]]);
    await answer();
    await answer();
    expect(batches).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(outbox.acknowledged).toBe(4);
    outbox.close();
  });

  it("when it is drained, sends all that is in it, and resolves although more comes meanwhile", async () => {
    const { outbox, batches, add, answer, turn } = setUp(100, 4);
    add(1, 2);
    let done = false;
    const drained = outbox.drained().then(() => (done = true));
    await turn();
    add(3, 4);
    expect(done).toBe(false);
    await answer();
    await drained;
    expect(batches).toEqual([[1, 2]]);
    outbox.close();
  });

  it("resolves at once when there is nothing to drain", async () => {
    const { outbox } = setUp(100, 4);
    await outbox.drained();
    outbox.close();
    await outbox.drained();
  });

  it("drops what finds no place, and counts it; what is on its way takes none", async () => {
    const { outbox, add, answer, turn, dropped } = setUp(4, 2);
    add(1, 5);
    expect(dropped()).toBe(1);
    await turn();
    add(6, 8);
    expect(dropped()).toBe(2);
    await answer();
    await answer();
    await answer();
    expect(outbox.acknowledged).toBe(6);
    outbox.close();
  });

  it("goes on after a batch that was refused, which is not acknowledged", async () => {
    const { outbox, add, answer, turn } = setUp(100, 2);
    add(1, 4);
    const drained = outbox.drained();
    await turn();
    await answer({ kind: "refused", reason: "no" });
    await answer();
    await drained;
    expect(outbox.acknowledged).toBe(2);
    outbox.close();
  });

  it("resolves at the deadline, and tells it; it is given up until there is more", async () => {
    const clock = manualClock();
    const { outbox, add, answer, complaints } = setUp(100, 2, { failure: "no way" });
    expect(outbox.isGivenUp).toBe(true);
    add(1, 4);
    const deadline = new Deadline(3000, clock);
    const drained = outbox.drained(deadline);
    await clock.advance(2999);
    expect([outbox.isGivenUp, complaints]).toEqual([false, []]);
    await clock.advance(1);
    await drained;
    expect([outbox.isGivenUp, complaints]).toEqual([true, ["no way: not everything was acknowledged within 3 s."]]);
    add(5, 5);
    expect(outbox.isGivenUp).toBe(false);
    const again = outbox.drained(new Deadline(3000, clock));
    await answer();
    await answer();
    await answer();
    await again;
    await clock.advance(3000);
    expect(outbox.acknowledged).toBe(5);
    expect(complaints).toHaveLength(1);
    outbox.close();
  });

  it("says nothing of a deadline where nothing can be late", async () => {
    const clock = manualClock();
    const { outbox, add, complaints } = setUp(100, 2);
    add(1, 4);
    const drained = outbox.drained(new Deadline(3000, clock));
    await clock.advance(3000);
    await drained;
    expect(complaints).toEqual([]);
    outbox.close();
  });

  it("sends nothing before it is ready", async () => {
    const ready = Promise.withResolvers<void>();
    const { outbox, batches, add, turn } = setUp(100, 2, {}, ready.promise);
    add(1, 2);
    await turn();
    expect(batches).toEqual([]);
    ready.resolve();
    await turn();
    expect(batches).toEqual([[1, 2]]);
    outbox.close();
  });

  it("that is closed lets go of everything, and of everybody who waits", async () => {
    const { outbox, batches, add, turn } = setUp(100, 2);
    add(1, 4);
    const drained = outbox.drained();
    await turn();
    outbox.close();
    outbox.close();
    await drained;
    add(5, 6);
    await turn();
    expect(batches).toEqual([[1, 2]]);
    expect(outbox.acknowledged).toBe(0);
  });

  it("saves at once what waits, if the destination can", () => {
    const saved: number[][] = [];
    const sendNow = (batch: number[]): Outcome => {
      saved.push(batch);
      return { kind: "taken", rejected: 0 };
    };
    const { outbox, add } = setUp(100, 2, { sendNow });
    add(1, 5);
    outbox.drainNow();
    expect(saved).toEqual([[1, 2], [3, 4], [5]]);
    expect(outbox.acknowledged).toBe(5);
    outbox.close();
  });
});
