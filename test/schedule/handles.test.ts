/** No listener, timer or handle outlives its run. */
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { createRunner, type RunnerOptions } from "spanloom";
import { aborted, collect, countingClock, never, refused, settle, side, solo, ticks } from "./support.ts";

/** A signal that counts who listens to it. */
function watchedSignal() {
  const controller = new AbortController();
  const { signal } = controller;
  let listening = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...given: Parameters<typeof add>) => {
    listening += 1;
    add(...given);
  };
  signal.removeEventListener = (...given: Parameters<typeof remove>) => {
    listening -= 1;
    remove(...given);
  };
  return { controller, signal, listening: () => listening };
}

/** The timers of this process that were set since, and have neither fired nor been cleared: the test runner's own are not among them. */
function openTimers(): ReadonlySet<unknown> {
  const open = new Set<unknown>();
  const { setTimeout: set, clearTimeout: clear } = globalThis;
  const counted = (run: () => void, milliseconds?: number): NodeJS.Timeout => {
    const timer = set(() => {
      open.delete(timer);
      run();
    }, milliseconds);
    open.add(timer);
    return timer;
  };
  vi.stubGlobal("setTimeout", counted);
  vi.stubGlobal("clearTimeout", (timer: NodeJS.Timeout) => {
    open.delete(timer);
    clear(timer);
  });
  onTestFinished(() => void vi.unstubAllGlobals());
  return open;
}

describe("the listener on a run's signal", () => {
  it("is gone after a run that completed, failed, paused, or was refused", async () => {
    const { signal, listening } = watchedSignal();
    await createRunner(solo(() => ({ n: 1 }))).invoke({}, { signal });
    await refused(() => createRunner(solo(() => Promise.reject(new Error("x")))).invoke({}, { signal }), "scheduler");
    await createRunner(solo(async (_state, { interrupt }) => void (await interrupt(1)))).invoke({}, { signal });
    await refused(() => createRunner(solo(() => {})).invoke({ nope: 1 } as never, { signal }), "invalid_input");
    expect(listening()).toBe(0);
  });

  it("is one while the run goes on, and gone after a step by hand", async () => {
    const { signal, listening } = watchedSignal();
    const session = createRunner(solo(() => settle(2))).session("s");
    await session.create({});
    const step = session.runStep({ signal });
    await settle(1);
    expect(listening()).toBe(1);
    await step;
    expect(listening()).toBe(0);
  });

  it("is no leak, by the platform's measure, when many runs share a signal", async () => {
    const warnings: Error[] = [];
    const note = (warning: Error): void => void warnings.push(warning);
    process.on("warning", note);
    const { signal } = new AbortController();
    const runner = createRunner(solo(() => settle(2)));
    await Promise.all(Array.from({ length: 40 }, () => runner.invoke({}, { signal })));
    await settle();
    process.off("warning", note);
    expect(warnings).toEqual([]);
  });
});

describe("timers", () => {
  it("are none for a run of nodes without deadlines", async () => {
    const clock = countingClock();
    await createRunner(side({ a: () => settle(1), b: () => ({ n: 1 }) }), { clock }).invoke({});
    expect(clock.delays).toEqual([]);
  });

  it("are all cleared however two entries that end in the same turn fall out", async () => {
    for (const onFailure of ["abort", "settle"] as const) {
      for (let late = 0; late < 12; late += 1) {
        const clock = countingClock();
        const options: RunnerOptions = { clock, onFailure, telemetry: false };
        const compiled = side(
          {
            bad: async () => {
              await ticks(6);
              throw new Error("bad");
            },
            other: async (_state, { heartbeat }) => {
              await ticks(late);
              heartbeat();
              return { n: 1 };
            },
          },
          { timeout: 60_000, idleTimeout: 60_000 },
        );
        const { error } = await collect(createRunner(compiled, options as object).stream({}));
        expect(error).toMatchObject({ code: "scheduler" });
        expect(clock.pending(), `${onFailure}, ${late} ticks`).toBe(0);
      }
    }
  });

  it("are all cleared in whatever microtask of a node's end the run is cancelled", async () => {
    for (let late = 0; late < 20; late += 1) {
      const clock = countingClock();
      const compiled = side({ a: () => ticks(3), b: () => ticks(7) }, { timeout: 60_000 });
      const run = createRunner(compiled, { clock, telemetry: false }).stream({});
      await ticks(late);
      run.cancel();
      await run.result;
      expect(clock.pending(), `${late} ticks`).toBe(0);
    }
  });

  it("of the machine's clock do not hold the process after a time-out, a retry, a cancellation and a close", async () => {
    const open = openTimers();
    const quick = { timeout: 1, retry: { attempts: 2, initialDelay: 0 } };
    const runner = createRunner(solo((_state, { attempt }) => (attempt === 1 ? never() : { n: 1 }), quick));
    await runner.invoke({});
    const stuck = createRunner(solo((_state, { signal }) => aborted(signal), { timeout: "1h", idleTimeout: "1h" }));
    const run = stuck.stream({});
    await settle(2);
    expect(open.size).toBe(2);
    run.cancel();
    await run.result;
    await Promise.all([runner.close(), stuck.close()]);
    expect(open.size).toBe(0);
  });
});
