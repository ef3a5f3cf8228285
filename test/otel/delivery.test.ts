/** Delivering one batch, on a clock that is moved by hand. */
import { describe, expect, it } from "vitest";
import { Courier, type Destination, type Outcome } from "../../src/otel/delivery.ts";

const down: Outcome = { kind: "unavailable", reason: "down" };
const taken: Outcome = { kind: "taken", rejected: 0 };

/** `answers` one after the other, the last for ever. */
function setUp(answers: readonly Outcome[], giveUpAfter = Number.POSITIVE_INFINITY) {
  let time = 0;
  let attempts = 0;
  let pause: { readonly run: () => void; readonly milliseconds: number } | undefined;
  const pauses: number[] = [];
  const complaints: string[] = [];
  let closed = false;
  const destination: Destination<string> = {
    send: () => {
      const outcome = answers[Math.min(attempts, answers.length - 1)];
      attempts += 1;
      if (outcome === undefined) throw new Error("no answer");
      return Promise.resolve(outcome);
    },
    close: () => {
      closed = true;
    },
  };
  const courier = new Courier(destination, (problem) => complaints.push(problem), giveUpAfter, {
    now: () => time,
    random: () => 0.5,
    wait: (run, milliseconds) => {
      pauses.push(milliseconds);
      pause = { run, milliseconds };
      return { clear: () => (pause = undefined) };
    },
  });
  const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
  return {
    courier,
    pauses,
    complaints,
    settled,
    /** Lets the current pause pass. */
    pass: async () => {
      await settled();
      time += pause?.milliseconds ?? 0;
      pause?.run();
      await settled();
    },
    attempts: () => attempts,
    isClosed: () => closed,
  };
}

describe("a batch", () => {
  it("is tried again after 1 s, then later and later, up to 5 s, for as long as it takes", async () => {
    const { courier, pass, pauses, attempts } = setUp([down, down, down, down, down, down, down, taken]);
    const delivered = courier.deliver("batch", 8);
    for (let round = 0; round < 7; round += 1) await pass();
    expect(await delivered).toBe(8);
    expect(pauses).toEqual([1000, 1500, 2250, 3375, 5000, 5000, 5000]);
    expect(attempts()).toBe(8);
  });

  it("that is refused is not tried again", async () => {
    const { courier, pauses, complaints } = setUp([{ kind: "refused", reason: "no" }]);
    expect(await courier.deliver("batch", 8)).toBe(0);
    expect(pauses).toEqual([]);
    expect(complaints).toEqual(["no"]);
  });

  it("that is taken in part counts for that part, and never for less than nothing", async () => {
    expect(await setUp([{ kind: "taken", rejected: 3 }]).courier.deliver("batch", 8)).toBe(5);
    expect(await setUp([{ kind: "taken", rejected: 30 }]).courier.deliver("batch", 8)).toBe(0);
  });

  it("is given up when the next attempt would come too late", async () => {
    const { courier, pass, attempts } = setUp([down], 2600);
    const delivered = courier.deliver("batch", 8);
    await pass();
    await pass();
    expect(await delivered).toBe(0);
    expect(attempts()).toBe(3);
  });

  it("waits as long as the other side asks, but not for ever", async () => {
    const { courier, pass, pauses } = setUp([{ ...down, wait: 0 }, { ...down, wait: 7000 }, { ...down, wait: 1e12 }, taken]);
    const delivered = courier.deliver("batch", 8);
    for (let round = 0; round < 3; round += 1) await pass();
    await delivered;
    expect(pauses).toEqual([0, 7000, 300_000]);
  });
});

describe("a courier", () => {
  it("in a hurry tries at once, and then often, until the hurry is over", async () => {
    const { courier, pass, settled, pauses, attempts } = setUp([down]);
    const delivered = courier.deliver("batch", 8);
    await settled();
    const relax = courier.hurry();
    await settled();
    expect(attempts()).toBe(2);
    await pass();
    relax();
    await pass();
    expect(pauses.slice(0, 3)).toEqual([1000, 200, 200]);
    expect(pauses.at(-1)).toBeGreaterThan(1000);
    courier.close();
    await delivered;
  });

  it("in a hurry keeps to the wait that the other side asked for", async () => {
    const { courier, settled, attempts } = setUp([{ ...down, wait: 7000 }]);
    const delivered = courier.deliver("batch", 8);
    await settled();
    courier.hurry();
    await settled();
    expect(attempts()).toBe(1);
    courier.close();
    expect(await delivered).toBe(0);
  });

  it("that is closed gives up at once, and closes where it delivers to", async () => {
    const { courier, settled, attempts, isClosed } = setUp([down]);
    const delivered = courier.deliver("batch", 8);
    await settled();
    courier.close();
    expect(await delivered).toBe(0);
    expect(attempts()).toBe(1);
    expect(isClosed()).toBe(true);
  });
});
