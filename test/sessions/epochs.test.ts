/** Two owners of one session: the newest wins, and the other's writes change nothing. */
import { describe, expect, it } from "vitest";
import { CheckpointError, createRunner, END, memoryCheckpointer, START } from "spanloom";
import { all, chain, collect, expectCode, held, loose, type LooseGraph, marked, rejection, settle, wrapped } from "./support.ts";

const waiting = (node: ReturnType<typeof held>): LooseGraph =>
  marked(loose(), "b").node("a", node.handler).edge(START, "a").edge("a", "b").edge("b", END).compile();

async function expectConflict(call: () => Promise<unknown>): Promise<void> {
  const { code, cause } = await rejection(call);
  expect(code).toBe("checkpoint_failed");
  expect(cause).toBeInstanceOf(CheckpointError);
  expect(cause).toMatchObject({ code: "checkpoint_conflict" });
}

describe("the epoch", () => {
  it("is 1 for the start, and one more for each resume and next input", async () => {
    let broken = true;
    const graph = loose()
      .node("a", () => {
        if (broken) throw new Error("x");
      })
      .edge(START, "a")
      .edge("a", END)
      .compile();
    const session = createRunner(graph, { checkpointer: memoryCheckpointer() }).session("s");
    const epochs: (number | undefined)[] = [];
    const note = async (run: Parameters<typeof collect>[0]): Promise<void> => {
      const { events } = await collect(run);
      epochs.push(events[0]?.epoch);
      expect(new Set(events.map(({ epoch }) => epoch)).size).toBe(1);
    };
    await note(session.start({}));
    await note(session.resume());
    broken = false;
    await note(session.resume());
    await note(session.next({}));
    await note(session.resume());
    expect(epochs).toEqual([1, 2, 3, 4, 5]);
  });

  it("is raised by a runner's first step by hand, and not by the ones after", async () => {
    const checkpointer = memoryCheckpointer();
    const graph = chain("a", "b", "c").compile();
    const first = createRunner(graph, { checkpointer }).session("s");
    const owner = async (): Promise<number | undefined> => (await checkpointer.load("s"))?.ownerEpoch;
    await first.create({});
    await first.runStep();
    expect(await owner()).toBe(1);
    const second = createRunner(graph, { checkpointer }).session("s");
    await second.runStep();
    expect(await owner()).toBe(2);
    await second.runStep();
    expect(await owner()).toBe(2);
    await expectCode(() => second.runStep(), "session_finished");
  });
});

describe("an older owner", () => {
  it("gets a conflict at its next write: its step is not stored, and the newer one's is", async () => {
    const checkpointer = memoryCheckpointer();
    const slow = held({ log: ["old"] });
    const older = createRunner(waiting(slow), { checkpointer }).stream({}, { sessionId: "s" });
    await slow.entered;
    const newer = await createRunner(chain("a", "b").compile(), { checkpointer, onGraphChange: "warn" }).session("s").resume().result;
    slow.open();
    await expectConflict(() => older.result);
    expect(newer.state["log"]).toEqual(["a@1", "b@2"]);
    const [newest, ...before] = await all(checkpointer.history("s"));
    expect(newest).toMatchObject({ ownerEpoch: 2, record: { status: "completed", step: 2, epoch: 2 }, state: { log: ["a@1", "b@2"] } });
    expect(before.map(({ record }) => record.step)).toEqual([1, 0]);
  });

  it("cannot say that it failed, was paused or cancelled either", async () => {
    for (const end of ["failed", "cancelled", "paused"] as const) {
      const checkpointer = memoryCheckpointer();
      const slow = held();
      const graph = loose()
        .node("a", async (state, context) => {
          await slow.handler(state, context);
          if (end === "failed") throw new Error("x");
          if (end === "paused") await context.interrupt("?");
          if (end === "cancelled") context.signal.throwIfAborted();
        })
        .edge(START, "a")
        .edge("a", END)
        .compile();
      const older = createRunner(graph, { checkpointer }).stream({}, { sessionId: "s" });
      await slow.entered;
      await createRunner(chain("a").compile(), { checkpointer }).session("s").resume().result;
      if (end === "cancelled") older.cancel("enough");
      slow.open();
      await expectConflict(() => older.result);
      expect((await checkpointer.load("s"))?.record, end).toMatchObject({ status: "completed", interrupts: [], failure: undefined });
    }
  });

  it("cannot store results of entries, nor of a durable sub-step", async () => {
    const checkpointer = memoryCheckpointer();
    const slow = held();
    const graph = marked(loose(), "b")
      .node("a", async (state, context) => {
        await slow.handler(state, context);
        await context.once("k", () => 1);
      })
      .edge(START, ["a", "b"])
      .edge(["a", "b"], END)
      .compile();
    const older = createRunner(graph, { checkpointer }).stream({}, { sessionId: "s" });
    await slow.entered;
    await settle();
    const both = marked(loose(), "a", "b").edge(START, ["a", "b"]).edge(["a", "b"], END).compile();
    const newer = createRunner(both, { checkpointer, pauseEachStep: true }).session("s");
    await newer.resume({ rerun: "all" }).result;
    slow.open();
    await expectConflict(() => older.result);
    expect((await checkpointer.load("s"))?.record).toMatchObject({ step: 1, epoch: 2, results: [], once: new Map() });
  });

  it("stepped by hand is fenced off at its next step, and may take the session over again", async () => {
    const checkpointer = memoryCheckpointer();
    const graph = chain("a", "b", "c").compile();
    const [first, second] = [createRunner(graph, { checkpointer }).session("s"), createRunner(graph, { checkpointer }).session("s")];
    await first.create({});
    await first.runStep();
    await second.runStep();
    await expectConflict(() => first.runStep());
    expect(await second.state()).toMatchObject({ step: 2, state: { log: ["a@1", "b@2"] } });
    expect(await first.runStep(), "its next call is a new invocation").toMatchObject({ step: 3, completed: true });
    await expect(second.runStep()).rejects.toMatchObject({ code: expect.stringMatching(/checkpoint_failed|session_finished/u) });
  });

  it("that crashed blocks nobody: the session says running, and goes on elsewhere", async () => {
    const checkpointer = memoryCheckpointer();
    const never = held();
    void createRunner(waiting(never), { checkpointer }).stream({}, { sessionId: "s" });
    await never.entered;
    const session = createRunner(chain("a", "b").compile(), { checkpointer, onGraphChange: "warn" }).session("s");
    expect(await session.state()).toMatchObject({ status: "running", next: ["a"] });
    await expectCode(() => session.next({}).result, "session_pending");
    expect(await session.resume().result).toMatchObject({ status: "completed", step: 2 });
  });
});

describe("two that begin at once", () => {
  it("have one winner: the other gets a conflict, and runs no node", async () => {
    for (const begin of ["start", "resume", "next"] as const) {
      const store = wrapped(() => settle(1));
      const ran: string[] = [];
      const graph = loose()
        .node("a", () => void ran.push("a"))
        .edge(START, "a")
        .edge("a", END)
        .compile();
      if (begin === "resume") await createRunner(graph, { checkpointer: store, pauseBefore: ["a"] }).invoke({}, { sessionId: "s" });
      if (begin === "next") await createRunner(graph, { checkpointer: store }).invoke({}, { sessionId: "s" });
      ran.length = 0;
      const runs = [0, 1].map(() => {
        const session = createRunner(graph, { checkpointer: store }).session("s");
        return (begin === "start" ? session.start({}) : begin === "resume" ? session.resume() : session.next({})).result;
      });
      const ends = await Promise.allSettled(runs);
      expect(ends.map(({ status }) => status).toSorted(), begin).toEqual(["fulfilled", "rejected"]);
      const lost = ends.find(({ status }) => status === "rejected") as PromiseRejectedResult;
      expect(lost.reason).toMatchObject({ code: "checkpoint_failed", cause: { code: "checkpoint_conflict" } });
      expect(ran, "by the winner alone").toEqual(["a"]);
    }
  });

  it("to update have one winner too", async () => {
    const store = wrapped(() => settle(1));
    const graph = chain("a").compile();
    await createRunner(graph, { checkpointer: store, pauseBefore: ["a"] }).invoke({}, { sessionId: "s" });
    const updates = ["x", "y"].map((log) =>
      createRunner(graph, { checkpointer: store })
        .session("s")
        .update({ log: [log] }),
    );
    const ends = await Promise.allSettled(updates);
    expect(ends.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    expect((await createRunner(graph, { checkpointer: store }).session("s").state()).state["log"]).toHaveLength(1);
  });
});

describe("an update by another runner", () => {
  it("while a session runs fences off nobody but the writer that comes second", async () => {
    const checkpointer = memoryCheckpointer();
    const slow = held({ log: ["run"] });
    const run = createRunner(waiting(slow), { checkpointer }).stream({}, { sessionId: "s" });
    await slow.entered;
    await createRunner(waiting(slow), { checkpointer })
      .session("s")
      .update({ log: ["update"] });
    slow.open();
    await expectConflict(() => run.result);
    expect((await checkpointer.load("s"))?.state["log"]).toEqual(["update"]);
  });
});

it("a started session's id can be used again once it was deleted, from epoch 1", async () => {
  const checkpointer = memoryCheckpointer();
  const session = createRunner(marked(loose(), "a").edge(START, "a").edge("a", END).compile(), { checkpointer }).session("s");
  await session.start({}).result;
  await session.next({}).result;
  await session.delete();
  const { events } = await collect(session.start({}));
  expect(events[0]).toMatchObject({ type: "session.created", epoch: 1, seq: 1 });
});
