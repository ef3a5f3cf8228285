/** Sessions stepped by hand: created, then a superstep at a time, all of it one invocation. */
import { describe, expect, it } from "vitest";
import { createRunner, END, memoryCheckpointer, START } from "spanloom";
import { causeCode, chain, expectCode, held, loose, mark, marked, ofType, settle, terminals, typesOf, watched } from "./support.ts";

describe("create", () => {
  it("makes the session with its first record, runs nothing, and leaves it idle", async () => {
    const { session, events } = watched(chain("a").compile());
    const snapshot = await session.create({ log: ["in"] });
    expect(snapshot).toMatchObject({
      sessionId: "s",
      graph: "g",
      status: "idle",
      step: 0,
      next: ["a"],
      state: { log: ["in"] },
      versions: { log: 1, errors: 1 },
      parentId: undefined,
      ranNodes: [],
      updatedChannels: ["log"],
      interrupts: [],
    });
    expect(await session.state()).toEqual(snapshot);
    await settle();
    expect(typesOf(events)).toEqual(["session.created", "invocation.started", "checkpoint.saved"]);
  });

  it("refuses a bad input and an id that is taken, and makes nothing", async () => {
    const { session, events, runner } = watched(chain("a").compile());
    await expectCode(() => session.create({ nope: 1 }), "invalid_input");
    await expectCode(() => session.state(), "session_not_found");
    await session.create({});
    await expectCode(() => session.create({}), "session_exists");
    await expectCode(() => session.start({}).result, "session_exists");
    await expectCode(() => runner.invoke({}, { sessionId: "s" }), "session_exists");
    await settle();
    expect(typesOf(events)).toEqual(["session.created", "invocation.started", "checkpoint.saved"]);
    expect(await session.runStep(), "it goes on").toMatchObject({ completed: true });
  });

  it("of a graph that leads to END at once completes it, with a runner's own store too", async () => {
    const graph = loose().edge(START, END).compile();
    const { session } = watched(graph);
    expect(await session.create({})).toMatchObject({ status: "completed", next: [], step: 0 });
    await expectCode(() => session.runStep(), "session_finished");
    expect(await createRunner(graph).session("t").create({})).toMatchObject({ status: "completed", step: 0 });
  });

  it("takes an id once, also when nothing is saved", async () => {
    const session = createRunner(chain("a", "b").compile(), { autosave: false }).session("s");
    await session.create({});
    await expectCode(() => session.create({}), "session_exists");
    await expectCode(() => session.start({}).result, "session_exists");
  });
});

describe("runStep", () => {
  it("runs one superstep and reports it, until the session is completed", async () => {
    const { session } = watched(chain("a", "b").compile());
    const { checkpointId: created } = await session.create({});
    const first = await session.runStep();
    expect(first).toEqual({
      step: 1,
      ranNodes: ["a"],
      skippedNodes: [],
      updatedChannels: ["log"],
      nextFrontier: ["b"],
      versions: { log: 2, errors: 1 },
      completed: false,
      interrupts: [],
      checkpointId: expect.any(String),
    });
    expect(await session.state()).toMatchObject({
      status: "idle",
      step: 1,
      next: ["b"],
      parentId: created,
      checkpointId: first.checkpointId,
    });
    expect(await session.runStep()).toMatchObject({ step: 2, completed: true, nextFrontier: [] });
    expect(await session.state()).toMatchObject({ status: "completed", step: 2 });
  });

  it("of a completed session is `session_finished`, of none `session_not_found`", async () => {
    const { session, runner } = watched(chain("a").compile());
    await session.create({});
    await session.runStep();
    await expectCode(() => session.runStep(), "session_finished");
    await expectCode(() => session.runUntilComplete(), "session_finished");
    await expectCode(() => runner.session("none").runStep(), "session_not_found");
  });

  it("says running while it runs, and idle between", async () => {
    const slow = held();
    const graph = marked(loose(), "b").node("a", slow.handler).edge(START, "a").edge("a", "b").edge("b", END).compile();
    const { session, runner } = watched(graph);
    await session.create({});
    expect(runner.health().activeInvocations).toBe(0);
    const step = session.runStep();
    await slow.entered;
    expect([(await session.state()).status, runner.health().activeInvocations]).toEqual(["running", 1]);
    slow.open();
    await step;
    expect([(await session.state()).status, runner.health().activeInvocations]).toEqual(["idle", 0]);
  });

  it("makes all steps one invocation, whose events are numbered on, with one end", async () => {
    const { session, events } = watched(chain("a", "b", "c").compile());
    await session.create({});
    await session.runStep();
    await session.runStep();
    await settle();
    expect(terminals(events)).toEqual([]);
    await session.runStep();
    await settle();
    expect(terminals(events)).toEqual(["invocation.completed"]);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_event, index) => index + 1));
    expect(new Set(events.map(({ epoch, invocationId }) => `${epoch} ${invocationId}`)).size).toBe(1);
    expect(ofType(events, "invocation.completed")[0]?.data).toEqual({ steps: 3 });
  });

  it("that pauses ends the invocation; the next step is another, and passes the pause", async () => {
    const { session, events } = watched(chain("a", "b").compile(), { pauseBefore: ["b"] });
    await session.create({});
    await session.runStep();
    const paused = await session.runStep();
    expect(paused).toMatchObject({ completed: false, ranNodes: [], nextFrontier: ["b"], interrupts: [{ kind: "before", node: "b" }] });
    expect((await session.state()).status).toBe("paused");
    expect(await session.runStep()).toMatchObject({ step: 2, ranNodes: ["b"], completed: true, interrupts: [] });
    await settle();
    expect(terminals(events)).toEqual(["invocation.paused", "invocation.completed"]);
    expect([...new Set(events.map(({ epoch }) => epoch))]).toEqual([1, 2]);
  });

  it("that fails ends the invocation too, keeps what finished, and is the same step again next time", async () => {
    let broken = true;
    const graph = marked(loose(), "a")
      .node("b", (state, context) => {
        if (broken) throw new Error("not yet");
        return mark(state, context);
      })
      .edge(START, ["a", "b"])
      .edge(["a", "b"], END)
      .compile();
    const { session, events } = watched(graph);
    await session.create({});
    await expectCode(() => session.runStep(), "scheduler");
    expect(await session.state()).toMatchObject({ status: "failed", step: 0, next: ["b"] });
    broken = false;
    expect(await session.runStep()).toMatchObject({ step: 1, ranNodes: ["a", "b"], completed: true });
    await settle();
    expect(terminals(events)).toEqual(["invocation.failed", "invocation.completed"]);
    expect(ofType(events, "node.started").map(({ node }) => node)).toEqual(["a", "b", "b"]);
  });

  it("that was aborted rejects with `cancelled`: beforehand no node runs, midway its signal aborts", async () => {
    const slow = held();
    const seen: AbortSignal[] = [];
    const graph = loose()
      .node("a", async (state, context) => {
        seen.push(context.signal);
        await slow.handler(state, context);
        context.signal.throwIfAborted();
      })
      .edge(START, "a")
      .edge("a", END)
      .compile();
    const { session, events } = watched(graph);
    await session.create({});
    const early = new AbortController();
    early.abort(new Error("too early"));
    const refused = await expectCode(() => session.runStep({ signal: early.signal }), "cancelled");
    expect([seen, refused.message]).toEqual([[], expect.stringContaining("too early")]);
    expect(await session.state()).toMatchObject({ status: "cancelled", step: 0, next: ["a"] });
    const midway = new AbortController();
    const step = session.runStep({ signal: midway.signal });
    await slow.entered;
    midway.abort("enough");
    slow.open();
    await expectCode(() => step, "cancelled");
    expect(seen[0]?.reason).toBe("enough");
    await settle();
    expect(terminals(events)).toEqual(["invocation.cancelled", "invocation.cancelled"]);
    expect(ofType(events, "invocation.cancelled").map(({ data }) => data.reason)).toEqual(["too early", "enough"]);
  });

  it("takes its signal and services for itself alone", async () => {
    const got: unknown[] = [];
    const graph = loose({}, { services: {} })
      .node("a", (_state, { services }) => void got.push(services.who))
      .node("b", (_state, { services }) => void got.push(services.who))
      .edge(START, "a")
      .edge("a", "b")
      .edge("b", END)
      .compile();
    const { session } = watched(graph, { services: { who: "runner" } });
    await session.create({});
    const once = new AbortController();
    await session.runStep({ services: { who: "step" }, signal: once.signal });
    once.abort();
    await session.runStep();
    expect(got).toEqual(["step", "runner"]);
  });
});

describe("runUntilComplete", () => {
  it("does the rest of the supersteps, in the same invocation", async () => {
    const { session, events } = watched(chain("a", "b", "c").compile());
    await session.create({});
    await session.runStep();
    expect(await session.runUntilComplete()).toMatchObject({
      status: "completed",
      step: 3,
      steps: 3,
      state: { log: ["a@1", "b@2", "c@3"] },
    });
    await settle();
    expect([terminals(events), ofType(events, "invocation.started").length]).toEqual([["invocation.completed"], 1]);
  });

  it("goes on with a session that was paused, failed or left elsewhere", async () => {
    const checkpointer = memoryCheckpointer();
    const graph = chain("a", "b").compile();
    await createRunner(graph, { checkpointer }).session("s").create({});
    const session = createRunner(graph, { checkpointer, pauseAfter: ["a"] }).session("s");
    expect(await session.runUntilComplete()).toMatchObject({ status: "paused", step: 1 });
    expect(await session.runUntilComplete()).toMatchObject({ status: "completed", step: 2 });
  });

  it("obeys its signal, and gives a cancelled result", async () => {
    const slow = held();
    const graph = marked(loose(), "b").node("a", slow.handler).edge(START, "a").edge("a", "b").edge("b", END).compile();
    const { session } = watched(graph);
    await session.create({});
    const controller = new AbortController();
    const running = session.runUntilComplete({ signal: controller.signal });
    await slow.entered;
    controller.abort("enough");
    slow.open();
    expect(await running).toMatchObject({ status: "cancelled" });
    expect(await session.state()).toMatchObject({ status: "cancelled" });
  });
});

describe("a session stepped by hand that others have changed meanwhile", () => {
  it.each(["start", "next", "create"] as const)("can be begun anew by `%s` once the store has it no more", async (call) => {
    const checkpointer = memoryCheckpointer();
    const { session, events } = watched(chain("a").compile(), { checkpointer });
    await session.create({ log: ["old"] });
    await checkpointer.delete("s");
    const begun = call === "create" ? await session.create({}) : await session[call]({}).result;
    expect(begun.state["log"]).toEqual(call === "create" ? [] : ["a@1"]);
    await settle();
    expect(terminals(events)).toEqual(call === "create" ? ["invocation.cancelled"] : ["invocation.cancelled", "invocation.completed"]);
  });

  it("is updated by the next call once it has been told of the conflict", async () => {
    const checkpointer = memoryCheckpointer();
    const graph = chain("a", "b").compile();
    const { session, events } = watched(graph, { checkpointer });
    await session.create({});
    const other = createRunner(graph, { checkpointer, pauseAfter: ["a"] });
    await other.session("s").resume().result;
    const error = await expectCode(() => session.update({ log: ["mine"] }), "checkpoint_failed");
    expect(causeCode(error)).toBe("checkpoint_conflict");
    await settle();
    expect(terminals(events)).toEqual(["invocation.failed"]);
    expect((await session.update({ log: ["mine"] })).state["log"]).toEqual(["a@1", "mine"]);
    expect((await session.resume().result).state["log"]).toEqual(["a@1", "mine", "b@2"]);
  });
});
