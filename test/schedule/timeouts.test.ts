/** Deadlines of an attempt: `timeout`, `idleTimeout` and its heartbeat, and what comes after them. */
import { describe, expect, it } from "vitest";
import { createRunner, NodeError, RunnerError, type RuntimeEvent } from "spanloom";
import {
  type Context,
  aborted,
  collect,
  countingClock,
  eventsOf,
  gate,
  type Handler,
  lifeOf,
  never,
  settle,
  side,
  solo,
  watch,
} from "./support.ts";

/** Ends as soon as virtual time has gone so far. */
async function after<T>(clock: { advance(milliseconds: number): Promise<void> }, milliseconds: number, pending: Promise<T>): Promise<T> {
  await clock.advance(milliseconds);
  return pending;
}

describe("a time-out", () => {
  it("fails the attempt with node_timeout, naming the node, the time and the attempt", async () => {
    const clock = countingClock();
    const { events, error } = await after(clock, 250, collect(createRunner(solo(never, { timeout: "250ms" }), { clock }).stream({})));
    expect(error).toBeInstanceOf(RunnerError);
    const { code, cause } = error as RunnerError;
    expect(code).toBe("scheduler");
    expect(cause).toBeInstanceOf(NodeError);
    expect(cause).toMatchObject({ code: "node_timeout", facts: { node: "a", timeout: 250, kind: "timeout", attempt: 1 } });
    expect(eventsOf(events, "node.failed").map(({ data }) => [data.error.code, data.final])).toEqual([["node_timeout", true]]);
    expect(clock.pending()).toBe(0);
  });

  it("aborts the attempt's signal with that error", async () => {
    const clock = countingClock();
    const reasons: unknown[] = [];
    const run: Handler<"a"> = (_state, { signal }) => {
      signal.addEventListener("abort", () => reasons.push(signal.reason));
      return never();
    };
    const { error } = await after(clock, 100, collect(createRunner(solo(run, { timeout: 100 }), { clock }).stream({})));
    expect(reasons).toEqual([(error as RunnerError).cause]);
  });

  it("aborts a signal that is asked for only after it", async () => {
    const clock = countingClock();
    let kept: Context | undefined;
    const run: Handler<"a"> = (_state, context) => {
      kept = context as unknown as Context;
      return never();
    };
    await after(clock, 100, collect(createRunner(solo(run, { timeout: 100 }), { clock }).stream({})));
    expect(kept?.signal.aborted).toBe(true);
    expect(kept?.signal.reason).toMatchObject({ code: "node_timeout" });
  });

  it("is per attempt: each begins its own, and aborts its own signal alone", async () => {
    const clock = countingClock();
    const signals: AbortSignal[] = [];
    const run: Handler<"a"> = (_state, { attempt, signal }) => {
      signals.push(signal);
      return attempt < 3 ? never() : Promise.resolve({ n: attempt });
    };
    const compiled = solo(run, { timeout: 100, retry: { attempts: 3, initialDelay: 50, factor: 1, jitter: false } });
    const { result, events } = await after(clock, 300, collect(createRunner(compiled, { clock }).stream({})));
    expect(result?.state.n).toBe(3);
    expect(signals.map(({ aborted: isAborted }) => isAborted)).toEqual([true, true, false]);
    expect(eventsOf(events, "node.failed").map(({ time }) => time)).toEqual([100, 250]);
  });

  it("does not fire for one that is in time, and leaves no timer", async () => {
    const clock = countingClock();
    const hold = gate();
    const run = createRunner(
      solo(() => hold.promise, { timeout: 100, idleTimeout: 100 }),
      { clock },
    ).invoke({});
    await clock.advance(99);
    hold.resolve();
    expect((await run).status).toBe("completed");
    expect(clock.pending()).toBe(0);
  });

  it("lets siblings go on", async () => {
    const clock = countingClock();
    const hold = gate();
    const compiled = side({ a: never, b: () => hold.promise }, {}, { a: { timeout: 10 } });
    const streamed = collect(createRunner(compiled, { clock }).stream({}));
    await clock.advance(10);
    hold.resolve();
    const { events, error } = await streamed;
    expect(error).toMatchObject({ code: "scheduler", cause: { code: "node_timeout" } });
    expect(lifeOf(events, "b")).toEqual(["started", "completed"]);
  });

  it("of 0 could never be kept, and is refused when the graph is compiled", () => {
    expect(() => solo(never, { timeout: 0 })).toThrow(/more than 0/);
    expect(() => solo(never, { idleTimeout: 0 })).toThrow(/more than 0/);
  });
});

describe("an idle time-out", () => {
  it("fires when no heartbeat comes", async () => {
    const clock = countingClock();
    const { error } = await after(clock, 100, collect(createRunner(solo(never, { idleTimeout: 100 }), { clock }).stream({})));
    expect(error).toMatchObject({ cause: { code: "node_timeout", facts: { kind: "idleTimeout", timeout: 100, attempt: 1 } } });
  });

  it("begins again with each heartbeat", async () => {
    const clock = countingClock();
    let beat = (): void => {};
    const run: Handler<"a"> = (_state, { heartbeat }) => {
      beat = heartbeat;
      return never();
    };
    const streamed = collect(createRunner(solo(run, { idleTimeout: 100 }), { clock }).stream({}));
    const over = watch(streamed);
    for (let turn = 0; turn < 5; turn += 1) {
      await clock.advance(99);
      beat();
    }
    await clock.advance(99);
    expect(over.done()).toBe(false);
    await clock.advance(1);
    const { events } = await streamed;
    expect(eventsOf(events, "node.failed").map(({ time }) => time)).toEqual([595]);
    expect(clock.pending()).toBe(0);
  });

  it("and a time-out are both kept: heartbeats move only the idle one", async () => {
    const clock = countingClock();
    let beat = (): void => {};
    const run: Handler<"a"> = (_state, { heartbeat }) => {
      beat = heartbeat;
      return never();
    };
    const streamed = collect(createRunner(solo(run, { idleTimeout: 100, timeout: 250 }), { clock }).stream({}));
    for (let turn = 0; turn < 4; turn += 1) {
      await clock.advance(60);
      beat();
    }
    await clock.advance(10);
    expect((await streamed).error).toMatchObject({ cause: { facts: { kind: "timeout", timeout: 250 } } });
  });

  it("is not begun by a heartbeat of a node without one, nor after the attempt", async () => {
    const clock = countingClock();
    let beat = (): void => {};
    const run: Handler<"a"> = async (_state, { heartbeat }) => {
      beat = heartbeat;
      heartbeat();
      await settle(1);
      heartbeat();
    };
    await createRunner(solo(run), { clock }).invoke({});
    await createRunner(solo(run, { idleTimeout: 100 }), { clock }).invoke({});
    beat();
    expect(clock.pending()).toBe(0);
  });
});

describe("after a time-out", () => {
  it("a late result is dropped and counted", async () => {
    const clock = countingClock();
    const hold = gate<{ readonly n: number }>();
    const compiled = solo((_state, { attempt }) => (attempt === 1 ? hold.promise : { n: 2 }), {
      timeout: 10,
      retry: { attempts: 2, initialDelay: 0 },
    });
    const runner = createRunner(compiled, { clock });
    const { result, events } = await after(clock, 10, collect(runner.stream({})));
    expect(result?.state.n).toBe(2);
    hold.resolve({ n: 1 });
    await settle();
    expect(runner.health().late).toEqual({ results: 1, emits: 0 });
    expect(lifeOf(events, "a")).toEqual(["started", "failed", "retrying", "started", "completed"]);
  });

  it("a late failure is no unhandled rejection, and no result that was lost", async () => {
    const clock = countingClock();
    const hold = gate();
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on("unhandledRejection", note);
    const runner = createRunner(
      solo(() => hold.promise, { timeout: 10 }),
      { clock },
    );
    await after(clock, 10, collect(runner.stream({})));
    hold.reject(new Error("late"));
    await settle();
    process.off("unhandledRejection", note);
    expect(unhandled).toEqual([]);
    expect(runner.health().late.results).toBe(0);
  });

  it("late emits, logs and reports are dropped and counted, and throw nothing", async () => {
    const clock = countingClock();
    let kept: Context | undefined;
    const run: Handler<"a"> = (_state, context) => {
      kept ??= context as unknown as Context;
      return context.attempt === 1 ? never() : { n: 2 };
    };
    const seen: string[] = [];
    const runner = createRunner(solo(run, { timeout: 10, retry: { attempts: 2, initialDelay: 5, jitter: false } }), { clock });
    const streamed = collect(runner.stream({}));
    await clock.advance(10);
    kept?.emit("tick", 1);
    kept?.log.info("late");
    kept?.reportError(new Error("late"));
    await clock.advance(5);
    const { events, result } = await streamed;
    for (const { type } of events as readonly (RuntimeEvent | { readonly type: string })[]) seen.push(type);
    expect(seen).not.toContain("tick");
    expect(seen).not.toContain("node.log");
    expect(result?.state).toMatchObject({ n: 2, errors: [] });
    expect(runner.health().late).toEqual({ results: 0, emits: 3 });
  });

  it("nothing that is emitted once its signal has aborted is taken", async () => {
    const clock = countingClock();
    const run: Handler<"a"> = async (_state, { signal, emit }) => {
      signal.addEventListener("abort", () => emit("tick", 1));
      await aborted(signal);
    };
    const { events } = await after(clock, 10, collect(createRunner(solo(run, { timeout: 10 }), { clock }).stream({})));
    expect((events as readonly { readonly type: string }[]).filter(({ type }) => type === "tick")).toEqual([]);
  });

  it("an interrupt or a sub-step of the old attempt is refused, and opens nothing", async () => {
    const clock = countingClock();
    let kept: Context | undefined;
    const run: Handler<"a"> = (_state, context) => {
      kept ??= context as unknown as Context;
      return context.attempt === 1 ? never() : { n: 2 };
    };
    const runner = createRunner(solo(run, { timeout: 10, retry: { attempts: 2, initialDelay: 0 } }), { clock });
    const { result } = await after(clock, 10, collect(runner.stream({})));
    let ran = false;
    await expect(kept?.interrupt("?")).rejects.toBeInstanceOf(Error);
    await expect(kept?.once("k", () => void (ran = true))).rejects.toBeInstanceOf(Error);
    expect(ran).toBe(false);
    expect(result).toMatchObject({ status: "completed", interrupts: [] });
  });
});
