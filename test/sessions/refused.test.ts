/** Invocations that are refused: nothing is told, nothing is made, nothing throws synchronously. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { channel, createRunner, END, memoryCheckpointer, RunnerError, SpanloomError, START } from "spanloom";
import type { Run, Runner, RuntimeEvent } from "spanloom";
import { all, causeCode, chain, collect, held, loose, type LooseGraph, settle } from "./support.ts";

const graph = loose({
  need: channel.value<number>(),
  even: channel.value(0).with({
    schema: {
      "~standard": {
        version: 1,
        vendor: "test",
        validate: (value) => (Number(value) % 2 === 0 ? { value: value as number } : { issues: [{ message: "must be even" }] }),
      },
    },
  }),
})
  .node("a", () => {})
  .edge(START, "a")
  .edge("a", END)
  .compile();

let runner: Runner<LooseGraph>;
let told: RuntimeEvent[];

beforeEach(() => {
  runner = createRunner(graph, { checkpointer: memoryCheckpointer() });
  told = [];
  const subscription = runner.events();
  void (async () => {
    for await (const event of subscription) told.push(event as RuntimeEvent);
  })();
});
afterEach(() => runner.close());

/** The call gives a run, whose result rejects, and of which nothing else is to be seen. */
async function refused(begin: () => Run<LooseGraph>, code: string): Promise<SpanloomError> {
  const before = told.length;
  const { events, error } = await collect(begin());
  await settle();
  expect(error).toBeInstanceOf(SpanloomError);
  expect((error as SpanloomError).code).toBe(code);
  expect(events).toEqual([]);
  expect(told).toHaveLength(before);
  expect(runner.health().activeInvocations).toBe(0);
  return error as SpanloomError;
}

describe("a bad input", () => {
  it("is `invalid_input`, with the error of what is wrong as its cause, and makes no session", async () => {
    for (const [input, cause] of [
      [{ need: 1, nope: 2 }, "unknown_channel"],
      [{ need: () => {} }, "unserializable_value"],
      [{ need: 1, log: "text" }, "invalid_update"],
      [{ need: 1, even: 3 }, "invalid_update"],
      ["text", "invalid_update"],
      [[], "invalid_update"],
      [7, "invalid_update"],
    ] as const) {
      const error = await refused(() => runner.stream(input as never, { sessionId: "s" }), "invalid_input");
      expect.soft([causeCode(error), error instanceof RunnerError], JSON.stringify(input)).toEqual([cause, true]);
    }
    expect((await refused(() => runner.stream({} as never, { sessionId: "s" }), "invalid_input")).message).toContain('"need"');
    await refused(() => runner.stream(undefined as never, { sessionId: "s" }), "invalid_input");
    await refused(() => runner.stream(null as never, { sessionId: "s" }), "invalid_input");
    expect(await all(runner.sessions())).toEqual([]);
    expect((await collect(runner.stream({ need: 1 }, { sessionId: "s" }))).events[0]).toMatchObject({
      type: "session.created",
      epoch: 1,
      seq: 1,
    });
  });

  it("names the path of a value that cannot be stored", async () => {
    const error = await refused(() => runner.stream({ need: { deep: [0, Symbol("x")] } } as never), "invalid_input");
    expect((error.cause as SpanloomError).facts["path"]).toContain("deep");
  });
});

describe("a session that is not as the call needs it", () => {
  it("is refused: there already, not there, or without a question to answer", async () => {
    await runner.invoke({ need: 1 }, { sessionId: "s" });
    await refused(() => runner.stream({ need: 1 }, { sessionId: "s" }), "session_exists");
    await refused(() => runner.session("s").start({ need: 1 }), "session_exists");
    await refused(() => runner.session("none").resume(), "session_not_found");
    await refused(() => runner.session("s").resume({ answer: 1 }), "interrupt_not_found");
    await refused(() => runner.session("s").resume({ answers: { x: 1 } }), "interrupt_not_found");
    expect(await runner.session("s").state()).toMatchObject({ status: "completed", step: 1 });
  });

  it("is refused while it runs, and the run is not disturbed", async () => {
    const slow = held();
    const busy = createRunner(loose().node("a", slow.handler).edge(START, "a").edge("a", END).compile());
    const run = busy.stream({}, { sessionId: "s" });
    await slow.entered;
    for (const [begin, code] of [
      [() => busy.session("s").resume(), "session_busy"],
      [() => busy.session("s").next({}), "session_busy"],
      [() => busy.stream({}, { sessionId: "s" }), "session_exists"],
    ] as const) {
      const { events, error } = await collect(begin());
      expect([events, (error as SpanloomError).code]).toEqual([[], code]);
    }
    slow.open();
    expect(await run.result).toMatchObject({ status: "completed" });
  });
});

describe("a runner that is closed", () => {
  it("refuses every invocation and write with `closed`, and still reads", async () => {
    await runner.invoke({ need: 1 }, { sessionId: "s" });
    await settle();
    await runner.close();
    const session = runner.session("s");
    await refused(() => runner.stream({ need: 1 }), "closed");
    await refused(() => session.resume(), "closed");
    await refused(() => session.next({}), "closed");
    await refused(() => runner.session("t").start({ need: 1 }), "closed");
    for (const call of [
      () => runner.invoke({ need: 1 }),
      () => session.runStep(),
      () => session.runUntilComplete(),
      () => runner.session("t").create({ need: 1 }),
      () => session.update({}),
      () => session.fork(),
      () => session.finish(),
      () => session.delete(),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: "closed" });
    }
    expect(await session.state()).toMatchObject({ status: "completed" });
  });
});

describe("options that cannot be", () => {
  it("reject the result, and leave the session free", async () => {
    for (const options of [
      { sessionId: "" },
      { sessionId: "a\0b" },
      { sessionId: "a\ud800" },
      { sessionId: 7 },
      { onExisting: "maybe" },
      { signal: {} },
      { signal: "abort" },
      { services: "text" },
    ]) {
      await refused(() => runner.stream({ need: 1 }, options as never), "invalid_option");
      await expect(runner.invoke({ need: 1 }, options as never)).rejects.toMatchObject({ code: "invalid_option" });
    }
    await refused(() => runner.stream({ need: 1 }, { sessionId: "s", signal: {} } as never), "invalid_option");
    expect(await runner.invoke({ need: 1 }, { sessionId: "s" })).toMatchObject({ status: "completed" });
  });

  it("throw nothing synchronously, not even when they are null", async () => {
    for (const begin of [
      () => runner.stream({ need: 1 }, null as never).result,
      () => runner.invoke({ need: 1 }, null as never),
      () => runner.session("s").start({ need: 1 }, null as never).result,
      () => runner.session("s").resume(null as never).result,
      () => runner.session("s").next({}, null as never).result,
      () => runner.session("s").runStep(null as never),
      () => runner.session("s").update({}, null as never),
      () => runner.session("s").fork(null as never),
    ]) {
      let promise: Promise<unknown> | undefined;
      expect(() => void (promise = begin())).not.toThrow();
      await promise?.catch(() => {});
    }
  });
});

describe("calls with options that are none", () => {
  /** Reading anything of it throws. */
  const hostile = new Proxy(
    {},
    {
      get: () => {
        throw new TypeError("no");
      },
      has: () => {
        throw new TypeError("no");
      },
      ownKeys: () => {
        throw new TypeError("no");
      },
    },
  );

  const calls: Readonly<Record<string, (options: never) => Promise<unknown>>> = {
    stream: (options) => runner.stream({ need: 1 }, options).result,
    invoke: (options) => runner.invoke({ need: 1 }, options),
    start: (options) => runner.session("t").start({ need: 1 }, options).result,
    resume: (options) => runner.session("s").resume(options).result,
    next: (options) => runner.session("s").next({}, options).result,
    runStep: (options) => runner.session("s").runStep(options),
    runUntilComplete: (options) => runner.session("s").runUntilComplete(options),
    update: (options) => runner.session("s").update({}, options),
    fork: (options) => runner.session("s").fork(options),
    history: (options) => all(runner.session("s").history(options)),
    sessions: (options) => all(runner.sessions(options)),
    drain: (options) => runner.drain(options),
    close: (options) => runner.close(options),
  };

  it.each(Object.keys(calls))("%s: `invalid_option`, by rejection", async (name) => {
    await runner.invoke({ need: 1 }, { sessionId: "s" });
    for (const options of [5, "x", true, () => {}, ["x"], hostile]) {
      let promise: Promise<unknown> | undefined;
      expect(() => (promise = calls[name]?.(options as never))).not.toThrow();
      await expect(promise, typeof options).rejects.toMatchObject({ name: "RunnerError", code: "invalid_option" });
    }
    expect(await runner.session("s").state()).toMatchObject({ status: "completed" });
  });

  it.each(Object.keys(calls))("%s: null counts as not given", async (name) => {
    await runner.invoke({ need: 1 }, { sessionId: "s" });
    const outcome = async (options: unknown): Promise<unknown> =>
      calls[name]?.(options as never).then(
        () => "done",
        (error: SpanloomError) => error.code,
      );
    const without = await outcome(undefined);
    if (name === "start") await runner.session("t").delete();
    expect(await outcome(null)).toBe(without);
  });

  it("throw nothing synchronously when an id cannot be made", async () => {
    const broken = createRunner(chain("a").compile(), {
      createId: () => {
        throw new Error("no id");
      },
    });
    await expect(broken.invoke({})).rejects.toThrow("no id");
    await expect(broken.stream({}).result).rejects.toThrow("no id");
    await expect(broken.session("s").start({}).result).rejects.toThrow("no id");
    await expect(broken.session("s").create({})).rejects.toThrow("no id");
  });
});

describe("values that an option does not take", () => {
  it("of a call are `invalid_option`", async () => {
    await runner.invoke({ need: 1 }, { sessionId: "s" });
    const session = runner.session("s");
    for (const status of ["x", 3, null, ["paused"]]) {
      await expect(all(runner.sessions({ status } as never)), String(status)).rejects.toMatchObject({ code: "invalid_option" });
    }
    for (const discardPending of ["x", 5, "true", null]) {
      await refused(() => session.next({}, { discardPending } as never), "invalid_option");
    }
    for (const services of [null, [], "x"]) await refused(() => session.next({}, { services } as never), "invalid_option");
    for (const timeout of [null, "x"]) {
      await expect(runner.drain({ timeout } as never)).rejects.toMatchObject({ code: "invalid_option" });
      await expect(runner.close({ timeout } as never)).rejects.toMatchObject({ code: "invalid_option" });
    }
    expect(runner.health().status, "nothing was closed").toBe("ok");
  });

  it("of a runner are `invalid_option`; those that nobody knows are ignored", () => {
    for (const options of [
      [],
      "x",
      { services: [] },
      { services: null },
      { telemetry: [] },
      { telemetry: null },
      { telemetry: { detail: null } },
      { onFailure: null },
      { durability: null },
      { onCheckpointError: null },
      { onGraphChange: null },
    ]) {
      expect(() => createRunner(graph, options as never), JSON.stringify(options)).toThrow(
        expect.objectContaining({ code: "invalid_option" }),
      );
    }
    expect(() => createRunner(graph, { maxstep: 3 } as never)).not.toThrow();
  });
});

it("a refused invocation takes no epoch: the next one's is the next", async () => {
  const session = createRunner(chain("a").compile(), { checkpointer: memoryCheckpointer() }).session("s");
  await session.start({}).result;
  await collect(session.next({ nope: 1 } as never));
  await collect(session.resume({ answer: 1 }));
  const { events } = await collect(session.next({}));
  expect(events[0]).toMatchObject({ epoch: 2, seq: 1 });
});
