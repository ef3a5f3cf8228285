/** Stopping a run: by its signal or by `cancel`, what is kept, and what becomes of a node that does not listen. */
import { describe, expect, it } from "vitest";
import { channel, createRunner, END, graph, memoryCheckpointer, START } from "spanloom";
import {
  aborted,
  collect,
  countingClock,
  eventsOf,
  gate,
  type Handler,
  lifeOf,
  names,
  refused,
  same,
  settle,
  side,
  solo,
  ticks,
  watch,
} from "./support.ts";

const chain = (second: Handler) =>
  graph({ name: "g", channels: { log: channel.list<string>(), n: channel.value(0) }, events: {} })
    .node("a", () => ({ n: 1, log: ["a"] }))
    .node("b", (state, context) => second(state, context as never))
    .edge(START, "a")
    .edge("a", "b")
    .edge("b", END)
    .compile();

describe("a run that awaits nothing but promises", () => {
  // Far more steps than fit between two turns of the event loop, and few enough to end if none comes.
  const enough = 400_000;
  const loop = graph({ name: "g", channels: { n: channel.value(0) } })
    .node("a", ({ n }) => ({ n: n + 1 }))
    .edge(START, "a")
    .branch("a", { again: "a", done: END }, ({ n }) => (n < enough ? "again" : "done"))
    .compile();

  it("lets the event loop turn, so that timers and signals can stop it", async () => {
    const run = createRunner(loop, { maxSteps: enough }).stream({});
    setImmediate(() => setImmediate(() => run.cancel("enough")));
    const { status, steps } = await run.result;
    expect(status).toBe("cancelled");
    expect(steps).toBeGreaterThan(0);
  });

  it("and one that is stepped by hand", async () => {
    const session = createRunner(loop, { maxSteps: enough }).session("s");
    await session.create({});
    const turned = new AbortController();
    setImmediate(() => setImmediate(() => turned.abort()));
    let completed = false;
    while (!turned.signal.aborted && !completed) ({ completed } = await session.runStep());
    expect([turned.signal.aborted, completed]).toEqual([true, false]);
  });
});

describe("a run that is cancelled", () => {
  it("ends as cancelled, with the state of the last barrier and the steps that were done", async () => {
    const entered = gate();
    const runner = createRunner(
      chain(async (_state, { signal }) => {
        entered.resolve();
        await aborted(signal);
      }),
    );
    const run = runner.stream({});
    await entered.promise;
    run.cancel("enough");
    const { result, events } = await collect(run);
    expect(result).toMatchObject({ status: "cancelled", steps: 1, step: 1, state: { n: 1, log: ["a"] }, interrupts: [] });
    expect(lifeOf(events, "b")).toEqual(["started", "cancelled"]);
    expect(events.at(-1)).toMatchObject({ type: "invocation.cancelled", data: { reason: "enough" } });
  });

  it("hands its reason, the very one, to the signals of its nodes", async () => {
    const reasons: unknown[] = [];
    const compiled = side(
      same(2, async (_state, { signal }) => {
        signal.addEventListener("abort", () => reasons.push(signal.reason));
        await aborted(signal);
      }),
    );
    const reason = { why: "user left" };
    const run = createRunner(compiled).stream({});
    await settle();
    run.cancel(reason);
    await run.result;
    expect(reasons).toEqual([reason, reason]);
    expect(reasons[0]).toBe(reason);
  });

  it("is cancelled as well by the signal it was given, with that signal's reason", async () => {
    const controller = new AbortController();
    const reasons: unknown[] = [];
    const compiled = solo(async (_state, { signal }) => {
      signal.addEventListener("abort", () => reasons.push(signal.reason));
      await aborted(signal);
    });
    const run = createRunner(compiled).stream({}, { signal: controller.signal });
    await settle();
    const reason = new Error("closed tab");
    controller.abort(reason);
    const { result, events } = await collect(run);
    expect(result?.status).toBe("cancelled");
    expect(reasons).toEqual([reason]);
    expect(eventsOf(events, "invocation.cancelled").map(({ data }) => data.reason)).toEqual(["closed tab"]);
  });

  it("without a reason says none in its event, and its nodes get the platform's AbortError", async () => {
    const reasons: unknown[] = [];
    const compiled = solo(async (_state, { signal }) => {
      signal.addEventListener("abort", () => reasons.push(signal.reason));
      await aborted(signal);
    });
    const run = createRunner(compiled).stream({});
    await settle();
    run.cancel();
    const { events } = await collect(run);
    expect(eventsOf(events, "invocation.cancelled").map(({ data }) => data)).toEqual([{}]);
    expect(reasons).toMatchObject([{ name: "AbortError" }]);
  });

  it("keeps its first reason", async () => {
    const run = createRunner(solo((_state, { signal }) => aborted(signal))).stream({});
    await settle();
    run.cancel("first");
    run.cancel("second");
    const { events } = await collect(run);
    expect(eventsOf(events, "invocation.cancelled").map(({ data }) => data.reason)).toEqual(["first"]);
  });

  it("takes no harm from a cancel after its end", async () => {
    const run = createRunner(solo(() => ({ n: 1 }))).stream({});
    const { status } = await run.result;
    run.cancel("late");
    expect(status).toBe("completed");
    expect((await collect(run)).events.at(-1)?.type).toBe("invocation.completed");
  });

  it("runs no step when its signal was aborted beforehand, and leaves a session that can be resumed", async () => {
    let ran = 0;
    const runner = createRunner(
      solo(() => void (ran += 1)),
      { checkpointer: memoryCheckpointer() },
    );
    const { events, result } = await collect(runner.stream({}, { sessionId: "s", signal: AbortSignal.abort("never mind") }));
    expect(result).toMatchObject({ status: "cancelled", steps: 0, step: 0 });
    expect(ran).toBe(0);
    expect(eventsOf(events, "superstep.started")).toEqual([]);
    expect(eventsOf(events, "invocation.cancelled").map(({ data }) => data.reason)).toEqual(["never mind"]);
    expect(await runner.session("s").state()).toMatchObject({ status: "cancelled", step: 0, next: ["a"] });
    expect((await runner.session("s").resume().result).status).toBe("completed");
    expect(ran).toBe(1);
  });

  it("stops in whatever microtask it is cancelled: no node is started that is not told", async () => {
    const listens: Handler = (_state, { signal }) => aborted(signal);
    for (const compiled of [solo(listens), side({ a: listens, b: listens }), chain(listens)]) {
      for (let late = 0; late < 60; late += 1) {
        const run = createRunner(compiled, { telemetry: false }).stream({});
        await ticks(late);
        run.cancel();
        const over = watch(run.result);
        await settle(4);
        expect(over.done(), `${late} ticks`).toBe(true);
      }
    }
  });

  it("runs no step when it is cancelled at once", async () => {
    let ran = 0;
    const run = createRunner(solo(() => void (ran += 1))).stream({});
    run.cancel();
    expect(await run.result).toMatchObject({ status: "cancelled", steps: 0 });
    expect(ran).toBe(0);
  });

  it("from inside a node that then succeeds keeps that result, and does not go on", async () => {
    const controller = new AbortController();
    const runner = createRunner(
      chain(() => ({ log: ["b"] })),
      { checkpointer: memoryCheckpointer() },
    );
    const stopping = graph({ name: "g", channels: { n: channel.value(0) } })
      .node("a", () => {
        controller.abort("inside");
        return { n: 5 };
      })
      .edge(START, "a")
      .edge("a", END)
      .compile();
    const own = createRunner(stopping, { checkpointer: memoryCheckpointer() });
    const first = await own.invoke({}, { sessionId: "s", signal: controller.signal });
    expect(first).toMatchObject({ status: "cancelled", state: { n: 0 }, steps: 0 });
    expect(await own.session("s").resume().result).toMatchObject({ status: "completed", state: { n: 5 } });
    expect((await runner.invoke({})).state.log).toEqual(["a", "b"]);
  });

  it("keeps the results of entries that finished: a resume runs only the others", async () => {
    const ran: string[] = [];
    let stubborn = true;
    const compiled = side({
      quick: () => {
        ran.push("quick");
        return { log: ["quick"] };
      },
      slow: async (_state, { signal }) => {
        ran.push("slow");
        if (stubborn) await aborted(signal);
        return { log: ["slow"] };
      },
    });
    const runner = createRunner(compiled);
    const run = runner.stream({}, { sessionId: "s" });
    await settle();
    run.cancel();
    expect(await run.result).toMatchObject({ status: "cancelled", state: { log: [] }, steps: 0 });
    expect((await runner.session("s").state()).next).toEqual(["slow"]);
    stubborn = false;
    expect((await runner.session("s").resume().result).state.log).toEqual(["quick", "slow"]);
    expect(ran).toEqual(["quick", "slow", "slow"]);
  });

  it("never starts entries that are still queued", async () => {
    const started: string[] = [];
    const compiled = side(
      same(5, async (_state, { node, signal }) => {
        started.push(node);
        await aborted(signal);
      }),
    );
    const run = createRunner(compiled, { concurrency: 2 }).stream({});
    await settle();
    run.cancel();
    expect((await run.result).status).toBe("cancelled");
    expect(started).toEqual(names(2));
  });

  it("ends a backoff at once", async () => {
    const clock = countingClock();
    const compiled = solo(() => Promise.reject(new Error("x")), {
      retry: { attempts: 3, initialDelay: "1h", maxDelay: "1h", jitter: false },
    });
    const run = createRunner(compiled, { clock }).stream({});
    await settle();
    expect(clock.pending()).toBe(1);
    run.cancel();
    expect((await run.result).status).toBe("cancelled");
    expect(clock.pending()).toBe(0);
  });

  it("stops in whatever microtask after a backoff it is cancelled", async () => {
    for (let late = -1; late < 12; late += 1) {
      const counting = countingClock();
      const stop = async (): Promise<void> => {
        await ticks(late);
        run.cancel();
      };
      const clock = {
        ...counting,
        setTimeout: (call: () => void, milliseconds: number) =>
          counting.setTimeout(() => {
            call();
            if (milliseconds === 10) void (late < 0 ? run.cancel() : stop());
          }, milliseconds),
      };
      const compiled = solo(
        (_state, { attempt, signal }) => {
          if (attempt === 1) throw new Error("x");
          return aborted(signal);
        },
        { retry: { attempts: 2, initialDelay: 10, jitter: false } },
      );
      const run = createRunner(compiled, { clock, telemetry: false }).stream({});
      await settle(4);
      await counting.advance(10);
      const over = watch(run.result);
      await settle(4);
      expect(over.done(), `${late} ticks`).toBe(true);
      expect((await run.result).status).toBe("cancelled");
      expect(counting.pending()).toBe(0);
    }
  });

  it("is never a failure because an attempt that would be tried again failed in that microtask", async () => {
    for (let late = 0; late < 60; late += 1) {
      const compiled = solo(
        async () => {
          await ticks(3);
          throw new Error("x");
        },
        { retry: { attempts: 1000, initialDelay: 0 } },
      );
      const run = createRunner(compiled, { telemetry: false }).stream({});
      await ticks(late);
      run.cancel();
      expect((await run.result).status, `${late} ticks`).toBe("cancelled");
    }
  });

  it("counts as cancelled whatever its nodes throw then, routes nothing and retries nothing", async () => {
    const compiled = graph({ name: "g", channels: { n: channel.value(0) } })
      .node(
        "a",
        async (_state, { signal }) => {
          await aborted(signal).catch(() => {});
          throw new Error("while stopping");
        },
        { onError: "mend", retry: { attempts: 3, initialDelay: 0 } },
      )
      .node("mend", () => ({ n: 1 }))
      .edge(START, "a")
      .edge("a", END)
      .edge("mend", END)
      .compile();
    const run = createRunner(compiled).stream({}, { sessionId: "s" });
    await settle();
    run.cancel();
    const { result, events } = await collect(run);
    expect(result).toMatchObject({ status: "cancelled", state: { n: 0, errors: [] } });
    expect(lifeOf(events, "a")).toEqual(["started", "cancelled"]);
  });

  it("stepped by hand rejects with `cancelled`, and the step is the same again", async () => {
    const controller = new AbortController();
    let stubborn = true;
    const session = createRunner(
      solo(async (_state, { signal }) => {
        if (stubborn) await aborted(signal);
        return { n: 1 };
      }),
    ).session("s");
    await session.create({});
    const step = session.runStep({ signal: controller.signal });
    await settle();
    controller.abort("by hand");
    const error = await refused(() => step, "cancelled");
    expect(error.facts).toMatchObject({ sessionId: "s", reason: "by hand" });
    expect((await session.state()).status).toBe("cancelled");
    await refused(() => session.runStep({ signal: AbortSignal.abort() }), "cancelled");
    stubborn = false;
    expect(await session.runStep()).toMatchObject({ step: 1, completed: true });
  });
});
