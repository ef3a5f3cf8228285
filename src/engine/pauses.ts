/** Pauses that a runner was set to: before and after named nodes, and after each step. */
import type { FrontierEntry } from "../checkpoint/checkpointer.ts";
import type { Interrupt } from "../events/event.ts";
import { entryKey, type Execution } from "./execution.ts";

const none: readonly Interrupt[] = Object.freeze([]);

function pauseOf(kind: "before" | "after", step: number, node: string): Interrupt {
  return Object.freeze({ id: `${step}/${kind}/${node}`, node, step, payload: undefined, kind });
}

/** Before the nodes that are due, but for those where that pause was passed. */
export function pauseBeforeStep({ settings, state, due }: Execution, active: readonly FrontierEntry[]): readonly Interrupt[] {
  const step = state.step + 1;
  if (settings.pauseBefore.size === 0) return none;
  const passed = due.pausePassed?.step === step ? due.pausePassed.nodes : [];
  // An entry whose result is kept does not run.
  const running = active.filter((entry) => !due.results.has(entryKey(entry))).map(({ node }) => node);
  const nodes = new Set(running.filter((node) => settings.pauseBefore.has(node) && !passed.includes(node)));
  return nodes.size === 0 ? none : Array.from(nodes, (node) => pauseOf("before", step, node));
}

/** After the step that was done. */
export function pauseAfterStep({ settings }: Execution, step: number, ranNodes: readonly string[]): readonly Interrupt[] {
  if (!settings.pauseEachStep && settings.pauseAfter.size === 0) return none;
  const nodes = new Set(ranNodes.filter((node) => settings.pauseAfter.has(node)));
  const after = Array.from(nodes, (node) => pauseOf("after", step, node));
  if (!settings.pauseEachStep) return after;
  return [...after, Object.freeze({ id: `${step}/step`, step, payload: undefined, kind: "step" })];
}
