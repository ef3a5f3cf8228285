/** Answers to interrupts: by id, of any value, checked, kept, and refused without harm. */
import { describe, expect, it } from "vitest";
import { createRunner, memoryCheckpointer, type StandardSchema } from "spanloom";
import { codesOf, collect, countingClock, eventsOf, gate, type Handler, refused, rejection, settle, side, solo } from "./support.ts";

const asks: Handler = async (_state, { interrupt, node }) => ({ log: [`${node}: ${String(await interrupt(`${node}?`))}`] });

const text: StandardSchema<string> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) => (typeof value === "string" ? { value: value.trim() } : { issues: [{ message: "must be text" }] }),
  },
};

async function paused(handlers: Readonly<Record<string, Handler>>) {
  const runner = createRunner(side(handlers), { checkpointer: memoryCheckpointer() });
  const { interrupts } = await runner.invoke({}, { sessionId: "s" });
  return { session: runner.session("s"), interrupts, idOf: (index: number): string => interrupts[index]?.id ?? "" };
}

describe("an answer", () => {
  it("may be any storable value, falsy ones and `undefined` too", async () => {
    for (const answer of [null, false, 0, "", undefined, Number.NaN, { deep: [1] }, new Date(3), [], 10n]) {
      const got: unknown[] = [];
      const runner = createRunner(solo(async (_state, { interrupt }) => void got.push(await interrupt("?"))));
      await runner.invoke({}, { sessionId: "s" });
      expect((await runner.session("s").resume({ answer }).result).status).toBe("completed");
      expect(got).toEqual([answer]);
    }
  });

  it("is handed to the node that runs again from its start, at once", async () => {
    const steps: string[] = [];
    const compiled = solo(async (_state, { interrupt, attempt, step }) => {
      steps.push(`start ${step}.${attempt}`);
      const answer = await interrupt("?");
      steps.push(`got ${String(answer)}`);
      return { n: 1 };
    });
    const runner = createRunner(compiled);
    await runner.invoke({}, { sessionId: "s" });
    const { result, events } = await collect(runner.session("s").resume({ answer: "yes" }));
    expect(result).toMatchObject({ status: "completed", state: { n: 1 }, step: 1, interrupts: [] });
    expect(steps).toEqual(["start 1.1", "start 1.1", "got yes"]);
    expect(eventsOf(events, "interrupt.resolved")).toHaveLength(1);
    expect(eventsOf(events, "interrupt.requested")).toEqual([]);
  });

  it("goes with the `once` results of the entry", async () => {
    let calls = 0;
    const compiled = solo(async (_state, { interrupt, once }) => {
      const draft = await once("draft", () => `draft ${(calls += 1)}`);
      return { log: [draft, String(await interrupt(draft))] };
    });
    const runner = createRunner(compiled);
    await runner.invoke({}, { sessionId: "s" });
    expect((await runner.session("s").resume({ answer: "ok" }).result).state.log).toEqual(["draft 1", "ok"]);
  });

  it("survives retries, and a failure of its node", async () => {
    let fails = 3;
    const compiled = solo(
      async (_state, { interrupt }) => {
        const answer = await interrupt("?");
        if ((fails -= 1) > 0) throw new Error("x");
        return { log: [String(answer)] };
      },
      { retry: { attempts: 2, initialDelay: 0 } },
    );
    const runner = createRunner(compiled, { checkpointer: memoryCheckpointer() });
    await runner.invoke({}, { sessionId: "s" });
    await refused(() => runner.session("s").resume({ answer: "kept" }).result, "scheduler");
    expect((await runner.session("s").resume().result).state.log).toEqual(["kept"]);
  });

  it("survives a crash: it is stored before the node runs", async () => {
    const checkpointer = memoryCheckpointer();
    const reached = gate();
    let stuck = true;
    const compiled = solo(async (_state, { interrupt, signal }) => {
      const answer = await interrupt("?");
      reached.resolve();
      if (stuck) await new Promise((_resolve, reject) => signal.addEventListener("abort", reject));
      return { log: [String(answer)] };
    });
    await createRunner(compiled, { checkpointer }).invoke({}, { sessionId: "s" });
    const dead = createRunner(compiled, { checkpointer }).session("s").resume({ answer: "stored" });
    await reached.promise;
    stuck = false;
    expect((await createRunner(compiled, { checkpointer }).session("s").resume().result).state.log).toEqual(["stored"]);
    dead.cancel();
    await rejection(() => dead.result);
  });

  it("is a copy: the caller's object is not frozen, and later changes to it are not seen", async () => {
    const answer = { list: [1] };
    const got: unknown[] = [];
    const runner = createRunner(solo(async (_state, { interrupt }) => void got.push(await interrupt("?"))));
    await runner.invoke({}, { sessionId: "s" });
    const run = runner.session("s").resume({ answer });
    await run.result;
    answer.list.push(2);
    expect(got).toEqual([{ list: [1] }]);
  });
});

describe("several open interrupts", () => {
  it("are answered by id; those not named stay open, and the run pauses again", async () => {
    const { session, interrupts, idOf } = await paused({ x: asks, y: asks });
    const first = await session.resume({ answers: { [idOf(1)]: "two" } }).result;
    expect(first).toMatchObject({ status: "paused", steps: 0 });
    expect(first.interrupts).toEqual([interrupts[0]]);
    expect((await session.state()).next).toEqual(["x"]);
    const second = await session.resume({ answer: "one" }).result;
    expect(second).toMatchObject({ status: "completed", state: { log: ["x: one", "y: two"] } });
  });

  it("of one node may be answered one by one, in any order; each call gets its own", async () => {
    const ran: number[] = [];
    const both: Handler = async (_state, { interrupt }) => {
      ran.push(1);
      const [first, second] = await Promise.all([interrupt("first"), interrupt("second")]);
      return { log: [String(first), String(second)] };
    };
    const { session, idOf } = await paused({ both });
    expect(await session.resume({ answers: { [idOf(1)]: "b" } }).result).toMatchObject({
      status: "paused",
      interrupts: [{ payload: "first" }],
    });
    expect((await session.resume({ answers: { [idOf(0)]: "a" } }).result).state.log).toEqual(["a", "b"]);
  });

  it("asked one after the other come one by one: each resume goes further", async () => {
    const run: Handler = async (_state, { interrupt }) => {
      const first = String(await interrupt("first"));
      const second = String(await interrupt("second"));
      return { log: [first, second] };
    };
    const { session } = await paused({ run });
    expect(await session.resume({ answer: 1 }).result).toMatchObject({ status: "paused", interrupts: [{ payload: "second" }] });
    expect((await session.resume({ answer: 2 }).result).state.log).toEqual(["1", "2"]);
  });

  it("with ids of their own keep their answers when the order of the calls changes", async () => {
    let swapped = false;
    const run: Handler = async (_state, { interrupt }) => {
      const order = swapped ? ["b", "a"] : ["a", "b"];
      const answers = await Promise.all(order.map(async (id) => `${id}=${String(await interrupt(id, { id }))}`));
      return { log: answers.toSorted() };
    };
    const { session, interrupts } = await paused({ run });
    swapped = true;
    const answers = Object.fromEntries(interrupts.map(({ id, payload }) => [id, `for ${String(payload)}`]));
    expect((await session.resume({ answers }).result).state.log).toEqual(["a=for a", "b=for b"]);
  });

  it("with one explicit id twice in an entry are refused; in two entries they are two", async () => {
    const twice: Handler = async (_state, { interrupt }) => {
      await Promise.allSettled([interrupt(1, { id: "same" })]);
      const error = await interrupt(2, { id: "same" }).catch((reason: unknown) => reason);
      expect(codesOf(error)).toEqual(["invalid_option"]);
    };
    expect((await paused({ twice })).interrupts, "as the node handles it").toMatchObject([{ payload: 1 }]);
    const one: Handler = async (_state, { interrupt }) => void (await interrupt(1, { id: "same" }));
    const { interrupts } = await paused({ x: one, y: one });
    expect(new Set(interrupts.map(({ id }) => id)).size).toBe(2);
  });

  it("with one explicit id twice fail the node, at once or one after the other, and it is not tried again", async () => {
    let tries = 0;
    const atOnce: Handler = async (_state, { interrupt }) => {
      tries += 1;
      await Promise.all([interrupt(1, { id: "same" }), interrupt(2, { id: "same" })]);
    };
    const inTurn: Handler = async (_state, { interrupt }) => {
      tries += 1;
      await interrupt(1, { id: "same" });
      await interrupt(2, { id: "same" });
    };
    const retry = { retry: { attempts: 3, initialDelay: 0 } };
    const first = await refused(() => createRunner(side({ a: atOnce }, retry)).invoke({}), "scheduler");
    expect([first.cause, tries]).toMatchObject([{ code: "invalid_option", facts: { option: "id" } }, 1]);
    const session = createRunner(side({ a: inTurn }, retry), { checkpointer: memoryCheckpointer() }).session("s");
    expect(await session.start({}).result).toMatchObject({ status: "paused", interrupts: [{ payload: 1 }] });
    const second = await refused(() => session.resume({ answer: "yes" }).result, "scheduler");
    expect([second.cause, tries]).toMatchObject([{ code: "invalid_option", facts: { option: "id" } }, 3]);
  });

  it("of an id that is no text, or an empty one, are refused", async () => {
    for (const id of ["", 3, null, {}]) {
      const run: Handler = async (_state, { interrupt }) => {
        await Promise.all([interrupt("fine"), interrupt("?", { id: id as never })]);
      };
      const error = await refused(() => createRunner(side({ a: run })).invoke({}), "scheduler");
      expect(error.cause).toMatchObject({ code: "invalid_option", facts: { option: "id" } });
    }
    const none: Handler = async (_state, { interrupt }) => ({ log: [await interrupt<string>("?", null as never)] });
    expect((await paused({ none })).interrupts).toMatchObject([{ payload: "?" }]);
  });

  it("tell an explicit id from the ordinal of a call", async () => {
    const run: Handler = async (_state, { interrupt }) => {
      const [named, counted] = await Promise.all([interrupt("named", { id: "1" }), interrupt("counted")]);
      return { log: [String(named), String(counted)] };
    };
    const { session, interrupts } = await paused({ run });
    expect(interrupts.map(({ payload }) => payload)).toEqual(["named", "counted"]);
    const answers = Object.fromEntries(interrupts.map(({ id, payload }) => [id, `for ${String(payload)}`]));
    expect((await session.resume({ answers }).result).state.log).toEqual(["for named", "for counted"]);
  });
});

describe("an answer that cannot be", () => {
  it("`{ answer }` with several open names them all, and changes nothing", async () => {
    const { session, interrupts } = await paused({ x: asks, y: asks });
    const before = await session.state();
    const { events, error } = await collect(session.resume({ answer: 1 }));
    expect(codesOf(error)).toEqual(["interrupt_not_found"]);
    for (const { id } of interrupts) expect(String(error)).toContain(id);
    expect(events).toEqual([]);
    expect(await session.state()).toEqual(before);
  });

  it("with none open, or of an unknown id, is interrupt_not_found, and changes nothing", async () => {
    const { session, idOf } = await paused({ x: asks });
    const before = await session.state();
    for (const answers of [{ nope: 1 }, { [idOf(0)]: 1, nope: 2 }, { "": 1 }, { __proto__x: 1 }]) {
      const error = await refused(() => session.resume({ answers }).result, "interrupt_not_found");
      expect(String(error)).toContain(idOf(0));
    }
    expect(await session.state()).toEqual(before);
    await session.resume({ answer: 1 }).result;
    await refused(() => session.resume({ answer: 1 }).result, "interrupt_not_found");
    await refused(() => session.resume({ answers: { [idOf(0)]: 1 } }).result, "interrupt_not_found");
  });

  it("given a second time is refused: what was answered is not open", async () => {
    const { session, idOf } = await paused({ x: asks, y: asks });
    await session.resume({ answers: { [idOf(0)]: 1 } }).result;
    await refused(() => session.resume({ answers: { [idOf(0)]: 2 } }).result, "interrupt_not_found");
    expect((await session.resume({ answer: 3 }).result).state.log).toEqual(["x: 1", "y: 3"]);
  });

  it("that cannot be stored is a typed error, and changes nothing", async () => {
    const { session, idOf } = await paused({ x: asks });
    const before = await session.state();
    for (const call of [{ answer: () => {} }, { answers: { [idOf(0)]: Symbol("s") } }]) {
      const error = await refused(() => session.resume(call).result, "invalid_input");
      expect(error.cause).toMatchObject({ code: "unserializable_value" });
    }
    expect(await session.state()).toEqual(before);
  });
});

describe("a schema", () => {
  const checked: Handler = async (_state, { interrupt }) => ({ log: [await interrupt("name?", { schema: text })] });

  it("gives the node its output", async () => {
    const { session } = await paused({ checked });
    expect((await session.resume({ answer: " Ada " }).result).state.log).toEqual(["Ada"]);
  });

  it("that refuses is invalid_input, and the question stays open for another answer", async () => {
    const { session, interrupts } = await paused({ checked });
    const { error, events } = await collect(session.resume({ answer: 7 }));
    expect(codesOf(error)[0]).toBe("invalid_input");
    expect(String(error)).toContain("must be text");
    expect(events.at(-1)).toMatchObject({ type: "invocation.failed", data: { code: "invalid_input" } });
    expect(await session.state()).toMatchObject({ status: "paused", interrupts });
    await refused(() => session.resume({ answer: 8 }).result, "invalid_input");
    expect((await session.resume({ answer: "Bob" }).result).state.log).toEqual(["Bob"]);
  });

  it("refuses although the node catches it, and does not retry", async () => {
    let tries = 0;
    const runner = createRunner(
      solo(
        async (_state, { interrupt }) => {
          tries += 1;
          const name = await interrupt("name?", { schema: text }).catch(() => "nobody");
          return { log: [name] };
        },
        { retry: { attempts: 3, initialDelay: 0 } },
      ),
    );
    await runner.invoke({}, { sessionId: "s" });
    await refused(() => runner.session("s").resume({ answer: 7 }).result, "invalid_input");
    expect(tries).toBe(2);
  });

  it("keeps what siblings finished, and their open questions", async () => {
    let runs = 0;
    const { session, idOf } = await paused({
      checked,
      other: asks,
      done: () => {
        runs += 1;
        return { log: ["done"] };
      },
    });
    await refused(() => session.resume({ answers: { [idOf(0)]: 7 } }).result, "invalid_input");
    expect((await session.state()).interrupts.map(({ node }) => node)).toEqual(["checked", "other"]);
    const answers = { [idOf(0)]: "Ada", [idOf(1)]: "yes" };
    expect((await session.resume({ answers }).result).state.log).toEqual(["Ada", "other: yes", "done"]);
    expect(runs).toBe(1);
  });
});

describe("an interrupt after a retry", () => {
  it("asks again under the same id", async () => {
    const clock = countingClock();
    const compiled = solo(
      async (_state, { attempt, interrupt }) => {
        if (attempt === 1) throw new Error("x");
        return { log: [String(await interrupt("?"))] };
      },
      { retry: { attempts: 2, initialDelay: 5, jitter: false } },
    );
    const runner = createRunner(compiled, { clock });
    const first = runner.invoke({}, { sessionId: "s" });
    await clock.advance(5);
    const [open] = (await first).interrupts;
    const second = runner.session("s").resume({ answers: { [open?.id ?? ""]: "yes" } }).result;
    await settle();
    await clock.advance(5);
    expect((await second).state.log).toEqual(["yes"]);
  });
});
