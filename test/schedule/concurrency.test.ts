/** Phase one: how many entries run at once, and in which order what they did is told. */
import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { channel, createRunner, END, graph, input, START } from "spanloom";
import { collect, eventsOf, gate, type Gate, meeting, names, refused, same, settle, side, solo, watch } from "./support.ts";

/** Counts who holds it at once; lets all go once `enough` do. */
function meter(enough: number) {
  const full = gate();
  let active = 0;
  let peak = 0;
  const hold = async (): Promise<void> => {
    active += 1;
    peak = Math.max(peak, active);
    if (active === enough) full.resolve();
    await full.promise;
    await settle(2);
    active -= 1;
  };
  return { hold, peak: () => peak };
}

describe("concurrency", () => {
  it("is 64 at once by default", async () => {
    const held = meter(64);
    await createRunner(side(same(80, () => held.hold()))).invoke({});
    expect(held.peak()).toBe(64);
  });

  it("counts per superstep, not per runner: two sessions of one runner run side by side", async () => {
    const both = meeting(2);
    const runner = createRunner(
      solo(() => both()),
      { concurrency: 1 },
    );
    const results = await Promise.all([runner.invoke({}), runner.invoke({})]);
    expect(results.map(({ status }) => status)).toEqual(["completed", "completed"]);
  });

  it("of a node may be wider or narrower than others', and never passes the superstep's", async () => {
    const wide = meter(3);
    const compiled = graph({ name: "g", channels: { n: channel.value(0) }, inputs: { work: input<number>() } })
      .node("plan", (_state, { goto, send }) => goto([1, 2, 3, 4, 5, 6].map((item) => send("work", item))), { jumps: ["work"] })
      .node("work", () => wide.hold(), { concurrency: 10 })
      .edge(START, "plan")
      .edge("work", END)
      .compile();
    await createRunner(compiled, { concurrency: 3 }).invoke({});
    expect(wide.peak()).toBe(3);
  });

  it("starts entries in frontier order", async () => {
    const started: string[] = [];
    const run = async (_state: unknown, { node }: { readonly node: string }): Promise<void> => {
      started.push(node);
      await settle(1);
    };
    await createRunner(side(same(9, run)), { concurrency: 2 }).invoke({});
    expect(started).toEqual(names(9));
  });

  it("below 1, or no whole number, is an invalid option", async () => {
    for (const concurrency of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      await refused(
        () =>
          createRunner(
            solo(() => {}),
            { concurrency },
          ),
        "invalid_option",
      );
    }
  });
});

describe("the outcome", () => {
  it("lists ran nodes and folds updates in frontier order, whatever finishes first", async () => {
    const orders = fc.shuffledSubarray([...names(5)], { minLength: 5 });
    const run = async (order: readonly string[]): Promise<void> => {
      const gates: Readonly<Record<string, Gate>> = Object.fromEntries(names(5).map((name) => [name, gate()]));
      const compiled = side(
        same(5, async (_state, { node }) => {
          await gates[node]?.promise;
          return { log: [node] };
        }),
      );
      const session = createRunner(compiled, { telemetry: false }).session("s");
      await session.create({});
      const pending = session.runStep();
      await settle(2);
      for (const name of order) {
        gates[name]?.resolve();
        await settle(1);
      }
      const report = await pending;
      expect(report.ranNodes).toEqual(names(5));
      expect(report.completed).toBe(true);
    };
    await fc.assert(fc.asyncProperty(orders, run), { numRuns: 25 });
  });

  it("gives the same state for every order of completion", async () => {
    const run = async (turns: readonly number[]): Promise<void> => {
      const compiled = side(
        Object.fromEntries(
          turns.map((count, index) => [
            `n${index}`,
            async () => {
              for (let turn = 0; turn < count; turn += 1) await Promise.resolve();
              return { log: [`n${index}`] };
            },
          ]),
        ),
      );
      const { state } = await createRunner(compiled, { telemetry: false }).invoke({});
      expect(state.log).toEqual(names(turns.length));
    };
    await fc.assert(fc.asyncProperty(fc.array(fc.nat(12), { minLength: 1, maxLength: 8 }), run), { numRuns: 60 });
  });

  it("names one per entry, sent ones too, and never END", async () => {
    const compiled = graph({ name: "g", channels: { n: channel.value(0) }, inputs: { work: input<number>() } })
      .node("plan", (_state, { goto, send }) => goto([send("work", 1), send("work", 2), END]), { jumps: ["work", END] })
      .node("work", () => {})
      .edge(START, "plan")
      .edge("work", END)
      .compile();
    const session = createRunner(compiled).session("s");
    await session.create({});
    const first = await session.runStep();
    const second = await session.runStep();
    expect(first).toMatchObject({ step: 1, ranNodes: ["plan"], nextFrontier: ["work", "work"], completed: false });
    expect(second).toMatchObject({ step: 2, ranNodes: ["work", "work"], nextFrontier: [], completed: true });
  });
});

describe("step numbers", () => {
  it("begin at 1, and a node is told the report's", async () => {
    const told: number[] = [];
    const compiled = graph({ name: "g", channels: { n: channel.value(0) } })
      .node("a", ({ n }, { step }) => {
        told.push(step);
        return { n: n + 1 };
      })
      .edge(START, "a")
      .branch("a", { again: "a", done: END }, ({ n }) => (n < 3 ? "again" : "done"))
      .compile();
    const session = createRunner(compiled).session("s");
    expect((await session.create({})).step).toBe(0);
    const reports = [await session.runStep(), await session.runStep(), await session.runStep()];
    expect(reports.map(({ step }) => step)).toEqual([1, 2, 3]);
    expect(told).toEqual([1, 2, 3]);
  });

  it("of a routed failure counts the node among the ran", async () => {
    const compiled = graph({ name: "g", channels: { n: channel.value(0) } })
      .node("a", () => Promise.reject(new Error("x")), { onError: "mend" })
      .node("mend", () => {})
      .edge(START, "a")
      .edge(["a"], END)
      .edge("mend", END)
      .compile();
    const session = createRunner(compiled).session("s");
    await session.create({});
    expect(await session.runStep()).toMatchObject({ ranNodes: ["a"], nextFrontier: ["mend"] });
  });
});

describe("one session", () => {
  it("runs one step at a time: a second caller is told that it is busy, and harms nothing", async () => {
    const hold = gate();
    const runner = createRunner(
      solo(async () => {
        await hold.promise;
        return { n: 1 };
      }),
    );
    const session = runner.session("s");
    await session.create({});
    const step = session.runStep();
    await settle(1);
    await refused(() => session.runStep(), "session_busy");
    await refused(() => runner.session("s").resume().result, "session_busy");
    hold.resolve();
    expect(await step).toMatchObject({ step: 1, completed: true });
  });

  it("does not hold up another of the same runner", async () => {
    const hold = gate();
    const runner = createRunner(
      solo(async (_state, { sessionId }) => {
        if (sessionId === "slow") await hold.promise;
        return { n: 1 };
      }),
    );
    const slow = watch(runner.invoke({}, { sessionId: "slow" }));
    expect((await runner.invoke({}, { sessionId: "fast" })).status).toBe("completed");
    expect(slow.done()).toBe(false);
    hold.resolve();
    await settle();
    expect(slow.done()).toBe(true);
  });
});

describe("a thenable that a node returns", () => {
  it("is awaited as a promise would be", async () => {
    const thenable = { then: (resolve: (update: object) => void) => resolve({ n: 4 }) };
    const { state } = await createRunner(solo(() => thenable as never)).invoke({});
    expect(state.n).toBe(4);
  });

  it("fails its node, and never hangs the run, when its `then` throws", async () => {
    const broken = new Error("then is broken");
    const throwing = {
      then: () => {
        throw broken;
      },
    };
    const hidden = {
      get then(): never {
        throw broken;
      },
    };
    for (const value of [throwing, hidden]) {
      for (const compiled of [solo(() => value as never), side({ a: () => value as never, b: () => {} })]) {
        const run = watch(createRunner(compiled).invoke({}));
        await settle();
        expect(run.done()).toBe(true);
      }
      const error = await refused(() => createRunner(solo(() => value as never)).invoke({}), "scheduler");
      expect(error.cause).toBe(broken);
    }
  });

  it("counts once, although it calls back twice", async () => {
    const twice = {
      then: (resolve: (update: object) => void) => {
        resolve({ n: 1 });
        resolve({ n: 2 });
      },
    };
    const runner = createRunner(solo(() => twice as never));
    const { result, events } = await collect(runner.stream({}));
    expect(result?.state.n).toBe(1);
    expect(eventsOf(events, "node.completed")).toHaveLength(1);
    expect(runner.health().late).toEqual({ results: 0, emits: 0 });
  });
});
