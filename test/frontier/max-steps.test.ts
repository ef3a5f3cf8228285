/** `maxSteps`: a runaway loop ends with a typed error, and the session stays resumable. */
import { describe, expect, it } from "vitest";
import { channel, createRunner, END, memoryCheckpointer, RunnerError, START } from "spanloom";
import { chain, collect, expectCode, loose, type LooseGraph, ofType, typesOf } from "../sessions/support.ts";

const counting = (until: number): LooseGraph =>
  loose({ n: channel.value(0) })
    .node("a", ({ n }) => ({ n: n + 1 }))
    .edge(START, "a")
    .branch("a", { again: "a", done: END }, ({ n }) => (n < until ? "again" : "done"))
    .compile();

describe("maxSteps", () => {
  it("of n lets a run take exactly n supersteps", async () => {
    expect(await createRunner(counting(5), { maxSteps: 5 }).invoke({})).toMatchObject({ status: "completed", steps: 5 });
    await expectCode(() => createRunner(counting(6), { maxSteps: 5 }).invoke({}), "max_steps");
    expect(await createRunner(chain("a").compile(), { maxSteps: 1 }).invoke({})).toMatchObject({ status: "completed" });
  });

  it("is 1 000 by default", async () => {
    expect(await createRunner(counting(1_000)).invoke({})).toMatchObject({ steps: 1_000 });
    const error = await expectCode(() => createRunner(counting(1_001)).invoke({}, { sessionId: "s" }), "max_steps");
    expect(error).toBeInstanceOf(RunnerError);
    expect(error.facts).toEqual({ maxSteps: 1_000, step: 1_000, sessionId: "s" });
  });

  it("counts each invocation's own: a resume takes as many again, and the next input too", async () => {
    const checkpointer = memoryCheckpointer();
    const session = createRunner(counting(7), { maxSteps: 3, checkpointer }).session("s");
    await expectCode(() => session.start({}).result, "max_steps");
    expect(await session.state()).toMatchObject({ status: "failed", step: 3, next: ["a"], state: { n: 3 } });
    await expectCode(() => session.resume().result, "max_steps");
    expect(await session.state()).toMatchObject({ status: "failed", step: 6 });
    expect(await session.resume().result).toMatchObject({ status: "completed", steps: 1, step: 7 });
    await expectCode(() => session.next({ n: 0 }).result, "max_steps");
    expect(await session.state()).toMatchObject({ status: "failed", step: 10 });
  });

  it("fails with events as any failure does, and leaves the steps that were done", async () => {
    const { events, error } = await collect(createRunner(counting(9), { maxSteps: 2 }).stream({}));
    expect(error).toMatchObject({ code: "max_steps" });
    expect(ofType(events, "superstep.completed")).toHaveLength(2);
    expect(ofType(events, "superstep.started")).toHaveLength(2);
    expect(ofType(events, "invocation.failed").map(({ data }) => data.code)).toEqual(["max_steps"]);
    expect(typesOf(events).at(-1)).toBe("invocation.failed");
  });

  it("holds for steps by hand", async () => {
    const session = createRunner(counting(9), { maxSteps: 2, checkpointer: memoryCheckpointer() }).session("s");
    await session.create({});
    await session.runStep();
    await session.runStep();
    await expectCode(() => session.runStep(), "max_steps");
    expect(await session.state()).toMatchObject({ status: "failed", step: 2 });
    expect(await session.runStep(), "another invocation").toMatchObject({ step: 3 });
  });

  it("must be a whole number from 1", () => {
    for (const maxSteps of [0, -1, 1.5, Number.NaN, "3" as unknown as number]) {
      expect
        .soft(() => createRunner(counting(1), { maxSteps }), String(maxSteps))
        .toThrow(expect.objectContaining({ code: "invalid_option" }));
    }
    // Without a bound is not among them: a loop that never ends would hold its session for ever.
    expect(() => createRunner(counting(1), { maxSteps: Number.POSITIVE_INFINITY })).toThrow(RunnerError);
  });
});
