/** `drain` and `close`: a runner that stops without losing what it has. */
import { describe, expect, it } from "vitest";
import { channel, createRunner, END, graph, memoryCheckpointer, memorySink, START } from "spanloom";
import { aborted, collect, countingClock, eventsOf, gate, never, refused, settle, solo, watch } from "./support.ts";

/** a waits for the gate, then b runs. */
function twoSteps(hold: Promise<void>, ran: string[] = []) {
  return graph({ name: "g", channels: { log: channel.list<string>() } })
    .node("a", async () => {
      await hold;
      ran.push("a");
      return { log: ["a"] };
    })
    .node("b", () => {
      ran.push("b");
      return { log: ["b"] };
    })
    .edge(START, "a")
    .edge("a", "b")
    .edge("b", END)
    .compile();
}

describe("drain", () => {
  it("stops at the next boundary, with a checkpoint: the step under way ends, the next does not begin", async () => {
    const hold = gate();
    const ran: string[] = [];
    const checkpointer = memoryCheckpointer();
    const runner = createRunner(twoSteps(hold.promise, ran), { checkpointer });
    const streamed = collect(runner.stream({}, { sessionId: "s" }));
    await settle();
    const drained = watch(runner.drain());
    await settle();
    expect(drained.done()).toBe(false);
    hold.resolve();
    const { result, events } = await streamed;
    await settle();
    expect(drained.done()).toBe(true);
    expect(result).toMatchObject({ status: "cancelled", step: 1, state: { log: ["a"] } });
    expect(events.at(-1)).toMatchObject({ type: "invocation.cancelled", data: { reason: "drain" } });
    const elsewhere = createRunner(twoSteps(Promise.resolve(), ran), { checkpointer }).session("s");
    expect(await elsewhere.state()).toMatchObject({ status: "cancelled", step: 1, next: ["b"] });
    expect((await elsewhere.resume().result).state.log).toEqual(["a", "b"]);
    expect(ran).toEqual(["a", "b"]);
  });

  it("lets a run whose last step is under way complete", async () => {
    const hold = gate();
    const runner = createRunner(solo(() => hold.promise));
    const run = runner.invoke({});
    await settle();
    const draining = runner.drain();
    hold.resolve();
    expect((await run).status).toBe("completed");
    await draining;
  });

  it("past its time-out aborts signals, and keeps finished results", async () => {
    const clock = countingClock();
    const ran: string[] = [];
    const compiled = graph({ name: "g", channels: { log: channel.list<string>() } })
      .node("quick", () => {
        ran.push("quick");
        return { log: ["quick"] };
      })
      .node("slow", async (_state, { signal }) => {
        ran.push("slow");
        if (ran.length < 3) await aborted(signal);
        return { log: ["slow"] };
      })
      .edge(START, ["quick", "slow"])
      .edge("quick", END)
      .edge("slow", END)
      .compile();
    const checkpointer = memoryCheckpointer();
    const runner = createRunner(compiled, { clock, checkpointer });
    const streamed = collect(runner.stream({}, { sessionId: "s" }));
    await settle();
    const drained = watch(runner.drain({ timeout: "2s" }));
    await clock.advance(1999);
    expect(drained.done()).toBe(false);
    await clock.advance(1);
    const { result, events } = await streamed;
    expect(drained.done()).toBe(true);
    expect(result?.status).toBe("cancelled");
    expect(eventsOf(events, "invocation.cancelled").map(({ data }) => data.reason)).toEqual(["drain"]);
    expect((await createRunner(compiled, { checkpointer }).session("s").resume().result).state.log).toEqual(["quick", "slow"]);
    expect(ran).toEqual(["quick", "slow", "slow"]);
    expect(clock.pending()).toBe(0);
  });

  it("has a time-out of 30 s, and abandons past the grace what ignores its signal", async () => {
    const clock = countingClock();
    let signal: AbortSignal | undefined;
    const runner = createRunner(
      solo((_state, context) => {
        ({ signal } = context);
        return never();
      }),
      { clock },
    );
    const streamed = collect(runner.stream({}));
    await settle();
    const drained = watch(runner.drain());
    await clock.advance(29_999);
    expect(signal?.aborted).toBe(false);
    await clock.advance(1);
    expect(signal?.aborted).toBe(true);
    expect(drained.done()).toBe(false);
    await clock.advance(5000);
    expect((await streamed).result?.status).toBe("cancelled");
    expect(drained.done()).toBe(true);
    expect(clock.pending()).toBe(0);
  });

  it("refuses new work from the moment it is called, of every kind", async () => {
    const runner = createRunner(
      solo(() => ({ n: 1 })),
      { checkpointer: memoryCheckpointer() },
    );
    await runner.invoke({}, { sessionId: "s" });
    const draining = runner.drain();
    const session = runner.session("s");
    const calls = [
      () => runner.invoke({}),
      () => runner.stream({}).result,
      () => session.resume().result,
      () => session.next({}).result,
      () => runner.session("t").create({}),
      () => session.runStep(),
      () => session.runUntilComplete(),
      () => session.update({ n: 2 }),
      () => session.fork(),
    ];
    for (const call of calls) await refused(call, "closed");
    await draining;
    for (const call of calls) await refused(call, "closed");
    expect((await session.state()).state.n).toBe(1);
  });

  it("of an idle runner ends at once, twice too, and sets no timer that stays", async () => {
    const clock = countingClock();
    const runner = createRunner(
      solo(() => {}),
      { clock },
    );
    await Promise.all([runner.drain(), runner.drain()]);
    await runner.drain();
    expect(clock.pending()).toBe(0);
  });

  it("ends a session that is stepped by hand, which another runner steps on", async () => {
    const checkpointer = memoryCheckpointer();
    const compiled = twoSteps(Promise.resolve());
    const sink = memorySink();
    const runner = createRunner(compiled, { checkpointer, sinks: [sink] });
    const session = runner.session("s");
    await session.create({});
    await session.runStep();
    await runner.drain();
    await runner.close();
    expect(sink.events.at(-1)).toMatchObject({ type: "invocation.cancelled", data: { reason: "drain" } });
    expect(await createRunner(compiled, { checkpointer }).session("s").runStep()).toMatchObject({ step: 2, completed: true });
  });

  it("takes a duration, and refuses what is none", async () => {
    const runner = createRunner(solo(() => {}));
    for (const timeout of ["soon", -1, Number.NaN] as const) {
      await refused(() => runner.drain({ timeout: timeout as never }), "invalid_option");
      await refused(() => runner.close({ timeout: timeout as never }), "invalid_option");
    }
    expect((await runner.invoke({})).status).toBe("completed");
  });
});

describe("close", () => {
  it("drains, tells what was lost, and may be called twice", async () => {
    const runner = createRunner(solo(() => ({ n: 1 })));
    await runner.invoke({});
    expect(await runner.close()).toEqual({ lostEvents: 0 });
    expect(await runner.close()).toEqual({ lostEvents: 0 });
    expect(runner.health().status).toBe("closed");
    await refused(() => runner.invoke({}), "closed");
  });

  it("is what disposing does", async () => {
    const runner = createRunner(solo(() => ({ n: 1 })));
    await runner[Symbol.asyncDispose]();
    await refused(() => runner.invoke({}), "closed");
  });

  it("cancels within its time-out (5 s), early enough to deliver the last events, and leaves no timer", async () => {
    const clock = countingClock();
    const sink = memorySink();
    const runner = createRunner(
      solo((_state, { signal }) => aborted(signal)),
      { clock, sinks: [sink] },
    );
    const run = runner.invoke({});
    await settle();
    const closed = watch(runner.close());
    await clock.advance(2999);
    expect(closed.done()).toBe(false);
    await clock.advance(1);
    expect((await run).status).toBe("cancelled");
    expect(closed.done()).toBe(true);
    expect(sink.events.at(-1)?.type).toBe("invocation.cancelled");
    expect(clock.pending()).toBe(0);
  });

  it("does not wait past its time-out for a node that ignores its signal", async () => {
    const clock = countingClock();
    const { promise } = Promise.withResolvers<never>();
    const runner = createRunner(
      solo(() => promise),
      { clock },
    );
    const run = watch(runner.invoke({}));
    await settle();
    const closed = watch(runner.close({ timeout: "1s" }));
    await clock.advance(1000);
    expect([run.done(), closed.done()]).toEqual([false, true]);
    await clock.advance(5000);
    expect(run.done()).toBe(true);
    expect(clock.pending()).toBe(0);
  });

  it("within a bound of its own, although a longer drain is under way", async () => {
    const clock = countingClock();
    const runner = createRunner(
      solo((_state, { signal }) => aborted(signal)),
      { clock },
    );
    const run = watch(runner.invoke({}));
    await settle();
    void runner.drain({ timeout: "1h" });
    const closed = watch(runner.close({ timeout: "1s" }));
    await clock.advance(1000);
    expect([run.done(), closed.done()]).toEqual([true, true]);
    expect(clock.pending()).toBe(0);
  });

  it("leaves a store that it was given open", async () => {
    const checkpointer = memoryCheckpointer();
    const runner = createRunner(
      solo(() => ({ n: 1 })),
      { checkpointer },
    );
    await runner.invoke({}, { sessionId: "s" });
    await runner.close();
    expect(
      (
        await createRunner(
          solo(() => ({ n: 1 })),
          { checkpointer },
        )
          .session("s")
          .state()
      ).state.n,
    ).toBe(1);
  });
});
