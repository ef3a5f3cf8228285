/** Every code of every error, the facts that go with it, and the sentence made of them: what is wrong, and what to do. */

type Known = { readonly hint: string };
/** A reason may end with a question, or with what is known. */
const ended = (sentence: string): string => (/[.?]$/.test(sentence) ? sentence : `${sentence}.`);
const quoted = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(", ");
/** Places in words, the first few of them. */
function listed(places: readonly string[]): string {
  const shown = places.length > 4 ? [...places.slice(0, 3), `${places.length - 3} more places`] : places;
  return shown.length === 1 ? `${shown[0]}` : `${shown.slice(0, -1).join(", ")} and ${shown.at(-1)}`;
}

export const catalogue = {
  /** Codes of the `problems` of a GraphError. */
  graph: {
    invalid_name: ({ what, name, reason }: { what: string; name: string; reason: string }) =>
      `The ${what} name ${JSON.stringify(name)} ${reason}.`,
    invalid_option: ({ where, option, reason }: { where: string; option: string; reason: string }) =>
      ended(`Option "${option}" of ${where} ${reason}`),
    invalid_branch: ({ from, reason }: { from: string; reason: string }) => `A branch of "${from}" ${reason}.`,
    invalid_edge: ({ from, to, reason }: { from: readonly string[]; to: readonly string[]; reason: string }) =>
      `The edge from ${quoted(from) || "nothing"} to ${quoted(to) || "nothing"} ${reason}.`,
    duplicate_node: ({ node }: { node: string }) => `A node named "${node}" is declared twice. Give each node a name of its own.`,
    duplicate_edge: ({ from, to }: { from: readonly string[]; to: string }) =>
      `The edge from ${quoted(from)} to "${to}" is declared twice. Remove one of them.`,
    unknown_node: ({ node, places, hint }: { node: string; places: readonly string[] } & Known) => {
      const [first = "", ...others] = places;
      const also = others.length === 0 ? "" : `, as ${others.length === 1 ? "does" : "do"} ${listed(others)}`;
      return `${first.slice(0, 1).toUpperCase()}${first.slice(1)} names "${node}"${also}, but there is no such node.${hint}`;
    },
    missing_handler: ({ node }: { node: string }) =>
      `Node "${node}" has no function to run. Give it one, as the second argument of node().`,
    missing_input: ({ node, places }: { node: string; places: readonly string[] }) =>
      `Node "${node}" takes an input, so only send("${node}", item) can reach it, but ${listed(places)} ${places.length === 1 ? "leads" : "lead"} to it. Send to it from a node instead, or take it out of \`inputs\`.`,
    no_entry: (_facts: object) => `Nothing leads out of START. Add edge(START, …) to the first node.`,
    unreachable_node: ({ node }: { node: string }) =>
      `Node "${node}" cannot be reached from START. Lead an edge, a branch or a jump to it, or remove it.`,
    no_exit: ({ node }: { node: string }) =>
      `END cannot be reached from node "${node}". Add an edge, a branch or a jump that leads on to END.`,
    endless_cycle: ({ nodes }: { nodes: readonly string[] }) =>
      nodes.length === 1
        ? `Node ${quoted(nodes)} leads to itself by a plain edge for ever. Make the edge a branch, or let the node jump out.`
        : `The nodes ${quoted(nodes)} lead to each other by plain edges for ever. Make one of the edges a branch, or let a node jump out.`,
  },
  runner: {
    scheduler: ({ reason }: { node?: string; nodes?: readonly string[]; step: number; reason: string }) => reason,
    barrier: ({ step, reason }: { step: number; channel?: string; reason: string }) =>
      `Step ${step} could not be folded into the state: ${reason}`,
    frontier: ({ step, node, reason }: { step: number; node: string; reason: string }) =>
      `What follows node "${node}" after step ${step} could not be decided: ${reason}`,
    max_steps: ({ maxSteps, sessionId }: { maxSteps: number; step: number; sessionId: string }) =>
      `The invocation did not end within ${maxSteps} supersteps. Resume session ${JSON.stringify(sessionId)} to go on, or raise \`maxSteps\` if so many are meant.`,
    invalid_option: ({ option, reason }: { option: string; reason: string }) => ended(`Option "${option}" ${reason}`),
    invalid_input: ({ reason }: { reason: string }) => `The input was refused: ${reason}`,
    session_busy: ({ sessionId }: { sessionId: string }) =>
      `Session ${JSON.stringify(sessionId)} is running in this runner. Wait for its \`result\`, or cancel it first.`,
    session_exists: ({ sessionId }: { sessionId: string }) =>
      `Session ${JSON.stringify(sessionId)} exists already. Use another id, \`next\` for its next input, or \`resume\` to go on with it (\`onExisting\`).`,
    session_not_found: ({ sessionId }: { sessionId: string }) =>
      `There is no session ${JSON.stringify(sessionId)} in this store. Without a checkpointer, sessions are forgotten once they complete.`,
    session_pending: ({ sessionId, status }: { sessionId: string; status: string }) =>
      `Session ${JSON.stringify(sessionId)} is ${status} and has work due. Resume it first, or give \`discardPending: true\`.`,
    session_finished: ({ sessionId }: { sessionId: string }) =>
      `Session ${JSON.stringify(sessionId)} is finished: it can only be read. Begin another one.`,
    interrupt_not_found: ({ ids, open }: { ids: readonly string[]; open: readonly string[] }) =>
      ids.length > 0
        ? `No interrupt ${quoted(ids)} is open. Open: ${quoted(open) || "none"}.`
        : `\`answer\` needs exactly one open interrupt. Open: ${quoted(open) || "none"}. Use \`answers\`, by id.`,
    wrong_graph: ({ sessionId, graph, expected }: { sessionId: string; graph: string; expected: string }) =>
      `Session ${JSON.stringify(sessionId)} belongs to graph "${graph}", not to "${expected}". Open it with a runner of its own graph.`,
    graph_changed: ({ sessionId, changes }: { sessionId: string; changes: readonly string[] }) =>
      `Session ${JSON.stringify(sessionId)} cannot go on with the changed graph: ${changes.join("; ")}. Mend the graph, or let \`onGraphChange\` migrate the session.`,
    checkpoint_failed: ({ sessionId, step, reason }: { sessionId: string; step: number; reason: string }) =>
      `Step ${step} of session ${JSON.stringify(sessionId)} could not be saved: ${reason}`,
    cancelled: ({ sessionId, reason }: { sessionId: string; reason: string }) =>
      `Session ${JSON.stringify(sessionId)} was cancelled: ${reason}`,
    closed: (_facts: object) => `The runner is closed or draining and takes no new work. Create another one.`,
  },
  state: {
    unknown_channel: ({ channel, hint }: { channel: string; node?: string } & Known) =>
      `"${channel}" is not a channel of this graph.${hint}`,
    concurrent_write: ({ channel, nodes, step }: { channel: string; nodes: readonly string[]; step: number }) =>
      `Nodes ${quoted(nodes)} both wrote channel "${channel}" in step ${step}. Let one write it, use a channel that folds (list, merge, reduce), or say \`concurrent: "last"\`.`,
    invalid_update: ({ channel, reason }: { channel?: string; reason: string; path?: string }) =>
      channel === undefined ? `The update was refused: ${reason}.` : `The update of channel "${channel}" was refused: ${reason}.`,
    invalid_state: ({ channel, reason }: { channel: string; reason: string; path?: string }) =>
      `The stored value of channel "${channel}" was refused: ${reason}.`,
    unserializable_value: ({ path, what }: { path: string; what: string; channel?: string }) =>
      `The value at ${path} cannot be stored: ${what}. Values are JSON values, Date, BigInt, Map, Set, typed arrays and Error; keep clients and functions in \`services\`.`,
    reducer_failed: ({ channel, reason }: { channel: string; reason: string }) =>
      `The reducer of channel "${channel}" ${reason}. Reducers are pure and synchronous.`,
  },
  node: {
    node_timeout: ({ node, timeout, kind }: { node: string; timeout: number; kind: "timeout" | "idleTimeout"; attempt: number }) =>
      kind === "timeout"
        ? `Node "${node}" did not finish within ${timeout} ms. Raise its \`timeout\`, or make it stop by its \`signal\`.`
        : `Node "${node}" gave no heartbeat for ${timeout} ms. Call \`heartbeat()\` more often, or raise its \`idleTimeout\`.`,
    unknown_target: ({ node, reason }: { node: string; target: string; reason: string }) => `Node "${node}" ${reason}`,
    missing_handler: ({ node }: { node: string }) => `Node "${node}" has no function to run.`,
  },
  checkpoint: {
    checkpoint_conflict: ({ sessionId }: { sessionId: string; checkpointId?: string; epoch?: number }) =>
      `Another owner has taken over session ${JSON.stringify(sessionId)}: this write changed nothing.`,
    checkpoint_not_found: ({ sessionId, checkpointId }: { sessionId: string; checkpointId: string }) =>
      `Session ${JSON.stringify(sessionId)} has no checkpoint ${JSON.stringify(checkpointId)}. It may have been pruned.`,
    checkpoint_corrupt: ({ sessionId, checkpointId, reason }: { sessionId: string; checkpointId: string; reason: string }) =>
      `Checkpoint ${JSON.stringify(checkpointId)} of session ${JSON.stringify(sessionId)} cannot be read: ${reason}. Open the one before it.`,
    checkpointer_unavailable: ({ backend, reason }: { backend: string; reason: string }) =>
      `The ${backend} store cannot be opened, read or written: ${reason}.`,
    schema_too_new: ({ backend, found, known }: { backend: string; found: number; known: number }) =>
      `The ${backend} store has schema ${found}; this version knows ${known}. Upgrade spanloom.`,
  },
} as const;

export type Family = keyof typeof catalogue;
export type CodeOf<F extends Family> = keyof (typeof catalogue)[F] & string;
export type FactsOf<F extends Family, C extends CodeOf<F>> = (typeof catalogue)[F][C] extends (facts: infer Facts) => string
  ? Facts
  : never;
