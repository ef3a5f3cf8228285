/** Declares graphs as untyped code does, which the compiler would rightly refuse, and lists what is wrong with them. */
import { GraphError, type GraphProblem } from "../../src/errors/errors.ts";
import { graph } from "../../src/graph/builder.ts";
import { planOf, type AnyGraph } from "../../src/graph/graph.ts";
import type { Plan } from "../../src/graph/plan.ts";

export interface LooseBuilder {
  readonly node: (name?: unknown, run?: unknown, options?: unknown) => LooseBuilder;
  readonly edge: (from?: unknown, to?: unknown) => LooseBuilder;
  readonly branch: (from?: unknown, labels?: unknown, decide?: unknown) => LooseBuilder;
  readonly compile: () => AnyGraph;
}

export const looseGraph = graph as unknown as (spec?: unknown) => LooseBuilder;

export function loose(spec: Readonly<Record<string, unknown>> = {}): LooseBuilder {
  return looseGraph({ name: "g", channels: {}, ...spec });
}

export const run = (): void => {};

/** A builder with nodes of these names that do nothing. */
export const withNodes = (...names: readonly string[]): LooseBuilder => names.reduce((builder, name) => builder.node(name, run), loose());

/** What `compile()` reports; nothing when it compiles. Any other error is thrown on. */
export function problemsOf(builder: LooseBuilder): readonly GraphProblem[] {
  try {
    builder.compile();
    return [];
  } catch (error) {
    if (error instanceof GraphError) return error.problems;
    throw error;
  }
}

/** Each problem as its code and its message. */
export const told = (builder: LooseBuilder): readonly string[] => problemsOf(builder).map(({ code, message }) => `${code}: ${message}`);

export const codesOf = (builder: LooseBuilder): readonly string[] => problemsOf(builder).map(({ code }) => code);

export function planned(builder: LooseBuilder): Plan {
  const plan = planOf(builder.compile());
  if (plan === undefined) throw new Error("a compiled graph has no plan");
  return plan;
}
