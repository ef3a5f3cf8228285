/** Channels: named slots of state, each with the rule that folds a node's write into it. */
import { SpanloomError } from "../errors/errors.ts";
import { adopt } from "../support/value.ts";
import type { StandardSchema } from "../support/types.ts";
import type { ChannelKind } from "./plan.ts";

/** What `channel.*` was given, as it came: `compile()` judges it, so that declaring a channel never throws. */
export interface ChannelDeclaration {
  readonly kind: ChannelKind;
  readonly seeded: boolean;
  /** Adopted when the channel was made, so that nobody changes it afterwards. `undefined` when not seeded or refused. */
  readonly initial: unknown;
  /** Why the initial value cannot be stored, or `undefined`. */
  readonly refusal: string | undefined;
  /** Of kind `reduce`; any value when it was called untyped. */
  readonly reduce: unknown;
  /** Given by `with`, later ones over earlier ones; any value when it was called untyped. */
  readonly options: unknown;
}

/** A named slot of state, with the rule that folds a node's write into it. */
export interface Channel<Value, Update = Value, Seeded extends boolean = boolean> {
  readonly "~types"?: { readonly value: Value; readonly update: Update; readonly seeded: Seeded };
  /** Read by `compile()`; also what a channel is recognised by, across duplicate installs. */
  readonly "~channel": ChannelDeclaration;
  readonly with: (options: {
    /** Validates inputs, updates and restored values. Synchronous. */
    readonly schema?: StandardSchema<Value>;
    /** Two nodes of one superstep write it: an error (default for `value`), or the later in frontier order wins. */
    readonly concurrent?: "error" | "last";
  }) => Channel<Value, Update, Seeded>;
}

/* A channel's types stand in places of both variances; no narrower type takes all of them. */
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyChannel = Channel<any, any, any>;
export type Channels = Readonly<Record<string, AnyChannel>>;

// oxlint-disable-next-line typescript/no-explicit-any
type ValueOf<C> = C extends Channel<infer Value, any, any> ? Value : never;
// oxlint-disable-next-line typescript/no-explicit-any
type UpdateOfChannel<C> = C extends Channel<any, infer Update, any> ? Update : never;
// oxlint-disable-next-line typescript/no-explicit-any
type Unseeded<C extends Channels> = { [K in keyof C]: C[K] extends Channel<any, any, false> ? K : never }[keyof C];

/** One entry of the built-in channel `errors`: what a node reported, or what failed and was routed. */
export interface ErrorRecord {
  /** Milliseconds since the epoch. */
  readonly when: number;
  readonly scope: "node" | "scheduler" | "runner" | "app";
  readonly node?: string;
  readonly step?: number;
  readonly error: { readonly name: string; readonly message: string; readonly code?: string; readonly cause?: ErrorRecord["error"] };
  readonly tags: readonly string[];
  readonly context: Readonly<Record<string, unknown>>;
}

/** What a node reads. */
export type StateOf<C extends Channels> = { readonly [K in keyof C]: ValueOf<C[K]> } & { readonly errors: readonly ErrorRecord[] };
/** What a node writes; a missing or `undefined` key is no write. */
export type UpdateOf<C extends Channels> = { readonly [K in keyof C]?: UpdateOfChannel<C[K]> | Replace<ValueOf<C[K]>> | undefined };
/** What a session begins with: channels without an initial value are required. */
export type InputOf<C extends Channels> = { readonly [K in Unseeded<C>]: UpdateOfChannel<C[K]> } & UpdateOf<C>;

/** An update that sets its channel instead of being folded in. */
export interface Replace<Value> {
  readonly "~replace": Value;
}

/** In an update: sets the channel to this value instead of folding it in; `replace(undefined)` clears an optional one. */
export function replace<Value>(value: Value): Replace<Value> {
  return Object.freeze({ "~replace": value });
}

/** Whether an update is a `replace`, also one made by another copy of this package. */
export function isReplace(update: unknown): update is Replace<unknown> {
  return typeof update === "object" && update !== null && Object.hasOwn(update, "~replace") && Object.keys(update).length === 1;
}

/** A chat message. With an `id`, a later message of the same id takes its place. */
export interface Message {
  readonly id?: string;
  readonly role: "user" | "assistant" | "system" | "tool" | (string & {});
  readonly content: unknown;
  readonly [extra: string]: unknown;
}

/** The declaration of a channel, also one made by another copy of this package; `undefined` for anything else. */
export function declarationOf(value: unknown): ChannelDeclaration | undefined {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, "~channel")) return undefined;
  // The key is this library's own: who has it, has a declaration under it.
  return (value as { readonly "~channel": ChannelDeclaration })["~channel"];
}

function make(declaration: ChannelDeclaration): AnyChannel {
  const more = (options: unknown): AnyChannel => make({ ...declaration, options: merged(declaration.options, options) });
  return Object.freeze({ "~channel": Object.freeze(declaration), with: more });
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

function merged(earlier: unknown, later: unknown): unknown {
  if (!isObject(later) || Array.isArray(later)) return later;
  try {
    return Object.freeze({ ...(isObject(earlier) ? earlier : undefined), ...later });
  } catch {
    return unreadable;
  }
}

/** Stands for options whose reading threw: judged by `compile()` like any other value that is no object. */
const unreadable = "unreadable options";

function seeded(kind: ChannelKind, value: unknown, reduce?: unknown): AnyChannel {
  const declaration = { kind, seeded: true, reduce, options: undefined };
  try {
    return make({ ...declaration, initial: adopt(value, "it").value, refusal: undefined });
  } catch (error) {
    const refusal = SpanloomError.is(error) ? String(error.facts["what"]) : "it cannot be read";
    const path = SpanloomError.is(error) ? String(error.facts["path"]) : "it";
    return make({ ...declaration, initial: undefined, refusal: path === "it" ? refusal : `at ${path.slice(2)} ${refusal}` });
  }
}

function valueChannel<V>(): Channel<V, V, false>;
function valueChannel<V>(initial: V): Channel<V, V, true>;
function valueChannel(...initial: readonly unknown[]): AnyChannel {
  if (initial.length > 0) return seeded("value", initial[0]);
  return make({ kind: "value", seeded: false, initial: undefined, refusal: undefined, reduce: undefined, options: undefined });
}

/** The kinds of channel. Initial values are copied; one that cannot be stored is a problem that `compile()` reports. */
export const channel: {
  /** Replaced by each write. Without an initial value it is required in the input. */
  readonly value: typeof valueChannel;
  /** Absent until written; `null` is a value, `undefined` in an update is no write. */
  readonly optional: <V>() => Channel<V | undefined, V, true>;
  /** Writes append, in frontier order. */
  readonly list: <Item>(initial?: readonly Item[]) => Channel<readonly Item[], readonly Item[], true>;
  /** Writes merge shallowly; `null` deletes a key (RFC 7396). */
  readonly merge: <Shape extends object>(initial: Shape) => Channel<Shape, { readonly [K in keyof Shape]?: Shape[K] | null }, true>;
  /** Writes fold through a pure, synchronous function. */
  readonly reduce: <V, Update = V>(initial: V, reduce: (current: V, update: Update) => V) => Channel<V, Update, true>;
  /** Chat messages: append, replace by id, or `{ remove: id }`. */
  readonly messages: <M extends Message = Message>() => Channel<readonly M[], readonly (M | { readonly remove: string })[], true>;
} = Object.freeze({
  value: valueChannel,
  optional: () => seeded("optional", undefined),
  list: (initial: unknown = []) => seeded("list", initial),
  merge: (initial: unknown) => seeded("merge", initial),
  reduce: (initial: unknown, reduce: unknown) => seeded("reduce", initial, reduce),
  messages: () => seeded("messages", []),
});
