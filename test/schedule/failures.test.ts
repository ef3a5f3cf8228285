/** Final failures: settle or abort, what is kept, how they surface, and that the step is the same again. */
import { describe, expect, it } from "vitest";
import { channel, createRunner, END, graph, input, memoryCheckpointer, RunnerError, START } from "spanloom";
import {
  aborted,
  collect,
  countingClock,
  gate,
  type Handler,
  lifeOf,
  never,
  refused,
  rejection,
  same,
  settle,
  side,
  solo,
  watch,
} from "./support.ts";

const throws = (message: string) => (): never => {
  throw new Error(message);
};

describe("a final failure", () => {
  it("rejects with RunnerError `scheduler` whose cause is the node's own error, with no frontier or versions on it", async () => {
    const own = Object.assign(new RangeError("own"), { detail: 7 });
    const fails: Handler<"a"> = () => {
      throw own;
    };
    const error = await refused(() => createRunner(solo(fails)).invoke({}), "scheduler");
    expect(error.cause).toBe(own);
    expect(Object.keys(own)).toEqual(["detail"]);
    const told = JSON.stringify(Object.entries(error));
    for (const word of ["frontier", "versions"]) expect(told).not.toContain(word);
    expect(error.facts).toMatchObject({ node: "a", step: 1 });
    expect(error.message).toContain('"a"');
  });

  it("may be any thrown value, however odd", async () => {
    const hostile = new Error("x");
    Object.defineProperty(hostile, "message", { get: throws("message is broken") });
    const { proxy: revoked, revoke } = Proxy.revocable({}, {});
    revoke();
    for (const thrown of [undefined, null, 0, "", "text", Symbol("s"), { then: 1 }, hostile, revoked]) {
      const fails: Handler<"a"> = () => {
        throw thrown;
      };
      const error = await rejection(() => createRunner(solo(fails)).invoke({}));
      expect(error).toMatchObject({ name: "RunnerError", code: "scheduler" });
      expect(Object.is((error as RunnerError).cause, thrown)).toBe(true);
    }
  });

  it("of a refused update says which node it was, and stores nothing of it", async () => {
    const checkpointer = memoryCheckpointer();
    const compiled = side({ ok: () => ({ n: 1 }), bad: () => ({ log: [() => {}] }) as never });
    const error = await refused(() => createRunner(compiled, { checkpointer }).invoke({}, { sessionId: "s" }), "scheduler");
    expect(error.cause).toMatchObject({ name: "StateError", code: "unserializable_value", facts: { node: "bad" } });
    expect((await createRunner(compiled, { checkpointer }).session("s").state()).next).toEqual(["bad"]);
  });

  it("is told once, as invocation.failed, and ends the stream normally", async () => {
    const { events, error } = await collect(createRunner(solo(throws("x"))).stream({}));
    expect(error).toBeInstanceOf(RunnerError);
    expect(events.at(-1)).toMatchObject({ type: "invocation.failed", data: { code: "scheduler", error: { cause: { message: "x" } } } });
    expect(events.filter(({ type }) => ["invocation.completed", "invocation.cancelled", "superstep.completed"].includes(type))).toEqual([]);
  });
});

describe("two failures", () => {
  it("surface as an AggregateError in frontier order, whichever came first", async () => {
    const hold = gate();
    const compiled = side({
      late: async () => {
        await hold.promise;
        throw new Error("late");
      },
      ok: () => ({ n: 1 }),
      early: throws("early"),
    });
    const run = createRunner(compiled).invoke({});
    await settle();
    hold.resolve();
    const { cause, facts } = await refused(() => run, "scheduler");
    expect(cause).toBeInstanceOf(AggregateError);
    expect((cause as AggregateError).errors.map((each: Error) => each.message)).toEqual(["late", "early"]);
    expect(facts).toMatchObject({ nodes: ["late", "early"], step: 1 });
  });

  it("include entries of one node", async () => {
    const compiled = graph({ name: "g", channels: { n: channel.value(0) }, inputs: { work: input<number>() } })
      .node("plan", (_state, { goto, send }) => goto([1, 2, 3].map((item) => send("work", item))), { jumps: ["work"] })
      .node("work", (_state, { input: item }) => {
        if (item !== 2) throw new Error(`item ${item}`);
      })
      .edge(START, "plan")
      .edge("work", END)
      .compile();
    const { cause } = await refused(() => createRunner(compiled).invoke({}), "scheduler");
    expect((cause as AggregateError).errors.map((each: Error) => each.message)).toEqual(["item 1", "item 3"]);
  });
});

describe('onFailure "settle", the default', () => {
  it("lets siblings finish, unstopped, and queued entries start", async () => {
    const hold = gate();
    const ran: string[] = [];
    let stopped = false;
    const compiled = side({
      bad: throws("x"),
      slow: async (_state, { signal }) => {
        signal.addEventListener("abort", () => (stopped = true));
        await hold.promise;
        ran.push("slow");
      },
      queued: () => void ran.push("queued"),
    });
    const run = watch(createRunner(compiled, { concurrency: 1 }).invoke({}));
    await settle();
    expect(run.done()).toBe(false);
    hold.resolve();
    await settle();
    expect(run.done()).toBe(true);
    expect([ran, stopped]).toEqual([["slow", "queued"], false]);
  });
});

describe('onFailure "abort"', () => {
  it("aborts the siblings' signals with the failure, and they count as cancelled", async () => {
    const reasons: unknown[] = [];
    const own = new Error("x");
    const compiled = side({
      slow: async (_state, { signal }) => {
        await aborted(signal).catch((reason: unknown) => {
          reasons.push(reason);
          throw reason;
        });
      },
      bad: async () => {
        await settle(1);
        throw own;
      },
    });
    const { events, error } = await collect(createRunner(compiled, { onFailure: "abort" }).stream({}));
    expect(reasons).toEqual([own]);
    expect((error as RunnerError).cause).toBe(own);
    expect(lifeOf(events, "slow")).toEqual(["started", "cancelled"]);
    expect(lifeOf(events, "bad")).toEqual(["started", "failed"]);
  });

  it("never starts what is queued, also behind a node's own limit", async () => {
    const started: string[] = [];
    const bad: Handler = async (_state, { node }) => {
      started.push(node);
      await settle(1);
      throw new Error(node);
    };
    await refused(() => createRunner(side(same(4, bad)), { concurrency: 1, onFailure: "abort" }).invoke({}), "scheduler");
    expect(started).toEqual(["n0"]);
    const items: number[] = [];
    const compiled = graph({ name: "g", channels: { n: channel.value(0) }, inputs: { work: input<number>() } })
      .node("plan", (_state, { goto, send }) => goto([1, 2, 3].map((item) => send("work", item))), { jumps: ["work"] })
      .node(
        "work",
        async (_state, { input: item }) => {
          items.push(item);
          await settle(1);
          throw new Error("x");
        },
        { concurrency: 1 },
      )
      .edge(START, "plan")
      .edge("work", END)
      .compile();
    await refused(() => createRunner(compiled, { onFailure: "abort" }).invoke({}), "scheduler");
    expect(items).toEqual([1]);
  });

  it("keeps what had finished, and what finishes although it was told to stop", async () => {
    const ran: string[] = [];
    let broken = true;
    const hold = gate();
    const note = (name: string): void => void ran.push(name);
    const compiled = side({
      quick: () => {
        note("quick");
        return { log: ["quick"] };
      },
      stubborn: async () => {
        note("stubborn");
        await hold.promise;
        return { log: ["stubborn"] };
      },
      bad: async () => {
        note("bad");
        await settle(1);
        if (broken) throw new Error("x");
        return { log: ["bad"] };
      },
      stopped: async (_state, { signal }) => {
        note("stopped");
        if (broken) await aborted(signal);
        return { log: ["stopped"] };
      },
    });
    const runner = createRunner(compiled, { onFailure: "abort" });
    const first = rejection(() => runner.invoke({}, { sessionId: "s" }));
    await settle();
    hold.resolve();
    await first;
    expect(await runner.session("s").state()).toMatchObject({ status: "failed", next: ["bad", "stopped"] });
    broken = false;
    ran.length = 0;
    expect((await runner.session("s").resume().result).state.log).toEqual(["quick", "stubborn", "bad", "stopped"]);
    expect(ran).toEqual(["bad", "stopped"]);
  });

  it("ends a sibling's backoff, which then counts as cancelled", async () => {
    const clock = countingClock();
    const hold = gate();
    const compiled = side(
      {
        retrying: throws("again"),
        bad: async () => {
          await hold.promise;
          throw new Error("bad");
        },
      },
      {},
      { retrying: { retry: { attempts: 2, initialDelay: "1h", maxDelay: "1h" } } },
    );
    const streamed = collect(createRunner(compiled, { onFailure: "abort", clock }).stream({}));
    await settle();
    hold.resolve();
    const { events, error } = await streamed;
    expect((error as RunnerError).cause).toMatchObject({ message: "bad" });
    expect(lifeOf(events, "retrying")).toEqual(["started", "failed", "retrying", "cancelled"]);
    expect(clock.pending()).toBe(0);
  });

  it("is set off by a time-out as well", async () => {
    const clock = countingClock();
    const compiled = side({ slow: never, other: (_state, { signal }) => aborted(signal) }, {}, { slow: { timeout: 10 } });
    const streamed = collect(createRunner(compiled, { onFailure: "abort", clock }).stream({}));
    await clock.advance(10);
    const { error, events } = await streamed;
    expect(error).toMatchObject({ cause: { code: "node_timeout" } });
    expect(lifeOf(events, "other")).toEqual(["started", "cancelled"]);
  });

  it("is no other word", () => {
    expect(() =>
      createRunner(
        solo(() => {}),
        { onFailure: "ignore" as never },
      ),
    ).toThrow(RunnerError);
  });
});
