/** What a superstep costs that does nothing: without an SDK, fully traced, and sampled out. Steady state, in one long invocation. */
import { AlwaysOffSampler, ParentBasedSampler } from "@opentelemetry/sdk-trace";
import { bareLoop, type BareRun, shapeOfSuperstep } from "../harness/bare-spans.ts";
import { now } from "../harness/clock.ts";
import type { Peer } from "../harness/peer.ts";
import type { Subjects } from "../harness/row.ts";
import { openTracing, type TracedSetup } from "../harness/traced.ts";
import { asyncNoop, type Loop, noop, openLoop } from "./loop.ts";

/* About as long as the peer's, so that both grow the heap's young generation to what their pace asks for. */
const untracedTurns = 20_000;
const turns = 10_000;
const peerTurns = 1000;
const spansPerSuperstep = 6;

const perTurn = (milliseconds: number, count: number): number => (milliseconds * 1000) / count;

/** The peer's supersteps, in microseconds. It has no tracing of its own: the same in every row. */
export function peerLoop(peer: Peer | undefined): Pick<Subjects, "peer"> {
  return peer === undefined ? {} : { peer: async () => perTurn(await peer.runLoop(peerTurns, now), peerTurns) };
}

/* One await for the node, one for the save. */
async function bareAwaits(): Promise<number> {
  const start = now();
  for (let turn = 0; turn < untracedTurns; turn += 1) {
    // oxlint-disable-next-line eslint/no-await-in-loop -- it is what is measured
    await asyncNoop();
    // oxlint-disable-next-line eslint/no-await-in-loop -- as above
    await asyncNoop();
  }
  return perTurn(now() - start, untracedTurns);
}

export async function openUntraced(peer: Peer | undefined): Promise<Subjects> {
  const loop = openLoop();
  return {
    measured: async () => perTurn(await loop.run(untracedTurns), untracedTurns),
    floor: bareAwaits,
    ...peerLoop(peer),
    close: () => loop.close(),
  };
}

/* A floor of other spans, or of other attributes, would be none. */
async function checkSameSpans(tracing: TracedSetup, loop: Loop, run: BareRun): Promise<void> {
  const ours = shapeOfSuperstep(await tracing.collect(async () => void (await loop.run(2))));
  const bare = shapeOfSuperstep(await tracing.collect(() => bareLoop(run, 2, noop)));
  if (ours.length === spansPerSuperstep && ours.join("\n") === bare.join("\n")) return;
  throw new Error(`The floor makes other spans than the runtime.\nruntime:\n${ours.join("\n")}\nfloor:\n${bare.join("\n")}`);
}

async function openWith(tracing: TracedSetup, recorded: boolean, peer: Peer | undefined): Promise<Subjects> {
  const loop = openLoop({ tracerProvider: tracing.provider });
  const run: BareRun = { tracer: tracing.provider.getTracer("bare"), sessionId: crypto.randomUUID(), node: "turn" };
  if (recorded) await checkSameSpans(tracing, loop, run);
  const due = recorded ? turns * spansPerSuperstep : 0;
  /* Exporting belongs to the cost of a span, on both sides. */
  const flushed = async (milliseconds: number): Promise<number> => {
    const start = now();
    await tracing.flush(due);
    return perTurn(milliseconds + now() - start, turns);
  };
  return {
    measured: async () => flushed(await loop.run(turns)),
    floor: async () => {
      const start = now();
      await bareLoop(run, turns, noop);
      return flushed(now() - start);
    },
    ...peerLoop(peer),
    close: async () => {
      await loop.close();
      await tracing.close();
    },
  };
}

export const openTraced = (peer: Peer | undefined): Promise<Subjects> => openWith(openTracing(), true, peer);

export const openSampledOut = (peer: Peer | undefined): Promise<Subjects> =>
  openWith(openTracing(new ParentBasedSampler({ root: new AlwaysOffSampler() })), false, peer);
