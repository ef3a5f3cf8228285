/** What an invocation costs beside its supersteps: a short one and a longer one, and the superstep's share taken off. */
import { now } from "../harness/clock.ts";
import type { Peer } from "../harness/peer.ts";
import type { Subjects } from "../harness/row.ts";
import { createRunner, END, graph, START } from "../../../src/index.ts";
import { noop } from "./loop.ts";

const invocations = 400;
const peerInvocations = 30;
const longTurns = 11;

/* With `f` fixed and `s` per superstep: a short one is f + s, a longer one f + 11 s. */
const fixedShare = (short: number, long: number): number => (longTurns * short - long) / (longTurns - 1);

/** Microseconds of one call. */
async function timeOf(count: number, call: () => Promise<unknown>): Promise<number> {
  const start = now();
  for (let done = 0; done < count; done += 1) {
    // oxlint-disable-next-line eslint/no-await-in-loop -- one after the other is what is measured
    await call();
  }
  return ((now() - start) * 1000) / count;
}

export async function openInvocation(peer: Peer | undefined): Promise<Subjects> {
  let left = 0;
  const compiled = graph({ name: "once", channels: {} })
    .node("turn", noop)
    .edge(START, "turn")
    .branch("turn", { again: "turn", done: END }, () => (--left > 0 ? "again" : "done"))
    .compile();
  const runner = createRunner(compiled);
  const invoke = (turns: number) => async (): Promise<void> => {
    left = turns;
    await runner.invoke({});
  };
  return {
    measured: async () => fixedShare(await timeOf(invocations, invoke(1)), await timeOf(invocations, invoke(longTurns))),
    floor: () => timeOf(invocations, async () => noop()),
    ...(peer && {
      peer: async () =>
        fixedShare(
          await timeOf(peerInvocations, () => peer.runLoop(1, now)),
          await timeOf(peerInvocations, () => peer.runLoop(longTurns, now)),
        ),
    }),
    close: async () => void (await runner.close()),
  };
}
