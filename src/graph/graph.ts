/** A compiled graph, as its users see it, and the way from it to what the engine executes. */
import type { Channels, InputOf, StateOf } from "./channel.ts";
import type { EventTypes } from "./event-type.ts";
import type { InputTypes } from "./input.ts";
import type { ChannelKind, Plan } from "./plan.ts";

/** A graph as data, for documents and tools. */
export interface GraphDescription {
  readonly name: string;
  readonly fingerprint: string;
  readonly version: string | undefined;
  /** The graph's own, in declaration order; the built-in `errors` is not among them. */
  readonly channels: readonly { readonly name: string; readonly kind: ChannelKind }[];
  readonly nodes: readonly {
    readonly name: string;
    readonly jumps: readonly string[];
    readonly onError: string | undefined;
    readonly gate: "always" | "on-change";
    readonly defer: boolean;
    readonly input: boolean;
  }[];
  readonly edges: readonly { readonly from: readonly string[]; readonly to: string }[];
  readonly branches: readonly { readonly from: string; readonly labels: Readonly<Record<string, readonly string[]>> }[];
}

/** A compiled graph: frozen, checked, and independent of any run. */
export interface Graph<C extends Channels, E extends EventTypes, I extends InputTypes, S, Names extends string> {
  readonly "~types"?: { readonly channels: C; readonly events: E; readonly inputs: I; readonly services: S; readonly names: Names };
  readonly name: string;
  readonly version: string | undefined;
  /** Equal for equal graphs whatever the order of declaration; changes with whatever changes routing or channels. SHA-256, hexadecimal. */
  readonly fingerprint: string;
  /** The graph as data, frozen. */
  readonly describe: () => GraphDescription;
  /** A [Mermaid](https://mermaid.js.org) flowchart. */
  readonly toMermaid: () => string;
  /** A [Graphviz](https://graphviz.org) digraph. */
  readonly toDot: () => string;
}

/* Any graph at all; its own types are found again by `Types`. */
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyGraph = Graph<any, any, any, any, any>;
/** What a graph was declared with. */
export type Types<G> =
  G extends Graph<infer C, infer E, infer I, infer S, infer N> ? { channels: C; events: E; inputs: I; services: S; names: N } : never;
/** The state of a graph, as nodes read it. */
export type GraphState<G extends AnyGraph> = StateOf<Types<G>["channels"]>;
/** What a session of a graph begins with. */
export type GraphInput<G extends AnyGraph> = InputOf<Types<G>["channels"]>;

const plans = new WeakMap<object, Plan>();

/** Ties a graph to its plan, for `planOf`. */
export function register(graph: AnyGraph, plan: Plan): void {
  plans.set(graph, plan);
}

/** What the engine executes of a graph that this copy of the package compiled; `undefined` for anything else. */
export function planOf(graph: unknown): Plan | undefined {
  return typeof graph === "object" && graph !== null ? plans.get(graph) : undefined;
}
