/** What the tests of state share: graphs of one step, readers of typed errors, gates, and a look at what is frozen. */
import { types } from "node:util";
import { createRunner, END, graph, SpanloomError, START, StateError } from "spanloom";
import type { AnyGraph, Runner, RunnerOptions, RunResult } from "spanloom";
import { expect } from "vitest";

/* The untyped builder: for updates that the compiler would rightly refuse, and for generated graphs. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Handler = (state: any, context: any) => unknown;

export interface LooseBuilder {
  node(name: string, run: Handler, options?: Readonly<Record<string, unknown>>): LooseBuilder;
  edge(from: string | readonly string[], to: string | readonly string[]): LooseBuilder;
  branch(from: string, labels: Readonly<Record<string, string>>, decide: (state: Record<string, unknown>) => unknown): LooseBuilder;
  compile(): AnyGraph;
}

type Loose = Readonly<Record<string, unknown>>;

export const loose = (channels: Loose, more: Loose = {}): LooseBuilder =>
  graph({ name: "g", channels, ...more } as never) as unknown as LooseBuilder;

/** A runner without the types of its graph. */
// oxlint-disable-next-line typescript/no-explicit-any
export type LooseRunner = Runner<any>;
// oxlint-disable-next-line typescript/no-explicit-any
export type LooseResult = RunResult<any>;

export const runnerOf = (compiled: AnyGraph, options: RunnerOptions = {}): LooseRunner =>
  (createRunner as (graph: AnyGraph, options: RunnerOptions) => LooseRunner)(compiled, { telemetry: false, ...options });

/** Nodes that all run in the one superstep of the graph, in the order given. */
export function parallel(channels: Loose, handlers: Readonly<Record<string, Handler>>, more: Loose = {}): AnyGraph {
  const names = Object.keys(handlers);
  const builder = Object.entries(handlers).reduce((each, [name, run]) => each.node(name, run), loose(channels, more));
  return builder.edge(START, names).edge(names, END).compile();
}

/** Nodes that run one after the other. */
export function sequence(channels: Loose, handlers: readonly Handler[], more: Loose = {}): AnyGraph {
  const names = handlers.map((_run, index) => `n${index + 1}`);
  const builder = handlers.reduce<LooseBuilder>((each, run, index) => each.node(`n${index + 1}`, run), loose(channels, more));
  const path = [START, ...names, END];
  return path
    .slice(1)
    .reduce((each, name, index) => each.edge(path[index] ?? START, name), builder)
    .compile();
}

/** Runs nodes one after the other, and gives the final state. */
export async function finalState(channels: Loose, handlers: readonly Handler[], input: Loose = {}): Promise<Record<string, unknown>> {
  const { state } = await runnerOf(sequence(channels, handlers)).invoke(input);
  return state;
}

/** Creates a session, runs one step, and gives what the session then is. */
export async function oneStep(compiled: AnyGraph, input: Loose = {}, options: RunnerOptions = {}) {
  const session = runnerOf(compiled, options).session("s");
  const created = await session.create(input);
  const report = await session.runStep();
  return { created, report };
}

export interface Gate<T = void> {
  readonly promise: Promise<T>;
  readonly open: (value: T) => void;
}
export function gate<T = void>(): Gate<T> {
  const { promise, resolve } = Promise.withResolvers<T>();
  return { promise, open: resolve };
}

/** What a call rejected with, or threw. */
export async function rejection(call: () => unknown): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  return expect.unreachable("the call was expected to be refused");
}

/** The same, as an error of this library with the given code. */
export async function refusal(code: string, call: () => unknown): Promise<SpanloomError> {
  const error = await rejection(call);
  expect(error).toBeInstanceOf(SpanloomError);
  expect((error as SpanloomError).code, String(error)).toBe(code);
  return error as SpanloomError;
}

/** The typed error under another one. */
export function causeOf(error: Error, code: string): StateError {
  expect(error.cause, String(error)).toBeInstanceOf(StateError);
  const cause = error.cause as StateError;
  expect(cause.code).toBe(code);
  return cause;
}

const isContainer = (value: unknown): value is object => typeof value === "object" && value !== null;

/** Paths of plain containers that are not frozen. */
export function thawed(value: unknown, path = "it"): readonly string[] {
  if (!isContainer(value) || types.isDate(value) || types.isTypedArray(value)) return [];
  const parts: readonly (readonly [string, unknown])[] =
    value instanceof Map || value instanceof Set
      ? Array.from(value.entries(), ([key, part]): [string, unknown] => [String(key), part])
      : Object.entries(value);
  const plain = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null;
  const own = plain && !Object.isFrozen(value) ? [path] : [];
  return [...own, ...parts.flatMap(([key, part]) => thawed(part, `${path}.${key}`))];
}
