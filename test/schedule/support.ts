/** What these tests share: gates instead of sleeps, a clock that counts its timers, small graphs, and readers of how runs end. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect } from "vitest";
import { channel, END, event, graph, type NodeOf, type NodeOptions, RunnerError, type RuntimeEvent, SpanloomError, START } from "spanloom";
import { manualClock } from "spanloom/testing";

const base = graph({
  name: "g",
  channels: { log: channel.list<string>(), n: channel.value(0) },
  events: { tick: event<number>() },
});

export type Handler<Name extends string = string> = NodeOf<typeof base, Name>;
export type Context = Parameters<Handler>[1];

/** START → a → END. */
export const solo = (run: Handler<"a">, options: NodeOptions = {}) =>
  base.node("a", run, options).edge(START, "a").edge("a", END).compile();

/** All of them due in step 1, in this order, each with the same options unless it has its own. */
export function side(
  handlers: Readonly<Record<string, Handler>>,
  options: NodeOptions = {},
  own: Readonly<Record<string, NodeOptions>> = {},
) {
  const all = Object.keys(handlers);
  const [first, ...rest] = Object.entries(handlers);
  if (first === undefined) throw new Error("side() needs a node");
  let builder = base.node(first[0], first[1], own[first[0]] ?? options);
  for (const [name, run] of rest) builder = builder.node(name, run, own[name] ?? options);
  return builder.edge(START, all).edge(all, END).compile();
}

/** Names "n0", "n1" … */
export const names = (count: number): readonly string[] => Array.from({ length: count }, (_item, index) => `n${index}`);

/** The same handler under many names. */
export const same = (count: number, run: Handler): Readonly<Record<string, Handler>> =>
  Object.fromEntries(names(count).map((name) => [name, run]));

/** Lets everything run that is ready to run; waits for no amount of time. */
export async function settle(turns = 12): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await nextTurn();
}

export interface Gate<T = void> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: unknown) => void;
}
export const gate = <T = void>(): Gate<T> => Promise.withResolvers<T>();

/** Resolves for all when so many have come. */
export function meeting(parties: number): () => Promise<void> {
  const all = gate();
  let here = 0;
  return () => {
    here += 1;
    if (here === parties) all.resolve();
    return all.promise;
  };
}

/** Rejects with the reason once the signal aborts. */
export const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });

/** Never settles. */
export const never = (): Promise<never> => new Promise(() => {});

/** A promise that settles after so many microtasks. */
export async function ticks(count: number): Promise<void> {
  for (let tick = 0; tick < count; tick += 1) await Promise.resolve();
}

export type CountingClock = ReturnType<typeof countingClock>;

/** A manual clock that knows the timers which are set, and every delay that was asked for. */
export function countingClock(start = 0) {
  const clock = manualClock(start);
  const live = new Set<object>();
  const delays: number[] = [];
  return {
    ...clock,
    delays,
    pending: () => live.size,
    setTimeout(run: () => void, milliseconds: number) {
      const key = {};
      live.add(key);
      delays.push(milliseconds);
      const timer = clock.setTimeout(() => {
        live.delete(key);
        run();
      }, milliseconds);
      return {
        clear: () => {
          live.delete(key);
          timer.clear();
        },
      };
    },
  };
}

/** Whether a promise has settled. */
export function watch(promise: Promise<unknown>): { readonly done: () => boolean } {
  let done = false;
  const finish = (): void => void (done = true);
  promise.then(finish, finish);
  return { done: () => done };
}

/** What a call rejected with, or threw. */
export async function rejection(call: () => unknown): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  return expect.unreachable("the call was to be refused");
}

export async function refused(call: () => unknown, code: string): Promise<RunnerError> {
  const error = await rejection(call);
  if (!(error instanceof RunnerError)) throw new Error(`expected a RunnerError ${code}`, { cause: error });
  expect(error.code).toBe(code);
  return error;
}

/** The codes of an error and its causes. */
export function codesOf(error: unknown): readonly string[] {
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  return [...(error instanceof SpanloomError ? [error.code] : []), ...(cause === undefined ? [] : codesOf(cause))];
}

/** The type of any run, as far as these tests read it. */
interface SomeRun<Result> extends AsyncIterable<{ readonly type: string }> {
  readonly result: Promise<Result>;
}

export interface Outcome<Result> {
  readonly events: readonly RuntimeEvent[];
  readonly result: Result | undefined;
  readonly error: unknown;
}

/** All events of a run, and how it ended. */
export async function collect<Result>(run: SomeRun<Result>): Promise<Outcome<Result>> {
  const ending = run.result.then(
    (result) => ({ result, error: undefined as unknown }),
    (error: unknown) => ({ result: undefined, error }),
  );
  const events: RuntimeEvent[] = [];
  // A graph's own events are told apart by their type where a test looks for them.
  for await (const each of run) events.push(each as RuntimeEvent);
  return { events, ...(await ending) };
}

type Type = RuntimeEvent["type"];
export const eventsOf = <T extends Type>(events: readonly RuntimeEvent[], type: T, node?: string) =>
  events.filter((each): each is Extract<RuntimeEvent, { type: T }> => each.type === type && (node === undefined || each.node === node));

/** The types of a node's events, in order. */
export const lifeOf = (events: readonly RuntimeEvent[], node: string): readonly string[] =>
  events.filter((each) => each.node === node && each.type.startsWith("node.")).map(({ type }) => type.slice("node.".length));

/** Lists an async iterable. */
export async function list<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
