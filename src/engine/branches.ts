/** Decides branches: which labels are taken, and the targets that they name. */
import { RunnerError } from "../errors/errors.ts";
import type { PlannedBranch } from "../graph/plan.ts";
import { show } from "../support/show.ts";
import { hint } from "../support/suggest.ts";
import type { Values } from "../support/types.ts";
import { refuseTarget } from "./command-target.ts";
import type { FrontierDraft } from "./frontier-draft.ts";

/** In the order declared. Throws `RunnerError` `frontier`. */
export function takeBranches(
  draft: FrontierDraft,
  from: string,
  branches: readonly PlannedBranch[],
  view: () => Values,
  step: number,
): void {
  for (const branch of branches) {
    const labels = decide(branch, from, view, step);
    const targets: number[] = [];
    for (const label of labels) targets.push(...(branch.labels.get(label) ?? []));
    draft.take(from, labels, targets);
  }
}

function decide(branch: PlannedBranch, from: string, view: () => Values, step: number): readonly string[] {
  let decided: unknown;
  try {
    decided = branch.decide(view());
  } catch (cause) {
    throw new RunnerError(
      "frontier",
      { step, node: from, reason: "its branch threw an error. Branches are pure and do not fail." },
      { cause },
    );
  }
  if (decided instanceof Promise) {
    decided.catch(() => {}); // it is refused, whatever it settles to
    return refuseTarget(from, "a promise", "has a branch that returned a promise. Branches are synchronous.", step);
  }
  const labels: readonly unknown[] = Array.isArray(decided) ? decided : [decided];
  return labels.map((label) => {
    if (typeof label === "string" && branch.labels.has(label)) return label;
    const name = typeof label === "string" ? label : show(label);
    const reason = `has a branch that returned ${show(label)}, which is not among its labels.${hint(name, branch.labels.keys())}`;
    return refuseTarget(from, name, reason, step);
  });
}
