/** A barrier assigns all or nothing, and a step that is tried again folds each update exactly once. */
import { channel, memoryCheckpointer, type Checkpointer, type ErrorRecord } from "spanloom";
import { describe, expect, it } from "vitest";
import { loose, parallel, refusal, runnerOf } from "./support.ts";

const records = (state: { readonly errors?: unknown }): readonly ErrorRecord[] => state.errors as readonly ErrorRecord[];
const total = () => channel.reduce(0, (sum, add: number) => sum + add);

describe("a step that fails at the barrier", () => {
  it("assigns none of the channels, whatever was folded before the one that failed", async () => {
    const failing = channel.reduce<number, number>(0, () => {
      throw new Error("no");
    });
    const channels = { total: total(), log: channel.list(["before"]), settings: channel.merge<object>({ a: 1 }), failing };
    const compiled = parallel(channels, {
      first: () => ({ total: 1, log: ["a"], settings: { b: 2 } }),
      second: (_state, { reportError }) => (reportError(new Error("soft")), { failing: 1, log: ["b"] }),
    });
    const session = runnerOf(compiled).session("s");
    const before = await session.create({});
    await refusal("barrier", () => session.runStep());
    const after = await session.state();
    expect(after).toMatchObject({ state: before.state, versions: before.versions, step: 0, status: "failed" });
  });

  it("can be tried again on the same results, even if a reducer had changed the Map that it was given", async () => {
    const runs: string[] = [];
    const graphWith = (fails: boolean) => {
      const collected = channel.reduce<readonly string[], Map<string, number>>([], (current, update) => {
        const keys = [...update.keys()];
        update.clear();
        if (fails) throw new Error("after it was changed");
        return [...current, ...keys];
      });
      return parallel({ collected }, { n: () => (runs.push("n"), { collected: new Map([["k", 1]]) }), m: () => undefined });
    };
    const checkpointer = memoryCheckpointer();
    await refusal("barrier", () => runnerOf(graphWith(true), { checkpointer }).invoke({}, { sessionId: "s" }));
    const { state } = await runnerOf(graphWith(false), { checkpointer }).session("s").resume().result;
    expect(state["collected"]).toEqual(["k"]);
    expect(runs).toEqual(["n"]);
  });
});

describe("a step that fails at its frontier", () => {
  it("has assigned nothing; resumed with a mended branch, no node runs again and each update counts once", async () => {
    const runs: string[] = [];
    const graphWith = (decide: (state: Record<string, unknown>) => unknown) =>
      loose({ total: total(), log: channel.list<string>() })
        .node("n", (_state, { reportError }) => (runs.push("n"), reportError(new Error("soft")), { total: 5, log: ["n"] }))
        .branch("n", { done: "end" }, decide)
        .edge("start", "n")
        .compile();
    const checkpointer = memoryCheckpointer();
    const broken = runnerOf(
      graphWith(() => {
        throw new Error("undecided");
      }),
      { checkpointer },
    );
    await refusal("frontier", () => broken.invoke({}, { sessionId: "s" }));
    const failed = await broken.session("s").state();
    expect(failed).toMatchObject({ step: 0, state: { total: 0, log: [], errors: [] }, versions: { total: 1, log: 1, errors: 1 } });
    const seen: unknown[] = [];
    const mended = runnerOf(
      graphWith((state) => (seen.push(state["total"]), "done")),
      { checkpointer },
    );
    const { state, versions } = await mended.session("s").resume().result;
    expect(state).toMatchObject({ total: 5, log: ["n"], errors: [{ node: "n" }] });
    expect({ versions, runs, seen }).toEqual({ versions: { total: 2, log: 2, errors: 2 }, runs: ["n"], seen: [5] });
  });
});

describe("a step whose nodes fail one after the other", () => {
  async function resumed(checkpointer: Checkpointer | undefined) {
    const broken = new Set(["b", "c"]);
    const runs: string[] = [];
    const run = (name: string) => (_state: unknown, context: { reportError: (error: Error) => void }) => {
      runs.push(name);
      if (broken.has(name)) throw new Error(name);
      context.reportError(new Error(`from ${name}`));
      return { total: 1, log: [name] };
    };
    const compiled = parallel({ total: total(), log: channel.list<string>() }, { a: run("a"), b: run("b"), c: run("c"), d: run("d") });
    const runner = runnerOf(compiled, checkpointer === undefined ? {} : { checkpointer });
    await refusal("scheduler", () => runner.invoke({}, { sessionId: "s" }));
    broken.delete("c");
    await refusal("scheduler", () => runner.session("s").resume().result);
    broken.delete("b");
    const { state } = await runner.session("s").resume().result;
    return { state, runs };
  }

  it("folds the pending results and the new ones in frontier order, each once", async () => {
    for (const checkpointer of [undefined, memoryCheckpointer()]) {
      const { state, runs } = await resumed(checkpointer);
      expect(state).toMatchObject({ total: 4, log: ["a", "b", "c", "d"] });
      expect(records(state).map(({ error }) => error.message)).toEqual(["a", "b", "c", "d"].map((name) => `from ${name}`));
      expect(runs).toEqual(["a", "b", "c", "d", "b", "c", "b"]);
    }
  });
});
