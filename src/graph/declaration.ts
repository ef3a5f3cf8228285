/** A graph as it was declared, read and of the right shape, but with names where the plan has indices. */
import type { AnyFunction, PlannedChannel, PlannedRetry } from "./plan.ts";

export interface DeclaredNode {
  readonly name: string;
  readonly run: AnyFunction;
  /** Without repetitions, as are the targets of a label. */
  readonly jumps: readonly string[];
  readonly retry: PlannedRetry | undefined;
  readonly timeout: number | undefined;
  readonly idleTimeout: number | undefined;
  readonly concurrency: number | undefined;
  readonly gated: boolean;
  readonly defer: boolean;
  readonly onError: string | undefined;
}

/** A join has two sources or more, a plain edge one. */
export interface DeclaredEdge {
  readonly from: readonly string[];
  readonly to: string;
}

export interface DeclaredBranch {
  readonly from: string;
  readonly labels: ReadonlyMap<string, readonly string[]>;
  readonly decide: AnyFunction;
}

/** Everything in the order in which it was declared. */
export interface Declaration {
  readonly name: string;
  readonly version: string | undefined;
  readonly channels: readonly PlannedChannel[];
  readonly events: ReadonlySet<string>;
  readonly inputs: ReadonlySet<string>;
  readonly nodes: readonly DeclaredNode[];
  readonly edges: readonly DeclaredEdge[];
  readonly branches: readonly DeclaredBranch[];
}

/** The same for a join whatever the order of its sources. */
export const edgeKey = ({ from, to }: DeclaredEdge): string => JSON.stringify([from.toSorted(), to]);
