/** `scheduleStep` by itself: what it makes of each entry, and what it leaves alone. */
import { describe, expect, it } from "vitest";
import type { AnyGraph, EntryResult } from "spanloom";
import { Cancellation } from "../../src/engine/cancellation.ts";
import type { Execution } from "../../src/engine/execution.ts";
import { dueEntries, scheduleStep } from "../../src/engine/schedule.ts";
import { channel, END, graph, START } from "spanloom";
import { executionOf as executionWith } from "../engine-support/execution.ts";
import { aborted, countingClock, type Handler, never, settle, side, solo } from "./support.ts";

const entry = (node: string, more: object = {}) => ({ node, ordinal: 0, sent: false, item: undefined, failure: undefined, ...more });
const result = (node: string) => ({ node, ordinal: 0, writes: [], command: undefined, errors: [], failure: undefined });

/** What a step stores is not the scheduler's: these store nothing. */
function executionOf(compiled: AnyGraph) {
  const clock = countingClock();
  return { clock, ...executionWith(compiled, { clock, shared: false, settings: { autosave: false, durability: "none" } }) };
}

const run = (execution: Execution) => scheduleStep(execution, execution.state.frontier, undefined);

describe("dueEntries", () => {
  const compiled = graph({ name: "g", channels: { n: channel.value(0) } })
    .node("a", () => {})
    .node("d", () => {}, { defer: true })
    .node("e", () => {}, { defer: true })
    .edge(START, ["d", "a", "e"])
    .edge("a", END)
    .edge("d", END)
    .edge("e", END)
    .compile();

  it("leaves deferred nodes for later while another is due", () => {
    const { execution } = executionOf(compiled);
    const { active, deferred } = dueEntries(execution);
    expect([active.map(({ node }) => node), deferred.map(({ node }) => node)]).toEqual([["a"], ["d", "e"]]);
  });

  it("runs deferred nodes when nothing else is due, and all there is when none is deferred", () => {
    const { execution } = executionOf(compiled);
    const only = { ...execution.state, frontier: [entry("d"), entry("e")] };
    expect(dueEntries({ plan: execution.plan, state: only })).toEqual({ active: only.frontier, deferred: [] });
    const plain = { ...execution.state, frontier: [entry("a")] };
    expect(dueEntries({ plan: execution.plan, state: plain })).toEqual({ active: plain.frontier, deferred: [] });
  });
});

describe("scheduleStep", () => {
  it("gives one outcome per entry, in frontier order, and lists who ran and who was skipped", async () => {
    const compiled = side(
      {
        slow: () => settle(2).then(() => ({ n: 1 })),
        gated: () => {},
        quick: () => ({ log: ["x"] }),
      },
      {},
      { gated: { gate: "on-change" } },
    );
    const { execution } = executionOf(compiled as AnyGraph);
    const seen = new Map([["gated", execution.state.image.versions]]);
    execution.state = { ...execution.state, seen };
    const outcome = await run(execution);
    expect(outcome.outcomes.map(({ status, entry: { node } }) => [node, status])).toEqual([
      ["slow", "completed"],
      ["gated", "skipped"],
      ["quick", "completed"],
    ]);
    expect(outcome.ranNodes).toEqual(["slow", "quick"]);
    expect(outcome.skippedNodes).toEqual(["gated"]);
  });

  it("leaves the execution's state, frontier and status as they were", async () => {
    const { execution } = executionOf(side({ a: () => ({ n: 1 }), b: () => Promise.reject(new Error("x")) }) as AnyGraph);
    const { state, due, status, steps } = execution;
    await run(execution);
    expect([execution.state, execution.due, execution.status, execution.steps]).toEqual([state, due, status, steps]);
    expect(execution.state).toBe(state);
  });

  it("carries what each node wrote, checked and copied, not yet folded", async () => {
    const mine = ["x"];
    const { execution } = executionOf(solo(() => ({ log: mine, n: undefined })) as AnyGraph);
    const { outcomes } = await run(execution);
    mine.push("later");
    expect(outcomes).toMatchObject([{ status: "completed", result: { node: "a", ordinal: 0, writes: [{ channel: "log" }] } }]);
    expect(JSON.stringify(outcomes)).not.toContain("later");
  });

  it("runs no entry whose result is there already, routed ones included", async () => {
    const ran: string[] = [];
    const note: Handler = (_state, { node }) => void ran.push(node);
    const { execution } = executionOf(side({ a: note, b: note, c: note }) as AnyGraph);
    const failure = { node: "b", input: undefined, attempt: 1, error: "x" };
    const results = new Map<string, EntryResult>([
      ["a/0", result("a")],
      ["b/0", { ...result("b"), failure }],
    ]);
    execution.due = { ...execution.due, results };
    const outcome = await run(execution);
    expect(outcome.outcomes.map(({ status }) => status)).toEqual(["completed", "routed", "completed"]);
    expect(outcome.ranNodes).toEqual(["a", "b", "c"]);
    expect(ran).toEqual(["c"]);
  });

  it("runs no entry that still waits for an answer", async () => {
    const ran: string[] = [];
    const note: Handler = (_state, { node }) => void ran.push(node);
    const { execution } = executionOf(side({ a: note, b: note }) as AnyGraph);
    const open = { id: "1/a/0/#0", node: "a", step: 1, payload: "?", kind: "interrupt" } as const;
    execution.due = { ...execution.due, interrupts: [open] };
    expect((await run(execution)).outcomes).toMatchObject([{ status: "interrupted", interrupts: [open] }, { status: "completed" }]);
    execution.due = { ...execution.due, answers: new Map([[open.id, 1]]) };
    expect((await run(execution)).outcomes).toMatchObject([{ status: "completed" }, { status: "completed" }]);
    expect(ran).toEqual(["b", "a", "b"]);
  });

  it("tells failed, timed out, cancelled, interrupted and routed entries apart", async () => {
    const compiled = graph({ name: "g", channels: { n: channel.value(0) } })
      .node("failed", () => Promise.reject(new Error("x")))
      .node("late", never, { timeout: 10 })
      .node("asks", async (_state, { interrupt }) => void (await interrupt("?")))
      .node("routed", () => Promise.reject(new Error("y")), { onError: "mend" })
      .node("mend", () => {})
      .node("stopped", (_state, { signal }) => aborted(signal))
      .edge(START, ["failed", "late", "asks", "routed", "stopped"])
      .edge(["failed"], END)
      .edge("late", END)
      .edge("asks", END)
      .edge("routed", END)
      .edge("mend", END)
      .edge("stopped", END)
      .compile();
    const { execution, clock } = executionOf(compiled as AnyGraph);
    const running = run(execution);
    await clock.advance(10);
    execution.cancellation.cancel("stop");
    const { outcomes, ranNodes } = await running;
    expect(outcomes.map(({ status }) => status)).toEqual(["failed", "timed_out", "interrupted", "routed", "cancelled"]);
    expect(outcomes).toMatchObject([{ attempt: 1, error: { message: "x" } }, { error: { code: "node_timeout" } }, {}, {}, {}]);
    expect(ranNodes).toEqual(["routed"]);
    expect(clock.pending()).toBe(0);
    expect(execution.cancellation.running.size).toBe(0);
  });

  it("counts what was never started as cancelled, one entry alone too", async () => {
    for (const compiled of [side({ a: () => {}, b: () => {} }), solo(() => {})]) {
      const { execution, events } = executionOf(compiled as AnyGraph);
      execution.cancellation.cancel("before");
      const { outcomes } = await run(execution);
      expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(["cancelled"]));
      expect(events).toEqual([]);
    }
  });

  it("keeps results and sub-steps for a record of the step that goes no further", async () => {
    const compiled = side({
      ok: async (_state, { once }) => {
        await once("k", () => "v");
      },
      bad: () => Promise.reject(new Error("x")),
    });
    const { execution } = executionOf(compiled as AnyGraph);
    const { results, once } = (await run(execution)).kept();
    expect(results.map(({ node }) => node)).toEqual(["ok"]);
    expect(once).toEqual(new Map([["ok/0", new Map([["k", "v"]])]]));
  });

  it("with nothing due gives nothing", async () => {
    const { execution } = executionOf(solo(() => {}) as AnyGraph);
    expect(await scheduleStep(execution, [], undefined)).toMatchObject({ outcomes: [], ranNodes: [], skippedNodes: [] });
  });
});

describe("Cancellation", () => {
  it("tells what runs, once, with the first reason", () => {
    const cancellation = new Cancellation();
    const told: unknown[] = [];
    cancellation.running.add({ stop: (reason) => told.push(reason) });
    expect([cancellation.requested, cancellation.atBoundary]).toEqual([false, false]);
    cancellation.cancel("first");
    cancellation.cancel("second");
    cancellation.drain("third");
    expect(told).toEqual(["first"]);
    expect([cancellation.requested, cancellation.atBoundary, cancellation.reason]).toEqual([true, true, "first"]);
  });

  it("of a drain stops nothing that runs until it is cancelled, and keeps its reason", () => {
    const cancellation = new Cancellation();
    const told: unknown[] = [];
    cancellation.running.add({ stop: (reason) => told.push(reason) });
    cancellation.drain("drain");
    expect([cancellation.requested, cancellation.atBoundary, told.length]).toEqual([false, true, 0]);
    cancellation.cancel("other");
    expect([told, cancellation.reason]).toEqual([["drain"], "drain"]);
  });
});
