/** Checks and copies what a node or a caller wrote, before it may touch the state: a bad update is refused where it was made. */
import type { PreparedWrite, StoredTarget } from "../checkpoint/checkpointer.ts";
import { StateError } from "../errors/errors.ts";
import { isReplace } from "../graph/channel.ts";
import type { Plan, PlannedChannel } from "../graph/plan.ts";
import { errorsChannel } from "../graph/names.ts";
import { isPlain } from "../support/plain.ts";
import { show } from "../support/show.ts";
import { hint } from "../support/suggest.ts";
import { adopt } from "../support/value.ts";
import { isSend } from "./commands.ts";
import { cellOf, foldWrite, validated } from "./fold.ts";
import { type StateImage, valueOf } from "./state.ts";

const noWrites: readonly PreparedWrite[] = Object.freeze([]);

/**
 * The writes of an update, in the order of its keys; none for `undefined`. `image` is the state that it was made from.
 * Throws `StateError` `invalid_update`, `unknown_channel` or `unserializable_value`.
 */
export function prepareUpdate(plan: Plan, image: StateImage, update: unknown): readonly PreparedWrite[] {
  if (update === undefined || update === null) return noWrites;
  if (!isPlain(update)) {
    throw new StateError("invalid_update", { reason: `an update is a plain object of channels, not ${show(update)}` });
  }
  const writes: PreparedWrite[] = [];
  for (const name of Object.keys(update)) {
    const value = update[name];
    if (value !== undefined) writes.push(prepareWrite(plan, image, name, value));
  }
  return writes;
}

function prepareWrite(plan: Plan, image: StateImage, name: string, update: unknown): PreparedWrite {
  const index = plan.channelIndex.get(name);
  const channel = index === undefined ? undefined : plan.channels[index];
  if (channel === undefined || name === errorsChannel) {
    const known = [...plan.channelIndex.keys()].filter((each) => each !== errorsChannel);
    const advice = name === errorsChannel ? " `errors` is written by context.reportError()." : hint(name, known);
    throw new StateError("unknown_channel", { channel: name, hint: advice });
  }
  const replace = isReplace(update);
  const given = replace ? update["~replace"] : update;
  const { value, live, size } = adopt(given, name);
  const write: PreparedWrite = { channel: name, replace, value, live, size };
  checkShape(channel, write);
  return channel.schema === undefined ? write : checkSchema(channel, image, write);
}

function refuse(channel: string, reason: string): never {
  throw new StateError("invalid_update", { channel, path: channel, reason });
}

/** What the compiler catches in typed code. */
function checkShape({ name, kind }: PlannedChannel, { replace, value }: PreparedWrite): void {
  if (kind === "list" || kind === "messages") {
    if (!Array.isArray(value)) refuse(name, `a ${kind} channel takes a list, not ${show(value)}`);
    if (kind === "messages") checkMessages(name, value as readonly unknown[], replace);
  } else if (kind === "merge" && !isPlain(value)) {
    refuse(name, `a merge channel takes ${replace ? "an object" : "an object of the keys to change"}, not ${show(value)}`);
  } else if (replace && value === undefined && kind === "value") {
    refuse(name, "only an optional channel can be cleared");
  }
}

function checkMessages(channel: string, messages: readonly unknown[], replace: boolean): void {
  for (const message of messages) {
    if (!isPlain(message)) return refuse(channel, `a message is an object, not ${show(message)}`);
    const { id, role, remove } = message;
    if (role === undefined && remove !== undefined) {
      if (replace) return refuse(channel, "what replaces all messages can remove none");
      if (typeof remove !== "string") return refuse(channel, `\`remove\` is the id of a message, not ${show(remove)}`);
    } else if (typeof role !== "string") return refuse(channel, `a message has a \`role\`, which is a text, not ${show(role)}`);
    if (id !== undefined && typeof id !== "string") return refuse(channel, `the \`id\` of a message is a text, not ${show(id)}`);
  }
}

/* A schema judges the channel's whole value. Reducers are the user's own and run once, at the barrier: so their value is judged there. */
function checkSchema(channel: PlannedChannel, image: StateImage, write: PreparedWrite): PreparedWrite {
  const whole = write.replace || channel.kind === "value" || channel.kind === "optional";
  if (whole) {
    if (channel.kind === "optional" && write.value === undefined) return write;
    const cell = validated(channel, cellOf(channel, write.value, write.live), "invalid_update");
    return { ...write, value: valueOf(cell), live: cell.live };
  }
  if (channel.kind !== "reduce") {
    const cell = image.cells[channel.index];
    if (cell !== undefined) validated(channel, foldWrite(channel, cell, write).cell, "invalid_update");
  }
  return write;
}

/** A command's targets with their items copied. Which targets may be taken is judged when the frontier is computed. */
export function prepareTargets(targets: readonly unknown[]): readonly StoredTarget[] {
  return targets.map((target) => {
    if (typeof target === "string") return target;
    // Told as unknown when its turn comes, as a name that is misspelt.
    if (!isSend(target) || typeof target["~send"] !== "string") return `<${show(target)}>`;
    return { node: target["~send"], item: adopt(target.item, `send("${target["~send"]}")`).value };
  });
}
