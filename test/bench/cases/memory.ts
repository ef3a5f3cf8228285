/** What a session holds in memory: while it runs, once it pauses, once it has finished. Bytes each, by the heap after collections. */
import { ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { setImmediate as nextTurn } from "node:timers/promises";
import { createRunner, END, graph, START } from "../../../src/index.ts";
import type { Checkpointer } from "../../../src/checkpoint/checkpointer.ts";
import { bareNode, type BareRun } from "../harness/bare-spans.ts";
import { collectGarbage } from "../harness/measure.ts";
import type { Subjects } from "../harness/row.ts";
import { openTracing } from "../harness/traced.ts";
import { noop } from "./loop.ts";

const sessions = 10_000;
/* How many are begun before the event loop gets a turn. */
const atOnce = 100;

type Hold = () => Promise<void>;

async function heapInUse(): Promise<number> {
  await collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Bytes per session that are held while all of them stand still inside their node. */
async function heldWhileRunning(begin: (hold: Hold) => Promise<unknown>, flush: () => Promise<void>): Promise<number> {
  const [gate, arrived] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let inside = 0;
  const hold = (): Promise<void> => {
    inside += 1;
    if (inside === sessions) arrived.resolve();
    return gate.promise;
  };
  const before = await heapInUse();
  const begun: Promise<unknown>[] = [];
  while (begun.length < sessions) {
    begun.push(...Array.from({ length: atOnce }, () => begin(hold)));
    // oxlint-disable-next-line eslint/no-await-in-loop -- some at a time
    await nextTurn();
  }
  const ended = Promise.all(begun);
  // A session that fails ends the wait.
  await Promise.race([arrived.promise, ended]);
  await flush();
  const held = (await heapInUse()) - before;
  gate.resolve();
  await ended;
  await flush();
  return held / sessions;
}

/* The spans that are open while a node runs: invocation, superstep, schedule, attempt. */
async function bareHeld(run: BareRun, hold: Hold): Promise<void> {
  const invocation = run.tracer.startSpan("invoke_workflow held");
  const superstep = run.tracer.startSpan("superstep", undefined, trace.setSpan(ROOT_CONTEXT, invocation));
  const schedule = run.tracer.startSpan("schedule", undefined, trace.setSpan(ROOT_CONTEXT, superstep));
  await bareNode(run, trace.setSpan(ROOT_CONTEXT, schedule), hold);
  for (const span of [schedule, superstep, invocation]) span.end();
}

/** Traced. The floor is as many open spans, and a promise that waits. */
export async function openRunning(): Promise<Subjects> {
  const tracing = openTracing();
  let hold: Hold = async () => {};
  const compiled = graph({ name: "held", channels: {} })
    .node("wait", () => hold())
    .edge(START, "wait")
    .edge("wait", END)
    .compile();
  const runner = createRunner(compiled, { telemetry: { tracerProvider: tracing.provider } });
  const tracer = tracing.provider.getTracer("bare");
  const flush = (): Promise<void> => tracing.flush(0);
  const begin = (wait: Hold): Promise<unknown> => {
    hold = wait;
    return runner.invoke({});
  };
  return {
    measured: () => heldWhileRunning(begin, flush),
    floor: () => heldWhileRunning((wait) => bareHeld({ tracer, sessionId: crypto.randomUUID(), node: "wait" }, wait), flush),
    close: async () => {
      await runner.close();
      await tracing.close();
    },
  };
}

/* Accepts everything and keeps nothing: what is then held is the runner's own. */
const forgetful: Checkpointer = {
  backend: "none",
  load: () => undefined,
  save: () => ({ size: 0 }),
  amend: () => ({ size: 0 }),
  addResults: noop,
  async *history() {},
  async *list() {},
  delete: () => Promise.resolve(false),
  prune: () => Promise.resolve(0),
  deleteSessions: () => Promise.resolve(0),
  close: () => Promise.resolve(),
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

/** Bytes per session that are left once all have come to rest. */
async function heldAfter(run: () => Promise<unknown>): Promise<number> {
  const before = await heapInUse();
  for (let count = 0; count < sessions; count += atOnce) {
    // oxlint-disable-next-line eslint/no-await-in-loop -- some at a time
    await Promise.all(Array.from({ length: atOnce }, run));
  }
  return ((await heapInUse()) - before) / sessions;
}

/** The runner's own share: the store keeps nothing here, as a durable one keeps nothing in memory. */
export async function openPaused(): Promise<Subjects> {
  const compiled = graph({ name: "asks", channels: {} })
    .node("ask", async (_state, { interrupt }) => void (await interrupt("Go on?")))
    .edge(START, "ask")
    .edge("ask", END)
    .compile();
  const runner = createRunner(compiled, { checkpointer: forgetful });
  return {
    measured: () => heldAfter(() => runner.invoke({})),
    close: async () => void (await runner.close()),
  };
}

/** On the default store, which forgets a session once it completes. */
export async function openFinished(): Promise<Subjects> {
  const compiled = graph({ name: "ends", channels: {} }).node("work", noop).edge(START, "work").edge("work", END).compile();
  const runner = createRunner(compiled);
  return {
    measured: () => heldAfter(() => runner.invoke({})),
    close: async () => void (await runner.close()),
  };
}
