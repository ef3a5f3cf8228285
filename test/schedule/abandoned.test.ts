/** Nodes that do not listen to their signal: abandoned past a grace, and said. */
import { describe, expect, it } from "vitest";
import { createRunner } from "spanloom";
import { collect, countingClock, eventsOf, gate, lifeOf, never, settle, side, solo, watch } from "./support.ts";

describe("a node that ignores its signal", () => {
  it("is abandoned past a grace of 5 s by the runner's clock, and that is said", async () => {
    const clock = countingClock();
    const hold = gate<{ readonly n: number }>();
    const runner = createRunner(
      solo(() => hold.promise),
      { clock },
    );
    const run = runner.stream({}, { sessionId: "s" });
    const streamed = collect(run);
    const over = watch(streamed);
    await settle();
    run.cancel("stop");
    await clock.advance(4999);
    expect(over.done()).toBe(false);
    await clock.advance(1);
    const { result, events } = await streamed;
    expect(result).toMatchObject({ status: "cancelled", state: { n: 0 } });
    expect(lifeOf(events, "a")).toEqual(["started", "log", "cancelled"]);
    expect(eventsOf(events, "node.log", "a").map(({ data }) => data.level)).toEqual(["warn"]);
    expect(clock.pending()).toBe(0);

    hold.resolve({ n: 9 });
    await settle();
    expect(runner.health().late.results).toBe(1);
    expect((await runner.session("s").state()).next).toEqual(["a"]);
  });

  it("has that grace also when it stops the run itself, before it waits", async () => {
    const clock = countingClock();
    const controller = new AbortController();
    const compiled = solo(
      () => {
        controller.abort("by itself");
        return never();
      },
      { timeout: 1000, idleTimeout: 1000 },
    );
    const streamed = collect(createRunner(compiled, { clock }).stream({}, { signal: controller.signal }));
    await clock.advance(5000);
    expect((await streamed).result?.status).toBe("cancelled");
    expect(clock.pending()).toBe(0);
  });

  it("within its grace may still emit, and finish: its result is kept", async () => {
    const clock = countingClock();
    const hold = gate();
    let broken = true;
    const runner = createRunner(
      solo(async (_state, { emit }) => {
        if (!broken) throw new Error("run again");
        await hold.promise;
        emit("tick", 1);
        return { n: 3 };
      }),
      { clock },
    );
    const run = runner.stream({}, { sessionId: "s" });
    await settle();
    run.cancel();
    await clock.advance(1000);
    hold.resolve();
    const { events, result } = await collect(run);
    expect(result?.status).toBe("cancelled");
    expect(events.map(({ type }) => type as string)).toContain("tick");
    broken = false;
    expect((await runner.session("s").resume().result).state.n).toBe(3);
    expect(clock.pending()).toBe(0);
  });

  it("and has a time-out within the grace is still cancelled, not failed", async () => {
    const clock = countingClock();
    const compiled = side({ a: never, b: never }, { timeout: 1000, idleTimeout: 800, retry: { attempts: 3, initialDelay: 0 } });
    const run = createRunner(compiled, { clock }).stream({});
    const streamed = collect(run);
    await settle();
    run.cancel();
    await clock.advance(5000);
    const { result, error, events } = await streamed;
    expect(error).toBeUndefined();
    expect(result?.status).toBe("cancelled");
    expect(eventsOf(events, "node.failed")).toEqual([]);
    expect(clock.pending()).toBe(0);
  });

  it("and goes on with heartbeats puts neither its end off nor makes a failure of it", async () => {
    const clock = countingClock();
    let beat = (): void => {};
    const run = createRunner(
      solo(
        (_state, { heartbeat }) => {
          beat = heartbeat;
          return never();
        },
        { idleTimeout: 900 },
      ),
      { clock },
    ).stream({});
    const streamed = collect(run);
    await settle();
    run.cancel();
    for (let turn = 0; turn < 5; turn += 1) {
      beat();
      await clock.advance(1000);
    }
    expect((await streamed).result?.status).toBe("cancelled");
    expect(clock.pending()).toBe(0);
  });

  it("under `onFailure: abort` is abandoned too, so that the failure can be told", async () => {
    const clock = countingClock();
    const compiled = side({ deaf: never, bad: () => Promise.reject(new Error("bad")) });
    const streamed = collect(createRunner(compiled, { clock, onFailure: "abort" }).stream({}));
    await clock.advance(5000);
    const { error, events } = await streamed;
    expect(error).toMatchObject({ code: "scheduler", cause: { message: "bad" } });
    expect(lifeOf(events, "deaf")).toEqual(["started", "log", "cancelled"]);
    expect(clock.pending()).toBe(0);
  });

  it("and has asked a question is said to be abandoned, and its question stays", async () => {
    const clock = countingClock();
    const runner = createRunner(
      solo(async (_state, { interrupt }) => {
        await interrupt("?").catch(() => {});
        await never();
      }),
      { clock },
    );
    const run = runner.stream({}, { sessionId: "s" });
    const streamed = collect(run);
    await settle();
    run.cancel();
    await clock.advance(5000);
    const { result, events } = await streamed;
    expect(result?.status).toBe("cancelled");
    expect(eventsOf(events, "node.log", "a")).toHaveLength(1);
    expect((await runner.session("s").state()).interrupts).toMatchObject([{ node: "a", payload: "?" }]);
  });
});
