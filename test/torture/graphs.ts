/** The graphs that are tortured: each ends in one state, whatever happens on the way. */
import { setImmediate as turn } from "node:timers/promises";
import { channel, END, type Graph, graph, input, START } from "spanloom";
import type { World } from "./world.ts";

/* Graphs of different types in one table. */
// oxlint-disable-next-line typescript/no-explicit-any
type Loose = any;
/** Of any channels and no services. */
export type LooseGraph = Graph<Loose, Loose, Loose, undefined, Loose>;

/** What of a node's context is told. */
interface Place {
  readonly step: number;
  readonly node: string;
  readonly idempotencyKey: string;
  readonly invocationId: string;
  readonly sessionId: string;
}

/** The entry within its step, as results are stored under it. */
const entryOf = ({ idempotencyKey, node }: Place): string => `${node}/${idempotencyKey.split("/").at(-1) ?? ""}`;

function ran(world: World, place: Place, once?: string): void {
  const { step, idempotencyKey: key, invocationId: invocation } = place;
  world.note({ kind: "ran", step, entry: entryOf(place), key, invocation, ...(once === undefined ? {} : { once }) });
}

export interface Case {
  readonly graph: LooseGraph;
  /** The first input, and those that follow it. */
  readonly inputs: readonly Readonly<Record<string, unknown>>[];
}

const sum = () => channel.reduce(0, (total: number, add: number) => total + add);

/** A loop whose list grows, with a gated node beside it. */
function loop(world: World): Case {
  const compiled = graph({ name: "loop", channels: { log: channel.list<number>(), n: channel.value(0), seen: sum() } })
    .node("count", async ({ n }, context) => {
      ran(world, context);
      await turn();
      return { n: n + 1, log: [n] };
    })
    .node(
      "watch",
      ({ n }, context) => {
        ran(world, context);
        return { seen: n };
      },
      { gate: "on-change" },
    )
    .edge(START, ["count", "watch"])
    .branch("count", { again: ["count", "watch"], end: END }, ({ n }) => (n < 12 ? "again" : "end"))
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

/** Sends with durable sub-steps, and a reduce of what they gave. */
function sends(world: World): Case {
  const compiled = graph({
    name: "sends",
    channels: { total: sum(), found: channel.list<number>(), reduced: channel.optional<number>() },
    inputs: { work: input<number>() },
  })
    .node(
      "plan",
      (_state, context) => {
        ran(world, context);
        return context.also(Array.from({ length: 14 }, (_item, index) => context.send("work", index)));
      },
      { jumps: ["work"] },
    )
    .node("work", async (_state, context) => {
      ran(world, context);
      const step = async (name: string, value: number): Promise<number> =>
        context.once(name, async () => {
          ran(world, context, name);
          await turn();
          return value;
        });
      const first = await step("first", context.input);
      const both = await Promise.all([step("left", first * 2), step("right", first * 3)]);
      return { total: both[0] + both[1], found: [context.input] };
    })
    .node(
      "reduce",
      ({ total }, context) => {
        ran(world, context);
        return { reduced: total };
      },
      { defer: true },
    )
    .edge(START, "plan")
    .edge("plan", "reduce")
    .edge("work", END)
    .edge("reduce", END)
    .compile();
  return { graph: compiled, inputs: [{}] };
}

/** Tries that fail, entries that fail the whole step, and a failure that is routed. */
function failures(world: World): Case {
  const flaky = (times: number) => async (_state: unknown, context: Place) => {
    ran(world, context);
    await turn();
    for (let time = 0; time < times; time += 1) {
      if (world.isFirst(`${context.sessionId} ${context.step} ${context.node} ${time}`)) throw new Error(`not yet: ${time}`);
    }
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
      const before = await context.once("before", () => {
        ran(world, context, "before");
        return 1;
      });
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

export const cases = { loop, joins, sends, failures, questions, inputs } as const;

export type CaseName = keyof typeof cases;
export const caseNames = Object.keys(cases) as readonly CaseName[];
