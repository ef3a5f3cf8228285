/** The end of a session: completed, finished, deleted, forgotten. And whose it is. */
import { describe, expect, it } from "vitest";
import { createRunner, END, memoryCheckpointer, START } from "spanloom";
import {
  all,
  chain,
  collect,
  expectCode,
  loose,
  type LooseGraph,
  type LooseSession,
  marked,
  ofType,
  settle,
  typesOf,
  watched,
} from "./support.ts";

const calls = (session: LooseSession): Record<string, () => Promise<unknown>> => ({
  resume: () => session.resume().result,
  next: () => session.next({}).result,
  nextAfterDiscard: () => session.next({}, { discardPending: true }).result,
  runStep: () => session.runStep(),
  runUntilComplete: () => session.runUntilComplete(),
  update: () => session.update({}),
  fork: () => session.fork(),
  finish: () => session.finish(),
});

describe("resume of a completed session", () => {
  it("gives its result again, runs nothing and adds no record", async () => {
    let runs = 0;
    const graph = loose()
      .node("a", () => {
        runs += 1;
        return { log: ["a"] };
      })
      .edge(START, "a")
      .edge("a", END)
      .compile();
    const { session } = watched(graph);
    const first = await session.start({}).result;
    const { events, result } = await collect(session.resume());
    expect(result).toEqual({ ...first, steps: 0, invocationId: result?.invocationId });
    expect(runs).toBe(1);
    expect(typesOf(events).filter((type) => !type.startsWith("checkpoint."))).toEqual(["invocation.started", "invocation.completed"]);
    expect(await all(session.history())).toHaveLength(2);
  });
});

describe("finish", () => {
  it("ends a session with its true status, tells it, and gives its last snapshot", async () => {
    for (const [options, status] of [
      [{}, "completed"],
      [{ pauseAfter: ["a"] }, "paused"],
    ] as const) {
      const { session, events } = watched(chain("a", "b").compile(), options);
      await session.start({}).result;
      const before = await session.state();
      const snapshot = await session.finish();
      expect(snapshot).toMatchObject({ status, checkpointId: before.checkpointId, state: before.state, step: before.step });
      await settle();
      expect(ofType(events, "session.finished").map(({ data, epoch, seq, sessionId }) => [data, epoch, seq, sessionId])).toEqual([
        [{ status }, 2, 1, "s"],
      ]);
      expect(events.at(-1)?.type).toBe("session.finished");
    }
  });

  it("leaves nothing but reading: all else is `session_finished`, and tells nothing", async () => {
    for (const options of [{}, { pauseAfter: ["a"] }]) {
      const { session, events } = watched(chain("a", "b").compile(), options);
      await session.start({}).result;
      await session.finish();
      await settle();
      const told = events.length;
      for (const [name, call] of Object.entries(calls(session))) {
        const error = await call().then(
          () => undefined,
          (reason: unknown) => reason,
        );
        expect.soft(error, name).toMatchObject({ code: "session_finished", facts: { sessionId: "s" } });
      }
      await settle();
      expect(events).toHaveLength(told);
      const snapshot = await session.state();
      expect(await all(session.history())).toContainEqual(snapshot);
      expect(await session.at(snapshot.checkpointId)).toEqual(snapshot);
      await expectCode(() => session.start({}).result, "session_exists");
    }
  });

  it("is told by nothing else: not by completing, pausing, deleting or closing", async () => {
    const { session, events, runner } = watched(chain("a", "b").compile(), { pauseAfter: ["a"] });
    await session.start({}).result;
    await session.resume().result;
    await session.delete();
    await runner.close();
    await settle();
    expect(ofType(events, "session.finished")).toEqual([]);
  });

  it("ends a session that is held between steps, as idle", async () => {
    const { session, events } = watched(chain("a", "b").compile());
    await session.create({});
    await session.runStep();
    expect(await session.finish()).toMatchObject({ status: "idle", step: 1, next: ["b"] });
    await expectCode(() => session.runStep(), "session_finished");
    await settle();
    expect(typesOf(events).slice(-2)).toEqual(["invocation.cancelled", "session.finished"]);
  });

  it("takes the session over: an older owner elsewhere can write no more", async () => {
    const checkpointer = memoryCheckpointer();
    const graph = chain("a", "b").compile();
    const older = createRunner(graph, { checkpointer }).session("s");
    await older.create({});
    await createRunner(graph, { checkpointer }).session("s").finish();
    const error = await expectCode(() => older.runStep(), "checkpoint_failed");
    expect(error.cause).toMatchObject({ code: "checkpoint_conflict" });
  });

  it("of a session that is not there is refused", async () => {
    await expectCode(() => watched(chain("a").compile()).session.finish(), "session_not_found");
  });
});

describe("delete", () => {
  it("removes a session and all of its records; the id is free again", async () => {
    const { session } = watched(chain("a").compile());
    await session.start({}).result;
    await session.delete();
    await expectCode(() => session.state(), "session_not_found");
    await expectCode(() => all(session.history()), "session_not_found");
    await expectCode(() => session.delete(), "session_not_found");
    expect(await session.start({}).result).toMatchObject({ status: "completed", step: 1 });
  });

  it("ends an invocation by hand", async () => {
    const { session, events } = watched(chain("a", "b").compile());
    await session.create({});
    await session.delete();
    await expectCode(() => session.runStep(), "session_not_found");
    await settle();
    expect(typesOf(events).filter((type) => type.startsWith("invocation."))).toEqual(["invocation.started", "invocation.cancelled"]);
  });
});

describe("without a checkpointer", () => {
  const failing = (): LooseGraph =>
    loose()
      .node("a", () => {
        throw new Error("x");
      })
      .edge(START, "a")
      .edge("a", END)
      .compile();

  it("a session is forgotten once it completes: its id is free, and there is nothing to read", async () => {
    const runner = createRunner(chain("a").compile());
    for (let round = 0; round < 3; round += 1) {
      expect(await runner.invoke({}, { sessionId: "s" })).toMatchObject({ status: "completed", step: 1 });
      await expectCode(() => runner.session("s").state(), "session_not_found");
      await expectCode(() => runner.session("s").resume().result, "session_not_found");
    }
    expect(await all(runner.sessions())).toEqual([]);
  });

  it("is forgotten too when it was stepped by hand or resumed", async () => {
    const runner = createRunner(chain("a", "b").compile(), { pauseAfter: ["a"] });
    await runner.invoke({}, { sessionId: "s" });
    await runner.session("s").resume().result;
    const stepped = createRunner(chain("a").compile()).session("t");
    await stepped.create({});
    expect(await stepped.runStep()).toMatchObject({ completed: true });
    await expectCode(() => stepped.state(), "session_not_found");
    await expectCode(() => stepped.runStep(), "session_not_found");
    expect(await all(runner.sessions())).toEqual([]);
  });

  it("paused, failed and cancelled ones stay until they are resumed or deleted", async () => {
    const runner = createRunner(chain("a", "b").compile(), { pauseAfter: ["a"] });
    await runner.invoke({}, { sessionId: "paused" });
    const controller = new AbortController();
    controller.abort();
    await runner.invoke({}, { sessionId: "cancelled", signal: controller.signal });
    expect((await all(runner.sessions())).map(({ sessionId, status }) => `${sessionId} ${status}`).toSorted()).toEqual([
      "cancelled cancelled",
      "paused paused",
    ]);
    await runner.session("paused").resume().result;
    await runner.session("cancelled").delete();
    expect(await all(runner.sessions())).toEqual([]);
    const broken = createRunner(failing());
    await broken.invoke({}, { sessionId: "failed" }).catch(() => {});
    expect(await broken.session("failed").state()).toMatchObject({ status: "failed" });
  });

  it("is forgotten when an update leaves nothing due", async () => {
    const runner = createRunner(chain("a").compile(), { pauseBefore: ["a"] });
    await runner.invoke({}, { sessionId: "s" });
    expect(await runner.session("s").update({}, { asNode: "a" })).toMatchObject({ status: "completed" });
    expect(await all(runner.sessions())).toEqual([]);
    const held = createRunner(chain("a").compile()).session("t");
    await held.create({});
    expect(await held.update({}, { asNode: "a" })).toMatchObject({ status: "completed" });
    await expectCode(() => held.state(), "session_not_found");
  });

  it("sessions are the runner's own: another one does not see them", async () => {
    const graph = chain("a", "b").compile();
    await createRunner(graph, { pauseAfter: ["a"] }).invoke({}, { sessionId: "s" });
    await expectCode(() => createRunner(graph).session("s").state(), "session_not_found");
  });
});

describe("with `memoryCheckpointer()`", () => {
  it("completed sessions are kept, whoever closes; the store stays the giver's", async () => {
    const checkpointer = memoryCheckpointer();
    const graph = chain("a").compile();
    const runner = createRunner(graph, { checkpointer });
    await runner.invoke({}, { sessionId: "s" });
    await runner.close();
    expect(await createRunner(graph, { checkpointer }).session("s").state()).toMatchObject({ status: "completed" });
  });
});

describe("another graph's session", () => {
  it("is `wrong_graph`, for reading too, and stays as it was", async () => {
    const checkpointer = memoryCheckpointer();
    const mine = createRunner(chain("a", "b").compile(), { checkpointer, pauseAfter: ["a"] });
    await mine.invoke({}, { sessionId: "s" });
    const before = await mine.session("s").state();
    const other = marked(loose({}, { name: "other" }), "a")
      .edge(START, "a")
      .edge("a", END)
      .compile();
    const runner = createRunner(other, { checkpointer });
    const session = runner.session("s");
    for (const [name, call] of Object.entries({
      ...calls(session),
      start: () => session.start({}).result,
      create: () => session.create({}),
      invoke: () => runner.invoke({}, { sessionId: "s" }),
      resumeIfThere: () => runner.invoke({}, { sessionId: "s", onExisting: "resume" }),
      state: () => session.state(),
      at: () => session.at(before.checkpointId),
      history: () => all(session.history()),
      delete: () => session.delete(),
    })) {
      const error = await call().then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect.soft(error, name).toMatchObject({ code: "wrong_graph", facts: { sessionId: "s", graph: "g", expected: "other" } });
    }
    expect(await mine.session("s").state()).toEqual(before);
    expect(await all(runner.sessions())).toEqual([]);
  });
});

describe("finish", () => {
  it("runs nothing, so that a changed graph does not matter, and no migration is asked", async () => {
    const checkpointer = memoryCheckpointer();
    await createRunner(chain("a", "b").compile(), { checkpointer, pauseAfter: ["a"] }).invoke({}, { sessionId: "s" });
    const other = chain("a").compile();
    await expectCode(() => createRunner(other, { checkpointer }).session("s").resume().result, "graph_changed");
    let asked = 0;
    const onGraphChange = (): never => {
      asked += 1;
      throw new Error("not now");
    };
    const session = createRunner(other, { checkpointer, onGraphChange: onGraphChange as never }).session("s");
    expect(await session.finish()).toMatchObject({ status: "paused", next: ["b"], state: { log: ["a@1"] } });
    expect(asked).toBe(0);
    await expectCode(() => session.resume().result, "session_finished");
  });

  it("leaves a session whose process died idle: nobody runs it", async () => {
    const checkpointer = memoryCheckpointer();
    const graph = chain("a", "b").compile();
    const stopped = watched(graph, { checkpointer });
    await stopped.session.create({});
    await stopped.session.runStep();
    const { checkpointId } = await stopped.session.state();
    await checkpointer.amend("s", { checkpointId, epoch: 1 }, { status: "running", time: 5 });
    const session = createRunner(graph, { checkpointer }).session("s");
    expect(await session.finish()).toMatchObject({ status: "idle", step: 1, next: ["b"] });
    expect(await checkpointer.deleteSessions({})).toBe(1);
  });
});
