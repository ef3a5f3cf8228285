/** The typed way to declare a graph: immutable calls that only note what was asked, and one that checks it all. */
import type { OneOrMany } from "../support/types.ts";
import type { Channels, StateOf } from "./channel.ts";
import { compileGraph } from "./compile.ts";
import { noted, snapshot, type Draft, type Note } from "./draft.ts";
import type { EventTypes } from "./event-type.ts";
import type { Graph } from "./graph.ts";
import type { InputTypes } from "./input.ts";
import type { End, Start } from "./names.ts";
import type { NodeHandler, NodeOptions, NodeResult, WritesOnly } from "./node.ts";
import type { ServicesType } from "./services.ts";
import type { GraphTypeError } from "./type-error.ts";

type Fresh<Name extends string, Names extends string> = string extends Names
  ? unknown
  : Name extends Start | End
    ? GraphTypeError<`"${Name}" is reserved: name the node otherwise`>
    : Name extends Names
      ? GraphTypeError<`a node named "${Name}" exists already`>
      : unknown;

/* Sentences, not types made of them: the compiler would print the name of such a type in place of its sentence. */
type NoSource = "edges and branches lead from START, or from nodes that were added before";
type NoTarget = "edges and branches lead to END, or to nodes that were added before and take no input";
type NoLabel = "a branch returns labels of its own";

type Source<Names extends string> = Names | Start;
type Target<Names extends string, I extends InputTypes> = Exclude<Names, keyof I> | End;

type Missing<Names extends string, Jumps extends string> = string extends Jumps ? never : Exclude<Jumps, Names | End>;

/** A graph being declared. Every call gives another builder, and none throws but `compile`. */
export interface GraphBuilder<
  C extends Channels,
  E extends EventTypes,
  I extends InputTypes,
  S,
  Names extends string,
  Jumps extends string,
> {
  readonly "~types"?: {
    readonly channels: C;
    readonly events: E;
    readonly inputs: I;
    readonly services: S;
    readonly names: Names;
    readonly jumps: Jumps;
  };
  /** Adds a unit of work. Wrong channels, updates, jumps and duplicate names are compile-time errors that read as sentences. */
  node<const Name extends string, R extends UpdateLike<C>, const To extends string = never, const Handler extends string = never>(
    name: Name & Fresh<Name, Names>,
    run: NodeHandler<C, E, I, S, NoInfer<To>, Name, R> & WritesOnly<C, R>,
    options?: NodeOptions<To, Handler>,
  ): GraphBuilder<C, E, I, S, Names | Name, Jumps | To | Handler>;
  /** Several targets: fan-out. Several sources: a join, `to` runs once after all of them. */
  edge(from: OneOrMany<Source<Names> | GraphTypeError<NoSource>>, to: OneOrMany<Target<Names, I> | GraphTypeError<NoTarget>>): this;
  /** Leaves by one label, several, or none, decided on the state after the barrier. */
  branch<const Labels extends Readonly<Record<string, OneOrMany<Target<Names, I> | GraphTypeError<NoTarget>>>>>(
    from: Source<Names> | GraphTypeError<NoSource>,
    labels: Labels,
    decide: (state: StateOf<C>) => OneOrMany<(keyof Labels & string) | GraphTypeError<NoLabel>>,
  ): this;
  /** Checks the whole graph. Throws `GraphError` with every problem. */
  compile(
    this: [Missing<Names, Jumps | (keyof I & string)>] extends [never]
      ? GraphBuilder<C, E, I, S, Names, Jumps>
      : GraphTypeError<`no node is named "${Missing<Names, Jumps | (keyof I & string)>}"`>,
  ): Graph<C, E, I, S, Names>;
}

type UpdateLike<C extends Channels> = NodeResult<C> | object;

interface Declared<C extends Channels, E extends EventTypes, I extends InputTypes, S> {
  readonly "~types"?: { readonly channels: C; readonly events: E; readonly inputs: I; readonly services: S };
}

/** The handler type of a node kept in a file of its own: `const read: NodeOf<typeof base, "read"> = async (state, context) => …`. */
export type NodeOf<B, Name extends string = string, Jumps extends string = never> =
  B extends Declared<infer C, infer E, infer I, infer S> ? NodeHandler<C, E, I, S, Jumps, Name, NodeResult<C>> : never;

/** What a graph begins with. */
export interface GraphSpec<C extends Channels, E extends EventTypes, I extends InputTypes, S> {
  readonly name: string;
  /** The owner's own; on spans, metrics and checkpoints. */
  readonly version?: string;
  /** The state that its nodes share. */
  readonly channels: C;
  /** What its nodes may emit. */
  readonly events?: E;
  /** Nodes that are reached by `send` alone, and the item that each is sent. */
  readonly inputs?: I;
  /** What its nodes get from outside, given to the runner or an invocation. */
  readonly services?: ServicesType<S>;
}

/** Starts a graph. Nothing is checked, and nothing throws, before `compile()`. */
export function graph<const C extends Channels, E extends EventTypes = {}, I extends InputTypes = {}, S = undefined>(
  spec: GraphSpec<C, E, I, S>,
): GraphBuilder<C, E, I, S, never, never> {
  // Down to what a channel was declared with. The notes have no types: the builder's own say what may be asked of it.
  return builderOf({ spec: snapshot(spec, 4), notes: undefined }) as GraphBuilder<C, E, I, S, never, never>;
}

/* Each call gives a builder of other types than the last; no narrower type takes all of them. */
// oxlint-disable-next-line typescript/no-explicit-any
type AnyBuilder = GraphBuilder<any, any, any, any, any, any>;

function builderOf(draft: Draft): AnyBuilder {
  const grown = (note: Note): AnyBuilder => builderOf(noted(draft, note));
  return Object.freeze({
    node: (name: unknown, run: unknown, options?: unknown) => grown({ kind: "node", name, run, options: snapshot(options, 2) }),
    edge: (from: unknown, to: unknown) => grown({ kind: "edge", from: snapshot(from, 1), to: snapshot(to, 1) }),
    branch: (from: unknown, labels: unknown, decide: unknown) =>
      grown({ kind: "branch", from: snapshot(from, 1), labels: snapshot(labels, 2), decide }),
    compile: () => compileGraph(draft),
  });
}
