/** A graph of two nodes, one after the other, and the lines that its traces are made of. */
import { channel, createRunner, END, graph, memoryCheckpointer, type RunnerOptions, START } from "spanloom";

export const channels = { last: channel.value(""), who: channel.optional<string>() };

/** a, then b. What each does is given. */
export const pair = (a: (context: { readonly signal: AbortSignal }) => unknown, options: RunnerOptions = {}) =>
  createRunner(
    graph({ name: "pair", channels })
      .node("a", async (_state, context) => {
        await a(context);
        return { last: "a" };
      })
      .node("b", () => ({ last: "b" }))
      .edge(START, "a")
      .edge("a", "b")
      .edge("b", END)
      .compile(),
    // Names of nodes are unknown to the options' own type.
    { checkpointer: memoryCheckpointer(), ...options },
  );
export const noop = (): void => {};

export const step = (number: number, node: string, next: number): readonly string[] => [
  `  superstep step=${number} ran_nodes_len=1 skipped_nodes_len=0`,
  `    schedule step=${number} frontier_len=1`,
  `      execute_node ${node} node.attempt=1 node.writes=[last]`,
  `    barrier step=${number} ran_nodes_len=1 errors_in_partials=0 updated_channels=[last]`,
  `    frontier step=${number} commands_count=0 conditional_edges_evaluated=0 next_frontier_len=${next}`,
  `    checkpoint step=${number} checkpoint.outcome=saved`,
];
export const invocation = (kind: string, outcome: string, steps: number, graphName = "pair"): string =>
  `invoke_workflow ${graphName} invocation.kind=${kind} invocation.outcome=${outcome} superstep.count=${steps}`;
export const saved = (number: number): string => `  checkpoint step=${number} checkpoint.outcome=saved`;
export const loaded = (number: number): string => `  checkpoint_load step=${number}`;
