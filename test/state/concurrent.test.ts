/** Two entries of one superstep that write the same channel. */
import { channel, END, input, memoryCheckpointer, replace, START } from "spanloom";
import { describe, expect, it } from "vitest";
import { causeOf, loose, parallel, refusal, runnerOf } from "./support.ts";

const bothWrite = (declared: unknown, first: unknown, second: unknown) =>
  parallel({ c: declared, other: channel.value("before") }, { left: () => ({ c: first, other: "after" }), right: () => ({ c: second }) });

describe("two nodes that write the same channel in one superstep", () => {
  it("are an error naming both and the channel, for value and optional, equal values too", async () => {
    for (const declared of [channel.value<unknown>(0), channel.optional<unknown>()]) {
      for (const [first, second] of [
        [1, 2],
        [1, 1],
        [0, 0],
        [null, null],
        [replace(1), 1],
        [replace(undefined), 1],
      ]) {
        if (first !== null && typeof first === "object" && declared["~channel"].kind === "value") continue;
        const error = await refusal("barrier", () => runnerOf(bothWrite(declared, first, second)).invoke({}));
        const cause = causeOf(error, "concurrent_write");
        expect(cause.facts).toMatchObject({ channel: "c", nodes: ["left", "right"], step: 1 });
        expect(cause.message).toMatch(/left.*right.*"c"/);
        expect(error.facts).toMatchObject({ channel: "c", step: 1 });
      }
    }
  });

  it("leave the state, its versions, the step and what is due as they were", async () => {
    const session = runnerOf(bothWrite(channel.value(0), 1, 2)).session("s");
    const before = await session.create({});
    await refusal("barrier", () => session.runStep());
    const after = await session.state();
    expect(after.status).toBe("failed");
    expect(after).toMatchObject({ state: before.state, versions: before.versions, step: 0, checkpointId: before.checkpointId });
  });

  it("name all of them when there are three", async () => {
    const write = () => ({ c: 1 });
    const compiled = parallel({ c: channel.value(0) }, { a: write, b: () => undefined, c: write, d: write });
    const cause = causeOf(await refusal("barrier", () => runnerOf(compiled).invoke({})), "concurrent_write");
    expect(cause.facts["nodes"]).toEqual(expect.arrayContaining(["a", "c"]));
    expect(cause.facts["nodes"]).not.toContain("b");
  });

  it("are none when one of them has it undefined", async () => {
    expect((await runnerOf(bothWrite(channel.value(0), 1, undefined)).invoke({})).state["c"]).toBe(1);
  });

  it("are an error for two entries of one node, which is named twice", async () => {
    const compiled = loose({ c: channel.value(0) }, { inputs: { each: input() } })
      .node("plan", (_state, { goto, send }) => goto([send("each", 1), send("each", 2)]), { jumps: ["each"] })
      .node("each", (_state, { input: item }) => ({ c: item }))
      .edge(START, "plan")
      .edge("each", END)
      .compile();
    const cause = causeOf(await refusal("barrier", () => runnerOf(compiled).invoke({})), "concurrent_write");
    expect(cause.facts).toMatchObject({ nodes: ["each", "each"], step: 2 });
  });

  it('settle by frontier order with `concurrent: "last"`, whoever finished last', async () => {
    for (const declared of [channel.value(0), channel.optional<number>()]) {
      const { promise: rightIsDone, resolve } = Promise.withResolvers<void>();
      const compiled = parallel(
        { c: declared.with({ concurrent: "last" }) },
        { left: () => rightIsDone.then(() => ({ c: 1 })), right: async () => (await Promise.resolve(), resolve(), { c: 2 }) },
      );
      expect((await runnerOf(compiled).invoke({})).state["c"]).toBe(2);
    }
  });

  it('may clear an optional channel last, with `concurrent: "last"` and a schema', async () => {
    const text = {
      "~standard": {
        version: 1 as const,
        vendor: "test",
        validate: (value: unknown) => (typeof value === "string" ? { value } : { issues: [{ message: "is no text" }] }),
      },
    };
    const declared = channel.optional<string>().with({ concurrent: "last", schema: text });
    expect((await runnerOf(bothWrite(declared, "x", replace(undefined))).invoke({ c: "first" })).state["c"]).toBeUndefined();
  });
});

describe("several replace of one channel in one superstep", () => {
  it("are a concurrent write for every kind of channel", async () => {
    const kinds: readonly (readonly [unknown, unknown])[] = [
      [channel.list<number>(), [1]],
      [channel.merge<object>({}), { a: 1 }],
      [channel.reduce(0, (a, b: number) => a + b), 1],
      [channel.messages(), [{ role: "user", content: "" }]],
    ];
    for (const [declared, value] of kinds) {
      const error = await refusal("barrier", () => runnerOf(bothWrite(declared, replace(value), replace(value))).invoke({}));
      expect(causeOf(error, "concurrent_write").facts).toMatchObject({ channel: "c" });
      expect((causeOf(error, "concurrent_write").facts["nodes"] as string[]).toSorted()).toEqual(["left", "right"]);
    }
  });

  it("are named without the nodes that only folded in", async () => {
    const compiled = parallel(
      { c: channel.list<number>() },
      { adds: () => ({ c: [1] }), one: () => ({ c: replace([2]) }), two: () => ({ c: replace([3]) }) },
    );
    const cause = causeOf(await refusal("barrier", () => runnerOf(compiled).invoke({})), "concurrent_write");
    expect(cause.facts["nodes"]).toEqual(["one", "two"]);
  });

  it('are none when the channel says `concurrent: "last"`', async () => {
    const declared = channel.list<number>().with({ concurrent: "last" });
    expect((await runnerOf(bothWrite(declared, replace([1]), replace([2]))).invoke({})).state["c"]).toEqual([2]);
  });

  it("are none in two supersteps, nor beside writes that fold", async () => {
    expect((await runnerOf(bothWrite(channel.list<number>(), replace([1]), [2])).invoke({})).state["c"]).toEqual([1, 2]);
    expect((await runnerOf(bothWrite(channel.list<number>(), [2], replace([1]))).invoke({})).state["c"]).toEqual([1]);
  });
});

describe("after a concurrent write", () => {
  it("a resume with a mended graph runs no node again", async () => {
    const runs: string[] = [];
    const graphWith = (declared: unknown) =>
      parallel({ c: declared }, { left: () => (runs.push("left"), { c: 1 }), right: () => (runs.push("right"), { c: 2 }) });
    const checkpointer = memoryCheckpointer();
    const failing = runnerOf(graphWith(channel.value(0)), { checkpointer });
    await refusal("barrier", () => failing.invoke({}, { sessionId: "s" }));
    const mended = runnerOf(graphWith(channel.value(0).with({ concurrent: "last" })), { checkpointer });
    const { status, state } = await mended.session("s").resume().result;
    expect({ status, c: state["c"], runs }).toEqual({ status: "completed", c: 2, runs: ["left", "right"] });
  });
});
