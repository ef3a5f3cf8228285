import fc from "fast-check";
import { expect, it } from "vitest";
import { StateError } from "../../src/errors/errors.ts";
import type { AnyEvent } from "../../src/events/event.ts";
import { memorySink } from "../../src/events/sinks/memory.ts";
import { custom, isSinkEvent, settle, sinkOf, startBus } from "./support.ts";

const outcome = fc.constantFrom("sync", "async", "throw", "reject", "hang", "slow", "unserializable" as const);
const step = fc.oneof(
  fc.record({ publish: fc.integer({ min: 1, max: 6 }) }),
  fc.record({ advance: fc.constantFrom(0, 50, 100, 300, 1000, 5000) }),
  fc.constant({ settle: true } as const),
);
const queue = fc.record({
  capacity: fc.integer({ min: 1, max: 6 }),
  batch: fc.integer({ min: 1, max: 4 }),
  policy: fc.constantFrom("block", "drop-oldest", "drop-newest" as const),
  timeout: fc.constantFrom(500, 2000),
});

it("published = delivered + dropped + queued at every moment, every drop is told, and the order is kept", async () => {
  await fc.assert(
    fc.asyncProperty(
      queue,
      fc.array(outcome, { minLength: 1, maxLength: 8 }),
      fc.array(step, { maxLength: 12 }),
      async (options, outcomes, steps) => {
        let published = 0;
        let writes = 0;
        const delivered: number[] = [];
        const note = (events: readonly AnyEvent[]) => void delivered.push(...events.map((event) => event.seq));
        const check = () => {
          const health = bus.health()[0];
          expect(health && health.delivered + health.dropped + health.queued).toBe(published);
          if (options.policy !== "block") expect(health?.queued).toBeLessThanOrEqual(options.capacity);
        };
        const sink = sinkOf("subject", options, (events) => {
          check();
          const what = outcomes[(writes += 1) % outcomes.length];
          if (what === "throw") throw new Error(what);
          if (what === "unserializable") throw new StateError("unserializable_value", { path: "data", what });
          if (what === "reject") return Promise.reject(new Error(what));
          if (what === "hang") return new Promise(() => {});
          if (what === "slow") return new Promise<void>((resolve) => clock.setTimeout(resolve, 400)).then(() => note(events));
          note(events);
          return what === "async" ? Promise.resolve() : undefined;
        });
        const witness = memorySink();
        const { bus, clock } = startBus([sink, witness]);
        for (const action of steps) {
          if ("publish" in action) {
            for (let count = 0; count < action.publish; count += 1) {
              published += 1;
              bus.publish(custom(published));
              check();
            }
          } else if ("advance" in action) await clock.advance(action.advance);
          else await settle();
          check();
        }
        const before = bus.health()[0]?.dropped ?? 0;
        const closing = bus.close(1000);
        await clock.advance(1000);
        const { lostEvents } = await closing;
        check();
        const health = bus.health()[0];
        expect(health?.queued).toBe(0);
        expect(lostEvents).toBe((health?.dropped ?? 0) - before);
        expect(delivered).toEqual(delivered.toSorted((left, right) => left - right));
        const told = witness.events.filter(isSinkEvent).map((event) => (event.type === "sink.dropped" ? event.data.count : 0));
        expect(told.reduce((sum, count) => sum + count, 0)).toBe(health?.dropped);
      },
    ),
    { numRuns: 150 },
  );
});
