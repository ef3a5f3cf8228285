/** What the unit tests of the barrier's parts share: plans, first states and results of entries, without a runner. */
import type { EntryResult, PreparedWrite } from "../../src/checkpoint/checkpointer.ts";
import { type StateImage, valueOf } from "../../src/engine/state.ts";
import { prepareUpdate } from "../../src/engine/update.ts";
import { planOf } from "../../src/graph/graph.ts";
import type { Plan, PlannedChannel } from "../../src/graph/plan.ts";
import { initialImage } from "../../src/runtime/input.ts";
import { adopt } from "../../src/support/value.ts";
import { parallel } from "./support.ts";

export interface Unit {
  readonly plan: Plan;
  readonly image: StateImage;
}

export function unit(channels: Readonly<Record<string, unknown>>): Unit {
  const plan = planOf(parallel(channels, { n: () => undefined }));
  if (plan === undefined) throw new Error("The graph has no plan.");
  return { plan, image: initialImage(plan) };
}

export function channelOf({ plan }: Unit, name: string): PlannedChannel {
  const found = plan.channels.find((channel) => channel.name === name);
  if (found === undefined) throw new Error(`There is no channel ${name}.`);
  return found;
}

/** The result of a node that returned `update`. */
export function resultFrom({ plan, image }: Unit, node: string, update: unknown, more: Partial<EntryResult> = {}): EntryResult {
  return { node, ordinal: 0, writes: prepareUpdate(plan, image, update), command: undefined, errors: [], failure: undefined, ...more };
}

export function write(channel: string, given: unknown, replace = false): PreparedWrite {
  const { value, live, size } = adopt(given, channel);
  return { channel, replace, value, live, size };
}

/** Values by channel name. */
export function valuesIn({ plan }: Unit, image: StateImage): Record<string, unknown> {
  const entries = plan.channels.map(({ name, index }) => {
    const cell = image.cells[index];
    return [name, cell === undefined ? undefined : valueOf(cell)] as const;
  });
  return Object.fromEntries(entries);
}
