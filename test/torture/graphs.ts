/** The graphs that are tortured: each ends in one state, whatever happens on the way. */
import { setImmediate as turn } from "node:timers/promises";
import { channel, END, graph, START } from "spanloom";
import { type Case, failFirst, type Place, ran, subStep, sum } from "./case.ts";
import { mixed, sends } from "./sent-graphs.ts";
import type { World } from "./world.ts";

/** A loop whose list grows, with a gated node beside it that is skipped after each rest. */
function loop(world: World): Case {
  const compiled = graph({ name: "loop", channels: { log: channel.list<number>(), n: channel.value(0) } })
    .node("count", async ({ n }, context) => {
      ran(world, context);
      await turn();
      return { n: n + 1, log: [n] };
    })
    .node("rest", (_state, context) => ran(world, context))
    .node("watch", (_state, context) => ran(world, context), { gate: "on-change" })
    .edge(START, ["count", "watch"])
    .branch("count", { again: ["count", "watch"], rest: ["rest", "watch"], end: END }, ({ n }) =>
      n >= 12 ? "end" : n % 3 === 0 ? "rest" : "again",
    )
    .edge("rest", ["count", "watch"])
    .edge("watch", END)
    .compile();
  return { graph: compiled, inputs: [{}] };
}

/** Fan-out by edges, a join, and a node that waits until nothing else is due. */
function joins(world: World): Case {
  const work = (add: number) => async (_state: unknown, context: Place) => {
    ran(world, context);
    for (let index = 0; index < add; index += 1) await turn();
    return { total: add, log: [context.node] };
  };
  const compiled = graph({ name: "joins", channels: { total: sum(), log: channel.list<string>(), round: channel.value(0) } })
    .node("plan", ({ round }, context) => {
      ran(world, context);
      return { round: round + 1 };
    })
    .node("a", work(1))
    .node("b", work(2))
    .node("c", work(3))
    .node("d", work(4))
    .node("joined", work(10))
    .node("last", work(5), { defer: true })
    .edge(START, ["plan", "last"])
    .edge("plan", ["a", "b", "c"])
    .edge("c", "d")
    .edge(["a", "b", "d"], "joined")
    .branch("joined", { again: "plan", end: END }, ({ round }) => (round < 3 ? "again" : "end"))
    .edge("last", END)
    .compile();
  return { graph: compiled, inputs: [{}] };
}

/** Tries that fail, entries that fail the whole step, and a failure that is routed. */
function failures(world: World): Case {
  const flaky = (times: number) => async (_state: unknown, context: Place) => {
    ran(world, context);
    await turn();
    failFirst(world, context, times);
    return { log: [`${context.node}@${context.step}`] };
  };
  const retry = { attempts: 3, initialDelay: 1, jitter: false } as const;
  const compiled = graph({ name: "failures", channels: { log: channel.list<string>(), round: channel.value(0) } })
    .node("plan", ({ round }, context) => {
      ran(world, context);
      return { round: round + 1 };
    })
    .node("steady", flaky(0))
    .node("retried", flaky(2), { retry })
    .node("fails", flaky(1))
    .node("failsTwice", flaky(2))
    .node(
      "never",
      (_state, context) => {
        ran(world, context);
        throw new Error("never");
      },
      { onError: "mended" },
    )
    .node("mended", (_state, context) => {
      ran(world, context);
      return { log: [`mended ${context.failure?.node ?? ""}`] };
    })
    .node("joined", flaky(1))
    .edge(START, "plan")
    .edge("plan", ["steady", "retried", "fails", "failsTwice", "never"])
    .edge(["steady", "retried", "fails", "failsTwice"], "joined")
    .edge("never", END)
    .edge("mended", END)
    .branch("joined", { again: "plan", end: END }, ({ round }) => (round < 2 ? "again" : "end"))
    .compile();
  return { graph: compiled, inputs: [{}] };
}

/** Several questions in one step, beside a node that finishes. */
function questions(world: World): Case {
  const compiled = graph({ name: "questions", channels: { log: channel.list<string>(), answers: sum(), round: channel.value(0) } })
    .node("plan", ({ round }, context) => {
      ran(world, context);
      return { round: round + 1 };
    })
    .node("asks", async (_state, context) => {
      ran(world, context);
      const before = await subStep(world, context, "before", () => 1);
      const [left, right] = await Promise.all([context.interrupt<number>(10), context.interrupt<number>(20, { id: "right" })]);
      return { answers: before + left + right };
    })
    .node("asksOne", async (_state, context) => {
      ran(world, context);
      return { answers: await context.interrupt<number>(30) };
    })
    .node("beside", async (_state, context) => {
      ran(world, context);
      await turn();
      return { log: [`beside@${context.step}`] };
    })
    .node("done", ({ answers }, context) => {
      ran(world, context);
      return { log: [`done ${answers}`] };
    })
    .edge(START, "plan")
    .edge("plan", ["asks", "asksOne", "beside"])
    .edge(["asks", "asksOne", "beside"], "done")
    .branch("done", { again: "plan", end: END }, ({ round }) => (round < 2 ? "again" : "end"))
    .compile();
  return { graph: compiled, inputs: [{}] };
}

/** Three inputs of one session, each of which jumps through it. */
function inputs(world: World): Case {
  const compiled = graph({ name: "inputs", channels: { messages: channel.list<string>(), turns: sum(), depth: channel.value(0) } })
    .node(
      "reads",
      async ({ messages, depth }, context) => {
        ran(world, context);
        await turn();
        const update = { depth: depth + 1, turns: messages.length };
        return depth < 3 ? context.goto(["reads", "notes"], update) : context.goto("notes", { ...update, depth: 0 });
      },
      { jumps: ["reads", "notes"] },
    )
    .node("notes", ({ turns }, context) => {
      ran(world, context);
      return { messages: [`${turns}@${context.step}`] };
    })
    .edge(START, "reads")
    .edge("reads", END)
    .edge("notes", END)
    .compile();
  return { graph: compiled, inputs: [{ messages: ["one"] }, { messages: ["two"] }, { messages: ["three"] }] };
}

export const cases = { loop, joins, sends, mixed, failures, questions, inputs } as const;

export type CaseName = keyof typeof cases;
export const caseNames = Object.keys(cases) as readonly CaseName[];
