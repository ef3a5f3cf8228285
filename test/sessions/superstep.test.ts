/** One session runs one step at a time; different sessions of one runner run at once. */
import { describe, expect, it } from "vitest";
import { createRunner, END, memoryCheckpointer, START } from "spanloom";
import { chain, expectCode, gate, held, loose, marked, settle } from "./support.ts";

describe("different sessions of one runner", () => {
  it("run concurrently: each waits inside a node until all are there", async () => {
    const all = gate();
    let there = 0;
    const graph = loose()
      .node("a", async (_state, { sessionId }) => {
        there += 1;
        if (there === 50) all.open();
        await all.passed;
        return { log: [sessionId] };
      })
      .edge(START, "a")
      .edge("a", END)
      .compile();
    const runner = createRunner(graph);
    const results = await Promise.all(Array.from({ length: 50 }, (_item, index) => runner.invoke({}, { sessionId: `s${index}` })));
    expect(results.map(({ state }) => state["log"])).toEqual(results.map((_result, index) => [`s${index}`]));
  });

  it("share no state, no step numbers and no arrivals", async () => {
    const graph = marked(loose(), "a", "b", "c")
      .branch(START, { a: "a", b: "b" }, ({ log }) => log[0])
      .edge(["a", "b"], "c")
      .edge("c", END)
      .compile();
    const runner = createRunner(graph);
    const results = await Promise.all(["a", "b"].map((who) => runner.invoke({ log: [who] })));
    expect(results.map(({ state, step }) => [state["log"], step])).toEqual([
      [["a", "a@1"], 1],
      [["b", "b@1"], 1],
    ]);
  });

  it("go on when another of them fails or hangs", async () => {
    const never = held();
    const graph = loose()
      .node("a", async (state, context) => {
        if (context.sessionId === "hangs") await never.handler(state, context);
        if (context.sessionId === "fails") throw new Error("x");
        return { log: ["ok"] };
      })
      .edge(START, "a")
      .edge("a", END)
      .compile();
    const runner = createRunner(graph);
    const hanging = runner.stream({}, { sessionId: "hangs" });
    await expectCode(() => runner.invoke({}, { sessionId: "fails" }), "scheduler");
    expect(await runner.invoke({}, { sessionId: "fine" })).toMatchObject({ status: "completed" });
    expect(runner.health().activeInvocations).toBe(1);
    never.open();
    expect(await hanging.result).toMatchObject({ status: "completed" });
  });
});

describe("a second caller of a session that runs", () => {
  it("gets `session_busy` for whatever would write, and the run is not disturbed", async () => {
    const slow = held({ log: ["a"] });
    const graph = marked(loose(), "b").node("a", slow.handler).edge(START, "a").edge("a", "b").edge("b", END).compile();
    const runner = createRunner(graph, { checkpointer: memoryCheckpointer() });
    const session = runner.session("s");
    const run = session.start({});
    await slow.entered;
    const newest = (await session.state()).checkpointId;
    for (const [name, call] of Object.entries({
      resume: () => session.resume().result,
      next: () => session.next({}).result,
      runStep: () => session.runStep(),
      runUntilComplete: () => session.runUntilComplete(),
      update: () => session.update({}),
      fork: () => session.fork(),
      forkOfNewest: () => session.fork({ checkpointId: newest }),
      finish: () => session.finish(),
      delete: () => session.delete(),
      onExisting: () => runner.invoke({}, { sessionId: "s", onExisting: "resume" }),
    })) {
      const error = await call().then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect.soft(error, name).toMatchObject({ code: "session_busy", facts: { sessionId: "s" } });
    }
    for (const call of [() => session.start({}).result, () => session.create({}), () => runner.invoke({}, { sessionId: "s" })]) {
      await expectCode(call, "session_exists");
    }
    slow.open();
    expect(await run.result).toMatchObject({ status: "completed", state: { log: ["a", "b@2"] }, step: 2 });
  });

  it("may read it meanwhile, and fork what is behind it", async () => {
    const slow = held();
    const graph = marked(loose(), "a").node("b", slow.handler).edge(START, "a").edge("a", "b").edge("b", END).compile();
    const session = createRunner(graph, { checkpointer: memoryCheckpointer() }).session("s");
    const run = session.start({});
    await slow.entered;
    expect(await session.state()).toMatchObject({ status: "running", step: 1, state: { log: ["a@1"] } });
    const snapshots = [];
    for await (const snapshot of session.history()) snapshots.push(snapshot);
    const fork = await session.fork({ checkpointId: snapshots[1]?.checkpointId as string, sessionId: "t" });
    expect(await fork.state()).toMatchObject({ status: "idle", step: 0, next: ["a"] });
    slow.open();
    await run.result;
  });

  it("of two steps by hand at once, one runs and the other is refused", async () => {
    const slow = held({ log: ["a"] });
    const graph = marked(loose(), "b").node("a", slow.handler).edge(START, "a").edge("a", "b").edge("b", END).compile();
    const session = createRunner(graph, { checkpointer: memoryCheckpointer() }).session("s");
    await session.create({});
    const first = session.runStep();
    await expectCode(() => session.runStep(), "session_busy");
    slow.open();
    expect(await first).toMatchObject({ step: 1, ranNodes: ["a"] });
    expect(await session.runStep()).toMatchObject({ step: 2, ranNodes: ["b"] });
  });

  it("of two starts of one id at once, one runs and the other is refused; ids that are made are never taken", async () => {
    const runner = createRunner(chain("a").compile(), { checkpointer: memoryCheckpointer() });
    const ends = await Promise.allSettled([runner.invoke({}, { sessionId: "s" }), runner.invoke({}, { sessionId: "s" })]);
    expect(ends.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    expect((ends[1] as PromiseRejectedResult).reason).toMatchObject({ code: "session_exists" });
    const made = await Promise.all([runner.invoke({}), runner.invoke({})]);
    expect(made[0]?.sessionId).not.toBe(made[1]?.sessionId);
  });

  it("is welcome again as soon as the result is there", async () => {
    const session = createRunner(chain("a").compile(), { checkpointer: memoryCheckpointer() }).session("s");
    for (let round = 0; round < 5; round += 1) expect(await session.next({}).result).toMatchObject({ status: "completed" });
    await settle();
    expect(await session.state()).toMatchObject({ step: 5 });
  });
});
