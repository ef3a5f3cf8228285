/** Makes of a declaration without problems what the engine executes. */
import { edgeKey, type Declaration, type DeclaredNode } from "./declaration.ts";
import { END, START } from "./names.ts";
import { endIndex, type Exits, type Plan, type PlannedBranch, type PlannedEdge, type PlannedJoin, type PlannedNode } from "./plan.ts";

/** Name to index. */
type Indices = ReadonlyMap<string, number>;

export function makePlan(declaration: Declaration, fingerprint: string): Plan {
  const { name, version, channels, events, inputs } = declaration;
  const nodeIndex: Indices = new Map(declaration.nodes.map((node, index) => [node.name, index]));
  const joins = makeJoins(declaration, nodeIndex);
  const exits = makeExits(declaration, nodeIndex, joins);
  const planned = (node: DeclaredNode, index: number): PlannedNode => {
    const { onError, jumps, ...rest } = node;
    return Object.freeze({
      ...rest,
      index,
      jumps: new Set(jumps),
      input: inputs.has(node.name),
      onError: onError === undefined ? undefined : nodeIndex.get(onError),
      exits: exits(node.name),
    });
  };
  return Object.freeze({
    name,
    version,
    fingerprint,
    channels: Object.freeze(channels),
    channelIndex: new Map(channels.map((channel) => [channel.name, channel.index])),
    events,
    nodes: Object.freeze(declaration.nodes.map(planned)),
    nodeIndex,
    joins: Object.freeze([...joins.values()]),
    entry: exits(START),
  });
}

const indexOf = (name: string, indices: Indices): number => (name === END ? endIndex : (indices.get(name) ?? endIndex));

/** By the key of their edge. */
function makeJoins({ edges }: Declaration, indices: Indices): ReadonlyMap<string, PlannedJoin> {
  const joins = new Map<string, PlannedJoin>();
  for (const edge of edges) {
    if (edge.from.length === 1) continue;
    const sources = Object.freeze(edge.from.map((source) => indexOf(source, indices)));
    const key = edgeKey(edge);
    joins.set(key, Object.freeze({ index: joins.size, sources, to: indexOf(edge.to, indices), key }));
  }
  return joins;
}

function makeExits(declaration: Declaration, indices: Indices, joins: ReadonlyMap<string, PlannedJoin>): (from: string) => Exits {
  const edges = new Map<string, PlannedEdge[]>();
  const branches = new Map<string, PlannedBranch[]>();
  for (const edge of declaration.edges) {
    const planned = Object.freeze({ to: indexOf(edge.to, indices), join: joins.get(edgeKey(edge))?.index ?? -1 });
    for (const source of edge.from) append(edges, source, planned);
  }
  for (const { from, labels, decide } of declaration.branches) {
    const targets = (names: readonly string[]): readonly number[] => Object.freeze(names.map((name) => indexOf(name, indices)));
    append(branches, from, Object.freeze({ labels: new Map([...labels].map(([label, names]) => [label, targets(names)])), decide }));
  }
  return (from) => Object.freeze({ edges: Object.freeze(edges.get(from) ?? []), branches: Object.freeze(branches.get(from) ?? []) });
}

function append<Item>(lists: Map<string, Item[]>, key: string, item: Item): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}
