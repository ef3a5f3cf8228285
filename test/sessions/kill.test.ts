/** A process that is killed at any of its writes: whoever resumes ends where the uninterrupted run ends. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { channel, type Checkpointer, createRunner, END, input, memoryCheckpointer, START } from "spanloom";
import { held, loose, type LooseGraph, mark, marked, settle, wrapped } from "./support.ts";

/** A loop with a fan-out, a join, gates, sub-steps and a deferred node; tells `ran` each node that runs to its end. */
function everything(ran: (entry: string) => void): LooseGraph {
  const note = (state: unknown, context: { readonly node: string; readonly step: number; readonly idempotencyKey: string }): unknown => {
    ran(context.idempotencyKey);
    return mark(state, context);
  };
  return loose(
    { sum: channel.reduce(0, (total: number, add: number) => total + add), round: channel.value(0) },
    { inputs: { work: input<number>() } },
  )
    .node(
      "plan",
      ({ round }, { also, send, idempotencyKey }) => {
        ran(idempotencyKey);
        return also([send("work", round), send("work", 10)], { round: round + 1 });
      },
      { jumps: ["work"] },
    )
    .node("work", async (_state, { input: item, once, idempotencyKey }) => {
      const value = await once("double", () => item * 2);
      ran(idempotencyKey);
      return { sum: value };
    })
    .node("side", note)
    .node("gated", note, { gate: "on-change" })
    .node("joined", note)
    .node("last", note, { defer: true })
    .edge(START, ["plan", "last"])
    .edge("plan", ["side", "gated"])
    .edge(["work", "side"], "joined")
    .edge("gated", END)
    .branch("joined", { again: "plan", done: END }, ({ round }) => (round < 2 ? "again" : "done"))
    .edge("last", END)
    .compile();
}

/** A store that stops answering, before or after one of its writes has been done: what a killed process leaves. */
function killedAt(inner: Checkpointer, write: number, done: boolean): { readonly store: Checkpointer; readonly dead: Promise<void> } {
  const { promise: dead, resolve } = Promise.withResolvers<void>();
  const never = new Promise<never>(() => {});
  let writes = 0;
  const guard =
    (method: "save" | "amend" | "addResults") =>
    async (...given: readonly unknown[]) => {
      writes += 1;
      // The arguments are passed on as they came.
      const call = inner[method] as (...all: readonly unknown[]) => unknown;
      if (writes > write) return never;
      if (writes === write && !done) {
        resolve();
        return never;
      }
      const receipt = await call.apply(inner, [...given]);
      if (writes < write) return receipt;
      resolve();
      return never;
    };
  const store = { ...wrapped(() => undefined, inner), save: guard("save"), amend: guard("amend"), addResults: guard("addResults") };
  return { store: store as unknown as Checkpointer, dead };
}

describe("a killed session", () => {
  it("ends as the uninterrupted run does, runs no entry again whose step was stored, and is never said to be complete before", async () => {
    const options = { concurrency: 2 };
    const whole = await createRunner(
      everything(() => {}),
      options,
    ).invoke({});
    const counting = wrapped(() => undefined);
    await createRunner(
      everything(() => {}),
      { ...options, checkpointer: counting },
    ).invoke({});
    const writes = counting.calls.save + counting.calls.amend + counting.calls.addResults;
    expect(writes).toBeGreaterThan(10);
    for (let write = 1; write <= writes; write += 1) {
      for (const done of [false, true]) {
        const inner = memoryCheckpointer();
        const { store, dead } = killedAt(inner, write, done);
        createRunner(
          everything(() => {}),
          { ...options, checkpointer: store },
        ).stream({}, { sessionId: "s" });
        await dead;
        await settle(2);
        const left = await inner.load("s");
        const stored = new Set(left?.record.results.map(({ node, ordinal }) => `s/${left.record.step + 1}/${node}/${ordinal}`));
        const ran: string[] = [];
        const session = createRunner(
          everything((entry) => void ran.push(entry)),
          { ...options, checkpointer: inner },
        ).session("s");
        const last = write === writes && done;
        expect(left?.record.status, `write ${write}`).toBe(left === undefined ? undefined : last ? "completed" : "running");
        const result = await (left === undefined ? session.start({}) : session.resume()).result;
        expect([result.status, result.state, result.step, result.versions], `write ${write}, ${done ? "done" : "lost"}`).toEqual([
          "completed",
          whole.state,
          whole.step,
          whole.versions,
        ]);
        expect(ran.filter((entry) => stored.has(entry) || Number(entry.split("/")[1]) <= (left?.record.step ?? 0))).toEqual([]);
      }
    }
  });

  it("may be killed again and again (property)", async () => {
    const whole = await createRunner(everything(() => {})).invoke({});
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.integer({ min: 1, max: 6 }), fc.boolean()), { maxLength: 6 }), async (kills) => {
        const inner = memoryCheckpointer();
        const go = async (checkpointer: Checkpointer) => {
          const session = createRunner(
            everything(() => {}),
            { checkpointer },
          ).session("s");
          return (await inner.load("s")) === undefined ? session.start({}) : session.resume();
        };
        for (const [write, done] of kills) {
          const { store, dead } = killedAt(inner, write, done);
          const run = await go(store);
          await Promise.race([dead, run.result]);
          await settle(1);
        }
        expect((await (await go(inner)).result).state).toEqual(whole.state);
      }),
      { seed: 4, numRuns: 30 },
    );
  });

  it("runs a sub-step once that was stored, although its entry runs again", async () => {
    const inner = memoryCheckpointer();
    let calls = 0;
    const slow = held();
    const graph = loose()
      .node("a", async (state, context) => {
        const value = await context.once("k", () => (calls += 1));
        if (calls === 1 && context.invocationId === first.invocationId) await slow.handler(state, context);
        return { log: [`${value}`] };
      })
      .edge(START, "a")
      .edge("a", END)
      .compile();
    const first = createRunner(graph, { checkpointer: inner }).stream({}, { sessionId: "s" });
    await slow.entered;
    const { state } = await createRunner(graph, { checkpointer: inner }).session("s").resume().result;
    expect([calls, state["log"]]).toEqual([1, ["1"]]);
    slow.open();
    await expect(first.result).rejects.toMatchObject({ code: "checkpoint_failed", cause: { code: "checkpoint_conflict" } });
  });

  it("that was deleted elsewhere, or begun anew under its id, is lost to its old owner", async () => {
    for (const anew of [false, true]) {
      const checkpointer = memoryCheckpointer();
      const slow = held();
      const graph = marked(loose(), "b").node("a", slow.handler).edge(START, "a").edge("a", "b").edge("b", END).compile();
      const run = createRunner(graph, { checkpointer }).stream({}, { sessionId: "s" });
      await slow.entered;
      const other = createRunner(graph, { checkpointer, pauseBefore: ["a"] }).session("s");
      await other.delete();
      if (anew) await other.start({}).result;
      slow.open();
      await expect(run.result).rejects.toMatchObject({ code: "checkpoint_failed", cause: { code: "checkpoint_conflict" } });
      expect((await checkpointer.load("s"))?.record.step).toBe(anew ? 0 : undefined);
    }
  });
});
