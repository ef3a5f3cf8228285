/** `next`: another input under the same lineage. */
import { describe, expect, it } from "vitest";
import { channel, createRunner, END, input, memoryCheckpointer, START } from "spanloom";
import {
  all,
  causeCode,
  chain,
  collect,
  expectCode,
  held,
  logOf,
  loose,
  type LooseGraph,
  mark,
  marked,
  ofType,
  typesOf,
} from "./support.ts";

const chat = (): LooseGraph =>
  loose({ said: channel.value<string>(), turns: channel.reduce(0, (sum: number, add: number) => sum + add) })
    .node("answer", ({ said }, { step }) => ({ log: [`${said}@${step}`], turns: 1 }))
    .edge(START, "answer")
    .edge("answer", END)
    .compile();

const sessionOf = (graph: LooseGraph, options: Record<string, unknown> = {}) =>
  createRunner(graph, { checkpointer: memoryCheckpointer(), ...options }).session("s");

describe("next", () => {
  it("starts the session if there is none yet, with what a first input needs", async () => {
    const session = sessionOf(chat());
    const refused = await expectCode(() => session.next({}).result, "invalid_input");
    expect(refused.message).toContain("said");
    const { events, result } = await collect(session.next({ said: "hello" }));
    expect(result).toMatchObject({ status: "completed", step: 1, state: { log: ["hello@1"] } });
    expect(typesOf(events).slice(0, 2)).toEqual(["session.created", "invocation.started"]);
    expect(events[0]?.epoch).toBe(1);
  });

  it("goes on with the step number, the state and the versions; its input need not be whole", async () => {
    const session = sessionOf(chat());
    await session.next({ said: "one" }).result;
    const { events, result } = await collect(session.next({ log: ["in"] }));
    expect(result).toMatchObject({ status: "completed", steps: 1, step: 2, state: { log: ["one@1", "in", "one@2"], turns: 2 } });
    expect(result?.versions, "an input raises versions, unlike the first").toEqual({ log: 4, said: 1, turns: 3, errors: 1 });
    expect(typesOf(events)[0]).toBe("invocation.started");
    expect(ofType(events, "invocation.started")[0]?.data).toEqual({ kind: "next" });
    expect(events.map(({ epoch }) => epoch)).toEqual(events.map(() => 2));
  });

  it("raises no version that its input did not change", async () => {
    const session = sessionOf(chat());
    await session.next({ said: "same" }).result;
    const { versions } = await session.next({ said: "same" }).result;
    expect(versions).toMatchObject({ said: 1 });
  });

  it("makes a record of its own before its first step, as one lineage", async () => {
    const session = sessionOf(chat());
    await session.next({ said: "one" }).result;
    await session.next({ said: "two" }).result;
    const history = await all(session.history());
    expect(history.map(({ step, status, ranNodes, updatedChannels, next }) => [step, status, ranNodes, updatedChannels, next])).toEqual([
      [2, "completed", ["answer"], ["log", "turns"], []],
      [1, "running", [], ["said"], ["answer"]],
      [1, "completed", ["answer"], ["log", "turns"], []],
      [0, "running", [], ["said"], ["answer"]],
    ]);
    expect(history.map(({ parentId }) => parentId)).toEqual([...history.slice(1).map(({ checkpointId }) => checkpointId), undefined]);
  });

  it("enters where it is told to, also the first time, and in the order given", async () => {
    const graph = marked(loose(), "a", "b", "c").edge(START, ["a", "b", "c"]).edge("a", END).edge("b", "c").edge("c", END).compile();
    const session = sessionOf(graph);
    expect((await session.next({}, { entry: "b" }).result).state["log"]).toEqual(["b@1", "c@2"]);
    expect(logOf(await session.next({}, { entry: ["c", "a"] }).result).slice(2)).toEqual(["c@3", "a@3"]);
    expect(logOf(await session.next({}).result).slice(4)).toEqual(["a@4", "b@4", "c@4", "c@5"]);
  });

  it("decides the branches of START on the state that the input made", async () => {
    const graph = marked(loose({ to: channel.value<string>() }), "a", "b")
      .branch(START, { a: "a", b: "b" }, ({ to }) => to)
      .edge("a", END)
      .edge("b", END)
      .compile();
    const session = sessionOf(graph);
    await session.next({ to: "a" }).result;
    const { events, result } = await collect(session.next({ to: "b" }));
    expect(result?.state["log"]).toEqual(["a@1", "b@2"]);
    expect(ofType(events, "branch.taken").map(({ node, data }) => [node, data.labels])).toEqual([[START, ["b"]]]);
  });

  it("that leads to END at once completes without a step, in a record of its own", async () => {
    const graph = marked(loose({ go: channel.value(true) }), "a")
      .branch(START, { on: "a", off: END }, ({ go }) => (go ? "on" : "off"))
      .edge("a", END)
      .compile();
    const session = sessionOf(graph);
    await session.next({}).result;
    const { events, result } = await collect(session.next({ go: false }));
    expect(result).toMatchObject({ status: "completed", steps: 0, step: 1, state: { log: ["a@1"], go: false } });
    expect(typesOf(events)).toEqual(["invocation.started", "branch.taken", "checkpoint.saved", "invocation.completed"]);
    expect(await session.state()).toMatchObject({ status: "completed", state: { go: false } });
  });

  it("refuses entries that cannot be, and changes nothing", async () => {
    const graph = loose({}, { inputs: { work: input<number>() } })
      .node("a", (_state, { goto }) => goto(END), { jumps: ["work", END] })
      .node("work", mark)
      .edge(START, "a")
      .edge("work", END)
      .compile();
    const session = sessionOf(graph);
    for (const entry of ["nowhere", "work", START, END, [], ["a", "nowhere"], 7]) {
      const error = await expectCode(() => session.next({}, { entry } as never).result, "invalid_option");
      expect(error.facts["option"]).toBe("entry");
    }
    await expectCode(() => session.state(), "session_not_found");
  });

  it("refuses a bad input with its cause, emits nothing and leaves the session as it was", async () => {
    const session = sessionOf(chat());
    await session.next({ said: "one" }).result;
    const before = await session.state();
    for (const [bad, cause] of [
      [{ nope: 1 }, "unknown_channel"],
      [{ log: "text" }, "invalid_update"],
      [{ said: () => {} }, "unserializable_value"],
      ["text", "invalid_update"],
    ] as const) {
      const { events, error } = await collect(session.next(bad as never));
      expect
        .soft([events, (error as { code?: string }).code, causeCode(error as never)], JSON.stringify(bad))
        .toEqual([[], "invalid_input", cause]);
    }
    expect(await session.state()).toEqual(before);
  });
});

describe("next on a session with work due", () => {
  const paused = async () => {
    const session = sessionOf(chain("a", "b").compile(), { pauseAfter: ["a"] });
    await session.start({}).result;
    return session;
  };

  it("is `session_pending` whether it is paused, failed, cancelled, idle or was killed", async () => {
    const failing = loose()
      .node("a", () => {
        throw new Error("x");
      })
      .edge(START, "a")
      .edge("a", END)
      .compile();
    const failed = sessionOf(failing);
    await failed.start({}).result.catch(() => {});
    const cancelled = sessionOf(chain("a").compile());
    const controller = new AbortController();
    controller.abort();
    await cancelled.start({}, { signal: controller.signal }).result;
    const idle = sessionOf(chain("a").compile());
    await idle.create({});
    const never = held();
    const checkpointer = memoryCheckpointer();
    const hanging = loose().node("a", never.handler).edge(START, "a").edge("a", END).compile();
    void createRunner(hanging, { checkpointer }).stream({}, { sessionId: "s" });
    await never.entered;
    const killed = createRunner(hanging, { checkpointer }).session("s");
    for (const [status, session] of Object.entries({ paused: await paused(), failed, cancelled, idle, running: killed })) {
      const error = await expectCode(() => session.next({}).result, "session_pending");
      expect(error.facts).toEqual({ sessionId: "s", status });
      expect((await session.state()).status).toBe(status);
    }
  });

  it("gives up what is due if it is told to: nodes, questions, results and arrivals", async () => {
    const graph = marked(loose(), "a", "c")
      .node("b", async (_state, { interrupt }) => ({ log: [`b ${await interrupt("?")}`] }))
      .edge(START, ["a", "b"])
      .edge(["a", "b"], "c")
      .edge("c", END)
      .compile();
    const session = sessionOf(graph);
    expect(await session.start({}).result).toMatchObject({ status: "paused", interrupts: [{ node: "b" }] });
    const again = await session.next({}, { discardPending: true }).result;
    expect(again).toMatchObject({ status: "paused", step: 0, state: { log: [] }, interrupts: [{ node: "b" }] });
    expect((await session.resume({ answer: "yes" }).result).state["log"]).toEqual(["a@1", "b yes", "c@2"]);
    await expectCode(() => sessionOf(graph).resume({ answer: "yes" }).result, "session_not_found");
  });

  it("gives up arrivals at joins with it", async () => {
    const graph = marked(loose(), "a", "b1", "b2", "c")
      .edge(START, ["a", "b1"])
      .edge("b1", "b2")
      .edge(["a", "b2"], "c")
      .edge("c", END)
      .compile();
    const session = sessionOf(graph, { pauseAfter: ["b1"] });
    await session.start({}).result;
    const { state } = await session.next({}, { entry: "b2", discardPending: true }).result;
    expect(state["log"]).toEqual(["a@1", "b1@1", "b2@2"]);
  });

  it("keeps what was refused as it was: a resume goes on", async () => {
    const session = await paused();
    await expectCode(() => session.next({ log: ["x"] }).result, "session_pending");
    expect((await session.resume().result).state["log"]).toEqual(["a@1", "b@2"]);
  });
});

describe("`onExisting`", () => {
  it("says what a start of an id that exists is: an error, the next input, or a resume that ignores its input", async () => {
    const runner = createRunner(chat(), { checkpointer: memoryCheckpointer() });
    const call = (said: string, onExisting?: "error" | "next" | "resume") =>
      runner.invoke({ said }, { sessionId: "s", ...(onExisting === undefined ? {} : { onExisting }) });
    expect((await call("one", "next")).state["log"]).toEqual(["one@1"]);
    await expectCode(() => call("two"), "session_exists");
    await expectCode(() => call("two", "error"), "session_exists");
    expect((await call("two", "next")).state["log"]).toEqual(["one@1", "two@2"]);
    expect(await call("three", "resume")).toMatchObject({ steps: 0, state: { said: "two", log: ["one@1", "two@2"] } });
    expect((await runner.invoke({ said: "new" }, { sessionId: "t", onExisting: "resume" })).state["log"]).toEqual(["new@1"]);
    await expectCode(() => call("x", "maybe" as "next"), "invalid_option");
  });

  it("holds session ids to the same rules as any start", async () => {
    const runner = createRunner(chat(), { checkpointer: memoryCheckpointer() });
    for (const onExisting of ["error", "next", "resume"] as const) {
      for (const sessionId of ["", "a\0b", 7 as unknown as string]) {
        await expectCode(() => runner.invoke({ said: "x" }, { sessionId, onExisting }), "invalid_option");
      }
    }
  });
});
