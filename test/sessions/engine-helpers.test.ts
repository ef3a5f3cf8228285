/** Each helper of the superstep alone: what it does, and what it leaves to others. */
import { describe, expect, it } from "vitest";
import { channel, type Checkpointer, CheckpointError, END, memoryCheckpointer, RunnerError, START } from "spanloom";
import { maybeCheckpoint, type RecordSave } from "../../src/engine/checkpoint.ts";
import { finalizeStateSnapshot, isSessionComplete } from "../../src/engine/complete.ts";
import { type Execution, nothingDue } from "../../src/engine/execution.ts";
import { runUntilComplete } from "../../src/engine/run.ts";
import { dueEntries } from "../../src/engine/schedule.ts";
import { runStep } from "../../src/engine/step.ts";
import { runOneSuperstep } from "../../src/engine/superstep.ts";
import { executionOf } from "../engine-support/execution.ts";
import { chain, loose, mark, marked, wrapped } from "./support.ts";

const recordOf = ({ state, due }: Execution, status: RecordSave["status"] = "running"): RecordSave => ({
  kind: "record",
  state,
  due,
  status,
  changes: [],
  size: 0,
  ranNodes: [],
  skippedNodes: [],
  updatedChannels: [],
});

describe("maybeCheckpoint", () => {
  it("adds a record, adopts it as the newest, and tells it", async () => {
    const { execution, events, types } = executionOf(chain("a").compile());
    await maybeCheckpoint(execution, undefined, recordOf(execution));
    const stored = await execution.store.load("s");
    expect(stored?.record).toMatchObject({ step: 0, epoch: 1, status: "running", parentId: undefined, time: 1_000, sessionId: "s" });
    expect([execution.checkpointId, execution.records]).toEqual([stored?.record.checkpointId, 1]);
    await maybeCheckpoint(execution, undefined, recordOf(execution));
    expect((await execution.store.load("s"))?.record.parentId).toBe(stored?.record.checkpointId);
    expect(types()).toEqual(["checkpoint.saved", "checkpoint.saved"]);
    expect(events[0]?.data).toMatchObject({ checkpointId: stored?.record.checkpointId });
  });

  it("changes the status of the newest record, and adds none", async () => {
    const { execution } = executionOf(chain("a").compile());
    await maybeCheckpoint(execution, undefined, recordOf(execution));
    await maybeCheckpoint(execution, undefined, { kind: "status", status: "failed", due: nothingDue, failure: new Error("x") });
    const stored = await execution.store.load("s");
    expect(stored?.record).toMatchObject({ status: "failed", failure: { name: "Error", message: "x" } });
    expect([execution.status, execution.records]).toEqual(["failed", 1]);
  });

  it("calls no store and tells nothing without autosave: what was to be saved holds all the same", async () => {
    const store = wrapped(() => undefined);
    const { execution, types } = executionOf(chain("a").compile(), { store, settings: { autosave: false } });
    await maybeCheckpoint(execution, undefined, recordOf(execution, "paused"));
    await maybeCheckpoint(execution, undefined, { kind: "status", status: "cancelled", due: nothingDue });
    expect(store.calls).toEqual({ load: 0, save: 0, amend: 0, addResults: 0, delete: 0 });
    expect([types(), execution.status, execution.checkpointId]).toEqual([[], "cancelled", undefined]);
  });

  it("turns a refusal into `checkpoint_failed` with its cause and an event, and adopts nothing", async () => {
    const cause = new Error("disk full");
    const { execution, types } = executionOf(chain("a").compile(), {
      store: wrapped((method) => method === "save" && Promise.reject(cause)),
    });
    const before = { ...execution };
    await expect(maybeCheckpoint(execution, undefined, recordOf(execution, "completed"))).rejects.toMatchObject({
      code: "checkpoint_failed",
      cause,
      facts: { sessionId: "s", step: 0 },
    });
    expect([execution, types()]).toEqual([before, ["checkpoint.failed"]]);
  });

  it("goes on under `warn`, and keeps what could not be saved for the next record", async () => {
    const failing = wrapped((method, call) => method === "save" && call === 1 && Promise.reject(new Error("once")));
    const saved: unknown[] = [];
    const save: Checkpointer["save"] = (fence, record, delta) => {
      saved.push(delta.changes);
      return failing.save(fence, record, delta);
    };
    const store = { ...failing, save };
    const { execution, types } = executionOf(chain("a").compile(), { store, settings: { onCheckpointError: "warn" } });
    await maybeCheckpoint(execution, undefined, {
      ...recordOf(execution),
      changes: [{ channel: "log", kind: "set", value: ["x"] }],
      size: 5,
    });
    expect([execution.unsaved.size, execution.records, execution.checkpointId]).toEqual([5, 0, undefined]);
    await maybeCheckpoint(execution, undefined, {
      ...recordOf(execution),
      changes: [{ channel: "log", kind: "append", items: ["y"] }],
      size: 7,
    });
    expect(saved).toEqual([
      [{ channel: "log", kind: "set", value: ["x"] }],
      [
        { channel: "log", kind: "set", value: ["x"] },
        { channel: "log", kind: "append", items: ["y"] },
      ],
    ]);
    expect([execution.unsaved.size, types()]).toEqual([0, ["checkpoint.failed", "checkpoint.saved"]]);
  });

  it("does not go on after a conflict, not even under `warn`", async () => {
    const conflict = new CheckpointError("checkpoint_conflict", { sessionId: "s" });
    const store = wrapped((method) => method === "save" && Promise.reject(conflict));
    const { execution } = executionOf(chain("a").compile(), { store, settings: { onCheckpointError: "warn" } });
    await expect(maybeCheckpoint(execution, undefined, recordOf(execution))).rejects.toMatchObject({
      code: "checkpoint_failed",
      cause: conflict,
    });
  });
});

describe("runOneSuperstep", () => {
  const two = () => marked(loose(), "a", "b", "c").edge(START, ["a", "b"]).edge(["a", "b"], "c").edge("c", END).compile();

  it("gives the outcomes of the three phases, and changes and saves nothing", async () => {
    const store = wrapped(() => undefined);
    const { execution } = executionOf(two(), { store, shared: false });
    const before = execution.state;
    const outcome = await runOneSuperstep(execution, dueEntries(execution), undefined);
    expect(outcome).toMatchObject({
      kind: "done",
      scheduler: { ranNodes: ["a", "b"], skippedNodes: [] },
      barrier: { updatedChannels: ["log"], commands: 0 },
      frontier: { next: [{ node: "c" }] },
    });
    expect([execution.state, execution.steps, execution.checkpointId]).toEqual([before, 0, undefined]);
    expect([store.calls.save, store.calls.amend]).toEqual([0, 0]);
  });

  it("stops at a phase that fails: the later ones do not begin, and what finished is kept", async () => {
    let decided = 0;
    const graph = loose({ n: channel.value(0) })
      .node("a", () => ({ n: 1 }))
      .node("b", () => ({ n: 2 }))
      .edge(START, ["a", "b"])
      .edge("b", END)
      .branch("a", { end: END }, () => {
        decided += 1;
        return "end";
      })
      .compile();
    const { execution } = executionOf(graph);
    await maybeCheckpoint(execution, undefined, recordOf(execution));
    const outcome = await runOneSuperstep(execution, dueEntries(execution), undefined);
    expect(outcome).toMatchObject({
      kind: "stopped",
      stop: { kind: "failed", error: { code: "barrier" } },
      scheduler: { ranNodes: ["a", "b"] },
    });
    expect(decided).toBe(0);
    expect(outcome.scheduler.kept().results.map(({ node }) => node)).toEqual(["a", "b"]);
  });
});

describe("runStep", () => {
  it("runs what is due, saves it, and reports it", async () => {
    const { execution, types } = executionOf(chain("a", "b").compile());
    const report = await runStep(execution);
    expect(report).toEqual({
      step: 1,
      ranNodes: ["a"],
      skippedNodes: [],
      updatedChannels: ["log"],
      nextFrontier: ["b"],
      versions: { log: 2, errors: 1 },
      completed: false,
      interrupts: [],
      checkpointId: execution.checkpointId,
    });
    expect((await execution.store.load("s"))?.record).toMatchObject({ step: 1, ranNodes: ["a"], status: "running" });
    expect(types()).toEqual(["superstep.started", "node.started", "node.completed", "checkpoint.saved", "superstep.completed"]);
    expect(await runStep(execution)).toMatchObject({ step: 2, completed: true, nextFrontier: [] });
    expect(execution.status).toBe("completed");
  });

  it("leaves state, frontier and step as they were when it fails", async () => {
    const graph = loose()
      .node("a", () => {
        throw new Error("x");
      })
      .edge(START, "a")
      .edge("a", END)
      .compile();
    const { execution } = executionOf(graph);
    await maybeCheckpoint(execution, undefined, recordOf(execution));
    const { state } = execution;
    await expect(runStep(execution)).rejects.toBeInstanceOf(RunnerError);
    expect([execution.state, execution.status, execution.steps]).toEqual([state, "failed", 0]);
  });
});

describe("runUntilComplete", () => {
  it("repeats `runStep` until nothing is due, and gives the final snapshot", async () => {
    const { execution } = executionOf(chain("a", "b", "c").compile());
    const snapshot = await runUntilComplete(execution);
    expect(snapshot).toEqual({ state: { log: ["a@1", "b@2", "c@3"], errors: [] }, versions: { log: 4, errors: 1 }, step: 3 });
    expect([execution.status, execution.steps, execution.records]).toEqual(["completed", 3, 3]);
  });

  it("runs nothing when nothing is due", async () => {
    const { execution, types } = executionOf(loose().edge(START, END).compile());
    expect(await runUntilComplete(execution)).toMatchObject({ step: 0 });
    expect(types()).toEqual([]);
  });

  it("waits at each boundary for room, and obeys a cancellation there", async () => {
    const waited: number[] = [];
    const { execution } = executionOf(chain("a", "b").compile(), {
      sinks: {
        boundary: () => {
          waited.push(execution.state.step);
          if (execution.state.step === 1) execution.cancellation.drain("enough");
          return undefined;
        },
      },
    });
    await runUntilComplete(execution);
    expect([waited, execution.status, execution.state.step]).toEqual([[0, 1], "cancelled", 1]);
  });

  it("refuses the step past `maxSteps`, and records the failure", async () => {
    const { execution } = executionOf(chain("a", "b").compile(), { settings: { maxSteps: 1 } });
    await expect(runUntilComplete(execution)).rejects.toMatchObject({ code: "max_steps" });
    expect((await execution.store.load("s"))?.record).toMatchObject({ status: "failed", step: 1 });
  });
});

describe("isSessionComplete", () => {
  it("is whether nothing is due", () => {
    const entry = { node: "a", ordinal: 0, sent: false, item: undefined, failure: undefined };
    expect([isSessionComplete({ frontier: [] }), isSessionComplete({ frontier: [entry] })]).toEqual([true, false]);
    const { execution } = executionOf(loose().edge(START, END).compile());
    expect(isSessionComplete(execution.state), "only END is due").toBe(true);
  });
});

describe("finalizeStateSnapshot", () => {
  it("gives the state of the last barrier, frozen, with versions by name and the step", async () => {
    const graph = loose({ when: channel.value(new Date(3)) })
      .node("a", mark)
      .edge(START, "a")
      .edge("a", END)
      .compile();
    const { execution } = executionOf(graph, { store: memoryCheckpointer() });
    await runStep(execution);
    const snapshot = finalizeStateSnapshot(execution);
    expect(snapshot).toEqual({
      state: { log: ["a@1"], when: new Date(3), errors: [] },
      versions: { log: 2, when: 1, errors: 1 },
      step: 1,
    });
    expect([Object.isFrozen(snapshot.state), Object.isFrozen(snapshot.state["log"])]).toEqual([true, true]);
    (snapshot.state["when"] as Date).setTime(0);
    expect(finalizeStateSnapshot(execution).state["when"], "a copy, which changes nothing").toEqual(new Date(3));
  });
});
