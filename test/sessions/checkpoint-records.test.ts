/** Which records a session makes, and what each holds. */
import { describe, expect, it } from "vitest";
import { channel, type Checkpointer, createRunner, END, memoryCheckpointer, START } from "spanloom";
import { manualClock, recordSpans } from "spanloom/testing";
import { all, chain, collect, gate, loose, mark, marked, settle, typesOf, wrapped } from "./support.ts";

const records = async (store: Checkpointer, sessionId = "s") =>
  (await all(store.history(sessionId))).map(({ record }) => record).toReversed();

const failing = () => {
  const fault = { on: true };
  const graph = marked(loose(), "a", "c")
    .node("b", (state, context) => {
      if (fault.on) throw new Error("not yet");
      return mark(state, context);
    })
    .edge(START, "a")
    .edge("a", ["b", "c"])
    .edge("b", END)
    .edge("c", END)
    .compile();
  return { graph, fault };
};

describe("records", () => {
  it("are made by the creation and by each superstep, each the child of the one before", async () => {
    const store = memoryCheckpointer();
    await createRunner(chain("a", "b").compile(), { checkpointer: store }).invoke({ log: ["in"] }, { sessionId: "s" });
    const made = await records(store);
    expect(
      made.map(({ step, status, ranNodes, updatedChannels, next }) => [
        step,
        status,
        ranNodes,
        updatedChannels,
        next.map(({ node }) => node),
      ]),
    ).toEqual([
      [0, "running", [], ["log"], ["a"]],
      [1, "running", ["a"], ["log"], ["b"]],
      [2, "completed", ["b"], ["log"], []],
    ]);
    expect(made.map(({ parentId }) => parentId)).toEqual([undefined, made[0]?.checkpointId, made[1]?.checkpointId]);
    expect(made.map(({ versions }) => versions)).toEqual([
      [1, 1],
      [2, 1],
      [3, 1],
    ]);
    expect(made.every(({ epoch }) => epoch === 1)).toBe(true);
  });

  it("of a run of no supersteps is one, and says completed", async () => {
    const store = memoryCheckpointer();
    const graph = loose().edge(START, END).compile();
    expect(await createRunner(graph, { checkpointer: store }).invoke({}, { sessionId: "s" })).toMatchObject({ steps: 0, step: 0 });
    expect((await records(store)).map(({ step, status }) => [step, status])).toEqual([[0, "completed"]]);
  });

  it("hold identity, time from the clock, graph, fingerprint and version", async () => {
    const store = memoryCheckpointer();
    const graph = chain("a").compile();
    const versioned = loose({}, { version: "1.2" }).node("a", mark).edge(START, "a").edge("a", END).compile();
    const clock = manualClock(5_000);
    await createRunner(versioned, { checkpointer: store, clock }).invoke({}, { sessionId: "s" });
    expect((await records(store))[1]).toMatchObject({
      sessionId: "s",
      graph: "g",
      graphVersion: "1.2",
      fingerprint: versioned.fingerprint,
      time: 5_000,
      channels: ["log", "errors"],
    });
    await createRunner(graph, { checkpointer: store }).invoke({}, { sessionId: "t" });
    expect((await records(store, "t"))[0]?.graphVersion).toBeUndefined();
  });

  it("hold the writes, not the state: a list that grows is saved as what was appended", async () => {
    const saved: unknown[] = [];
    const inner = memoryCheckpointer();
    const store = {
      ...wrapped(() => undefined, inner),
      save: (...given: Parameters<Checkpointer["save"]>) => {
        saved.push(given[2].changes);
        return inner.save(...given);
      },
    };
    const graph = loose({ n: channel.value(0) })
      .node("a", (_state, { step }) => ({ log: [`a@${step}`], n: 0 }))
      .node("b", (_state, { step }) => ({ log: [`b@${step}`], n: 1 }))
      .edge(START, "a")
      .edge("a", "b")
      .edge("b", END)
      .compile();
    await createRunner(graph, { checkpointer: store }).invoke({ log: ["in"] });
    expect(saved.slice(1)).toEqual([
      [{ channel: "log", kind: "append", items: ["a@1"] }],
      [
        { channel: "log", kind: "append", items: ["b@2"] },
        { channel: "n", kind: "set", value: 1 },
      ],
    ]);
  });

  it("hold ran and skipped nodes, and the versions that gated nodes saw", async () => {
    const store = memoryCheckpointer();
    let visits = 0;
    const graph = loose()
      .node("gated", () => {}, { gate: "on-change" })
      .edge(START, "gated")
      .branch("gated", { again: "gated", done: END }, () => ((visits += 1) < 2 ? "again" : "done"))
      .compile();
    await createRunner(graph, { checkpointer: store }).invoke({}, { sessionId: "s" });
    const made = await records(store);
    expect(made.map(({ ranNodes, skippedNodes, seen }) => [ranNodes, skippedNodes, [...seen]])).toEqual([
      [[], [], []],
      [["gated"], [], [["gated", [1, 1]]]],
      [[], ["gated"], [["gated", [1, 1]]]],
    ]);
  });

  it("hold the trace of the invocation that wrote them, when it is recorded", async () => {
    const store = memoryCheckpointer();
    const { spans } = await recordSpans(() => createRunner(chain("a").compile(), { checkpointer: store }).invoke({}, { sessionId: "s" }));
    const [root] = spans.filter(({ parentId }) => parentId === undefined);
    expect((await records(store)).map(({ trace }) => trace?.traceparent.split("-").slice(1, 3))).toEqual([
      [root?.traceId, root?.spanId],
      [root?.traceId, root?.spanId],
    ]);
  });

  it("are not added by failures, pauses, cancellations or answers: those change the status of the newest", async () => {
    const store = memoryCheckpointer();
    const { graph, fault } = failing();
    const session = createRunner(graph, { checkpointer: store, pauseAfter: ["a"] }).session("s");
    expect(await session.start({}).result).toMatchObject({ status: "paused" });
    const paused = await records(store);
    expect(paused.map(({ step, status }) => [step, status])).toEqual([
      [0, "running"],
      [1, "paused"],
    ]);
    await session.resume().result.catch(() => {});
    const failed = await records(store);
    expect(failed.map(({ status, checkpointId }) => [status, checkpointId])).toEqual([
      ["running", paused[0]?.checkpointId],
      ["failed", paused[1]?.checkpointId],
    ]);
    expect(failed[1]).toMatchObject({ failure: { name: "RunnerError", code: "scheduler", cause: { message: "not yet" } } });
    fault.on = false;
    const aborted = new AbortController();
    aborted.abort("no");
    expect(await session.resume({ signal: aborted.signal }).result).toMatchObject({ status: "cancelled", steps: 0 });
    expect((await records(store)).map(({ status }) => status)).toEqual(["running", "cancelled"]);
    await session.resume().result;
    expect((await records(store)).map(({ step, status, epoch }) => [step, status, epoch])).toEqual([
      [0, "running", 1],
      [1, "running", 1],
      [2, "completed", 4],
    ]);
  });

  it("of a failed step hold the results that are kept, and no failure once it was passed", async () => {
    const store = memoryCheckpointer();
    const { graph, fault } = failing();
    const session = createRunner(graph, { checkpointer: store }).session("s");
    await session.start({}).result.catch(() => {});
    const failed = (await records(store)).at(-1);
    expect(failed).toMatchObject({ step: 1, status: "failed", versions: [2, 1] });
    expect(failed?.results.map(({ node }) => node)).toEqual(["c"]);
    expect((await session.state()).next, "what is still to run").toEqual(["b"]);
    fault.on = false;
    await session.resume().result;
    expect((await records(store)).at(-1)).toMatchObject({ status: "completed", results: [], failure: undefined, ranNodes: ["b", "c"] });
  });

  it("of a pause hold what is open, and the pause that was passed", async () => {
    const store = memoryCheckpointer();
    const session = createRunner(chain("a", "b").compile(), { checkpointer: store, pauseBefore: ["b"] }).session("s");
    await session.start({}).result;
    expect((await records(store)).at(-1)).toMatchObject({ status: "paused", interrupts: [{ kind: "before", node: "b", step: 2 }] });
    const seen: unknown[] = [];
    const watching = wrapped((method) => void (method === "save" && seen.push(store.load("s"))), store);
    await createRunner(chain("a", "b").compile(), { checkpointer: watching, pauseBefore: ["b"] })
      .session("s")
      .resume().result;
    expect(seen).toMatchObject([{ record: { pausePassed: { step: 2, nodes: ["b"] }, interrupts: [], status: "running" } }]);
  });

  it("hold the questions that are open and the answers so far", async () => {
    const store = memoryCheckpointer();
    const graph = loose()
      .node("ask", async (_state, { interrupt }) => {
        await Promise.all([interrupt("one?", { id: "one" }), interrupt("two?", { id: "two" })]);
      })
      .edge(START, "ask")
      .edge("ask", END)
      .compile();
    const session = createRunner(graph, { checkpointer: store }).session("s");
    const { interrupts } = await session.start({}).result;
    const [one, two] = interrupts.map(({ id }) => id) as [string, string];
    expect((await records(store)).at(-1)).toMatchObject({ interrupts, answers: new Map() });
    const again = await session.resume({ answers: { [one]: 1 } }).result;
    expect([again.status, again.interrupts.map(({ id }) => id)]).toEqual(["paused", [two]]);
    expect(Array.from((await records(store)).at(-1)?.answers ?? [])).toEqual([[one, 1]]);
    await session.resume({ answer: 2 }).result;
    expect((await records(store)).at(-1)).toMatchObject({ status: "completed", interrupts: [], answers: new Map() });
  });
});

describe("a step", () => {
  it("stores the results of a step of several as they come, before it ends; a step of one stores its with its checkpoint", async () => {
    const store = wrapped(() => undefined);
    const slow = gate();
    const graph = marked(loose(), "first", "fast")
      .node("slow", () => slow.passed)
      .edge(START, "first")
      .edge("first", ["slow", "fast"])
      .edge(["slow", "fast"], END)
      .compile();
    const run = createRunner(graph, { checkpointer: store }).stream({}, { sessionId: "s" });
    await settle();
    const waiting = await store.load("s");
    expect(waiting?.record.results.map(({ node }) => node)).toEqual(["fast"]);
    expect([waiting?.record.step, store.calls.addResults, store.calls.save]).toEqual([1, 1, 2]);
    slow.open();
    await run.result;
    expect(store.calls).toMatchObject({ addResults: 2, save: 3, amend: 0 });
  });

  it("begins after the save of the one before", async () => {
    const saves = [gate(), gate()];
    const started: string[] = [];
    const store = wrapped((method, call) => (method === "save" ? saves[call - 1]?.passed : undefined));
    const graph = loose()
      .node("a", () => void started.push("a"))
      .node("b", () => void started.push("b"))
      .edge(START, "a")
      .edge("a", "b")
      .edge("b", END)
      .compile();
    const run = createRunner(graph, { checkpointer: store }).stream({});
    await settle();
    expect(started, "the creation is not saved yet").toEqual([]);
    saves[0]?.open();
    await settle();
    expect(started, "step 1 is not saved yet").toEqual(["a"]);
    saves[1]?.open();
    expect(await run.result).toMatchObject({ status: "completed" });
  });

  it("is told completed after its checkpoint is", async () => {
    const { events } = await collect(createRunner(chain("a").compile()).stream({}));
    const types = typesOf(events);
    expect(types.indexOf("superstep.completed")).toBe(types.lastIndexOf("checkpoint.saved") + 1);
  });

  it.each([{ pauseAfter: ["a"] }, { pauseEachStep: true }])(
    "hold the pause that follows, so that no kill can lose it: %j",
    async (pauses) => {
      const inner = memoryCheckpointer();
      // The process ends between the record and what is written once the pause is told.
      const never = new Promise<never>(() => {});
      const killed = { ...wrapped(() => undefined, inner), amend: () => never };
      const run = createRunner(chain("a", "b").compile(), { checkpointer: killed, ...pauses }).stream({}, { sessionId: "s" });
      for await (const event of run) if (event.type === "interrupt.requested") break;
      const session = createRunner(chain("a", "b").compile(), { checkpointer: inner }).session("s");
      const left = await session.state();
      expect([left.status, left.step, left.interrupts.map(({ kind }) => kind)]).toEqual([
        "paused",
        1,
        ["pauseAfter" in pauses ? "after" : "step"],
      ]);
      expect((await session.resume().result).state["log"]).toEqual(["a@1", "b@2"]);
    },
  );
});
