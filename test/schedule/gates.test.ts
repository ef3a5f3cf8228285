/** `gate: "on-change"`: skipped while no channel has changed since the node last started. */
import { describe, expect, it } from "vitest";
import { channel, createRunner, END, graph, input, memoryCheckpointer, replace, type Session, START } from "spanloom";
import type { AnyGraph } from "spanloom";
import { refused } from "./support.ts";

const gated = { gate: "on-change" } as const;
const channels = { n: channel.value(0), log: channel.list<string>() };

/** What ran and (what was skipped), step by step. */
async function stepped(session: Session<AnyGraph>, limit = 12): Promise<readonly string[]> {
  await session.create({});
  const lines: string[] = [];
  for (let step = 0; step < limit; step += 1) {
    const { ranNodes, skippedNodes, completed } = await session.runStep();
    lines.push([...ranNodes, ...skippedNodes.map((name) => `(${name})`)].join(" "));
    if (completed) return lines;
  }
  return lines;
}

/** watch ⇄ tick: `writes` says what tick writes in each of its rounds. */
function loop(writes: readonly (object | undefined)[]) {
  let round = -1;
  return graph({ name: "g", channels })
    .node("watch", () => {}, gated)
    .node("tick", () => writes[(round += 1)] as undefined)
    .edge(START, "watch")
    .edge("watch", "tick")
    .branch("tick", { again: "watch", done: END }, () => (round < writes.length - 1 ? "again" : "done"))
    .compile();
}

const stepsOf = (writes: readonly (object | undefined)[]) => stepped(createRunner(loop(writes)).session("s"));

describe("a gated node", () => {
  it("runs the first time, whatever the versions", async () => {
    expect(await stepsOf([undefined])).toEqual(["watch", "tick"]);
  });

  it("is skipped while nothing changed, and runs after every change; its exits are followed either way", async () => {
    expect(await stepsOf([undefined, { n: 1 }, undefined, { log: ["x"] }, undefined])).toEqual([
      "watch",
      "tick",
      "(watch)",
      "tick",
      "watch",
      "tick",
      "(watch)",
      "tick",
      "watch",
      "tick",
    ]);
  });

  it("takes an equal value, an empty append and an undefined key for no change; a replaced list for one", async () => {
    expect(await stepsOf([{ n: 0 }, { log: [] }, { n: undefined }, { log: replace([]) }, undefined])).toEqual([
      "watch",
      "tick",
      "(watch)",
      "tick",
      "(watch)",
      "tick",
      "(watch)",
      "tick",
      "watch",
      "tick",
    ]);
  });

  it("compares with the versions it saw when it last started: what a skipped round saw does not count", async () => {
    // The change comes in a round in which the node is skipped; it is seen in the next.
    const compiled = graph({ name: "g", channels })
      .node("watch", () => {}, gated)
      .node("late", ({ n }, { step }) => (step === 2 ? { n: n + 1 } : undefined))
      .edge(START, ["watch", "late"])
      .branch("watch", { again: "watch", done: END }, ({ log }) => (log.length > 0 ? "done" : "again"))
      .branch("late", { again: "late", done: END }, ({ n }) => (n > 0 ? "done" : "again"))
      .compile();
    expect(await stepped(createRunner(compiled).session("s"), 4)).toEqual(["watch late", "late (watch)", "watch", "(watch)"]);
  });

  it("counts its own writes as changes", async () => {
    const compiled = graph({ name: "g", channels })
      .node("own", ({ n }) => ({ n: Math.min(n + 1, 2) }), gated)
      .edge(START, "own")
      .branch("own", { again: "own", done: END }, ({ log }) => (log.length > 0 ? "done" : "again"))
      .compile();
    expect(await stepped(createRunner(compiled).session("s"), 5)).toEqual(["own", "own", "own", "(own)", "(own)"]);
  });

  it("keeps its versions over a failure, and another runner knows them", async () => {
    let broken = true;
    const ran: number[] = [];
    const compiled = graph({ name: "g", channels })
      .node("watch", (_state, { step }) => void ran.push(step), gated)
      .node("tick", () => {
        if (broken) throw new Error("x");
      })
      .edge(START, "watch")
      .edge("watch", "tick")
      .branch("tick", { again: "watch", done: END }, () => (broken ? "done" : "again"))
      .compile();
    const checkpointer = memoryCheckpointer();
    await refused(() => createRunner(compiled, { checkpointer }).invoke({}, { sessionId: "s" }), "scheduler");
    broken = false;
    const elsewhere = createRunner(compiled, { checkpointer, maxSteps: 4 });
    await refused(() => elsewhere.session("s").resume().result, "max_steps");
    expect(ran).toEqual([1]);
  });

  it("whose result waits for a later try of its step saw the state of then", async () => {
    let broken = true;
    const compiled = graph({ name: "g", channels })
      .node("watch", () => {}, gated)
      .node("other", () => {
        if (broken) throw new Error("x");
      })
      .edge(START, ["watch", "other"])
      .edge("other", "watch")
      .edge("watch", END)
      .compile();
    for (const updated of [true, false]) {
      broken = true;
      const session = createRunner(compiled, { checkpointer: memoryCheckpointer() }).session("s");
      await session.create({});
      await refused(() => session.runStep(), "scheduler");
      broken = false;
      if (updated) await session.update({ n: 3 });
      await session.runStep();
      const { ranNodes, skippedNodes } = await session.runStep();
      expect([ranNodes, skippedNodes]).toEqual(updated ? [["watch"], []] : [[], ["watch"]]);
    }
  });

  it("that failed did not see what it saw: the same step runs it again", async () => {
    let tries = 0;
    const compiled = graph({ name: "g", channels })
      .node(
        "watch",
        () => {
          if ((tries += 1) === 1) throw new Error("x");
        },
        gated,
      )
      .edge(START, "watch")
      .edge("watch", END)
      .compile();
    const runner = createRunner(compiled);
    await refused(() => runner.invoke({}, { sessionId: "s" }), "scheduler");
    expect((await runner.session("s").resume().result).status).toBe("completed");
    expect(tries).toBe(2);
  });

  it("takes no notice of `errors`", async () => {
    let rounds = 0;
    const compiled = graph({ name: "g", channels })
      .node("watch", () => {}, gated)
      .node("tick", (_state, { reportError }) => reportError(new Error("soft")))
      .edge(START, "watch")
      .edge("watch", "tick")
      .branch("tick", { again: "watch", done: END }, () => ((rounds += 1) < 3 ? "again" : "done"))
      .compile();
    expect(await stepped(createRunner(compiled).session("s"))).toEqual(["watch", "tick", "(watch)", "tick", "(watch)", "tick"]);
  });

  it("that is sent to is never skipped", async () => {
    const items: number[] = [];
    let rounds = 0;
    const compiled = graph({ name: "g", channels, inputs: { work: input<number>() } })
      .node("plan", (_state, { goto, send }) => goto([send("work", 1), send("work", 2)]), { jumps: ["work"] })
      .node("work", (_state, { input: item }) => void items.push(item), gated)
      .edge(START, "plan")
      .branch("work", { again: "plan", done: END }, () => ((rounds += 1) < 2 ? "again" : "done"))
      .compile();
    expect(await stepped(createRunner(compiled).session("s"))).toEqual(["plan", "work work", "plan", "work work"]);
    expect(items).toEqual([1, 2, 1, 2]);
  });

  it("as the handler of a failure is never skipped, since each failure is new", async () => {
    const handled: unknown[] = [];
    const compiled = graph({ name: "g", channels })
      .node("bad", () => Promise.reject(new Error("x")), { onError: "mend" })
      .node("mend", (_state, { step }) => void handled.push(step), gated)
      .edge(START, "bad")
      .edge("bad", END)
      .branch("mend", { again: "bad", done: END }, () => (handled.length < 3 ? "again" : "done"))
      .compile();
    expect((await createRunner(compiled).invoke({})).status).toBe("completed");
    expect(handled).toEqual([2, 4, 6]);
  });

  it("runs again after `next` changed a channel, and not when it changed none", async () => {
    const ran: number[] = [];
    const compiled = graph({ name: "g", channels })
      .node("watch", (_state, { step }) => void ran.push(step), gated)
      .edge(START, "watch")
      .edge("watch", END)
      .compile();
    const runner = createRunner(compiled, { checkpointer: memoryCheckpointer() });
    await runner.invoke({ n: 1 }, { sessionId: "s" });
    await runner.session("s").next({ n: 1 }).result;
    await runner.session("s").next({ n: 2 }).result;
    expect(ran).toEqual([1, 3]);
  });
});
