/** From an input to the state that a session begins with. */
import type { ChannelChange } from "../checkpoint/checkpointer.ts";
import { applyBarrierAndUpdate } from "../engine/barrier.ts";
import { cellOf } from "../engine/fold.ts";
import { type StateImage, valueOf } from "../engine/state.ts";
import { prepareUpdate } from "../engine/update.ts";
import { RunnerError, SpanloomError, StateError } from "../errors/errors.ts";
import type { Plan } from "../graph/plan.ts";
import { adopt } from "../support/value.ts";
import type { Values } from "../support/types.ts";

/** A state, and what the store is told of it. */
export interface Written {
  readonly image: StateImage;
  readonly changes: readonly ChannelChange[];
  readonly size: number;
  /** In declaration order. */
  readonly updatedChannels: readonly string[];
}

/** A copy of what a caller passed in, made at the call; as it is when it cannot be stored, which is told when it is written. */
export function taken(given: unknown): unknown {
  try {
    return adopt(given, "input").value;
  } catch {
    return given;
  }
}

const images = new WeakMap<Plan, StateImage>();

/** Initial values; absent ones are `undefined`. The same for every session of the graph. */
export function initialImage(plan: Plan): StateImage {
  const found = images.get(plan);
  if (found !== undefined) return found;
  const cells = plan.channels.map((channel) => cellOf(channel, channel.initial, adopt(channel.initial, channel.name).live));
  const image = Object.freeze({ cells: Object.freeze(cells), versions: Object.freeze(plan.channels.map(() => 1)) });
  images.set(plan, image);
  return image;
}

function refuse(cause: unknown): never {
  const { error, reason } = describe(cause);
  throw new RunnerError("invalid_input", { reason }, { cause: error });
}

/* A reducer that refuses an input fails like any other write of it: what it is called from does not matter here. */
function describe(cause: unknown): { readonly error: unknown; readonly reason: string } {
  const error = SpanloomError.is(cause, "barrier") ? cause.cause : cause;
  return { error, reason: error instanceof Error ? error.message : String(error) };
}

/** Folds an input into a state: versions rise. Throws `RunnerError` `invalid_input`, with the typed error as its cause. */
export function writeInput(plan: Plan, image: StateImage, input: unknown, step: number): Written {
  try {
    const writes = prepareUpdate(plan, image, input);
    const result = { node: "input", ordinal: 0, writes, command: undefined, errors: [], failure: undefined };
    return applyBarrierAndUpdate(plan, image, [result], step);
  } catch (cause) {
    return refuse(cause);
  }
}

function checkComplete(plan: Plan, input: Values): void {
  const missing = plan.channels
    .filter(({ name, seeded }) => !seeded && !(Object.hasOwn(input, name) && input[name] !== undefined))
    .map(({ name }) => name);
  const [channel] = missing;
  if (channel === undefined) return;
  const cause = new StateError("invalid_update", { channel, path: channel, reason: "it has no initial value, and the input gives none" });
  const named = missing.map((name) => `"${name}"`).join(", ");
  const reason = `it lacks ${named}, which ${missing.length === 1 ? "has" : "have"} no initial value.`;
  throw new RunnerError("invalid_input", { reason }, { cause });
}

/** The state that a session begins with: all versions are 1. Throws as above, also when a channel without initial value is missing. */
export function firstState(plan: Plan, input: unknown): Written {
  const given = input ?? {};
  if (typeof given !== "object" || Array.isArray(given)) {
    const cause = new StateError("invalid_update", { reason: "an input is a plain object of channels" });
    throw new RunnerError("invalid_input", { reason: cause.message }, { cause });
  }
  const initial = initialImage(plan);
  const written = writeInput(plan, initial, given, 0);
  checkComplete(plan, given as Values);
  const image = { cells: written.image.cells, versions: initial.versions };
  // The record holds every channel, so that it can be read without the graph.
  const changes = plan.channels.map(({ name, index }): ChannelChange => ({
    channel: name,
    kind: "set",
    value: valueOf(cellAt(image, index)),
  }));
  return { ...written, image, changes };
}

const cellAt = (image: StateImage, index: number): StateImage["cells"][number] => image.cells[index] as StateImage["cells"][number];
