/** What a session was: its history, its checkpoints, and other sessions that begin there. */
import { describe, expect, it } from "vitest";
import { channel, CheckpointError, createRunner, END, memoryCheckpointer, type RunnerOptions, START } from "spanloom";
import { manualClock, seededRandom } from "spanloom/testing";
import { all, chain, collect, expectCode, type Handler, held, loose, type LooseGraph, mark, marked, typesOf } from "./support.ts";

const runnerOf = (graph: LooseGraph, options: Record<string, unknown> = {}) =>
  createRunner(graph, { checkpointer: memoryCheckpointer(), ...options });

const asking = (): LooseGraph =>
  loose()
    .node("a", mark)
    .node("ask", async (_state, { interrupt, idempotencyKey }) => ({ log: [`${await interrupt("?")} ${idempotencyKey}`] }))
    .edge(START, ["a", "ask"])
    .edge(["a", "ask"], END)
    .compile();

describe("history", () => {
  it("gives every record, newest first, each with the state that it stood for", async () => {
    const session = runnerOf(chain("a", "b").compile()).session("s");
    await session.start({ log: ["in"] }).result;
    const history = await all(session.history());
    expect(history.map(({ step, state, status, next }) => [step, state["log"], status, next])).toEqual([
      [2, ["in", "a@1", "b@2"], "completed", []],
      [1, ["in", "a@1"], "running", ["b"]],
      [0, ["in"], "running", ["a"]],
    ]);
    expect(history[0]).toEqual(await session.state());
  });

  it("gives what was due then, however many entries that was, whether or not their results were stored on the way", async () => {
    const graph = marked(loose(), "a", "b", "c", "d").edge(START, "a").edge("a", ["b", "c"]).edge(["b", "c"], "d").edge("d", END).compile();
    const session = runnerOf(graph).session("s");
    await session.start({}).result;
    expect((await all(session.history())).map(({ next }) => next)).toEqual([[], ["d"], ["b", "c"], ["a"]]);
  });

  it("gives so many, from the one before a checkpoint on", async () => {
    const session = runnerOf(chain("a", "b", "c").compile()).session("s");
    await session.start({}).result;
    const ids = (await all(session.history())).map(({ checkpointId }) => checkpointId);
    const page = async (options: { readonly limit?: number; readonly before?: string }) =>
      (await all(session.history(options))).map(({ checkpointId }) => checkpointId);
    expect(await page({ limit: 2 })).toEqual(ids.slice(0, 2));
    expect(await page({ before: ids[1] as string })).toEqual(ids.slice(2));
    expect(await page({ before: ids[0] as string, limit: 1 })).toEqual(ids.slice(1, 2));
    expect(await page({ before: ids.at(-1) as string })).toEqual([]);
    await expect(page({ before: "nope" })).rejects.toMatchObject({ code: "checkpoint_not_found" });
    for (const limit of [0, -1, 1.5, Number.NaN]) await expectCode(() => page({ limit }), "invalid_option");
  });

  it("may be left early, and is refused for a session that is not there", async () => {
    const runner = runnerOf(chain("a", "b").compile());
    await runner.invoke({}, { sessionId: "s" });
    for await (const { step } of runner.session("s").history()) {
      expect(step).toBe(2);
      break;
    }
    await expectCode(() => all(runner.session("none").history()), "session_not_found");
  });
});

describe("at", () => {
  it("gives one checkpoint, frozen, as it was", async () => {
    const session = runnerOf(chain("a", "b").compile()).session("s");
    await session.start({}).result;
    const [, first] = await all(session.history());
    const snapshot = await session.at(first?.checkpointId as string);
    expect(snapshot).toEqual(first);
    expect([Object.isFrozen(snapshot), Object.isFrozen(snapshot.state), Object.isFrozen(snapshot.state["log"])]).toEqual([
      true,
      true,
      true,
    ]);
  });

  it("tells a checkpoint that is not there from a session that is not there", async () => {
    const runner = runnerOf(chain("a").compile());
    await runner.invoke({}, { sessionId: "s" });
    const error = await expectCode(() => runner.session("s").at("nope"), "checkpoint_not_found");
    expect(error).toBeInstanceOf(CheckpointError);
    expect(error.facts).toMatchObject({ sessionId: "s", checkpointId: "nope" });
    await expectCode(() => runner.session("none").at("nope"), "session_not_found");
  });

  it("hands out live values as copies", async () => {
    const session = runnerOf(
      loose({ when: channel.value(new Date(1)) })
        .edge(START, END)
        .compile(),
    ).session("s");
    await session.start({}).result;
    ((await session.state()).state["when"] as Date).setTime(9);
    expect((await session.state()).state["when"]).toEqual(new Date(1));
  });
});

describe("sessions", () => {
  it("lists those of the runner's graph, by status, most recently written first", async () => {
    const checkpointer = memoryCheckpointer();
    const clock = manualClock(100);
    const graph = chain("a", "b").compile();
    const done = createRunner(graph, { checkpointer, clock });
    await done.invoke({}, { sessionId: "old" });
    await clock.advance(5);
    await createRunner(graph, { checkpointer, clock, pauseAfter: ["a"] }).invoke({}, { sessionId: "paused" });
    await clock.advance(5);
    await done.invoke({}, { sessionId: "new" });
    const other = marked(loose({}, { name: "other" }), "a")
      .edge(START, "a")
      .edge("a", END)
      .compile();
    await createRunner(other, { checkpointer, clock }).invoke({}, { sessionId: "foreign" });
    const ids = async (filter?: Parameters<typeof done.sessions>[0]) =>
      (await all(done.sessions(filter))).map(({ sessionId }) => sessionId);
    expect(await ids()).toEqual(["new", "paused", "old"]);
    expect(await ids({ status: "completed" })).toEqual(["new", "old"]);
    expect(await ids({ limit: 2 })).toEqual(["new", "paused"]);
    expect(await ids({ status: "failed" })).toEqual([]);
    for (const limit of [0, -1, 1.5, Number.NaN]) await expectCode(() => ids({ limit }), "invalid_option");
    const [info] = await all(done.sessions({ status: "paused" }));
    expect(info).toEqual({
      sessionId: "paused",
      graph: "g",
      fingerprint: graph.fingerprint,
      status: "paused",
      step: 1,
      createdAt: 105,
      updatedAt: 105,
    });
  });
});

describe("updatedAt", () => {
  it("is when the session was last written, also when that only changed its status", async () => {
    const clock = manualClock(100);
    const slow = held();
    const graph = loose()
      .node("a", async (state, context) => {
        await slow.handler(state, context);
        throw new Error("x");
      })
      .edge(START, "a")
      .edge("a", END)
      .compile();
    const session = runnerOf(graph, { clock }).session("s");
    const ended = session.start({}).result.catch(() => {});
    await slow.entered;
    await clock.advance(40);
    slow.open();
    await ended;
    expect(await session.state()).toMatchObject({ status: "failed", createdAt: 100, updatedAt: 140 });
  });
});

describe("a fork", () => {
  it("begins as the origin was at a checkpoint, in one record whose parent is that checkpoint", async () => {
    const session = runnerOf(chain("a", "b", "c").compile()).session("s");
    await session.start({}).result;
    const [, , first] = await all(session.history());
    const fork = await session.fork({ checkpointId: first?.checkpointId as string, sessionId: "t" });
    expect(fork.id).toBe("t");
    const history = await all(fork.history());
    expect(history).toHaveLength(1);
    expect(history[0]).toMatchObject({
      sessionId: "t",
      status: "idle",
      step: 1,
      next: ["b"],
      state: { log: ["a@1"] },
      versions: first?.versions,
      parentId: first?.checkpointId,
    });
    expect(history[0]?.checkpointId).not.toBe(first?.checkpointId);
  });

  it("and its origin never see each other's later values", async () => {
    const runner = runnerOf(chain("a", "b").compile(), { pauseAfter: ["a"] });
    const session = runner.session("s");
    await session.start({}).result;
    const fork = await session.fork();
    await session.update({ log: ["origin"] });
    await fork.update({ log: ["fork"] });
    const [original, forked] = await Promise.all([session.resume().result, fork.resume().result]);
    expect(original.state["log"]).toEqual(["a@1", "origin", "b@2"]);
    expect(forked.state["log"]).toEqual(["a@1", "fork", "b@2"]);
    expect((await fork.state()).sessionId).not.toBe("s");
  });

  it("of a step that is long done runs all of its entries again, on the values that it was given", async () => {
    const ran: string[] = [];
    const note: Handler = ({ n }, { node }) => {
      ran.push(`${node} ${n}`);
      return { log: [node] };
    };
    const graph = loose({ n: channel.value(1) })
      .node("a", note)
      .node("b", note)
      .node("c", note)
      .edge(START, "a")
      .edge("a", ["b", "c"])
      .edge(["b", "c"], END)
      .compile();
    const session = runnerOf(graph).session("s");
    await session.start({}).result;
    const [, middle] = await all(session.history());
    const fork = await session.fork({ checkpointId: middle?.checkpointId as string });
    await fork.update({ n: 2 });
    ran.length = 0;
    expect((await fork.resume().result).state["log"]).toEqual(["a", "b", "c"]);
    expect(ran).toEqual(["b 2", "c 2"]);
  });

  it("of a failed step holds the results that were kept, also when the origin was written to since", async () => {
    let broken = true;
    const ran: string[] = [];
    const graph = loose()
      .node("b", () => void ran.push("b"))
      .node("c", () => {
        if (broken) throw new Error("not yet");
      })
      .edge(START, ["b", "c"])
      .edge(["b", "c"], END)
      .compile();
    const session = runnerOf(graph).session("s");
    await session.start({}).result.catch(() => {});
    const failed = await session.state();
    await session.update({ log: ["later"] });
    broken = false;
    const fork = await session.fork({ checkpointId: failed.checkpointId });
    expect(await fork.state()).toMatchObject({ status: "failed", next: ["c"], state: { log: [] } });
    await fork.resume().result;
    expect(ran).toEqual(["b"]);
  });

  it("outlives its origin", async () => {
    const checkpointer = memoryCheckpointer();
    const session = runnerOf(chain("a", "b").compile(), { checkpointer, pauseAfter: ["a"] }).session("s");
    await session.start({}).result;
    const fork = await session.fork({ sessionId: "t" });
    await checkpointer.prune({ keep: 1, sessionId: "s" });
    await session.delete();
    expect((await fork.resume().result).state["log"]).toEqual(["a@1", "b@2"]);
    await expectCode(() => session.state(), "session_not_found");
  });

  it("holds pending results, questions and answers of its origin; its entries have keys of their own", async () => {
    const runner = runnerOf(asking());
    const session = runner.session("s");
    const { interrupts } = await session.start({}).result;
    const fork = await session.fork({ sessionId: "t" });
    expect(await fork.state()).toMatchObject({ status: "paused", next: ["ask"], interrupts });
    const { events, result } = await collect(fork.resume({ answer: "fork" }));
    expect(events.filter(({ type }) => type === "node.started").map(({ node }) => node)).toEqual(["ask"]);
    expect(result?.state["log"]).toEqual(["a@1", "fork t/1/ask/0"]);
    expect((await session.resume({ answer: "origin" }).result).state["log"]).toEqual(["a@1", "origin s/1/ask/0"]);
  });

  it("is another session to those who watch: its first invocation has epoch 1", async () => {
    const runner = runnerOf(chain("a", "b").compile(), { pauseAfter: ["a"] });
    await runner.invoke({}, { sessionId: "s" });
    const fork = await runner.session("s").fork();
    const { events } = await collect(fork.resume());
    expect([events[0]?.epoch, events[0]?.sessionId, typesOf(events)[0]]).toEqual([1, fork.id, "invocation.started"]);
  });

  it("of a failed, a cancelled or a completed session is as that was", async () => {
    const failing = loose()
      .node("a", () => {
        throw new Error("x");
      })
      .edge(START, "a")
      .edge("a", END)
      .compile();
    const failed = runnerOf(failing).session("s");
    await failed.start({}).result.catch(() => {});
    expect(await (await failed.fork()).state()).toMatchObject({ status: "failed", next: ["a"] });
    const done = runnerOf(chain("a").compile()).session("s");
    await done.start({}).result;
    const fork = await done.fork();
    expect(await fork.state()).toMatchObject({ status: "completed", next: [] });
    expect((await fork.next({}).result).state["log"]).toEqual(["a@1", "a@2"]);
    expect((await done.state()).state["log"]).toEqual(["a@1"]);
  });

  it("is refused for an id that is taken, a checkpoint or a session that is not there, and makes nothing", async () => {
    const runner = runnerOf(chain("a").compile());
    const session = runner.session("s");
    await session.start({}).result;
    await expectCode(() => session.fork({ sessionId: "s" }), "session_exists");
    await expectCode(() => session.fork({ checkpointId: "nope" }), "checkpoint_not_found");
    await expectCode(() => session.fork({ sessionId: "" }), "invalid_option");
    await expectCode(() => runner.session("none").fork(), "session_not_found");
    expect(await all(runner.sessions())).toHaveLength(1);
  });

  it("and history tell records apart, though all runners of the store make the same ids", async () => {
    const checkpointer = memoryCheckpointer();
    const made: string[] = [];
    const makers: readonly (() => RunnerOptions)[] = [
      () => ({ clock: manualClock(5), random: seededRandom(1) }),
      () => {
        let count = 0;
        return { createId: () => `id${(count += 1)}` };
      },
      () => ({ createId: () => "same.0" }),
    ];
    for (const [index, make] of makers.entries()) {
      const sessionId = `s${index}`;
      const another = () =>
        createRunner(chain("a", "b", "c", "d").compile(), { checkpointer, pauseEachStep: true, ...make() }).session(sessionId);
      await another().start({}).result;
      await another().update({ log: ["by hand"] });
      await another().update({ log: ["again"] });
      await another().resume().result;
      const session = another();
      const { checkpointId } = await session.state();
      const ids = (await all(session.history())).map((each) => each.checkpointId);
      expect(new Set(ids).size).toBe(5);
      expect(await session.at(checkpointId)).toMatchObject({ step: 2 });
      expect((await all(session.history({ before: checkpointId }))).map(({ step }) => step)).toEqual([1, 1, 1, 0]);
      const fork = await session.fork({ sessionId: `fork${index}` });
      expect(await fork.state()).toMatchObject({ step: 2, parentId: checkpointId, next: ["c"] });
      made.push(...ids);
    }
    expect(made).toHaveLength(15);
  });

  it("keeps join arrivals, and what gated nodes saw", async () => {
    const graph = marked(loose(), "a", "b1", "b2", "c")
      .edge(START, ["a", "b1"])
      .edge("b1", "b2")
      .edge(["a", "b2"], "c")
      .edge("c", END)
      .compile();
    const runner = runnerOf(graph, { pauseAfter: ["b1"] });
    await runner.invoke({}, { sessionId: "s" });
    const fork = await runner.session("s").fork();
    expect((await fork.resume().result).state["log"]).toEqual(["a@1", "b1@1", "b2@2", "c@3"]);
  });
});
