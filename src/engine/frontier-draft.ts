/** A frontier while it is put together: plain targets once, sends and failures each, arrivals at joins. */
import type { EntryFailure, FrontierEntry } from "../checkpoint/checkpointer.ts";
import { END } from "../graph/names.ts";
import { endIndex, type Plan, type PlannedEdge, type PlannedJoin, type PlannedNode } from "../graph/plan.ts";
import type { Target } from "./command-target.ts";
import { noArrivals } from "./execution.ts";
import type { BranchTaken, FrontierOutcome } from "./outcome.ts";

/** How many entries each node has, and which nodes are due by a plain target. */
interface Known {
  readonly counts: Map<string, number>;
  readonly plain: Set<string>;
}

function note({ counts, plain }: Known, { node, ordinal, sent, failure }: FrontierEntry): void {
  counts.set(node, Math.max(counts.get(node) ?? 0, ordinal + 1));
  if (!sent && failure === undefined) plain.add(node);
}

export class FrontierDraft {
  readonly #plan: Plan;
  readonly #next: FrontierEntry[] = [];
  /** Of what is due. Made with the second entry: most frontiers have one. */
  #known: Known | undefined;
  readonly #before: ReadonlyMap<string, readonly string[]>;
  #arrivals: Map<string, readonly string[]> | undefined;
  readonly #branches: BranchTaken[] = [];

  constructor(plan: Plan, arrivals: ReadonlyMap<string, readonly string[]>) {
    this.#plan = plan;
    this.#before = arrivals;
  }

  /** What was due already, and goes on waiting: as it is, since results, questions and answers are known by its number. */
  carry(entry: FrontierEntry): void {
    this.#add(entry);
  }

  follow(edges: readonly PlannedEdge[], source: string): void {
    for (const { to, join } of edges) {
      if (join < 0) this.#addPlain(to);
      else this.#arrive(this.#plan.joins[join] as PlannedJoin, source);
    }
  }

  take(from: string, labels: readonly string[], targets: readonly number[]): void {
    for (const to of targets) this.#addPlain(to);
    this.#branches.push({ from, labels: Object.freeze(labels), targets: Object.freeze(targets.map((to) => this.#nameOf(to))) });
  }

  add({ to, sent }: Target): void {
    if (sent === undefined) this.#addPlain(to);
    else this.#push(this.#nameOf(to), true, sent.item, undefined);
  }

  /** Its node failed finally: the node that `onError` names is due, once per failed entry. */
  addHandler(node: PlannedNode, failure: EntryFailure): void {
    if (node.onError !== undefined) this.#push(this.#nameOf(node.onError), false, undefined, failure);
  }

  outcome(): FrontierOutcome {
    const arrivals = this.#arrivals ?? this.#before;
    const ended = this.#next.length === 0;
    return {
      next: Object.freeze(this.#next.slice()),
      // Cleared when the session completes.
      arrivals: ended ? noArrivals : arrivals,
      branches: this.#branches,
      conditionalEdges: this.#branches.length,
      starved: ended ? this.#starved(arrivals) : [],
    };
  }

  #nameOf(index: number): string {
    return index === endIndex ? END : (this.#plan.nodes[index] as PlannedNode).name;
  }

  #addPlain(to: number): void {
    if (to === endIndex) return;
    const node = this.#nameOf(to);
    if (this.#next.length > 0 && this.#knownSoFar().plain.has(node)) return;
    this.#push(node, false, undefined, undefined);
  }

  #push(node: string, sent: boolean, item: unknown, failure: EntryFailure | undefined): void {
    const known = this.#next.length > 0 ? this.#knownSoFar() : undefined;
    this.#add(Object.freeze({ node, ordinal: known?.counts.get(node) ?? 0, sent, item, failure }));
  }

  #add(entry: FrontierEntry): void {
    this.#next.push(entry);
    if (this.#known !== undefined) note(this.#known, entry);
  }

  #knownSoFar(): Known {
    if (this.#known === undefined) {
      this.#known = { counts: new Map(), plain: new Set() };
      for (const entry of this.#next) note(this.#known, entry);
    }
    return this.#known;
  }

  #arrive({ key, sources, to }: PlannedJoin, source: string): void {
    this.#arrivals ??= new Map(this.#before);
    const arrived = this.#arrivals.get(key) ?? [];
    if (arrived.includes(source)) return;
    if (arrived.length + 1 < sources.length) {
      this.#arrivals.set(key, Object.freeze([...arrived, source]));
      return;
    }
    this.#arrivals.delete(key);
    this.#addPlain(to);
  }

  #starved(arrivals: ReadonlyMap<string, readonly string[]>): FrontierOutcome["starved"] {
    return this.#plan.joins.flatMap(({ key, sources, to }) => {
      const arrived = arrivals.get(key);
      if (arrived === undefined) return [];
      const names = sources.map((source) => this.#nameOf(source));
      const missing = names.filter((name) => !arrived.includes(name));
      return [{ to: this.#nameOf(to), arrived: names.filter((name) => arrived.includes(name)), missing }];
    });
  }
}
