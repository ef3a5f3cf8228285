/** Tortured graphs of many sent entries: with sub-steps, and with failures, tries and questions among them. */
import { setImmediate as turn } from "node:timers/promises";
import { channel, END, graph, input, START } from "spanloom";
import { type Case, failFirst, ran, subStep, sum } from "./case.ts";
import type { World } from "./world.ts";

/** Is there a turn of the event loop later. */
const later = (value: number) => async (): Promise<number> => {
  await turn();
  return value;
};

/** Sends with durable sub-steps, and a reduce of what they gave; another session goes on from before it. */
export function sends(world: World): Case {
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
      const first = await subStep(world, context, "first", later(context.input));
      const both = await Promise.all([
        subStep(world, context, "left", later(first * 2)),
        subStep(world, context, "right", later(first * 3)),
      ]);
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
  return { graph: compiled, inputs: [{}], forkAt: 1 };
}

/** How often an item fails before it succeeds: one that fails three times fails its step, for a node has two attempts. */
const failuresOf = (item: number): number => [0, 0, 3, 0, 1][item % 5] ?? 0;

/** Forty sends in two rounds, some of which fail the step, are tried again, or ask: all others' results are pending meanwhile. */
export function mixed(world: World): Case {
  const compiled = graph({
    name: "mixed",
    channels: { total: sum(), rounds: channel.list<number>() },
    inputs: { work: input<number>() },
  })
    .node(
      "plan",
      ({ rounds }, context) => {
        ran(world, context);
        const items = Array.from({ length: rounds.length === 0 ? 30 : 10 }, (_item, index) => index);
        return context.goto([...items.map((item) => context.send("work", item)), "reduce"]);
      },
      { jumps: ["work", "reduce"] },
    )
    .node(
      "work",
      async (_state, context) => {
        ran(world, context);
        const value = await subStep(world, context, "value", later(context.input));
        failFirst(world, context, failuresOf(context.input));
        const asked = context.input % 10 === 7 ? await context.interrupt<number>(value) : value;
        return { total: asked };
      },
      { retry: { attempts: 2, initialDelay: 1, jitter: false } },
    )
    .node(
      "reduce",
      ({ total, rounds }, context) => {
        ran(world, context);
        return context.goto(rounds.length === 0 ? "plan" : END, { rounds: [total] });
      },
      { defer: true, jumps: ["plan", END] },
    )
    .edge(START, "plan")
    .edge("plan", END)
    .edge("work", END)
    .edge("reduce", END)
    .compile();
  return { graph: compiled, inputs: [{}] };
}
