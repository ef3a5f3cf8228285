/** The classes of error that this library throws. Tell errors apart by `code`; the sentences are in `catalogue.ts`. */
import { catalogue, type CodeOf, type FactsOf, type Family } from "./catalogue.ts";

const brand = Symbol.for("spanloom.error");

/** The base of every error thrown. `code` is stable and has a heading in docs/errors.md. */
export class SpanloomError extends Error {
  readonly code: string;
  readonly facts: Readonly<Record<string, unknown>>;
  /** Works across duplicate installs of the package, where `instanceof` does not. Never throws. */
  static is(value: unknown, code?: string): value is SpanloomError {
    try {
      return value instanceof Error && brand in value && (code === undefined || Reflect.get(value, "code") === code);
    } catch {
      // A proxy that refuses even to say what it is.
      return false;
    }
  }

  constructor(name: string, code: string, message: string, facts: unknown, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.facts = facts as Readonly<Record<string, unknown>>;
    Object.defineProperty(this, "name", { value: name, enumerable: false, configurable: true });
    Object.defineProperty(this, brand, { value: true });
  }
}

function sentence<F extends Family, C extends CodeOf<F>>(family: F, code: C, facts: FactsOf<F, C>): string {
  // The catalogue's own type ties the code to its facts; indexing by a type parameter loses that.
  const make = catalogue[family][code] as unknown as (facts: FactsOf<F, C>) => string;
  return make(facts);
}

/** One thing that is wrong with a graph. */
export interface GraphProblem {
  readonly code: CodeOf<"graph">;
  readonly message: string;
  readonly nodes: readonly string[];
}

/** A graph that does not compile; `problems` lists all that is wrong with it. Code: `invalid_graph`. */
export class GraphError extends SpanloomError {
  readonly problems: readonly GraphProblem[];
  constructor(graph: string, problems: readonly GraphProblem[]) {
    const lines = problems.map(({ code, message }) => `\n  - ${message} (${code})`);
    const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
    super("GraphError", "invalid_graph", `Graph "${graph}" has ${count}:${lines.join("")}`, { graph, problems });
    this.problems = problems;
  }
}

/** Makes a problem of a graph from its code and facts. */
export function graphProblem<C extends CodeOf<"graph">>(code: C, facts: FactsOf<"graph", C>, nodes: readonly string[]): GraphProblem {
  return { code, message: sentence("graph", code, facts), nodes };
}

/** A run, or a call of a runner or session, that cannot go on. */
export class RunnerError<C extends CodeOf<"runner"> = CodeOf<"runner">> extends SpanloomError {
  declare readonly code: C;
  constructor(code: C, facts: FactsOf<"runner", C>, options?: ErrorOptions) {
    super("RunnerError", code, sentence("runner", code, facts), facts, options);
  }
}

/** A value or an update that the state does not take. */
export class StateError<C extends CodeOf<"state"> = CodeOf<"state">> extends SpanloomError {
  declare readonly code: C;
  constructor(code: C, facts: FactsOf<"state", C>, options?: ErrorOptions) {
    super("StateError", code, sentence("state", code, facts), facts, options);
  }
}

/** A node that overran its time, or left by a way that its graph does not have. */
export class NodeError<C extends CodeOf<"node"> = CodeOf<"node">> extends SpanloomError {
  declare readonly code: C;
  constructor(code: C, facts: FactsOf<"node", C>, options?: ErrorOptions) {
    super("NodeError", code, sentence("node", code, facts), facts, options);
  }
}

/** A store that refused, lost or cannot read something. */
export class CheckpointError<C extends CodeOf<"checkpoint"> = CodeOf<"checkpoint">> extends SpanloomError {
  declare readonly code: C;
  constructor(code: C, facts: FactsOf<"checkpoint", C>, options?: ErrorOptions) {
    super("CheckpointError", code, sentence("checkpoint", code, facts), facts, options);
  }
}
