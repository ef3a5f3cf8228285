/** What a node is given, what it may return, and how it is declared. */
import type { Awaitable, Duration, OneOrMany, StandardSchema } from "../support/types.ts";
import type { Channels, StateOf, UpdateOf } from "./channel.ts";
import type { DataOf, EventTypes } from "./event-type.ts";
import type { InputTypes, ItemOf } from "./input.ts";
import type { AnyFunction, PlannedCommand, PlannedSend } from "./plan.ts";
import type { ChannelTypeError, GraphTypeError } from "./type-error.ts";

/** A target that runs once with its item. Made by `context.send`. */
export interface Send<To extends string = string> extends PlannedSend {
  readonly "~send": To;
}

/** A node's request to leave by other targets than its own exits, or by more. Made by `context.goto` and `context.also`. */
export interface Command<C extends Channels> extends PlannedCommand {
  readonly "~channels"?: C;
}

/** What a node may return. */
export type NodeResult<C extends Channels> = UpdateOf<C> | Command<C> | void;

/* Sentences, not types made of them: the compiler would print the name of such a type in place of its sentence. */
type NoJump = "a command leads only to what the node's `jumps` list, and to a node of `inputs` only by send()";
type NoSend = "send() leads only to a node of `inputs` that the node's `jumps` list";
type NoEvent = "the graph declares no such event";

/** Leaves by targets, with an update; wrong channels in it are a compile-time error. */
type Leave<C extends Channels, I extends InputTypes, Jumps extends string> = <U extends UpdateOf<C> | object = UpdateOf<C>>(
  to: OneOrMany<Exclude<Jumps, keyof I> | Send<Jumps> | GraphTypeError<NoJump>>,
  update?: U & WritesOnly<C, U>,
) => Command<C>;

/** What a node is given beside the state. Its members may be taken apart. */
export interface NodeContext<C extends Channels, E extends EventTypes, I extends InputTypes, S, Jumps extends string, Name extends string> {
  readonly services: S;
  /** What failed, in a node that another's `onError` names. */
  readonly failure: { readonly node: string; readonly input: unknown; readonly attempt: number; readonly error: unknown } | undefined;
  readonly graph: string;
  readonly node: Name;
  /** From 1. */
  readonly step: number;
  /** 1 on the first try. */
  readonly attempt: number;
  readonly sessionId: string;
  readonly invocationId: string;
  /** Session, step, node and entry: equal on every try of the same entry, also after a crash; new in a fork. Hand it to the services you call. */
  readonly idempotencyKey: string;
  /** What this entry was sent; `undefined` for a node that takes no input. */
  readonly input: Name extends keyof I ? ItemOf<I[Name]> : undefined;
  /** Aborts on time-out, cancellation, and when a sibling finally failed. */
  readonly signal: AbortSignal;
  /** Publishes one of the graph's own events. Never throws for a closed stream. */
  readonly emit: <K extends keyof E & string>(
    type: K | GraphTypeError<NoEvent>,
    ...data: DataOf<E[K]> extends undefined ? [] : undefined extends DataOf<E[K]> ? [data?: DataOf<E[K]>] : [data: DataOf<E[K]>]
  ) => void;
  /** Leaves by these targets instead of the node's own exits; `goto([])` ends this branch. */
  readonly goto: Leave<C, I, Jumps>;
  /** Leaves by the node's own exits and by these targets. */
  readonly also: Leave<C, I, Jumps>;
  /** A target that runs once with this item. */
  readonly send: <To extends Jumps & keyof I & string>(to: To | GraphTypeError<NoSend>, item: ItemOf<I[To]>) => Send<To>;
  /**
   * Pauses the run until someone answers. On resume the node runs again from its start, and this call returns the answer.
   * Several may be open at once (`Promise.all`); the id is the entry and `id`, or the ordinal of the call.
   */
  readonly interrupt: <Answer = unknown>(
    payload: unknown,
    options?: { readonly id?: string; readonly schema?: StandardSchema<Answer> },
  ) => Promise<Answer>;
  /** A durable sub-step: runs once per entry and key; every later try, resume or replay of the entry gets the stored result. */
  readonly once: <Result>(key: string, run: () => Awaitable<Result>) => Promise<Result>;
  /** Records a recoverable error in `errors`, and goes on. */
  readonly reportError: (
    error: unknown,
    options?: { readonly tags?: readonly string[]; readonly context?: Readonly<Record<string, unknown>> },
  ) => void;
  /** Restarts the idle time-out. */
  readonly heartbeat: () => void;
  /** Publishes a `node.log` event. */
  readonly log: Readonly<
    Record<"debug" | "info" | "warn" | "error", (message: string, fields?: Readonly<Record<string, unknown>>) => void>
  >;
}

/** A unit of work: reads the state, returns an update or a command. */
export type NodeHandler<C extends Channels, E extends EventTypes, I extends InputTypes, S, Jumps extends string, Name extends string, R> = (
  state: StateOf<C>,
  context: NodeContext<C, E, I, S, Jumps, Name>,
) => Awaitable<R>;

/** How often a failed attempt is tried again, and after which delays: exponential backoff. */
export interface RetryOptions {
  /** In all, the first included. */
  readonly attempts: number;
  /** Default 500 ms. */
  readonly initialDelay?: Duration;
  /** Default 30 s. */
  readonly maxDelay?: Duration;
  /** Default 2. */
  readonly factor?: number;
  /** Full jitter: a random part of the delay. On by default. */
  readonly jitter?: boolean;
  /** May also give the delay, such as a server's Retry-After. */
  readonly retryOn?: (error: unknown, attempt: number) => boolean | Duration;
}

/** How a node is run, and where it may lead besides its edges and branches. */
export interface NodeOptions<Jumps extends string = never, Handler extends string = never> {
  /** Where this node's commands may lead, so that the graph stays checkable and drawable. */
  readonly jumps?: readonly Jumps[];
  readonly retry?: RetryOptions;
  /** Per attempt. */
  readonly timeout?: Duration;
  /** Per attempt, restarted by `heartbeat()`. */
  readonly idleTimeout?: Duration;
  /** How many entries of this node run at once. */
  readonly concurrency?: number;
  /** "on-change": skipped when no channel changed since it last ran. Default "always". */
  readonly gate?: "always" | "on-change";
  /** Runs only when nothing else is due: the reduce after an uneven map. */
  readonly defer?: boolean;
  /** The node that runs next when this one finally fails, instead of failing the run. It is an exit like any other in checks and drawings. */
  readonly onError?: Handler;
}

type IsAny<T> = 0 extends 1 & T ? true : false;

/** What is judged by its keys; commands are checked where they are made. */
type KeysOf<R> = R extends PlannedCommand | readonly unknown[] | AnyFunction ? never : R extends object ? keyof R & string : never;
type StrayKeys<C extends Channels, R> = Exclude<KeysOf<R>, keyof C>;
type WrongKeys<C extends Channels, R> = R extends object
  ? { [K in KeysOf<R> & keyof R & keyof C]-?: R[K] extends UpdateOf<C>[K] ? never : K }[KeysOf<R> & keyof R & keyof C]
  : never;

type Stray<Key extends string> = string extends Key
  ? GraphTypeError<"an update names its channels; this one may hold any key">
  : GraphTypeError<`"${Key}" is not a channel of this graph`>;

type Wrong<C extends Channels, Key> = [Key] extends [never]
  ? GraphTypeError<"a node returns an update, a command, or nothing">
  : ChannelTypeError<`channel "${Key & string}" takes values of another type`, Exclude<UpdateOf<C>[Key & keyof C], undefined>>;

/**
 * `unknown` when `R` is an update or a command of these channels, else the sentence that says what is wrong. Nothing satisfies
 * that, which the right type would not ensure: beside another type the compiler takes a promise for an update without keys.
 */
export type WritesOnly<C extends Channels, R> =
  IsAny<R> extends true
    ? unknown
    : [StrayKeys<C, R>] extends [never]
      ? [R] extends [NodeResult<C>]
        ? unknown
        : Wrong<C, WrongKeys<C, R>>
      : Stray<StrayKeys<C, R>>;
