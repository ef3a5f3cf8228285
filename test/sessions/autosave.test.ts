/** Without `autosave` nothing is saved; and what is told of what is. */
import { describe, expect, it } from "vitest";
import { type Checkpointer, createRunner, END, START } from "spanloom";
import { manualClock, recordSpans } from "spanloom/testing";
import { all, chain, collect, expectCode, gate, loose, ofType, settle, typesOf, wrapped } from "./support.ts";

const records = async (store: Checkpointer, sessionId = "s") =>
  (await all(store.history(sessionId))).map(({ record }) => record).toReversed();

const failing = () =>
  loose()
    .node("a", () => {
      throw new Error("x");
    })
    .edge(START, "a")
    .edge("a", END)
    .compile();

describe("autosave: false", () => {
  it("saves nothing, anywhere: not on creation, steps, pauses, failures or cancellations", async () => {
    const store = wrapped(() => undefined);
    const options = { checkpointer: store, autosave: false };
    await createRunner(chain("a", "b").compile(), options).invoke({});
    await createRunner(failing(), options)
      .invoke({})
      .catch(() => {});
    const paused = await createRunner(chain("a", "b").compile(), { ...options, pauseAfter: ["a"] }).invoke({});
    const storing = loose()
      .node("a", (_state, { once }) => once("k", () => 1))
      .node("b", () => {})
      .edge(START, ["a", "b"])
      .edge(["a", "b"], END)
      .compile();
    await createRunner(storing, options)
      .invoke({})
      .catch(() => {});
    expect(paused.status).toBe("paused");
    expect([store.calls.save, store.calls.amend, store.calls.addResults]).toEqual([0, 0, 0]);
  });

  it("tells no checkpoint, and reports no id", async () => {
    const runner = createRunner(chain("a").compile(), { autosave: false });
    const { events, result } = await collect(runner.stream({}));
    expect(result?.status).toBe("completed");
    expect(typesOf(events).filter((type) => type.startsWith("checkpoint."))).toEqual([]);
  });

  it("is said on the invocation's span", async () => {
    const { spans } = await recordSpans(() => createRunner(chain("a").compile(), { autosave: false }).invoke({}));
    expect(spans.filter(({ name }) => name === "checkpoint")).toEqual([]);
    const [root] = spans.filter(({ parentId }) => parentId === undefined);
    expect(Object.entries(root?.attributes ?? {}).filter(([name, value]) => name.endsWith("durability") && value === "none")).toHaveLength(
      1,
    );
  });

  it("refuses to write to a session that another has stored", async () => {
    const store = wrapped(() => undefined);
    const graph = chain("a", "b").compile();
    await createRunner(graph, { checkpointer: store, pauseAfter: ["a"] }).invoke({}, { sessionId: "s" });
    const session = createRunner(graph, { checkpointer: store, autosave: false }).session("s");
    await expectCode(() => session.update({ log: ["x"] }), "invalid_option");
    await expectCode(() => session.finish(), "invalid_option");
    expect(await session.state()).toMatchObject({ status: "paused", state: { log: ["a@1"] } });
  });

  it("leaves stepping by hand usable", async () => {
    const session = createRunner(chain("a", "b").compile(), { autosave: false }).session("s");
    expect(await session.create({})).toMatchObject({ step: 0, status: "idle", next: ["a"] });
    expect(await session.runStep()).toMatchObject({ step: 1, ranNodes: ["a"], checkpointId: undefined });
    expect(await session.runStep()).toMatchObject({ step: 2, completed: true });
  });
});

describe("checkpoint events", () => {
  it("name the record, its size in bytes and how long the save took", async () => {
    const clock = manualClock();
    const slow = gate();
    const store = wrapped((method, call) => (method === "save" && call === 2 ? slow.passed : undefined));
    const run = createRunner(chain("a").compile(), { checkpointer: store, clock }).stream({}, { sessionId: "s" });
    await settle();
    await clock.advance(30);
    slow.open();
    const { events } = await collect(run);
    const saved = ofType(events, "checkpoint.saved");
    const made = await records(store);
    expect(saved.map(({ step, data }) => [step, data.checkpointId])).toEqual(made.map(({ step, checkpointId }) => [step, checkpointId]));
    expect(saved.map(({ data }) => data.duration)).toEqual([0, 30]);
    expect(saved.every(({ data }) => data.size > 0)).toBe(true);
  });
});
