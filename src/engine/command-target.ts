/** Where a command may lead: what its node's `jumps` list, and a node of `inputs` by `send` alone. */
import type { StoredTarget } from "../checkpoint/checkpointer.ts";
import { NodeError, RunnerError } from "../errors/errors.ts";
import { END } from "../graph/names.ts";
import { endIndex, type Plan, type PlannedNode } from "../graph/plan.ts";
import { hint } from "../support/suggest.ts";

export interface Target {
  /** Index of the node, or `endIndex`. */
  readonly to: number;
  /** Set for a send. */
  readonly sent: { readonly item: unknown } | undefined;
}

/** Throws `RunnerError` `frontier` caused by `NodeError` `unknown_target`. */
export function commandTarget(plan: Plan, node: PlannedNode, target: StoredTarget, step: number): Target {
  const name = typeof target === "string" ? target : target.node;
  const to = name === END ? endIndex : plan.nodeIndex.get(name);
  const refuse = (reason: string): never => refuseTarget(node.name, name, reason, step);
  if (to === undefined) {
    const known = [...plan.nodeIndex.keys(), END];
    return refuse(`leads to "${name}", but there is no such node.${hint(name, known)}`);
  }
  if (!node.jumps.has(name)) {
    const declared = node.jumps.size === 0 ? "none are declared" : `declared: ${[...node.jumps].map((jump) => `"${jump}"`).join(", ")}`;
    return refuse(`leads to "${name}", which its \`jumps\` do not list (${declared}).`);
  }
  const takesInput = to !== endIndex && plan.nodes[to]?.input === true;
  if (typeof target === "string") {
    return takesInput ? refuse(`leads to "${name}" without an item: use send("${name}", item).`) : { to, sent: undefined };
  }
  return takesInput ? { to, sent: { item: target.item } } : refuse(`sends an item to "${name}", which is not declared in \`inputs\`.`);
}

/** Throws what a way out that does not exist leads to. */
export function refuseTarget(node: string, target: string, reason: string, step: number): never {
  const cause = new NodeError("unknown_target", { node, target, reason });
  throw new RunnerError("frontier", { step, node, reason: cause.message }, { cause });
}
