/** Attempts: how often a node is tried, how long it waits, and what is told of each try. */
import { describe, expect, it } from "vitest";
import { channel, createRunner, END, graph, type NodeOptions, type RunnerOptions, START } from "spanloom";
import { seededRandom } from "spanloom/testing";
import { collect, countingClock, eventsOf, type Handler, lifeOf, never, refused, settle, side, solo, watch } from "./support.ts";

/** Fails until the given attempt, then writes it. */
const failsUntil =
  (attempt: number): Handler<"a"> =>
  (_state, context) => {
    if (context.attempt < attempt) throw new Error(`try ${context.attempt}`);
    return { n: context.attempt };
  };

/** Runs it with virtual time, and gives the delays that were asked for, which are the backoffs. */
async function delaysOf(run: Handler<"a">, retry: NonNullable<NodeOptions["retry"]>, options: RunnerOptions = {}) {
  const clock = countingClock();
  const compiled = solo(run, { retry });
  const streamed = collect(createRunner(compiled, { clock, telemetry: false, ...(options as object) }).stream({}));
  const over = watch(streamed);
  for (let turn = 0; turn < 200 && !over.done(); turn += 1) await clock.advance(60_000);
  const outcome = await streamed;
  return { ...outcome, delays: eventsOf(outcome.events, "node.retrying").map(({ data }) => data.delay), elapsed: clock.monotonic() };
}

describe("retries", () => {
  it("are none unless asked for", async () => {
    const tried: number[] = [];
    await refused(
      () =>
        createRunner(
          solo((_state, { attempt }) => {
            tried.push(attempt);
            throw new Error("x");
          }),
        ).invoke({}),
      "scheduler",
    );
    expect(tried).toEqual([1]);
  });

  it("count all attempts, the first included", async () => {
    expect((await delaysOf(failsUntil(3), { attempts: 3 })).result?.state.n).toBe(3);
    const { error, events } = await delaysOf(failsUntil(4), { attempts: 3 });
    expect(error).toMatchObject({ code: "scheduler", cause: { message: "try 3" } });
    expect(eventsOf(events, "node.failed").map(({ attempt, data }) => [attempt, data.final])).toEqual([
      [1, false],
      [2, false],
      [3, true],
    ]);
  });

  it("of one attempt is no retry", async () => {
    const { delays, error } = await delaysOf(failsUntil(2), { attempts: 1 });
    expect(delays).toEqual([]);
    expect(error).toMatchObject({ code: "scheduler" });
  });

  it("tell each attempt: started, failed, retrying, in that order, with its number", async () => {
    const { events } = await delaysOf(failsUntil(3), { attempts: 5 });
    expect(lifeOf(events, "a")).toEqual(["started", "failed", "retrying", "started", "failed", "retrying", "started", "completed"]);
    expect(events.filter(({ node }) => node === "a").map(({ attempt }) => attempt)).toEqual([1, 1, 1, 2, 2, 2, 3, 3]);
    expect(eventsOf(events, "node.failed").map(({ data }) => data.error.message)).toEqual(["try 1", "try 2"]);
  });

  it("hold up no sibling, and the superstep waits for the last of them", async () => {
    const clock = countingClock();
    let siblingDone = false;
    const compiled = side({ a: failsUntil(2) as Handler, b: () => void (siblingDone = true) }, { retry: { attempts: 2, jitter: false } });
    const run = createRunner(compiled, { clock }).invoke({});
    const over = watch(run);
    await settle();
    expect([siblingDone, over.done()]).toEqual([true, false]);
    await clock.advance(500);
    expect((await run).state.n).toBe(2);
  });
});

describe("backoff", () => {
  it("doubles from 500 ms by default, up to 30 s", async () => {
    const { delays } = await delaysOf(failsUntil(10), { attempts: 10, jitter: false });
    expect(delays).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  });

  it("takes its first delay, factor and cap from the options, with units", async () => {
    const { delays } = await delaysOf(failsUntil(5), { attempts: 5, initialDelay: "2s", factor: 3, maxDelay: "1m", jitter: false });
    expect(delays).toEqual([2000, 6000, 18_000, 54_000]);
  });

  it("has full jitter by default: the random number times the capped delay", async () => {
    const { delays } = await delaysOf(failsUntil(4), { attempts: 4, initialDelay: 1000, maxDelay: 1500 }, { random: () => 0.5 });
    expect(delays).toEqual([500, 750, 750]);
    const random = seededRandom(7);
    const expected = [1000, 2000, 4000].map((capped) => random() * capped);
    const seeded = await delaysOf(failsUntil(4), { attempts: 4, initialDelay: 1000 }, { random: seededRandom(7), createId: () => "id" });
    expect(seeded.delays).toEqual(expected);
  });

  it("is waited for by the runner's clock, and the attempt begins when it is over", async () => {
    const clock = countingClock();
    const at: number[] = [];
    const compiled = solo(
      (_state, { attempt }) => {
        at.push(clock.monotonic());
        if (attempt < 3) throw new Error("x");
      },
      { retry: { attempts: 3, initialDelay: 100, jitter: false } },
    );
    const run = createRunner(compiled, { clock }).invoke({});
    await clock.advance(99);
    expect(at).toEqual([0]);
    await clock.advance(1);
    expect(at).toEqual([0, 100]);
    await clock.advance(200);
    await run;
    expect(at).toEqual([0, 100, 300]);
    expect(clock.pending()).toBe(0);
  });

  it("of nothing begins the next attempt at once, with no timer", async () => {
    const clock = countingClock();
    const { state } = await createRunner(solo(failsUntil(3), { retry: { attempts: 3, initialDelay: 0 } }), { clock }).invoke({});
    expect(state.n).toBe(3);
  });
});

describe("backoff after very many attempts", () => {
  it("is still a number: nothing stays nothing, and the cap holds", async () => {
    const { result, delays } = await delaysOf(failsUntil(1100), { attempts: 1100, initialDelay: 0 });
    expect(result?.state.n).toBe(1100);
    expect(new Set(delays)).toEqual(new Set([0]));
    expect(await delaysOf(failsUntil(3), { attempts: 3, initialDelay: 1, factor: 1e300, jitter: false })).toMatchObject({
      delays: [1, 30_000],
    });
  });
});

describe("retryOn", () => {
  it("is given the error and the number of the attempt that failed, and decides", async () => {
    const asked: unknown[] = [];
    const retryOn = (error: unknown, attempt: number): boolean => {
      asked.push([error instanceof Error ? error.message : error, attempt]);
      return attempt < 2;
    };
    const { error, delays } = await delaysOf(failsUntil(9), { attempts: 9, jitter: false, retryOn });
    expect(asked).toEqual([
      ["try 1", 1],
      ["try 2", 2],
    ]);
    expect(delays).toEqual([500]);
    expect(error).toMatchObject({ cause: { message: "try 2" } });
  });

  it("is not asked about the last attempt", async () => {
    const asked: number[] = [];
    await delaysOf(failsUntil(9), { attempts: 2, retryOn: (_error, attempt) => asked.push(attempt) > 0 });
    expect(asked).toEqual([1]);
  });

  it("may give the delay, which is taken as it is: no jitter, no cap", async () => {
    const given = [7, "90s", "250ms"] as const;
    const retryOn = (_error: unknown, attempt: number) => given[attempt - 1] ?? false;
    const { delays } = await delaysOf(failsUntil(4), { attempts: 4, maxDelay: 1000, retryOn }, { random: () => 0.1 });
    expect(delays).toEqual([7, 90_000, 250]);
  });

  it("that gives 0 tries again at once, which is not a refusal", async () => {
    const clock = countingClock();
    const compiled = solo(failsUntil(3), { retry: { attempts: 3, retryOn: () => 0 } });
    const { result, events } = await collect(createRunner(compiled, { clock }).stream({}));
    expect(result?.state.n).toBe(3);
    expect(eventsOf(events, "node.retrying").map(({ data }) => data.delay)).toEqual([0, 0]);
  });

  it("that throws, or gives no answer, ends the retries: the error stays the node's own, and a warning says why", async () => {
    const own = new Error("the node's own");
    const broken = (): never => {
      throw new Error("retryOn is broken");
    };
    const answers = [undefined, null, "soon", -1, Number.NaN, {}].map((answer) => () => answer as never);
    for (const retryOn of [broken, ...answers, (async () => broken()) as never]) {
      const compiled = solo(
        () => {
          throw own;
        },
        { retry: { attempts: 9, retryOn } },
      );
      const run = createRunner(compiled, { clock: countingClock() }).stream({});
      const { events, error } = await collect(run);
      expect(error).toMatchObject({ code: "scheduler", cause: own });
      expect(eventsOf(events, "node.failed").map(({ data }) => [data.final, data.error.message])).toEqual([[true, "the node's own"]]);
      const [warning] = eventsOf(events, "node.log");
      expect(warning).toMatchObject({ node: "a", attempt: 1, data: { level: "warn" } });
      expect(warning?.data.message).toMatch(/^`retryOn` of node "a" (threw: retryOn is broken|gave .*)\. The node is not tried again\.$/);
    }
  });

  it("judges time-outs as well", async () => {
    const asked: unknown[] = [];
    const clock = countingClock();
    const compiled = solo((_state, { attempt }) => (attempt === 1 ? never() : { n: 1 }), {
      timeout: 50,
      retry: { attempts: 2, retryOn: (error) => asked.push((error as { code?: string }).code) > 0 && 10 },
    });
    const run = createRunner(compiled, { clock }).invoke({});
    await clock.advance(60);
    expect((await run).state.n).toBe(1);
    expect(asked).toEqual(["node_timeout"]);
  });
});

describe("what is never retried", () => {
  const retry = { attempts: 5, initialDelay: 0, retryOn: () => 0 };

  it("a refused update, although the next might be better", async () => {
    const tried: number[] = [];
    const compiled = solo(
      (_state, { attempt }) => {
        tried.push(attempt);
        return { nope: 1 } as never;
      },
      { retry },
    );
    const error = await refused(() => createRunner(compiled).invoke({}), "scheduler");
    expect(error.cause).toMatchObject({ name: "StateError", code: "unknown_channel", facts: { channel: "nope", node: "a" } });
    expect(tried).toEqual([1]);
  });

  it("an interrupt, whatever the node throws afterwards", async () => {
    const tried: number[] = [];
    const compiled = solo(
      async (_state, { attempt, interrupt }) => {
        tried.push(attempt);
        await interrupt("?");
      },
      { retry },
    );
    expect((await createRunner(compiled).invoke({})).status).toBe("paused");
    expect(tried).toEqual([1]);
  });

  it("a cancelled attempt", async () => {
    const tried: number[] = [];
    const compiled = solo(
      (_state, { attempt, signal }) => {
        tried.push(attempt);
        return new Promise<never>((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("stopped"))));
      },
      { retry },
    );
    const run = createRunner(compiled).stream({});
    await settle();
    run.cancel();
    expect((await run.result).status).toBe("cancelled");
    expect(tried).toEqual([1]);
  });

  it("an update whose value the channel's schema or fold will not take, in which case the barrier says so", async () => {
    let tried = 0;
    const compiled = graph({
      name: "g",
      channels: {
        sum: channel.reduce(0, () => {
          throw new Error("no");
        }),
      },
    })
      .node("a", () => ({ sum: (tried += 1) }), { retry })
      .edge(START, "a")
      .edge("a", END)
      .compile();
    const error = await refused(() => createRunner(compiled).invoke({}), "barrier");
    expect(error.cause).toMatchObject({ code: "reducer_failed" });
    expect(tried).toBe(1);
  });
});
