/** A runner as a whole: how it is, how it drains, and how it closes. */
import { describe, expect, it } from "vitest";
import { type AnyEvent, createRunner, END, type EventSink, memoryCheckpointer, memorySink, START } from "spanloom";
import { manualClock } from "spanloom/testing";
import { chain, collect, held, loose, type LooseGraph, marked, ofType, settle } from "./support.ts";

const waiting = (node: ReturnType<typeof held>): LooseGraph =>
  marked(loose(), "b").node("a", node.handler).edge(START, "a").edge("a", "b").edge("b", END).compile();

describe("drain", () => {
  it("stops runs at the next boundary: cancelled, reason drain, with what they did saved", async () => {
    const checkpointer = memoryCheckpointer();
    const slow = held({ log: ["a"] });
    const runner = createRunner(waiting(slow), { checkpointer });
    const collected = collect(runner.stream({}, { sessionId: "s" }));
    await slow.entered;
    const drained = runner.drain();
    slow.open();
    await drained;
    const { events, result } = await collected;
    expect(result).toMatchObject({ status: "cancelled", step: 1, state: { log: ["a"] } });
    expect(ofType(events, "invocation.cancelled").map(({ data }) => data)).toEqual([{ reason: "drain" }]);
    expect(ofType(events, "superstep.completed").map(({ step }) => step)).toEqual([1]);
    expect((await checkpointer.load("s"))?.record).toMatchObject({ status: "cancelled", step: 1, next: [{ node: "b" }] });
    const resumed = await createRunner(waiting(slow), { checkpointer }).session("s").resume().result;
    expect(resumed).toMatchObject({ status: "completed", state: { log: ["a", "b@2"] } });
  });

  it("aborts no signal within its time-out, refuses new work at once, and lets all sessions end", async () => {
    const slow = [held(), held()];
    const signals: AbortSignal[] = [];
    const graph = loose()
      .node("a", (state, context) => {
        signals.push(context.signal);
        return slow[Number(context.sessionId)]?.handler(state, context);
      })
      .edge(START, "a")
      .edge("a", END)
      .compile();
    const runner = createRunner(graph, { checkpointer: memoryCheckpointer() });
    const runs = ["0", "1"].map((sessionId) => runner.stream({}, { sessionId }));
    await Promise.all(slow.map(({ entered }) => entered));
    const drained = runner.drain();
    await expect(runner.invoke({})).rejects.toMatchObject({ code: "closed" });
    for (const { open } of slow) open();
    await drained;
    expect(
      (await Promise.all(runs.map(({ result }) => result))).map(({ status }) => status),
      "they had nothing more to do",
    ).toEqual(["completed", "completed"]);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false]);
  });

  it("past its time-out aborts signals, keeps finished results, and then waits no longer than the grace", async () => {
    const clock = manualClock();
    const checkpointer = memoryCheckpointer();
    const never = held();
    const obeying = Promise.withResolvers<never>();
    const graph = marked(loose(), "quick")
      .node("obeys", (_state, { signal }) => {
        signal.addEventListener("abort", () => obeying.reject(signal.reason));
        return obeying.promise;
      })
      .node("ignores", never.handler)
      .edge(START, ["quick", "obeys", "ignores"])
      .edge(["quick", "obeys", "ignores"], END)
      .compile();
    const runner = createRunner(graph, { clock, checkpointer });
    const collected = collect(runner.stream({}, { sessionId: "s" }));
    await never.entered;
    let over = false;
    const drained = runner.drain({ timeout: "2s" }).then(() => (over = true));
    await clock.advance(1_999);
    expect(over).toBe(false);
    await clock.advance(1);
    await expect(obeying.promise).rejects.toBe("drain");
    await clock.advance(5_000);
    await drained;
    const { result, events } = await collected;
    expect(result).toMatchObject({ status: "cancelled", step: 0 });
    expect(ofType(events, "node.log").map(({ node, data }) => [node, data.level])).toEqual([["ignores", "warn"]]);
    expect((await checkpointer.load("s"))?.record.results.map(({ node }) => node)).toEqual(["quick"]);
    never.open();
  });

  it("keeps its reason for a run that is cancelled after it", async () => {
    const slow = held();
    const runner = createRunner(waiting(slow));
    const run = runner.stream({});
    await slow.entered;
    const drained = runner.drain();
    run.cancel("impatient");
    slow.open();
    await drained;
    const { events } = await collect(run);
    expect(ofType(events, "invocation.cancelled").map(({ data }) => data)).toEqual([{ reason: "drain" }]);
  });

  it("of an idle runner resolves at once, and any number of times", async () => {
    const runner = createRunner(chain("a").compile());
    await Promise.all([runner.drain(), runner.drain()]);
    await runner.drain();
    await expect(runner.invoke({})).rejects.toMatchObject({ code: "closed" });
  });
});

describe("close", () => {
  it("drains, delivers what sinks were owed, and says what was lost; twice is harmless", async () => {
    const sink = memorySink();
    let flushed = 0;
    const counting: EventSink = { name: "counting", write: () => {}, flush: () => void (flushed += 1) };
    const slow = held();
    const runner = createRunner(waiting(slow), { sinks: [sink, counting] });
    const run = runner.stream({});
    await slow.entered;
    const closing = runner.close();
    slow.open();
    expect(await closing).toEqual({ lostEvents: 0 });
    expect(await run.result).toMatchObject({ status: "cancelled" });
    expect(sink.events.at(-1)?.type).toBe("invocation.cancelled");
    expect(flushed).toBeGreaterThan(0);
    expect(await runner.close()).toEqual({ lostEvents: 0 });
    expect(runner.health().status).toBe("closed");
  });

  it("is what disposing of a runner does", async () => {
    const runner = createRunner(chain("a").compile());
    await runner[Symbol.asyncDispose]();
    await expect(runner.invoke({})).rejects.toMatchObject({ code: "closed" });
  });

  it("leaves no timer of the clock behind, nor do runs", async () => {
    const clock = manualClock();
    let open = 0;
    const counting = {
      ...clock,
      setTimeout: (run: () => void, milliseconds: number) => {
        open += 1;
        let cleared = false;
        const end = (): void => {
          if (!cleared) open -= 1;
          cleared = true;
        };
        const timer = clock.setTimeout(() => {
          end();
          run();
        }, milliseconds);
        return {
          clear: () => {
            end();
            timer.clear();
          },
        };
      },
    };
    const graph = marked(loose())
      .node("a", () => settle(1), { timeout: "1m", idleTimeout: "1m" })
      .edge(START, "a")
      .edge("a", END)
      .compile();
    const runner = createRunner(graph, { clock: counting });
    await runner.invoke({});
    expect(open).toBe(0);
    await runner.close();
    expect(open).toBe(0);
  });
});

describe("health", () => {
  it("of a runner that has nothing to do is ok", () => {
    expect(createRunner(chain("a").compile()).health()).toMatchObject({ status: "ok", activeInvocations: 0, progressAge: 0, sinks: [] });
  });

  it("counts what runs, and how long the least recent of it has not progressed", async () => {
    const clock = manualClock(1_000);
    const slow = { one: held(), two: held() };
    const graph = marked(loose(), "first")
      .node("a", (state, context) => slow[context.sessionId as "one" | "two"].handler(state, context))
      .edge(START, "first")
      .edge("first", "a")
      .edge("a", END)
      .compile();
    const runner = createRunner(graph, { clock });
    const one = runner.stream({}, { sessionId: "one" });
    await slow.one.entered;
    await clock.advance(300);
    const two = runner.stream({}, { sessionId: "two" });
    await slow.two.entered;
    await clock.advance(40);
    expect(runner.health()).toMatchObject({ activeInvocations: 2, progressAge: 340 });
    slow.one.open();
    await one.result;
    expect(runner.health()).toMatchObject({ activeInvocations: 1, progressAge: 40 });
    slow.two.open();
    await two.result;
    expect(runner.health()).toMatchObject({ activeInvocations: 0, progressAge: 0 });
  });

  it("of a session by hand counts from the step that runs, not from the pause between two", async () => {
    const clock = manualClock();
    const slow = held();
    const graph = marked(loose(), "a").node("b", slow.handler).edge(START, "a").edge("a", "b").edge("b", END).compile();
    const runner = createRunner(graph, { clock });
    const session = runner.session("s");
    await session.create({});
    await session.runStep();
    await clock.advance(3_600_000);
    expect(runner.health()).toMatchObject({ activeInvocations: 0, progressAge: 0 });
    const step = session.runStep();
    await slow.entered;
    await clock.advance(20);
    expect(runner.health()).toMatchObject({ activeInvocations: 1, progressAge: 20 });
    slow.open();
    await step;
  });

  it("lists sinks in the order given, and is degraded while one of them is unhealthy", async () => {
    let broken = true;
    const batches: (readonly AnyEvent[])[] = [];
    const flaky: EventSink = {
      name: "flaky",
      write: (events) => {
        if (broken) throw new Error("disk full");
        batches.push(events);
      },
    };
    const clock = manualClock();
    const runner = createRunner(chain("a").compile(), { sinks: [memorySink(), flaky], clock });
    await runner.invoke({});
    await clock.advance(60_000);
    const { status, sinks } = runner.health();
    expect([status, sinks.map(({ name, healthy }) => [name, healthy])]).toEqual([
      "degraded",
      [
        [expect.any(String), true],
        ["flaky", false],
      ],
    ]);
    broken = false;
    await runner.invoke({});
    await clock.advance(60_000);
    expect([runner.health().status, batches.length > 0]).toEqual(["ok", true]);
    const closing = runner.close();
    await clock.advance(60_000);
    await closing;
    expect(runner.health().status).toBe("closed");
  });
});
