/** The first input and the later ones: what is refused, and that nothing has happened then. */
import { channel, memoryCheckpointer, memorySink, replace, RunnerError } from "spanloom";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { causeOf, parallel, refusal, rejection, runnerOf, sequence } from "./support.ts";

const channels = {
  question: channel.value<string>().with({ schema: z.string().min(1) }),
  limit: channel.value(3),
  notes: channel.list<unknown>(),
  total: channel.reduce(0, (sum, add: number) => {
    if (add < 0) throw new RangeError("negative");
    return sum + add;
  }),
};
const compiled = parallel(channels, { n: () => undefined });

/** Inputs that are refused, with the code of the cause. */
const bad: Readonly<Record<string, readonly [unknown, string, string]>> = {
  "an unknown channel": [{ question: "q", qestion: "typo" }, "unknown_channel", '"question"'],
  "the built-in channel": [{ question: "q", errors: [] }, "unknown_channel", "errors"],
  "a missing channel": [{ limit: 1 }, "invalid_update", '"question"'],
  "a channel that is undefined": [{ question: undefined }, "invalid_update", '"question"'],
  "no input at all": [undefined, "invalid_update", '"question"'],
  null: [null, "invalid_update", '"question"'],
  "a value that the schema refuses": [{ question: "" }, "invalid_update", "question"],
  "a value that cannot be stored": [{ question: "q", notes: [{ run: () => 1 }] }, "unserializable_value", "notes[0].run"],
  "an update that the channel does not take": [{ question: "q", notes: "text" }, "invalid_update", "notes"],
  "an update that the reducer throws at": [{ question: "q", total: -1 }, "reducer_failed", "total"],
  "a list": [["q"], "invalid_update", "object"],
  "a text": ["q", "invalid_update", "object"],
  "a number": [5, "invalid_update", "object"],
  "a Map": [new Map([["question", "q"]]), "invalid_update", "object"],
  "an instance of a class": [
    new (class Input {
      question = "q";
    })(),
    "invalid_update",
    "object",
  ],
};

describe("an input is refused", () => {
  for (const [name, [input, cause, said]] of Object.entries(bad)) {
    it(`for ${name}: by a rejection, with no event and no session`, async () => {
      const sink = memorySink();
      const checkpointer = memoryCheckpointer();
      const runner = runnerOf(compiled, { checkpointer, sinks: [sink] });
      const events: unknown[] = [];
      // Nothing throws synchronously.
      const run = runner.stream(input as never, { sessionId: "s" });
      const error = await refusal("invalid_input", () => run.result);
      for await (const event of run) events.push(event);
      expect(error).toBeInstanceOf(RunnerError);
      causeOf(error, cause);
      expect(error.message).toContain(said);
      await refusal("invalid_input", () => runner.invoke(input as never, { sessionId: "s" }));
      await refusal("invalid_input", () => runner.session("s").create(input as never));
      await refusal("invalid_input", () => runner.session("s").start(input as never).result);
      await refusal("invalid_input", () => runner.session("s").next(input as never).result);
      await refusal("session_not_found", () => runner.session("s").state());
      expect(await checkpointer.load("s")).toBeUndefined();
      await runner.close();
      expect([events, sink.events]).toEqual([[], []]);
    });
  }

  it("naming every channel that is missing", async () => {
    const many = parallel(
      { a: channel.value(), b: channel.value<string>(), c: channel.optional(), d: channel.value(1) },
      { n: () => undefined },
    );
    const error = await refusal("invalid_input", () => runnerOf(many).invoke({}));
    expect(error.message).toMatch(/"a".*"b"/);
    expect(causeOf(error, "invalid_update").facts).toMatchObject({ channel: "a", path: "a" });
    expect(error.message).not.toMatch(/"c"|"d"/);
  });

  it("when a channel is missing whose name every object inherits", async () => {
    for (const name of ["toString", "constructor", "hasOwnProperty", "__proto__"]) {
      const odd = parallel({ [name]: channel.value<string>() }, { n: () => undefined });
      const error = await refusal("invalid_input", () => runnerOf(odd).invoke({}));
      expect(error.message).toContain(`"${name}"`);
      const given = JSON.parse(`{${JSON.stringify(name)}: "given"}`) as Record<string, unknown>;
      const { state } = await runnerOf(odd).invoke(given);
      expect(Object.getOwnPropertyDescriptor(state, name)).toMatchObject({ value: "given", enumerable: true });
    }
  });

  it("without taking the id: the session can be started afterwards", async () => {
    const runner = runnerOf(compiled);
    await refusal("invalid_input", () => runner.invoke({}, { sessionId: "s" }));
    expect((await runner.invoke({ question: "q" }, { sessionId: "s" })).status).toBe("completed");
  });

  it("and a result that nobody awaits is no unhandled rejection", async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on("unhandledRejection", note);
    runnerOf(compiled).stream({});
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", note);
    expect(unhandled).toEqual([]);
  });
});

describe("a first input", () => {
  it("is folded into the initial values by each channel's rule", async () => {
    const all = parallel(
      {
        v: channel.value("initial"),
        l: channel.list([1]),
        m: channel.merge<Record<string, unknown>>({ a: 1, b: 1 }),
        r: channel.reduce(10, (sum, add: number) => sum + add),
        o: channel.optional<number>(),
        c: channel.messages(),
      },
      { n: () => undefined },
    );
    const message = { role: "user", content: "hi" };
    const { state } = await runnerOf(all).invoke({ v: "given", l: [2], m: { b: null, c: 3 }, r: 5, o: 0, c: [message] });
    expect(state).toMatchObject({ v: "given", l: [1, 2], r: 15, o: 0, c: [message] });
    expect(state["m"]).toStrictEqual({ a: 1, c: 3 });
    expect((await runnerOf(all).invoke({ l: replace([9]), m: replace({ z: 1 }) })).state).toMatchObject({ l: [9], m: { z: 1 } });
  });

  it("keeps initial values for keys that are undefined, and null is a value", async () => {
    const { state } = await runnerOf(compiled).invoke({ question: "q", limit: undefined });
    expect(state).toMatchObject({ question: "q", limit: 3 });
    expect((await runnerOf(compiled).invoke({ question: "q", limit: null })).state["limit"]).toBeNull();
  });

  it("may be missing when every channel has a value", async () => {
    const seeded = parallel({ v: channel.value(1) }, { n: () => undefined });
    for (const input of [{}, undefined, null]) expect((await runnerOf(seeded).invoke(input as never)).state["v"]).toBe(1);
  });

  it("is copied when the call is made: what the caller does to it afterwards changes nothing", async () => {
    const input = { question: "q", notes: [{ n: 1 }] };
    const run = runnerOf(compiled).stream(input);
    input.notes.push({ n: 2 });
    input.question = "changed";
    expect((await run.result).state).toMatchObject({ question: "q", notes: [{ n: 1 }] });
  });

  it("folds through a reducer exactly once", async () => {
    let calls = 0;
    const counted = parallel({ r: channel.reduce(0, (sum, add: number) => ((calls += 1), sum + add)) }, { n: () => undefined });
    await runnerOf(counted).invoke({ r: 1 });
    expect(calls).toBe(1);
  });
});

describe("a later input or update from outside that is refused", () => {
  const steps = sequence(channels, [() => ({ notes: ["ran"] })]);

  it("changes nothing: no record, no version, no owner, no event", async () => {
    const checkpointer = memoryCheckpointer();
    const sink = memorySink();
    const runner = runnerOf(steps, { checkpointer, sinks: [sink] });
    await runner.invoke({ question: "q" }, { sessionId: "s" });
    const before = { state: await runner.session("s").state(), epoch: (await checkpointer.load("s"))?.ownerEpoch };
    await runner.close();
    const told = sink.events.length;
    const second = runnerOf(steps, { checkpointer, sinks: [sink] });
    const session = second.session("s");
    for (const input of [{ nope: 1 }, { question: "" }, { notes: [() => 1] }, { total: -1 }, ["x"]]) {
      const run = session.next(input as never);
      const error = await refusal("invalid_input", () => run.result);
      expect(error.cause).toBeInstanceOf(Error);
      for await (const event of run) expect.unreachable(`an event: ${event.type}`);
      await refusal("invalid_input", () => session.update(input as never));
    }
    expect({ state: await session.state(), epoch: (await checkpointer.load("s"))?.ownerEpoch }).toEqual(before);
    await second.close();
    expect(sink.events.length).toBe(told);
  });

  it("need not give channels without an initial value again", async () => {
    const session = runnerOf(steps, { checkpointer: memoryCheckpointer() }).session("s");
    await session.start({ question: "q" }).result;
    expect((await session.next({}).result).state).toMatchObject({ question: "q", notes: ["ran", "ran"] });
    expect((await session.update({ limit: 9 })).state["limit"]).toBe(9);
  });

  it("of a session that does not exist yet must be whole", async () => {
    const error = await refusal("invalid_input", () => runnerOf(steps).session("s").next({ limit: 1 }).result);
    expect(error.message).toContain('"question"');
    expect(await rejection(() => runnerOf(steps).session("s").update({ limit: 1 }))).toMatchObject({ code: "session_not_found" });
  });
});
