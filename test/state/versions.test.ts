/** Versions: from 1, one more at a barrier that changed the channel, never otherwise. */
import { channel, memoryCheckpointer, replace } from "spanloom";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { loose, oneStep, parallel, refusal, runnerOf, sequence, type Handler } from "./support.ts";

const channels = {
  v: channel.value<unknown>(1),
  o: channel.optional<unknown>(),
  l: channel.list<unknown>(),
  m: channel.merge<Record<string, unknown>>({ a: 1 }),
  r: channel.reduce(0, (total, add: number) => total + add),
};
const all = { v: 1, o: 1, l: 1, m: 1, r: 1, errors: 1 };

const versionsAfter = async (run: Handler, input: object = {}) => (await oneStep(parallel(channels, { n: run }), { ...input })).report;

describe("the version of a channel", () => {
  it("starts at 1, whatever the first input writes", async () => {
    const session = runnerOf(parallel(channels, { n: () => undefined })).session("s");
    const { versions, step } = await session.create({ v: 2, o: "x", l: [1, 2], m: { b: 1 }, r: 5 });
    expect(versions).toEqual(all);
    expect(step).toBe(0);
  });

  it("rises by one at a barrier that changed it, however many wrote it", async () => {
    const compiled = parallel(channels, {
      a: () => ({ v: 2, l: [1, 2, 3], r: 1 }),
      b: () => ({ o: null, l: [4], m: { a: 2, b: 1 }, r: 1 }),
    });
    const { report } = await oneStep(compiled);
    expect(report.versions).toEqual({ ...all, v: 2, o: 2, l: 2, m: 2, r: 2 });
    expect(report.updatedChannels).toEqual(["v", "o", "l", "m", "r"]);
  });

  it("does not rise for equal primitives, empty appends, no-op merges and reducers that give the same", async () => {
    const report = await versionsAfter(() => ({ v: 1, l: [], m: { a: 1, none: null, b: undefined }, r: 0 }));
    expect(report.versions).toEqual(all);
    expect(report.updatedChannels).toEqual([]);
  });

  it("compares by Object.is: NaN is NaN, and -0 is not 0", async () => {
    expect((await versionsAfter(() => ({ v: NaN }), { v: NaN })).updatedChannels).toEqual([]);
    expect((await versionsAfter(() => ({ v: -0 }), { v: 0 })).updatedChannels).toEqual(["v"]);
    expect((await versionsAfter(() => ({ m: { a: NaN } }), { m: { a: NaN } })).updatedChannels).toEqual([]);
  });

  it("rises for an equal object that is another one, and not for the very one that was read", async () => {
    const input = { v: { deep: [1] }, l: [1] };
    expect((await versionsAfter(() => ({ v: { deep: [1] } }), input)).updatedChannels).toEqual(["v"]);
    expect((await versionsAfter((state) => ({ v: state.v }), input)).updatedChannels).toEqual([]);
    expect(
      (await versionsAfter((state) => ({ v: replace(state.v), l: replace(state.l), m: replace(state.m) }), input)).updatedChannels,
    ).toEqual([]);
  });

  it("does not rise when the folded value comes back to what it was", async () => {
    const compiled = parallel(channels, { a: () => ({ r: 5, m: { b: 1 } }), b: () => ({ r: -5 }) });
    expect((await oneStep(compiled)).report.updatedChannels).toEqual(["m"]);
  });

  it("does not rise when an optional channel is cleared that was absent", async () => {
    expect((await versionsAfter(() => ({ o: replace(undefined) }))).updatedChannels).toEqual([]);
    expect((await versionsAfter(() => ({ o: replace(undefined) }), { o: 1 })).updatedChannels).toEqual(["o"]);
  });

  it("does not rise for an empty append to a list that a schema watches", async () => {
    const watched = { l: channel.list<{ n: number }>().with({ schema: z.array(z.object({ n: z.number() })) }) };
    const { report } = await oneStep(parallel(watched, { n: () => ({ l: [] }) }), { l: [{ n: 1 }] });
    expect(report.updatedChannels).toEqual([]);
  });

  it("stays as it is when the step fails", async () => {
    const compiled = parallel(channels, {
      a: () => ({ v: 2, l: [1] }),
      b: () => {
        throw new Error("no");
      },
    });
    const session = runnerOf(compiled).session("s");
    await session.create({});
    await refusal("scheduler", () => session.runStep());
    const { versions, step, state } = await session.state();
    expect({ versions, step, v: state["v"] }).toEqual({ versions: all, step: 0, v: 1 });
  });

  it("rises by the next input and by an update from outside, and is restored on resume", async () => {
    const store = memoryCheckpointer();
    const compiled = sequence(channels, [() => ({ r: 1 })]);
    const session = runnerOf(compiled, { checkpointer: store }).session("s");
    await session.start({ v: 5 }).result;
    const second = await session.next({ v: 6, l: [] }).result;
    expect(second.versions).toEqual({ ...all, v: 2, r: 3 });
    const updated = await session.update({ o: "x" });
    expect(updated.versions).toEqual({ ...all, v: 2, r: 3, o: 2 });
    const elsewhere = await runnerOf(compiled, { checkpointer: store }).session("s").next({ o: "y" }).result;
    expect(elsewhere.versions).toEqual({ ...all, v: 2, r: 4, o: 3 });
  });

  it("names every channel in the order declared, errors last", async () => {
    const { report } = await oneStep(parallel({ z: channel.value(0), a: channel.value(0) }, { n: () => undefined }));
    expect(Object.keys(report.versions)).toEqual(["z", "a", "errors"]);
  });

  it("gives a gated node its turn when a channel changed, its own writes included, and not for errors", async () => {
    const runs: number[] = [];
    const compiled = loose({ n: channel.value(0), rounds: channel.value(0) })
      .node("loop", (state, { reportError, step }) => {
        reportError(new Error(`round ${step}`));
        return step <= 2 ? { rounds: state.rounds + 1 } : {};
      })
      .node("gated", (_state, { step }) => void runs.push(step), { gate: "on-change" })
      .edge("start", "loop")
      .edge("loop", "gated")
      .branch("gated", { again: "loop", done: "end" }, ({ errors }) => ((errors as unknown[]).length < 4 ? "again" : "done"))
      .compile();
    const { state, versions } = await runnerOf(compiled).invoke({});
    // Rounds of the loop: steps 1, 3, 5 and 7; only the first changed a channel other than errors.
    expect(runs).toEqual([2]);
    expect(state["rounds"]).toBe(1);
    expect(versions["errors"]).toBe(5);
  });
});
