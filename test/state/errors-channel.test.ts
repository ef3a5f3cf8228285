/** The built-in channel `errors`: what nodes reported, and failures that were routed. */
import { channel, memoryCheckpointer, type ErrorRecord } from "spanloom";
import { manualClock } from "spanloom/testing";
import { describe, expect, it } from "vitest";
import { causeOf, finalState, gate, loose, oneStep, parallel, refusal, runnerOf, sequence, thawed } from "./support.ts";

const records = (state: Readonly<Record<string, unknown>>): readonly ErrorRecord[] => state["errors"] as readonly ErrorRecord[];
const messages = (state: Readonly<Record<string, unknown>>): readonly string[] => records(state).map(({ error }) => error.message);

describe("reportError", () => {
  it("adds a record with time, place, error, tags and context, and the node goes on", async () => {
    const clock = manualClock(1_000);
    const cause = new RangeError("inner", { cause: "text" });
    const error = Object.assign(new TypeError("outer", { cause }), { code: "E_OUTER" });
    const compiled = parallel(
      { v: channel.value(0) },
      {
        n: (_state, { reportError }) => (reportError(error, { tags: ["parse", "soft"], context: { url: "u", tries: 3 } }), { v: 1 }),
      },
    );
    const { state, status } = await runnerOf(compiled, { clock }).invoke({});
    expect(status).toBe("completed");
    expect(state["v"]).toBe(1);
    const inner = { name: "RangeError", message: "inner", cause: { name: "Error", message: "text" } };
    expect(records(state)).toStrictEqual([
      {
        when: 1_000,
        scope: "node",
        node: "n",
        step: 1,
        error: { name: "TypeError", message: "outer", code: "E_OUTER", cause: inner },
        tags: ["parse", "soft"],
        context: { url: "u", tries: 3 },
      },
    ]);
    expect(thawed(records(state))).toEqual([]);
  });

  it("has empty tags and context by default, and takes what is no error", async () => {
    const thrown = ["text", undefined, null, { message: "like an error", name: "Odd" }, 5];
    const state = await finalState({}, [(_state, { reportError }) => thrown.forEach((each) => reportError(each))]);
    expect(records(state).map(({ error, tags, context }) => [error.message, tags, context])).toEqual(
      ["text", "undefined", "null", "like an error", "5"].map((message) => [message, [], {}]),
    );
    expect(records(state)[3]?.error.name).toBe("Odd");
  });

  it("survives an error that is its own cause", async () => {
    const circular = new Error("round");
    circular.cause = circular;
    expect(messages(await finalState({}, [(_state, { reportError }) => void reportError(circular)]))).toEqual(["round"]);
  });

  it("copies tags and context when it is called", async () => {
    const tags = ["a"];
    const context = { list: [1], at: new Date(1) };
    const state = await finalState({}, [
      (_state, { reportError }) => {
        reportError(new Error("x"), { tags, context });
        tags.push("b");
        context.list.push(2);
        context.at.setTime(9);
      },
    ]);
    expect(records(state)[0]).toMatchObject({ tags: ["a"], context: { list: [1], at: new Date(1) } });
    expect(Object.isFrozen(context.list)).toBe(false);
  });

  it("refuses a context that cannot be stored, with its path, and fails the node without a retry", async () => {
    let runs = 0;
    const compiled = loose({})
      .node("n", (_state, { reportError }) => ((runs += 1), reportError(new Error("x"), { context: { client: () => 1 } })), {
        retry: { attempts: 3, initialDelay: 0 },
      })
      .edge("start", "n")
      .edge("n", "end")
      .compile();
    const error = await refusal("scheduler", () => runnerOf(compiled).invoke({}));
    expect(error.facts["node"]).toBe("n");
    expect(causeOf(error, "unserializable_value").facts["path"]).toContain("context.client");
    expect(runs).toBe(1);
  });

  it("merges reports in frontier order, whoever finished first, after those of earlier steps", async () => {
    const lastIsDone = gate();
    const report = (name: string) => (_state: unknown, context: { reportError: (error: Error) => void }) =>
      context.reportError(new Error(name));
    const compiled = loose({})
      .node("before", report("before"))
      .node("a", async (state, context) => (await lastIsDone.promise, report("a1")(state, context), report("a2")(state, context)))
      .node("b", (state, context) => (report("b")(state, context), lastIsDone.open()))
      .edge("start", "before")
      .edge("before", ["a", "b"])
      .edge(["a", "b"], "end")
      .compile();
    expect(messages((await runnerOf(compiled).invoke({})).state)).toEqual(["before", "a1", "a2", "b"]);
  });

  it("of an attempt that failed is not kept; that of the attempt that succeeded is", async () => {
    const compiled = loose({})
      .node(
        "n",
        (_state, { reportError, attempt }) => {
          reportError(new Error(`try ${attempt}`));
          if (attempt < 3) throw new Error("again");
        },
        { retry: { attempts: 3, initialDelay: 0 } },
      )
      .edge("start", "n")
      .edge("n", "end")
      .compile();
    expect(messages((await runnerOf(compiled).invoke({})).state)).toEqual(["try 3"]);
  });

  it("of an attempt whose update was refused is not kept, nor is one of a step that failed", async () => {
    const compiled = loose({ v: channel.value(0) })
      .node("bad", (_state, { reportError }) => (reportError(new Error("lost")), { nope: 1 }), { onError: "rescue" })
      .node("rescue", () => undefined)
      .edge("start", "bad")
      .edge("bad", "end")
      .edge("rescue", "end")
      .compile();
    const { state } = await runnerOf(compiled).invoke({});
    expect(records(state).map(({ error }) => error.code)).toEqual(["unknown_channel"]);
    const failing = parallel(
      {},
      {
        soft: (_state, { reportError }) => reportError(new Error("soft")),
        hard: () => {
          throw new Error("hard");
        },
      },
    );
    const session = runnerOf(failing).session("s");
    await session.create({});
    await refusal("scheduler", () => session.runStep());
    expect(records((await session.state()).state)).toEqual([]);
  });

  it("of an attempt that was interrupted counts once: when the node ran again to its end", async () => {
    const compiled = sequence({}, [
      async (_state, { reportError, interrupt }) => (reportError(new Error("seen")), void (await interrupt("?"))),
    ]);
    const session = runnerOf(compiled).session("s");
    const paused = await session.start({}).result;
    expect(records(paused.state)).toEqual([]);
    expect(messages((await session.resume({ answer: 1 }).result).state)).toEqual(["seen"]);
  });

  it("after its attempt has ended does nothing, in the same superstep or later", async () => {
    let late = (): void => {};
    const ended = gate();
    const compiled = loose({})
      .node("early", (_state, { reportError }) => {
        late = () => reportError(new Error("late"));
        reportError(new Error("in time"));
        // Its attempt is over by the next turn of the event loop.
        setImmediate(() => ended.open());
      })
      .node("sibling", async () => (await ended.promise, late()))
      .node("next", () => late())
      .edge("start", ["early", "sibling"])
      .edge(["early", "sibling"], "next")
      .edge("next", "end")
      .compile();
    expect(messages((await runnerOf(compiled).invoke({})).state)).toEqual(["in time"]);
  });
});

describe("the channel errors", () => {
  it("is there and empty from the start, has a version, and is among the updated channels, as the last", async () => {
    const { created, report } = await oneStep(
      parallel({ v: channel.value(0) }, { n: (_state, { reportError }) => (reportError(new Error("x")), { v: 1 }) }),
    );
    expect(records(created.state)).toEqual([]);
    expect(created.versions).toEqual({ v: 1, errors: 1 });
    expect(report.updatedChannels).toEqual(["v", "errors"]);
    expect(report.versions).toEqual({ v: 2, errors: 2 });
  });

  it("is read by later nodes and branches, and kept by the store", async () => {
    const seen: number[] = [];
    const compiled = loose({})
      .node("n", (state, { reportError }) => (seen.push(state.errors.length), reportError(new Error("x"))))
      .branch("n", { again: "n", done: "end" }, ({ errors }) => ((errors as unknown[]).length < 3 ? "again" : "done"))
      .edge("start", "n")
      .compile();
    const checkpointer = memoryCheckpointer();
    await runnerOf(compiled, { checkpointer }).invoke({}, { sessionId: "s" });
    expect(seen).toEqual([0, 1, 2]);
    expect(messages((await runnerOf(compiled, { checkpointer }).session("s").state()).state)).toEqual(["x", "x", "x"]);
  });

  it("gets a failure that onError routes, in its place in frontier order, with its cause chain", async () => {
    const seen: unknown[] = [];
    const compiled = loose({})
      .node("first", (_state, { reportError }) => reportError(new Error("first")))
      .node(
        "failing",
        () => {
          throw new Error("failed", { cause: new TypeError("why") });
        },
        { onError: "rescue" },
      )
      .node("last", (_state, { reportError }) => reportError(new Error("last")))
      .node("rescue", (state) => void seen.push(messages(state)))
      .edge("start", ["first", "failing", "last"])
      .edge(["first", "last"], "end")
      .edge("failing", "end")
      .edge("rescue", "end")
      .compile();
    const { state } = await runnerOf(compiled).invoke({});
    expect([messages(state), ...seen]).toEqual([
      ["first", "failed", "last"],
      ["first", "failed", "last"],
    ]);
    expect(records(state)[1]).toMatchObject({
      scope: "node",
      node: "failing",
      step: 1,
      error: { cause: { name: "TypeError", message: "why" } },
      tags: [],
      context: {},
    });
  });

  it("does not get a failure that is not routed: that is the session's", async () => {
    const compiled = sequence({}, [
      () => {
        throw new Error("fatal");
      },
    ]);
    const session = runnerOf(compiled).session("s");
    await refusal("scheduler", () => session.start({}).result);
    const { state, status, versions } = await session.state();
    expect({ errors: records(state), status, version: versions["errors"] }).toEqual({ errors: [], status: "failed", version: 1 });
  });

  it("hands out what is live in a context as copies, and takes any number of records", async () => {
    const seen: unknown[] = [];
    const contextOf = (state: unknown): unknown => records(state as Readonly<Record<string, unknown>>)[0]?.context;
    const spoil = (state: unknown): void => {
      const { at, map } = contextOf(state) as { readonly at: Date; readonly map: Map<string, number> };
      at.setTime(9);
      map.set("k", 9);
    };
    const context = { at: new Date(1), map: new Map([["k", 1]]) };
    const compiled = sequence({}, [
      (_state, { reportError }) => reportError(new Error("x"), { context }),
      spoil,
      (state) => void seen.push(contextOf(state)),
    ]);
    const store = memoryCheckpointer();
    const session = runnerOf(compiled, { checkpointer: store }).session("s");
    const { state } = await session.start({}).result;
    spoil(state);
    for await (const snapshot of session.history()) if (records(snapshot.state).length > 0) seen.push(contextOf(snapshot.state));
    expect(seen).toHaveLength(4);
    for (const each of seen) expect(each).toStrictEqual(context);
    const many = 150_000;
    const flood = await finalState({}, [(_state, { reportError }) => Array.from({ length: many }).forEach(() => reportError("x"))]);
    expect(records(flood)).toHaveLength(many);
  });

  it("does not open a gate", async () => {
    let runs = 0;
    const compiled = loose({ rounds: channel.value(0) })
      .node("reporter", (_state, { reportError }) => reportError(new Error("x")))
      .node("gated", () => void (runs += 1), { gate: "on-change" })
      .edge("start", "reporter")
      .edge("reporter", "gated")
      .branch("gated", { again: "reporter", done: "end" }, ({ errors }) => ((errors as unknown[]).length < 3 ? "again" : "done"))
      .compile();
    await runnerOf(compiled).invoke({});
    expect(runs).toBe(1);
  });

  it("cannot be written by an input, an update or a node", async () => {
    const compiled = sequence({}, [() => undefined]);
    causeOf(await refusal("invalid_input", () => runnerOf(compiled).invoke({ errors: [] })), "unknown_channel");
    const session = runnerOf(compiled).session("s");
    await session.create({});
    causeOf(await refusal("invalid_input", () => session.update({ errors: [] } as never)), "unknown_channel");
  });
});
