/** Which trace an invocation goes on with, in each mode, and what it links to. */
import { context, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { forged, isInvocation, minutes, type Mode, modes, scene } from "./continuity-support.ts";
import { noop, pair } from "./run-pair.ts";
import { UserError } from "./run-support.ts";

beforeAll(() => void context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()));
afterAll(() => context.disable());

type Scene = ReturnType<typeof scene>;
type Runner = ReturnType<Scene["runner"]>;

/** A first invocation, and one that goes on. */
interface Step {
  readonly first: (scene: Scene, mode: Mode) => Promise<Runner>;
  readonly then: (runner: Runner) => Promise<unknown>;
  readonly links: string;
}

const paused: Step["first"] = async ({ runner }, mode) => {
  const made = runner(mode);
  await made.invoke({}, { sessionId: "s" });
  return made;
};

const steps: Readonly<Record<string, Step>> = {
  resume: { first: paused, then: (runner) => runner.session("s").resume().result, links: "resumed_from 0, origin 0" },
  next: {
    first: async ({ runner }, mode) => {
      const made = runner(mode, { pauseAfter: [] });
      await made.invoke({}, { sessionId: "s" });
      return made;
    },
    then: (runner) => runner.session("s").next({}).result,
    links: "resumed_from 0, origin 0",
  },
  "rerun after a failure": {
    first: async ({ runner }, mode) => {
      let calls = 0;
      const made = runner(mode, {}, () => {
        calls += 1;
        if (calls === 1) throw new UserError("once");
      });
      await made.invoke({}, { sessionId: "s" }).catch(noop);
      return made;
    },
    then: (runner) => runner.session("s").resume({ rerun: "all" }).result,
    links: "resumed_from 0, origin 0",
  },
  "resume by hand": { first: paused, then: (runner) => runner.session("s").runStep(), links: "resumed_from 0, origin 0" },
  fork: {
    first: paused,
    then: async (runner) => (await runner.session("s").fork({ sessionId: "f" })).resume().result,
    links: "forked_from 0",
  },
};

const rests: readonly (readonly [name: string, milliseconds: number])[] = [
  ["at once", 0],
  ["after 15 minutes", minutes(15)],
  ["after 15 minutes and 1 ms", minutes(15) + 1],
  ["after a month", minutes(60 * 24 * 30)],
];

describe.each(modes)("%s", (mode) => {
  test.each(Object.keys(steps).flatMap((name) => rests.map(([rest, milliseconds]) => [name, rest, milliseconds] as const)))(
    "%s %s",
    async (name, _rest, milliseconds) => {
      const { first, then, links } = steps[name] as Step;
      const set = scene();
      const runner = await first(set, mode);
      await set.clock.advance(milliseconds);
      await then(runner);
      const continues = mode === "continued" || (mode === "auto" && milliseconds <= minutes(15));
      expect(set.lines()).toEqual(["A", `${continues ? "A < 0" : "B"}: ${links}`]);
      // Links are the invocation's alone.
      expect(set.spans.filter((span) => !isInvocation(span)).flatMap((span) => span.links)).toEqual([]);
    },
  );

  test("a trace of fewer than 5 000 spans has room", async () => {
    for (const [spans, isFull] of [
      [4_999, false],
      [5_000, true],
    ] as const) {
      const { runner, store, lines } = scene();
      await runner(mode).invoke({}, { sessionId: "s" });
      const checkpointer = forged(store, (real) => ({ ...real, spans }));
      await runner(mode, { checkpointer }).session("s").resume().result;
      const continues = mode === "continued" || (mode === "auto" && !isFull);
      expect(lines()).toEqual(["A", `${continues ? "A < 0" : "B"}: resumed_from 0, origin 0`]);
    }
  });

  test("the caller's span is the parent, with the same links; whoever comes after goes on from there", async () => {
    const { runner, provider, lines } = scene();
    const session = runner(mode, { pauseEachStep: true }).session("s");
    await session.start({}).result;
    await provider.getTracer("user").startActiveSpan("caller", async (span) => {
      await session.resume().result;
      span.end();
    });
    await session.next({}).result;
    expect(lines()).toEqual([
      "A",
      "B < caller: resumed_from 0, origin 0",
      `${mode === "linked" ? "C" : "B < 1"}: resumed_from 1, origin 0`,
    ]);
  });
});

test("auto is the default", async () => {
  const { runner, clock, lines } = scene();
  const session = runner(undefined, { pauseEachStep: true }).session("s");
  await session.start({}).result;
  await session.resume().result;
  await clock.advance(minutes(16));
  await session.next({}).result;
  await session.resume().result;
  expect(lines()).toEqual(["A", "A < 0: resumed_from 0, origin 0", "B: resumed_from 1, origin 0", "B < 2: resumed_from 2, origin 0"]);
});

test.each(["Auto", "", "new", true, 5, null])("traceMode %j is refused", (traceMode) => {
  const wrong = () => pair(noop, { telemetry: { traceMode: traceMode as "auto" } });
  expect(wrong).toThrow(
    expect.objectContaining({
      code: "invalid_option",
      facts: expect.objectContaining({
        option: "telemetry.traceMode",
        reason: expect.stringMatching(/^must be "auto" or "continued" or "linked"/),
      }),
    }),
  );
});

test("a runner that makes no spans takes the mode, and leaves the trace of others as it was", async () => {
  const { runner, stored } = scene();
  await runner("auto").invoke({}, { sessionId: "s" });
  const before = await stored();
  expect(before).toBeDefined();
  await runner("auto", { telemetry: false }).session("s").resume().result;
  expect(await stored()).toEqual(before);
});

test("a process without an SDK hands the line on", async () => {
  const { runner, lines, stored } = scene();
  await runner("continued").invoke({}, { sessionId: "s" });
  const before = await stored();
  const silent = runner("continued", { telemetry: { traceMode: "continued" }, pauseEachStep: true });
  const active: unknown[] = [];
  const inside = runner("continued", { telemetry: { traceMode: "continued" } }, () => active.push(trace.getActiveSpan()));
  await silent.session("s").resume().result;
  await inside.session("s").next({}).result;
  expect(await stored()).toEqual(before);
  // The stored context was nobody's span there.
  expect(active).toEqual([undefined]);
  await runner("continued").session("s").resume().result;
  expect(lines()).toEqual(["A", "A < 0: resumed_from 0, origin 0"]);
});

test("a session that a running invocation is taken over from: the new owner goes on with its trace", async () => {
  const { runner, lines } = scene();
  const here = runner("auto", { pauseAfter: [] }).session("s");
  const there = runner("auto", { pauseAfter: [] }).session("s");
  await here.create({});
  await there.resume().result;
  await expect(here.runStep()).rejects.toMatchObject({ code: "checkpoint_failed" });
  expect(lines()).toEqual(["A", "A < 0: resumed_from 0, origin 0"]);
});

test("a session that is resumed inside a node of another has that node's trace, in any mode", async () => {
  for (const mode of modes) {
    const { runner, lines, spans } = scene();
    const inner = runner(mode);
    await inner.invoke({}, { sessionId: "s" });
    const outer = runner(mode, { pauseAfter: [] }, () => inner.session("s").resume().result);
    await outer.invoke({}, { sessionId: "outer" });
    expect(lines()).toEqual(["A", "B", "B < execute_node a: resumed_from 0, origin 0"]);
    expect(spans.filter(isInvocation)).toHaveLength(3);
  }
});
