/** Judges where a graph leads: whether every node is reached, END is reached from every node, and every cycle can be left. */
import { componentsOf, reachedFrom, type Next } from "./components.ts";
import type { DeclaredEdge } from "./declaration.ts";
import { report, type Findings } from "./findings.ts";
import type { Link } from "./links.ts";
import { END, START } from "./names.ts";

/** A graph as far as ways go. */
interface Ways {
  readonly links: readonly Link[];
  readonly joins: readonly DeclaredEdge[];
  readonly after: Next;
  readonly before: Next;
}

export function checkWays(nodes: readonly string[], links: readonly Link[], joins: readonly DeclaredEdge[], findings: Findings): void {
  const names = [...new Set(nodes)].filter((name) => name !== START && name !== END);
  const after = grouped(links, ({ from, to }) => [from, to]);
  const before = grouped(links, ({ from, to }) => [to, from]);
  checkEntries(names, { links, joins, after, before }, findings);
  checkCycles(names, links, findings);
  checkExits(names, after, before, findings);
}

function grouped(links: readonly Link[], ends: (link: Link) => readonly [string, string]): Next {
  const groups = new Map<string, Set<string>>();
  for (const link of links) {
    const [key, value] = ends(link);
    const group = groups.get(key) ?? new Set();
    groups.set(key, group.add(value));
  }
  const none: ReadonlySet<string> = new Set();
  return (name) => groups.get(name) ?? none;
}

/** A join leads on from all of its sources together: one that waits for itself never fires. */
function reachedByJoins(first: Iterable<string>, names: readonly string[], { links, joins }: Ways): ReadonlySet<string> {
  const alone = grouped(
    links.filter(({ kind }) => kind !== "join"),
    ({ from, to }) => [from, to],
  );
  const known = new Set(names);
  let reached = reachedFrom(first, alone);
  for (;;) {
    const before = reached;
    const fired = joins.filter(({ from, to }) => !before.has(to) && from.every((source) => before.has(source) || !known.has(source)));
    if (fired.length === 0) return reached;
    reached = reachedFrom([...before, ...fired.map(({ to }) => to)], alone);
  }
}

function checkEntries(names: readonly string[], ways: Ways, findings: Findings): void {
  const { excused } = findings;
  const { after, before } = ways;
  if (after(START).size === 0 && !excused.exits.has(START) && excused.entries.size === 0) {
    report(findings, "no_entry", {}, []);
    return;
  }
  const reached = reachedByJoins([START, ...excused.entries], names, ways);
  const lost = names.filter((name) => !reached.has(name));
  for (const { root, caused } of rootsOf(lost, before, after)) {
    report(findings, "unreachable_node", { node: root[0] ?? "" }, [...root, ...caused]);
  }
}

function checkExits(names: readonly string[], after: Next, before: Next, findings: Findings): void {
  const ending = reachedFrom([END, ...findings.excused.exits], before);
  const caught = names.filter((name) => !ending.has(name));
  for (const { root, caused } of rootsOf(caught, after, before)) {
    report(findings, "no_exit", { node: root[0] ?? "" }, [...root, ...caused]);
  }
}

interface Cause {
  /** One node, or several that lead to each other. */
  readonly root: readonly string[];
  /** Nodes with the same fault because of it, that no cause before it lists. */
  readonly caused: readonly string[];
}

/** Of nodes with one fault, those that cause it: with no faulty one before them. */
function rootsOf(faulty: readonly string[], before: Next, after: Next): readonly Cause[] {
  const order = new Map(faulty.map((name, index) => [name, index]));
  const place = (name: string | undefined): number => order.get(name ?? "") ?? 0;
  const inOrder = (names: Iterable<string>): readonly string[] => [...names].toSorted((left, right) => place(left) - place(right));
  const listed = new Set<string>();
  return componentsOf(faulty, after)
    .filter((component) => {
      const own = new Set(component);
      return !component.some((name) => [...before(name)].some((other) => order.has(other) && !own.has(other)));
    })
    .map(inOrder)
    .toSorted(([left], [right]) => place(left) - place(right))
    .map((root) => {
      for (const name of root) listed.add(name);
      const all = reachedFrom(root, (name) => [...after(name)].filter((other) => order.has(other) && !listed.has(other)));
      const caused = inOrder([...all].slice(root.length));
      for (const name of caused) listed.add(name);
      return { root, caused };
    });
}

/* Edges are always followed, whatever the branches beside them decide. Only what replaces a node's exits stops them: a jump, or a failure that is led elsewhere. */
function checkCycles(names: readonly string[], links: readonly Link[], findings: Findings): void {
  const next = grouped(
    links.filter(({ kind }) => kind === "edge"),
    ({ from, to }) => [from, to],
  );
  const instead = grouped(
    links.filter(({ kind }) => kind === "jump" || kind === "error"),
    ({ from, to }) => [from, to],
  );
  for (const component of componentsOf(names, next)) {
    const stuck = stuckIn(component, next, instead, findings.excused.exits);
    for (const cycle of componentsOf([...stuck], next)) {
      const members = new Set(cycle);
      if (![...next(cycle[0] ?? "")].some((name) => members.has(name))) continue;
      const nodes = names.filter((name) => members.has(name));
      report(findings, "endless_cycle", { nodes }, nodes);
    }
  }
}

/** The nodes of a component from which it cannot be left, whatever its nodes decide. */
function stuckIn(component: readonly string[], next: Next, instead: Next, excused: ReadonlySet<string>): ReadonlySet<string> {
  const members = new Set(component);
  // What can stop, lets those stop that lead to it: a few rounds are enough when those come later.
  const stuck = new Set(component.toReversed());
  const canStop = (name: string): boolean =>
    excused.has(name) ||
    [...instead(name)].some((target) => !stuck.has(target)) ||
    [...next(name)].every((target) => !members.has(target) || !stuck.has(target));
  for (let changed = true; changed;) {
    changed = false;
    for (const name of stuck) if (canStop(name)) changed = stuck.delete(name) || changed;
  }
  return stuck;
}
