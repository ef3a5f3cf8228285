/** A graph as data, and the fingerprint of that data. */
import { createHash } from "node:crypto";
import type { Declaration } from "./declaration.ts";
import type { GraphDescription } from "./graph.ts";
import { errorsChannel } from "./names.ts";

/** What routes a run, and where it keeps its state: all that a stored session depends on. */
type Structure = Pick<GraphDescription, "channels" | "nodes" | "edges" | "branches">;

/** Frozen to the bottom. */
export function describeGraph(declaration: Declaration): GraphDescription {
  const structure: Structure = {
    channels: declaration.channels.filter(({ name }) => name !== errorsChannel).map(({ name, kind }) => ({ name, kind })),
    nodes: declaration.nodes.map(({ name, jumps, onError, gated, defer }) => ({
      name,
      jumps,
      onError,
      gate: gated ? "on-change" : "always",
      defer,
      input: declaration.inputs.has(name),
    })),
    edges: declaration.edges.map(({ from, to }) => ({ from, to })),
    branches: declaration.branches.map(({ from, labels }) => ({ from, labels: Object.fromEntries(labels) })),
  };
  return deepFreeze({ name: declaration.name, fingerprint: fingerprintOf(structure), version: declaration.version, ...structure });
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value === "object" && value !== null) Object.values(Object.freeze(value)).forEach(deepFreeze);
  return value;
}

/** SHA-256, hexadecimal, of a text that is the same whatever the order of declaration. */
function fingerprintOf({ channels, nodes, edges, branches }: Structure): string {
  const text = JSON.stringify({
    channels: sorted(channels.map(({ name, kind }) => [name, kind])),
    nodes: sorted(
      nodes.map(({ name, jumps, onError, gate, defer, input }) => [name, jumps.toSorted(), onError ?? null, gate, defer, input]),
    ),
    edges: sorted(edges.map(({ from, to }) => [from.toSorted(), to])),
    branches: sorted(
      branches.map(({ from, labels }) => [from, sorted(Object.entries(labels).map(([label, targets]) => [label, targets.toSorted()]))]),
    ),
  });
  return createHash("sha256").update(text).digest("hex");
}

/** By their JSON: an order that depends on nothing but the items. */
function sorted(items: readonly unknown[]): readonly unknown[] {
  return items
    .map((item): readonly [string, unknown] => [JSON.stringify(item), item])
    .toSorted(([left], [right]) => (left < right ? -1 : Number(left > right)))
    .map(([, item]) => item);
}
