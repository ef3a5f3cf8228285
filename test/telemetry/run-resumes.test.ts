/** Sessions that are gone on with: the whole tree of spans of each invocation, and its links to those before it. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { createRunner, END, graph, memoryCheckpointer, START } from "spanloom";
import { recordSpans } from "spanloom/testing";
import { z } from "zod";
import { spanDate } from "../../src/telemetry/span-clock.ts";
import { lateStore, traced, UserError } from "./run-support.ts";
import { channels, invocation, loaded, noop, pair, saved, step } from "./run-pair.ts";

describe("links", () => {
  test("each later invocation links to the one before and to the first, and so does no other span", async () => {
    const runner = pair(noop, { pauseEachStep: true, pauseBefore: ["a"] });
    const traces = [
      await traced(() => runner.invoke({}, { sessionId: "s" })),
      await traced(() => runner.session("s").resume().result),
      await traced(() => runner.session("s").resume().result),
      await traced(() => runner.session("s").next({}).result),
    ];
    const roots = traces.map(({ spans }) => spans[0]);
    const to = (index: number, type: string) => ({
      traceId: roots[index]?.traceId,
      spanId: roots[index]?.spanId,
      attributes: { "spanloom.link.type": type },
    });
    expect(roots.map((root) => root?.links)).toEqual([
      [],
      [to(0, "resumed_from"), to(0, "origin")],
      [to(1, "resumed_from"), to(0, "origin")],
      [to(2, "resumed_from"), to(0, "origin")],
    ]);
    for (const { spans } of traces) expect(spans.slice(1).flatMap((span) => span.links)).toEqual([]);
  });

  test("a fork's first invocation links to what it was forked from; its second to its own", async () => {
    const runner = pair(noop, { pauseEachStep: true });
    const origin = await traced(() => runner.invoke({}, { sessionId: "s" }));
    const { result: fork, spans } = await recordSpans(() => runner.session("s").fork({ sessionId: "f" }));
    expect(spans).toEqual([]);
    const first = await traced(() => fork.resume().result);
    const link = (span: (typeof spans)[number] | undefined, type: string) => ({
      traceId: span?.traceId,
      spanId: span?.spanId,
      attributes: { "spanloom.link.type": type },
    });
    expect(first.spans[0]?.links).toEqual([link(origin.spans[0], "forked_from")]);
    const second = await traced(() => fork.next({}).result);
    expect(second.spans[0]?.links).toEqual([link(first.spans[0], "resumed_from"), link(first.spans[0], "origin")]);
  });

  const types = (span: Awaited<ReturnType<typeof traced>>["spans"][number] | undefined) =>
    span?.links.map(({ spanId, attributes }) => [attributes["spanloom.link.type"], spanId]);

  test("a write from outside breaks no link, nor does it make a fork an invocation older", async () => {
    const runner = pair(noop, { pauseEachStep: true });
    const first = await traced(() => runner.invoke({}, { sessionId: "s" }));
    const { spanId } = first.spans[0] ?? {};
    await runner.session("s").update({});
    const fork = await runner.session("s").fork({ sessionId: "f" });
    await fork.update({});
    const resumed = await traced(() => runner.session("s").resume().result);
    expect(types(resumed.spans[0])).toEqual([
      ["resumed_from", spanId],
      ["origin", spanId],
    ]);
    const forked = await traced(() => fork.resume().result);
    expect(types(forked.spans[0])).toEqual([["forked_from", spanId]]);
  });

  test("an invocation without a trace is passed over; one that is a fork's first leaves nothing to link to", async () => {
    const checkpointer = memoryCheckpointer();
    const runner = pair(noop, { checkpointer, pauseEachStep: true });
    const silent = pair(noop, { checkpointer, pauseEachStep: true, telemetry: false });
    const first = await traced(() => runner.invoke({}, { sessionId: "s" }));
    const { spanId } = first.spans[0] ?? {};
    const fork = await runner.session("s").fork({ sessionId: "f" });
    await silent.session("s").resume().result;
    await silent.session("f").resume().result;
    const next = await traced(() => runner.session("s").next({}).result);
    expect(types(next.spans[0])).toEqual([
      ["resumed_from", spanId],
      ["origin", spanId],
    ]);
    const forked = await traced(() => fork.next({}).result);
    expect(types(forked.spans[0])).toEqual([]);
  });
});

const asking = () =>
  createRunner(
    graph({ name: "asking", channels })
      .node("ask", async (_state, { interrupt }) => ({ who: await interrupt("name?", { id: "who", schema: z.string() }) }))
      .node("side", () => ({ last: "side" }))
      .edge(START, ["ask", "side"])
      .edge("ask", END)
      .edge("side", END)
      .compile(),
    { checkpointer: memoryCheckpointer() },
  );

describe("interrupted", () => {
  const first = [
    invocation("start", "paused", 0, "asking"),
    saved(0),
    "  superstep step=1 ran_nodes_len=1 skipped_nodes_len=0",
    "    schedule step=1 frontier_len=2",
    "      execute_node ask node.attempt=1",
    "        * interrupt.requested id=1/ask/0/who node.name=ask step=1 kind=interrupt",
    "      execute_node side node.attempt=1 node.writes=[last]",
    saved(0),
  ];

  test("no barrier, no frontier, no error; and resumed: what had finished makes no attempt", async () => {
    const runner = asking();
    const asked = await traced(() => runner.invoke({}, { sessionId: "s" }));
    expect(asked.lines).toEqual(first);
    const answered = await traced(() => runner.session("s").resume({ answer: "Ada" }).result);
    expect(answered.lines).toEqual([
      invocation("resume", "completed", 1, "asking"),
      loaded(0),
      saved(0),
      "  superstep step=1 ran_nodes_len=2 skipped_nodes_len=0",
      "    schedule step=1 frontier_len=2",
      "      execute_node ask node.attempt=1 node.writes=[who]",
      "    barrier step=1 ran_nodes_len=2 errors_in_partials=0 updated_channels=[last,who]",
      "    frontier step=1 commands_count=0 conditional_edges_evaluated=0 next_frontier_len=0",
      "    checkpoint step=1 checkpoint.outcome=saved",
    ]);
  });

  test("resumed without an answer: nothing runs again, the question is not asked again", async () => {
    const runner = asking();
    await runner.invoke({}, { sessionId: "s" });
    const { lines } = await traced(() => runner.session("s").resume().result);
    expect(lines).toEqual([
      invocation("resume", "paused", 0, "asking"),
      loaded(0),
      saved(0),
      "  superstep step=1 ran_nodes_len=1 skipped_nodes_len=0",
      "    schedule step=1 frontier_len=2",
      saved(0),
    ]);
  });

  test("an answer that is refused fails the attempt that asked", async () => {
    const runner = asking();
    await runner.invoke({}, { sessionId: "s" });
    const { lines, error } = await traced(() => runner.session("s").resume({ answer: 5 }).result);
    expect(error).toMatchObject({ code: "invalid_input" });
    expect(lines).toEqual([
      `${invocation("resume", "failed", 0, "asking")} ERROR invalid_input/invalid_input`,
      loaded(0),
      saved(0),
      "  superstep step=1 ran_nodes_len=1 skipped_nodes_len=0 ERROR invalid_input/invalid_input",
      "    schedule step=1 frontier_len=2 failed_node=ask frontier_nodes=[ask,side] channel_versions=[last=1,who=1,errors=1] ERROR invalid_input/invalid_input",
      "      execute_node ask node.attempt=1 ERROR StateError/invalid_update",
      "        * interrupt.requested id=1/ask/0/who node.name=ask step=1 kind=interrupt",
      saved(0),
    ]);
  });
});

test("resumed once completed: it is loaded, and nothing runs", async () => {
  const runner = pair(noop);
  await runner.invoke({}, { sessionId: "s" });
  const { lines } = await traced(() => runner.session("s").resume().result);
  expect(lines).toEqual([invocation("resume", "completed", 0), loaded(2), saved(2)]);
});

test("loading and saving are covered by their spans, awaited", async () => {
  const times: { readonly call: string; readonly from: number; readonly until: number }[] = [];
  const checkpointer = lateStore(async (call) => {
    const from = spanDate();
    // Turns of the event loop, until the clock has moved.
    while (spanDate() - from < 0.1) await nextTurn();
    times.push({ call, from, until: spanDate() });
  });
  const runner = pair(noop, { checkpointer, pauseEachStep: true });
  await runner.invoke({}, { sessionId: "s" });
  times.length = 0;
  const { spans, lines } = await traced(() => runner.session("s").resume().result);
  expect(lines).toEqual([invocation("resume", "completed", 1), loaded(1), saved(1), ...step(2, "b", 0)]);
  const covering = spans.filter(({ name }) => name.startsWith("checkpoint"));
  expect(times.map(({ call }) => call)).toEqual(["load", "amend", "save"]);
  covering.forEach((span, index) => {
    expect(span.start).toBeLessThanOrEqual((times[index]?.from ?? 0) + 0.001);
    expect(span.end).toBeGreaterThanOrEqual((times[index]?.until ?? Infinity) - 0.001);
  });
});

describe("next", () => {
  test("another input of the same session: loaded, saved, and the steps go on", async () => {
    const runner = pair(noop);
    await runner.invoke({}, { sessionId: "s" });
    const { lines } = await traced(() => runner.session("s").next({ who: "Ada" }).result);
    expect(lines).toEqual([invocation("next", "completed", 2), loaded(2), saved(2), ...step(3, "a", 1), ...step(4, "b", 0)]);
  });

  test("the first input is a start", async () => {
    const { lines } = await traced(() => pair(noop).session("s").next({}).result);
    expect(lines[0]).toBe(invocation("start", "completed", 2));
  });
});

describe("stepped by hand", () => {
  test("is one invocation, from its creation to its end", async () => {
    const { lines } = await traced(async () => {
      const session = pair(noop).session("s");
      await session.create({});
      await session.runStep();
      await session.runStep();
    });
    expect(lines).toEqual([invocation("start", "completed", 2), saved(0), ...step(1, "a", 1), ...step(2, "b", 0)]);
  });

  test("then run on: it stays the same one", async () => {
    const { lines } = await traced(async () => {
      const session = pair(noop).session("s");
      await session.create({});
      await session.runStep();
      return session.runUntilComplete();
    });
    expect(lines).toEqual([invocation("start", "completed", 2), saved(0), ...step(1, "a", 1), ...step(2, "b", 0)]);
  });

  test("ends at a pause, and the next step is another invocation", async () => {
    const runner = pair(noop, { pauseAfter: ["a"] });
    const session = runner.session("s");
    const { lines } = await traced(async () => {
      await session.create({});
      await session.runStep();
    });
    expect(lines).toEqual([
      invocation("start", "paused", 1),
      "  * interrupt.requested id=1/after/a node.name=a step=1 kind=after",
      saved(0),
      ...step(1, "a", 1),
      saved(1),
    ]);
    const next = await traced(() => session.runStep());
    expect(next.lines).toEqual([invocation("resume", "completed", 1), loaded(1), saved(1), ...step(2, "b", 0)]);
  });

  test("a step that fails ends it; the next step is another invocation of the same step", async () => {
    let calls = 0;
    const session = pair(() => {
      calls += 1;
      if (calls === 1) throw new UserError("once");
    }).session("s");
    const { lines } = await traced(async () => {
      await session.create({});
      await session.runStep();
    });
    expect(lines[0]).toBe(`${invocation("start", "failed", 0)} ERROR scheduler/scheduler`);
    expect(lines.at(-1)).toBe(saved(0));
    const again = await traced(() => session.runStep().then(() => session.runStep()));
    expect(again.lines).toEqual([invocation("resume", "completed", 2), loaded(0), saved(0), ...step(1, "a", 1), ...step(2, "b", 0)]);
  });

  test("a runner that is closed between two steps leaves no span open", async () => {
    const { lines } = await traced(async () => {
      const runner = pair(noop);
      const session = runner.session("s");
      await session.create({});
      await session.runStep();
      await runner.close();
    });
    expect(lines[0]).toBe(invocation("start", "cancelled", 1));
  });
});

test("the invocation begins when its session began to be loaded", async () => {
  const runner = pair(noop, { pauseBefore: ["a"] });
  await runner.invoke({}, { sessionId: "s" });
  const { spans } = await traced(() => runner.session("s").resume().result);
  const [root, load] = spans;
  expect(load?.name).toBe("checkpoint_load");
  expect(load?.start).toBe(root?.start);
});
