/** What the engine executes: a compiled graph as integer-indexed arrays, without its types. */
import type { StandardSchema } from "../support/types.ts";

/* The plan holds functions of every graph's own types; they meet the engine here, which treats values as unknown. */
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyFunction = (...args: any[]) => any;

export type ChannelKind = "value" | "optional" | "list" | "merge" | "reduce" | "messages";

export interface PlannedChannel {
  /** Its place in `Plan.channels`. */
  readonly index: number;
  readonly name: string;
  readonly kind: ChannelKind;
  /** Has an initial value, so that an input need not give one. */
  readonly seeded: boolean;
  /** Adopted (`support/value.ts`): copied, checked and frozen. `undefined` when not seeded. */
  readonly initial: unknown;
  /** For `value` and `optional`: what two writes in one superstep are. */
  readonly concurrent: "error" | "last";
  readonly schema: StandardSchema | undefined;
  /** Of kind `reduce`, else `undefined`. */
  readonly reduce: AnyFunction | undefined;
}

/** The index that stands for END wherever a target is an index. */
export const endIndex = -1;

/** One edge out of a node: followed every time the node leaves by its own exits. */
export interface PlannedEdge {
  /** Index of the target, or `endIndex`. */
  readonly to: number;
  /** Index into `Plan.joins` when following the edge is an arrival, else -1 for a plain edge. */
  readonly join: number;
}

export interface PlannedBranch {
  /** Targets (indices or `endIndex`) by label. */
  readonly labels: ReadonlyMap<string, readonly number[]>;
  readonly decide: AnyFunction;
}

/** How a node is left: edges, then branches, each as declared. */
export interface Exits {
  readonly edges: readonly PlannedEdge[];
  readonly branches: readonly PlannedBranch[];
}

export interface PlannedRetry {
  /** In all, the first included; at least 1. */
  readonly attempts: number;
  /** Milliseconds. */
  readonly initialDelay: number;
  readonly maxDelay: number;
  readonly factor: number;
  readonly jitter: boolean;
  readonly retryOn: AnyFunction | undefined;
}

export interface PlannedNode {
  /** Its place in `Plan.nodes`. */
  readonly index: number;
  readonly name: string;
  readonly run: AnyFunction;
  /** Names, END included. */
  readonly jumps: ReadonlySet<string>;
  readonly retry: PlannedRetry | undefined;
  /** Milliseconds. */
  readonly timeout: number | undefined;
  readonly idleTimeout: number | undefined;
  readonly concurrency: number | undefined;
  /** `gate: "on-change"`. */
  readonly gated: boolean;
  readonly defer: boolean;
  /** Declared in `inputs`: reached by `send` alone. */
  readonly input: boolean;
  /** Index of the handler, or `undefined`. */
  readonly onError: number | undefined;
  readonly exits: Exits;
}

export interface PlannedJoin {
  readonly index: number;
  /** Indices of two or more distinct nodes. */
  readonly sources: readonly number[];
  /** Index of the target, or `endIndex`. */
  readonly to: number;
  /** Stable across declaration orders: sorted source names and the target, for storage. */
  readonly key: string;
}

export interface Plan {
  readonly name: string;
  readonly version: string | undefined;
  readonly fingerprint: string;
  /** In declaration order; the built-in `errors` (kind `list`) is the last. */
  readonly channels: readonly PlannedChannel[];
  readonly channelIndex: ReadonlyMap<string, number>;
  /** Names of the graph's own events. */
  readonly events: ReadonlySet<string>;
  readonly nodes: readonly PlannedNode[];
  readonly nodeIndex: ReadonlyMap<string, number>;
  readonly joins: readonly PlannedJoin[];
  /** The exits of START. */
  readonly entry: Exits;
}

/** What a node returns to leave by targets of its choice. Recognised by its key, across duplicate installs. */
export interface PlannedCommand {
  /** "goto" replaces the node's own exits, "also" adds to them. */
  readonly "~command": "goto" | "also";
  readonly targets: readonly (string | PlannedSend)[];
  /** Folded in as if it had been returned. */
  readonly update: Readonly<Record<string, unknown>> | undefined;
}

/** A target with the item that it is to run with. */
export interface PlannedSend {
  /** The node's name. */
  readonly "~send": string;
  readonly item: unknown;
}

/** Whether a node of this name is reached by sends alone. */
export function isInputNode({ nodes, nodeIndex }: Plan, name: string): boolean {
  const index = nodeIndex.get(name);
  return index !== undefined && nodes[index]?.input === true;
}
