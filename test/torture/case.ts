/** What the tortured graphs have in common: each tells the journal what it runs. */
import { channel, type Graph } from "spanloom";
import type { World } from "./world.ts";

/* Graphs of different types in one table. */
// oxlint-disable-next-line typescript/no-explicit-any
type Loose = any;
/** Of any channels and no services. */
export type LooseGraph = Graph<Loose, Loose, Loose, undefined, Loose>;

export interface Case {
  readonly graph: LooseGraph;
  /** The first input, and those that follow it. */
  readonly inputs: readonly Readonly<Record<string, unknown>>[];
  /** Once it is complete, another session goes on from this step of it. */
  readonly forkAt?: number;
}

/** What ends the id of a session that was forked from another. */
export const forkSuffix = "/fork";

/** What of a node's context is told. */
export interface Place {
  readonly step: number;
  readonly node: string;
  readonly input: number | undefined;
  readonly idempotencyKey: string;
  readonly invocationId: string;
  readonly sessionId: string;
}

/** Not read from the idempotency key, which is judged by it: items are numbered in the order in which they are sent. */
const entryOf = ({ node, input = 0 }: Place): string => `${node}/${input}`;

export function ran(world: World, place: Place, once?: string): void {
  const { sessionId: session, step, idempotencyKey: key, invocationId: invocation } = place;
  world.note({ kind: "ran", session, step, entry: entryOf(place), key, invocation, ...(once === undefined ? {} : { once }) });
}

type Once = Place & { readonly once: (key: string, run: () => number | Promise<number>) => Promise<number> };

/** A durable sub-step: its process may end once it is stored, before its node goes on. */
export async function subStep(world: World, context: Once, once: string, run: () => number | Promise<number>): Promise<number> {
  const result = await context.once(once, () => {
    ran(world, context, once);
    return run();
  });
  world.pass("once returned");
  world.note({ kind: "returned", session: context.sessionId, step: context.step, entry: entryOf(context), once });
  return result;
}

/** Throws so many times in all, whatever process it is in. */
export function failFirst(world: World, place: Place, times: number): void {
  const { sessionId, step } = place;
  for (let time = 0; time < times; time += 1) {
    if (world.isFirst(`${sessionId} ${step} ${entryOf(place)} ${time}`)) throw new Error(`not yet: ${time}`);
  }
}

export const sum = () => channel.reduce(0, (total: number, add: number) => total + add);
