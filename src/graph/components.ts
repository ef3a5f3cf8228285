/** Strongly connected components: the sets of nodes that lead to each other, by Tarjan's algorithm without recursion. */

/** What a node leads to. */
export type Next = (node: string) => ReadonlySet<string>;

interface Visit {
  readonly node: string;
  /** Of the order in which nodes are first met. */
  readonly index: number;
  readonly targets: Iterator<string>;
  /** The least index that is known to be led to, of nodes in no component yet. */
  lowest: number;
}

/** Every one of `nodes` is in one component; what leads out of `nodes` is not followed. In no order to rely on. */
export function componentsOf(nodes: readonly string[], next: Next): readonly (readonly string[])[] {
  const members = new Set(nodes);
  const indices = new Map<string, number>();
  const settled = new Set<string>();
  const pending: string[] = [];
  const components: string[][] = [];
  const visits: Visit[] = [];
  const enter = (node: string): void => {
    const index = indices.size;
    indices.set(node, index);
    pending.push(node);
    visits.push({ node, index, targets: next(node)[Symbol.iterator](), lowest: index });
  };
  const leave = (visit: Visit): void => {
    const above = visits.at(-1);
    if (above !== undefined) above.lowest = Math.min(above.lowest, visit.lowest);
    if (visit.lowest !== visit.index) return;
    const component = pending.splice(pending.lastIndexOf(visit.node));
    for (const node of component) settled.add(node);
    components.push(component);
  };
  const step = (visit: Visit): void => {
    const { value: target, done } = visit.targets.next();
    if (done === true) leave(visits.pop() ?? visit);
    else if (members.has(target) && !settled.has(target)) {
      const seen = indices.get(target);
      if (seen === undefined) enter(target);
      else visit.lowest = Math.min(visit.lowest, seen);
    }
  };
  for (const root of members) {
    if (!indices.has(root)) enter(root);
    for (let visit = visits.at(-1); visit !== undefined; visit = visits.at(-1)) step(visit);
  }
  return components;
}

/** All nodes that `next` leads to, the first ones included. */
export function reachedFrom(first: Iterable<string>, next: (node: string) => Iterable<string>): ReadonlySet<string> {
  const reached = new Set(first);
  // A set that grows is iterated to its new end.
  for (const node of reached) for (const target of next(node)) reached.add(target);
  return reached;
}
