/** `context.interrupt`: asking, pausing, and what else happens in that step. */
import { describe, expect, it } from "vitest";
import { createRunner, memoryCheckpointer } from "spanloom";
import {
  aborted,
  collect,
  countingClock,
  eventsOf,
  gate,
  list,
  type Handler,
  lifeOf,
  never,
  refused,
  rejection,
  settle,
  side,
  solo,
} from "./support.ts";

const asks: Handler = async (_state, { interrupt, node }) => ({ log: [`${node}: ${String(await interrupt(`${node}?`))}`] });

describe("an interrupt without an answer", () => {
  it("pauses the run, which names it: id, node, step, payload", async () => {
    const runner = createRunner(solo(async (_state, { interrupt }) => void (await interrupt({ question: "ok?" }))));
    const { result, events } = await collect(runner.stream({}, { sessionId: "s" }));
    expect(result).toMatchObject({ status: "paused", steps: 0, step: 0 });
    const [open] = result?.interrupts ?? [];
    expect(open).toMatchObject({ node: "a", step: 1, payload: { question: "ok?" }, kind: "interrupt" });
    expect(open?.id).toEqual(expect.any(String));
    expect(eventsOf(events, "interrupt.requested").map(({ data }) => data)).toEqual([open]);
    expect(eventsOf(events, "invocation.paused").map(({ data }) => data.interrupts)).toEqual([[open]]);
    expect(events.at(-1)?.type).toBe("invocation.paused");
    expect(await runner.session("s").state()).toMatchObject({ status: "paused", next: ["a"], interrupts: [open] });
    expect(lifeOf(events, "a")).toEqual(["started"]);
  });

  it("copies its payload, and refuses one that cannot be stored", async () => {
    const payload = { list: [1] };
    const compiled = solo(async (_state, { interrupt }) => {
      const asked = interrupt(payload);
      payload.list.push(2);
      await asked;
    });
    expect((await createRunner(compiled).invoke({})).interrupts).toMatchObject([{ payload: { list: [1] } }]);
    const error = await refused(
      () => createRunner(solo(async (_state, { interrupt }) => void (await interrupt({ f: () => {} })))).invoke({}),
      "scheduler",
    );
    expect(error.cause).toMatchObject({ code: "unserializable_value" });
  });

  it("hands out what is live in its payload as copies: in the result, a report, a snapshot and events", async () => {
    interface Payload {
      readonly at: Date;
      readonly map: Map<string, unknown>;
    }
    const live = (): Payload => ({ at: new Date(1), map: new Map([["k", { list: [1] }]]) });
    const spoil = (interrupts: readonly { readonly payload: unknown }[] = []): void => {
      expect(interrupts).toMatchObject([{ payload: live() }]);
      const [{ payload } = { payload: live() }] = interrupts;
      const { at, map } = payload as Payload;
      at.setTime(9);
      map.set("k", "spoilt");
    };
    const compiled = solo(async (_state, { interrupt }) => void (await interrupt(live())));
    const runner = createRunner(compiled, { checkpointer: memoryCheckpointer() });
    const run = runner.stream({}, { sessionId: "s" });
    const session = runner.session("s");
    for (let reader = 0; reader < 2; reader += 1) {
      const { events, result } = await collect(run);
      if (reader === 0) spoil(result?.interrupts);
      spoil(eventsOf(events, "interrupt.requested").map(({ data }) => data));
      spoil(eventsOf(events, "invocation.paused")[0]?.data.interrupts);
      spoil((await session.state()).interrupts);
      spoil((await list(session.history()))[0]?.interrupts);
    }
    const stepped = runner.session("t");
    await stepped.create({});
    spoil((await stepped.runStep()).interrupts);
    spoil((await stepped.state()).interrupts);
    spoil((await stepped.runUntilComplete()).interrupts);
  });

  it("counts although the node catches it, returns an update, or throws another error", async () => {
    const handlers: Readonly<Record<string, Handler<"a">>> = {
      catches: async (_state, { interrupt }) => {
        await interrupt("?").catch(() => {});
        return { n: 1 };
      },
      throws: async (_state, { interrupt }) => {
        await interrupt("?").catch(() => {});
        throw new Error("never mind");
      },
      forgets: (_state, { interrupt }) => {
        void interrupt("?");
        return { n: 1 };
      },
      refused: async (_state, { interrupt }) => {
        await interrupt("?").catch(() => {});
        return { nope: 1 } as never;
      },
    };
    for (const [name, run] of Object.entries(handlers)) {
      const result = await createRunner(solo(run)).invoke({});
      expect(result, name).toMatchObject({ status: "paused", state: { n: 0 }, interrupts: [{ payload: "?" }] });
    }
  });

  it("lets the handler settle first, so that several are open: one after the other, or at once", async () => {
    const oneByOne: Handler<"a"> = async (_state, { interrupt }) => {
      for (const question of ["first", "second"]) await interrupt(question).catch(() => {});
    };
    const atOnce: Handler<"a"> = async (_state, { interrupt }) => void (await Promise.all([interrupt("first"), interrupt("second")]));
    const later: Handler<"a"> = async (_state, { interrupt }) => {
      const first = interrupt("first");
      await settle(2);
      await Promise.allSettled([first, interrupt("second")]);
    };
    for (const run of [oneByOne, atOnce, later]) {
      const { interrupts } = await createRunner(solo(run)).invoke({});
      expect(interrupts.map(({ payload }) => payload)).toEqual(["first", "second"]);
      expect(new Set(interrupts.map(({ id }) => id)).size).toBe(2);
    }
  });

  it("is no unhandled rejection when nobody awaits it", async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on("unhandledRejection", note);
    await createRunner(
      solo((_state, { interrupt }) => {
        void interrupt("?");
      }),
    ).invoke({});
    await settle();
    process.off("unhandledRejection", note);
    expect(unhandled).toEqual([]);
  });

  it("lets siblings go on to their end, whose results are kept", async () => {
    const hold = gate();
    const ran: string[] = [];
    const compiled = side({
      ask: asks,
      slow: async (_state, { signal }) => {
        await hold.promise;
        ran.push(`slow ${String(signal.aborted)}`);
        return { log: ["slow"] };
      },
    });
    const runner = createRunner(compiled, { onFailure: "abort" });
    const run = runner.invoke({}, { sessionId: "s" });
    await settle();
    hold.resolve();
    expect(await run).toMatchObject({ status: "paused", state: { log: [] } });
    expect((await runner.session("s").state()).next).toEqual(["ask"]);
    expect((await runner.session("s").resume({ answer: "yes" }).result).state.log).toEqual(["ask: yes", "slow"]);
    expect(ran).toEqual(["slow false"]);
  });

  it("of several siblings are all open, in frontier order", async () => {
    const { interrupts } = await createRunner(side({ x: asks, y: asks, z: () => {} })).invoke({});
    expect(interrupts.map(({ node }) => node)).toEqual(["x", "y"]);
  });

  it("has no time-out fail it: the question is open", async () => {
    const clock = countingClock();
    let signal: AbortSignal | undefined;
    const compiled = solo(
      async (_state, context) => {
        ({ signal } = context);
        await context.interrupt("?").catch(() => {});
        await never();
      },
      { timeout: 10 },
    );
    const run = createRunner(compiled, { clock }).invoke({});
    await clock.advance(10);
    expect((await run).status).toBe("paused");
    expect(signal?.aborted).toBe(true);
    expect(clock.pending()).toBe(0);
  });
});

describe("a failure beside an interrupt", () => {
  it("wins, and the interrupt stays: it can be answered with the resume", async () => {
    let broken = true;
    const ran: string[] = [];
    const compiled = side({
      ask: async (_state, { interrupt }) => {
        ran.push("ask");
        return { log: [String(await interrupt("?"))] };
      },
      bad: () => {
        ran.push("bad");
        if (broken) throw new Error("x");
        return { log: ["bad"] };
      },
    });
    const runner = createRunner(compiled, { checkpointer: memoryCheckpointer() });
    const { events, error } = await collect(runner.stream({}, { sessionId: "s" }));
    expect(error).toMatchObject({ code: "scheduler" });
    expect(events.at(-1)?.type).toBe("invocation.failed");
    expect(await runner.session("s").state()).toMatchObject({ status: "failed", next: ["ask", "bad"], interrupts: [{ node: "ask" }] });

    broken = false;
    expect(await runner.session("s").resume().result).toMatchObject({ status: "paused", interrupts: [{ node: "ask" }] });
    expect(ran).toEqual(["ask", "bad", "bad"]);
    expect((await runner.session("s").resume({ answer: "yes" }).result).state.log).toEqual(["yes", "bad"]);
    expect(ran).toEqual(["ask", "bad", "bad", "ask"]);
  });

  it("keeps the answer that was given, although the step fails again", async () => {
    let fails = 0;
    const compiled = side({
      ask: async (_state, { interrupt }) => ({ log: [String(await interrupt("?"))] }),
      bad: () => {
        if ((fails += 1) <= 2) throw new Error("x");
      },
    });
    const runner = createRunner(compiled);
    await rejection(() => runner.invoke({}, { sessionId: "s" }));
    await rejection(() => runner.session("s").resume({ answer: "once" }).result);
    expect((await runner.session("s").state()).interrupts).toEqual([]);
    expect((await runner.session("s").resume().result).state.log).toEqual(["once"]);
  });

  it("opens no interrupt of a node whose name is the beginning of another's id", async () => {
    const ran: string[] = [];
    let broken = true;
    const compiled = side({
      a: () => {
        ran.push("a");
        if (broken) throw new Error("x");
      },
      "a/0": asks,
    });
    const runner = createRunner(compiled);
    await rejection(() => runner.invoke({}, { sessionId: "s" }));
    broken = false;
    expect((await runner.session("s").resume().result).status).toBe("paused");
    expect(ran).toEqual(["a", "a"]);
  });
});

describe("a cancellation beside an interrupt", () => {
  it("ends the run as cancelled, and the question stays open", async () => {
    const compiled = side({ ask: asks, slow: (_state, { signal }) => aborted(signal) });
    const runner = createRunner(compiled);
    const run = runner.stream({}, { sessionId: "s" });
    await settle();
    run.cancel();
    expect((await run.result).status).toBe("cancelled");
    expect(await runner.session("s").state()).toMatchObject({ status: "cancelled", interrupts: [{ node: "ask" }] });
  });
});

it("questions of nodes whose names hold slashes are told apart, as are their answers", async () => {
  const asking =
    (id: string): Handler =>
    async (_state, { interrupt, node }) => ({ log: [`${node} ${String(await interrupt(node, { id }))}`] });
  const compiled = side({ a: asking("0/k"), "a/0": asking("k") });
  const runner = createRunner(compiled, { checkpointer: memoryCheckpointer() });
  const { interrupts } = await runner.invoke({}, { sessionId: "s" });
  expect(interrupts.map(({ payload }) => payload)).toEqual(["a", "a/0"]);
  const answers = Object.fromEntries(interrupts.map(({ id, payload }) => [id, `to ${String(payload)}`]));
  expect((await runner.session("s").resume({ answers }).result).state.log).toEqual(["a to a", "a/0 to a/0"]);
});
