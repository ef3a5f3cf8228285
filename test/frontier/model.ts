/** The rules of frontiers, once more and as plainly as can be: random graphs are run by both, and compared. */
import { END, START } from "spanloom";
import { type Handler, loose, type LooseGraph } from "../sessions/support.ts";

export interface BranchSpec {
  readonly from: string;
  readonly labels: Readonly<Record<string, readonly string[]>>;
}

/** How a node leaves, beside its edges and branches. */
export interface JumpSpec {
  readonly kind: "goto" | "also";
  readonly targets: readonly string[];
}

export interface GraphSpec {
  readonly nodes: readonly string[];
  readonly deferred: readonly string[];
  /** One source: a plain edge. */
  readonly edges: readonly { readonly from: readonly string[]; readonly to: string }[];
  readonly branches: readonly BranchSpec[];
  readonly jumps: Readonly<Record<string, JumpSpec>>;
}

/** What is decided, a number in [0, 1) for whoever asks: the same on each side for the same question. */
export type Decide = (question: string) => number;

/** Labels that a branch takes in a step: none, one, or all. */
export function labelsTaken(decide: Decide, { from, labels }: BranchSpec, place: number, step: number): readonly string[] {
  const names = Object.keys(labels);
  const roll = decide(`${from}/${place}@${step}`) * (names.length + 2);
  if (roll < 1) return [];
  return roll < 2 ? names : [names[Math.floor(roll - 2)] as string];
}

/** Whether a node leaves by its command this time. */
export const jumpTaken = (decide: Decide, node: string, step: number): boolean => decide(`${node}!@${step}`) < 0.5;

/** The real graph. Nodes tell `ran` their step; branches decide by it. */
export function built(spec: GraphSpec, decide: Decide, ran: (node: string, step: number) => void, wait: Handler): LooseGraph {
  let now = 0;
  let builder = loose();
  for (const node of spec.nodes) {
    const jump = spec.jumps[node];
    const run: Handler = async (state, context) => {
      now = context.step;
      ran(node, context.step);
      await wait(state, context);
      if (jump !== undefined && jumpTaken(decide, node, context.step)) return context[jump.kind](jump.targets);
    };
    builder = builder.node(node, run, { jumps: jump?.targets ?? [], defer: spec.deferred.includes(node) });
  }
  for (const { from, to } of spec.edges) builder = builder.edge(from.length === 1 ? (from[0] as string) : from, to);
  spec.branches.forEach((branch, place) => {
    builder = builder.branch(branch.from, branch.labels, () => labelsTaken(decide, branch, place, branch.from === START ? 0 : now));
  });
  return builder.compile();
}

/** The nodes of each superstep, in frontier order; stops after `limit` of them. */
export function simulated(spec: GraphSpec, decide: Decide, limit: number): readonly (readonly string[])[] {
  const arrived = spec.edges.map(() => new Set<string>());
  const follow = (node: string, step: number, due: Set<string>): void => {
    const jump = spec.jumps[node];
    const jumps = jump !== undefined && jumpTaken(decide, node, step);
    if (!jumps || jump.kind === "also") {
      spec.edges.forEach(({ from, to }, index) => {
        if (!from.includes(node)) return;
        const set = arrived[index] as Set<string>;
        set.add(node);
        if (set.size < from.length) return;
        set.clear();
        due.add(to);
      });
      spec.branches.forEach((branch, place) => {
        if (branch.from !== node) return;
        for (const label of labelsTaken(decide, branch, place, step)) for (const to of branch.labels[label] ?? []) due.add(to);
      });
    }
    if (jumps) for (const to of jump.targets) due.add(to);
    due.delete(END);
  };
  const steps: string[][] = [];
  let due = new Set<string>();
  follow(START, 0, due);
  while (due.size > 0 && steps.length < limit) {
    const prompt = [...due].filter((node) => !spec.deferred.includes(node));
    const active = prompt.length > 0 ? prompt : [...due];
    const next = new Set(prompt.length > 0 ? [...due].filter((node) => !prompt.includes(node)) : []);
    steps.push(active);
    for (const node of active) follow(node, steps.length, next);
    due = next;
  }
  return steps;
}
