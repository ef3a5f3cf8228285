/** Dynamic fan-out: one superstep with as many entries as a node has sent. */
import { ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { channel, createRunner, END, graph, input, START } from "../../../src/index.ts";
import { bareNode, type BareRun } from "../harness/bare-spans.ts";
import { now } from "../harness/clock.ts";
import type { Peer } from "../harness/peer.ts";
import type { Subjects } from "../harness/row.ts";
import { openTracing } from "../harness/traced.ts";
import { asyncNoop, noop, optionsIn, type Surroundings } from "./loop.ts";

const wide = 10_000;
const quarter = 2500;
/* The peer's cost grows with the square of the width: 10 000 would take it most of a minute. */
export const peerWidth = 1000;

interface FanOut {
  /** So many rounds of a superstep that plans and one that runs `width` entries. Milliseconds. */
  run(width: number, rounds?: number): Promise<number>;
  close(): Promise<void>;
}

export function openFanOut(surroundings: Surroundings = {}): FanOut {
  let plan = { width: 0, left: 0 };
  const compiled = graph({
    name: "fan-out",
    channels: { done: channel.reduce(0, (total, added: number) => total + added) },
    inputs: { work: input<{ readonly index: number }>() },
  })
    .node("plan", (_state, { goto, send }) => goto(Array.from({ length: plan.width }, (_, index) => send("work", { index }))), {
      jumps: ["work"],
    })
    .node("work", async () => ({ done: 1 }))
    .edge(START, "plan")
    .branch("work", { again: "plan", done: END }, () => (--plan.left > 0 ? "again" : "done"))
    .compile();
  const runner = createRunner(compiled, optionsIn(surroundings));
  return {
    async run(width, rounds = 1) {
      plan = { width, left: rounds };
      const start = now();
      const { state } = await runner.invoke({});
      const milliseconds = now() - start;
      if (state.done !== width * rounds) throw new Error(`${state.done} of ${width * rounds} entries ran`);
      return milliseconds;
    },
    close: async () => void (await runner.close()),
  };
}

/** The whole, bare. The floor is the nodes alone; the peer runs a tenth of the width. */
export async function openWide(peer: Peer | undefined): Promise<Subjects> {
  const fanOut = openFanOut();
  return {
    measured: () => fanOut.run(wide),
    floor: async () => {
      const start = now();
      await Promise.all(Array.from({ length: wide }, asyncNoop));
      return now() - start;
    },
    ...(peer && { peer: () => peer.fanOut(peerWidth, now) }),
    close: () => fanOut.close(),
  };
}

/** The cost of an entry among 10 000 over that of one among 2 500. */
export async function openLinear(): Promise<Subjects> {
  const fanOut = openFanOut();
  const repeated = wide / quarter;
  return {
    measured: async () => {
      let apart = 0;
      for (let part = 0; part < repeated; part += 1) {
        // oxlint-disable-next-line eslint/no-await-in-loop -- one after the other is what is compared
        apart += await fanOut.run(quarter);
      }
      return (await fanOut.run(wide)) / apart;
    },
    close: () => fanOut.close(),
  };
}

const narrow = 8;
const narrowRounds = 250;

/** What one more entry costs, traced, in microseconds: among 10 000, and as the floor among eight, where it is a node like any other. */
export async function openMarginal(): Promise<Subjects> {
  const tracing = openTracing();
  const fanOut = openFanOut({ tracerProvider: tracing.provider });
  const timed = async (width: number, rounds: number): Promise<number> => {
    const start = now();
    await fanOut.run(width, rounds);
    await tracing.flush(width * rounds);
    return ((now() - start) * 1000) / rounds;
  };
  return {
    measured: async () => ((await timed(wide, 1)) - (await timed(1, narrowRounds))) / (wide - 1),
    floor: async () => ((await timed(narrow, narrowRounds)) - (await timed(1, narrowRounds))) / (narrow - 1),
    close: async () => {
      await fanOut.close();
      await tracing.close();
    },
  };
}

/** The same entries, traced, over the bare spans of as many nodes. Milliseconds. */
export async function openWideTraced(): Promise<Subjects> {
  const tracing = openTracing();
  const fanOut = openFanOut({ tracerProvider: tracing.provider });
  const run: BareRun = { tracer: tracing.provider.getTracer("bare"), sessionId: crypto.randomUUID(), node: "work" };
  const flushed = async (milliseconds: number): Promise<number> => {
    const start = now();
    await tracing.flush(wide);
    return milliseconds + now() - start;
  };
  return {
    measured: async () => flushed(await fanOut.run(wide)),
    floor: async () => {
      const root = run.tracer.startSpan("bare");
      const parent = trace.setSpan(ROOT_CONTEXT, root);
      const start = now();
      await Promise.all(Array.from({ length: wide }, () => bareNode(run, parent, noop)));
      root.end();
      return flushed(now() - start);
    },
    close: async () => {
      await fanOut.close();
      await tracing.close();
    },
  };
}
