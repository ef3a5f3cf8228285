/** What is known of the step that is due, once its entries have become others: results, sub-steps, questions and answers go with them. */
import type { FrontierEntry } from "../checkpoint/checkpointer.ts";
import { type DueStep, entryKey, questionsOf } from "../engine/execution.ts";
import type { Interrupt } from "../events/event.ts";

/** What became of an entry; one of which nothing became is gone, with all that was known of it. */
export type Renaming = ReadonlyMap<FrontierEntry, FrontierEntry>;

interface Renamed {
  readonly due: DueStep;
  /** The id that an interrupt has now; the same one for what was not asked. */
  readonly idOf: (id: string) => string;
}

/** An id is that of a step, an entry, and the question within it; or a step, a kind and a node. */
function renamedInterrupt(
  asked: Interrupt,
  keys: ReadonlyMap<string, FrontierEntry>,
  nodes: ReadonlyMap<string, string>,
): Interrupt | undefined {
  const { id, kind, step, node = "" } = asked;
  // Of a step that was done.
  if (kind === "after" || kind === "step") return asked;
  if (kind === "before") {
    const name = nodes.get(node);
    return name === undefined ? undefined : Object.freeze({ ...asked, id: `${step}/before/${name}`, node: name });
  }
  const [, ordinal = "", question = ""] = /^(\d+)\/(.*)$/su.exec(id.slice(questionsOf(step, node).length)) ?? [];
  const entry = keys.get(`${node}/${ordinal}`);
  return entry === undefined
    ? undefined
    : Object.freeze({ ...asked, id: `${questionsOf(step, entry.node)}${entry.ordinal}/${question}`, node: entry.node });
}

export function renameDue(due: DueStep, renaming: Renaming): Renamed {
  const keys = new Map(Array.from(renaming, ([before, after]) => [entryKey(before), after]));
  const nodes = new Map(Array.from(renaming, ([before, after]) => [before.node, after.node]));
  const results: DueStep["results"] = new Map(
    Array.from(due.results).flatMap(([key, result]) => {
      const entry = keys.get(key);
      return entry === undefined ? [] : [[entryKey(entry), { ...result, node: entry.node, ordinal: entry.ordinal }] as const];
    }),
  );
  const once: DueStep["once"] = new Map(
    Array.from(due.once).flatMap(([key, kept]) => {
      const entry = keys.get(key);
      return entry === undefined ? [] : [[entryKey(entry), kept] as const];
    }),
  );
  const asked = due.interrupts.map((interrupt) => [interrupt.id, renamedInterrupt(interrupt, keys, nodes)] as const);
  const interrupts = asked.flatMap(([, interrupt]) => interrupt ?? []);
  const ids = new Map(asked.map(([id, interrupt]) => [id, interrupt?.id]));
  const answers = new Map(
    Array.from(due.answers).flatMap(([id, answer]) => (ids.get(id) === undefined ? [] : [[ids.get(id) ?? id, answer] as const])),
  );
  const passed = due.pausePassed?.nodes.flatMap((node) => nodes.get(node) ?? []) ?? [];
  const pausePassed = due.pausePassed === undefined ? undefined : { step: due.pausePassed.step, nodes: passed };
  return { due: { results, once, answers, interrupts, pausePassed }, idOf: (id) => ids.get(id) ?? id };
}
