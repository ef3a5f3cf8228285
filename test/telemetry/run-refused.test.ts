/** Calls that make no span, and many that make theirs at once. */
import { describe, expect, test } from "vitest";
import { memoryCheckpointer } from "spanloom";
import { recordSpans } from "spanloom/testing";
import { attribute, gate, outline } from "./run-support.ts";
import { invocation, noop, pair, saved, step } from "./run-pair.ts";

describe("calls that are refused make no span", () => {
  const refusals: readonly [name: string, call: (runner: ReturnType<typeof pair>) => Promise<unknown>, code: string][] = [
    ["an unknown channel", (runner) => runner.invoke({ nope: 1 } as object), "invalid_input"],
    ["no object", (runner) => runner.invoke([] as object), "invalid_input"],
    ["an id that is taken", (runner) => runner.invoke({}, { sessionId: "paused" }), "session_exists"],
    ["work that is due", (runner) => runner.session("paused").next({}).result, "session_pending"],
    ["no such session", (runner) => runner.session("none").resume().result, "session_not_found"],
    ["an answer that nobody asked for", (runner) => runner.session("paused").resume({ answers: { x: 1 } }).result, "interrupt_not_found"],
    ["a bad next input", (runner) => runner.session("done").next({ nope: 1 } as object).result, "invalid_input"],
    ["a step of a completed session", (runner) => runner.session("done").runStep(), "session_finished"],
    ["a bad first input by hand", (runner) => runner.session("new").create({ nope: 1 } as object), "invalid_input"],
  ];

  test.each(refusals)("%s", async (_name, call, code) => {
    const checkpointer = memoryCheckpointer();
    await pair(noop, { checkpointer }).invoke({}, { sessionId: "done" });
    const runner = pair(noop, { checkpointer, pauseBefore: ["a"] });
    await runner.invoke({}, { sessionId: "paused" });
    const { result, spans } = await recordSpans(() =>
      call(runner).then(
        () => undefined,
        (error: unknown) => error,
      ),
    );
    expect(result).toMatchObject({ code });
    expect(spans).toEqual([]);
  });

  test("a session that runs", async () => {
    const started = gate();
    const go = gate();
    const runner = pair(() => {
      started.resolve();
      return go.promise;
    });
    const running = runner.invoke({}, { sessionId: "s" });
    await started.promise;
    const { spans } = await recordSpans(() =>
      runner
        .session("s")
        .resume()
        .result.catch(() => {}),
    );
    expect(spans).toEqual([]);
    go.resolve();
    await running;
  });

  test("a closed runner", async () => {
    const runner = pair(noop);
    await runner.close();
    const { spans } = await recordSpans(() => runner.invoke({}).catch(() => {}));
    expect(spans).toEqual([]);
  });
});

test("reading, updating, finishing and deleting a session make no span", async () => {
  const runner = pair(noop, { pauseBefore: ["a"] });
  await runner.invoke({}, { sessionId: "s" });
  const { spans } = await recordSpans(async () => {
    const session = runner.session("s");
    await session.state();
    await session.update({ who: "Ada" });
    await session.finish();
    await session.delete();
  });
  expect(spans).toEqual([]);
});

test("many sessions at once: each has a tree of its own", async () => {
  const runner = pair(() => Promise.resolve());
  const ids = Array.from({ length: 20 }, (_item, index) => `s${index}`);
  const { spans } = await recordSpans(() => Promise.all(ids.map((sessionId) => runner.invoke({}, { sessionId }))));
  const roots = spans.filter(({ parentId }) => parentId === undefined);
  expect(roots.map((root) => attribute(root, "session.id"))).toEqual(ids);
  for (const { traceId } of roots) {
    const lines = outline(spans.filter((span) => span.traceId === traceId));
    expect(lines).toEqual([invocation("start", "completed", 2), saved(0), ...step(1, "a", 1), ...step(2, "b", 0)]);
  }
});
