/** What the tests of frontiers and sessions share: graphs without types, collected events, gates, and stores that misbehave as told. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect } from "vitest";
import { channel, type Checkpointer, createRunner, graph, memoryCheckpointer, type RunnerOptions, SpanloomError } from "spanloom";
import type { Graph, Run, RunResult, RuntimeEvent, Session } from "spanloom";

/* Generated graphs, and those that the compiler would rightly refuse, have no types of their own. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Loose = any;
export type LooseGraph = Graph<Loose, Loose, Loose, Loose, Loose>;
export type LooseSession = Session<LooseGraph>;
export type Handler = (state: Loose, context: Loose) => unknown;

export interface LooseBuilder {
  node(name: string, run: Handler, options?: Readonly<Record<string, unknown>>): LooseBuilder;
  edge(from: string | readonly string[], to: string | readonly string[]): LooseBuilder;
  branch(from: string, labels: Readonly<Record<string, string | readonly string[]>>, decide: (state: Loose) => unknown): LooseBuilder;
  compile(): LooseGraph;
}

/** Every graph has `log`, a list of what ran. */
export function loose(channels: Readonly<Record<string, unknown>> = {}, spec: Readonly<Record<string, unknown>> = {}): LooseBuilder {
  // The builder's types are what is put aside here.
  return graph({ name: "g", channels: { log: channel.list<string>(), ...channels }, ...spec } as never) as unknown as LooseBuilder;
}

/** Logs its node and step. */
export const mark: Handler = (_state, { node, step }) => ({ log: [`${node}@${step}`] });

export const marked = (builder: LooseBuilder, ...names: readonly string[]): LooseBuilder =>
  names.reduce((declared, name) => declared.node(name, mark), builder);

/** What ran, and in which steps, by those that `mark`. */
export const logOf = ({ state }: { readonly state: Readonly<Record<string, unknown>> }): readonly string[] =>
  state["log"] as readonly string[];

/** START → each in turn → END. */
export function chain(...names: readonly string[]): LooseBuilder {
  const path = ["start", ...names, "end"];
  return path.slice(1).reduce((builder, name, index) => builder.edge(path[index] as string, name), marked(loose(), ...names));
}

/** Lets everything run that is ready to. No amount of time passes. */
export async function settle(turns = 12): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await nextTurn();
}

export interface Gate {
  readonly passed: Promise<void>;
  readonly open: () => void;
}

export function gate(): Gate {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { passed: promise, open: () => resolve() };
}

/** A node that says when it is entered, and waits to be let go. */
export function held(update?: unknown): {
  readonly handler: Handler;
  readonly entered: Promise<void>;
  readonly open: () => void;
} {
  const entered = gate();
  const leave = gate();
  return {
    entered: entered.passed,
    open: leave.open,
    handler: async () => {
      entered.open();
      await leave.passed;
      return update;
    },
  };
}

export interface Collected {
  readonly events: readonly RuntimeEvent[];
  readonly result: RunResult<LooseGraph> | undefined;
  readonly error: unknown;
}

/** All events of a run, and how it ended. */
export async function collect(run: Run<LooseGraph>): Promise<Collected> {
  const ending = run.result.then(
    (result) => ({ result, error: undefined }),
    (error: unknown) => ({ result: undefined, error }),
  );
  const events: RuntimeEvent[] = [];
  for await (const event of run) events.push(event as RuntimeEvent);
  return { events, ...(await ending) };
}

export const typesOf = (events: readonly { readonly type: string }[]): readonly string[] => events.map(({ type }) => type);

export function ofType<T extends RuntimeEvent["type"]>(
  events: readonly { readonly type: string }[],
  type: T,
): readonly Extract<RuntimeEvent, { type: T }>[] {
  return events.filter((event) => event.type === type) as unknown as readonly Extract<RuntimeEvent, { type: T }>[];
}

export async function all<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** What a call rejects with. A call that throws synchronously fails the test. */
export async function rejection(call: () => Promise<unknown>): Promise<SpanloomError> {
  const promise = call();
  const error = await promise.then(
    () => expect.unreachable("the call was expected to be refused"),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(SpanloomError);
  return error as SpanloomError;
}

export async function expectCode(call: () => Promise<unknown>, code: string): Promise<SpanloomError> {
  const error = await rejection(call);
  expect(error.code).toBe(code);
  return error;
}

/** The code of the cause. */
export const causeCode = (error: SpanloomError): unknown => (error.cause instanceof SpanloomError ? error.cause.code : undefined);

type Method = "load" | "save" | "amend" | "addResults" | "delete";

/** A memory store whose methods do first what `before` says: to throw, reject, wait or count. */
export function wrapped(
  before: (method: Method, call: number) => unknown,
  inner: Checkpointer = memoryCheckpointer(),
): Checkpointer & { readonly calls: Readonly<Record<Method, number>> } {
  const calls = { load: 0, save: 0, amend: 0, addResults: 0, delete: 0 };
  const through =
    (method: Method) =>
    (...given: readonly unknown[]): unknown => {
      calls[method] += 1;
      const first = before(method, calls[method]);
      // The arguments are passed on as they came.
      const call = (): unknown => (inner[method] as (...passed: readonly unknown[]) => unknown).apply(inner, [...given]);
      return first instanceof Promise ? first.then(call) : call();
    };
  const store = {
    backend: "wrapped",
    calls,
    load: through("load"),
    save: through("save"),
    amend: through("amend"),
    addResults: through("addResults"),
    delete: through("delete"),
    history: inner.history.bind(inner),
    list: inner.list.bind(inner),
    prune: inner.prune.bind(inner),
    deleteSessions: inner.deleteSessions.bind(inner),
    close: inner.close.bind(inner),
    [Symbol.asyncDispose]: () => inner.close(),
  };
  // Each method is the inner store's own, behind a detour.
  return store as unknown as Checkpointer & { readonly calls: Readonly<Record<Method, number>> };
}

/** A runner whose every event is kept. */
export function watched(compiled: LooseGraph, options: RunnerOptions = {}) {
  const runner = createRunner(compiled, { checkpointer: memoryCheckpointer(), ...options });
  const events: RuntimeEvent[] = [];
  const subscription = runner.events();
  void (async () => {
    for await (const event of subscription) events.push(event as RuntimeEvent);
  })();
  return { runner, session: runner.session("s"), events };
}

/** The events that end invocations. */
export const terminals = (events: readonly { readonly type: string }[]): readonly string[] =>
  typesOf(events).filter((type) => /^invocation\.(?!started)/u.test(type));
