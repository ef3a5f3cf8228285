/** The registry of the names that spans carry: scope, span names, attribute keys and span events, each written once. */

/** The instrumentation scope; its schema is that of the OpenTelemetry semantic conventions that `error.type` follows. */
export const scope = { name: "spanloom", version: "0.1.0", schemaUrl: "https://opentelemetry.io/schemas/1.45.0" } as const;

export interface SpanDefinition {
  readonly name: string;
  /** What follows the name, after a space. */
  readonly suffix?: "graph" | "node";
  /** One sentence for the docs. */
  readonly about: string;
}

/** Every span that the runtime makes. All are of kind INTERNAL. */
export const spans = {
  invocation: { name: "invoke_workflow", suffix: "graph", about: "One continuous execution of a session in one process." },
  superstep: { name: "superstep", about: "One turn of the phases." },
  schedule: { name: "schedule", about: "Phase 1, for as long as the nodes run." },
  node: { name: "execute_node", suffix: "node", about: "One attempt of a node; active while the node's code runs." },
  barrier: { name: "barrier", about: "Phase 2: updates are folded into the state." },
  frontier: { name: "frontier", about: "Phase 3: what runs next is found." },
  checkpoint: { name: "checkpoint", about: "Phase 4, or a save on creation, pause or end; only when something is saved." },
  checkpointLoad: { name: "checkpoint_load", about: "Loading the session, at the start of an invocation that goes on with it." },
} as const satisfies Record<string, SpanDefinition>;

/** Where an attribute stands: a span by its key above, a link between spans, or a span event. */
export type AttributePlace = keyof typeof spans | "link" | "event";

export interface AttributeDefinition<Key extends string = string> {
  readonly key: Key;
  readonly type: "string" | "int" | "double" | "boolean" | "string[]";
  /** UCUM. Empty where there is none. */
  readonly unit: string;
  readonly on: readonly AttributePlace[];
  /** One sentence for the docs. */
  readonly about: string;
}

const everySpan: readonly AttributePlace[] = [
  "invocation",
  "superstep",
  "schedule",
  "node",
  "barrier",
  "frontier",
  "checkpoint",
  "checkpointLoad",
];
const stepped: readonly AttributePlace[] = ["superstep", "schedule", "barrier", "frontier", "checkpoint", "checkpointLoad", "event"];
const saves: readonly AttributePlace[] = ["checkpoint", "checkpointLoad"];

function attribute<Key extends string>(
  key: Key,
  type: AttributeDefinition["type"],
  unit: string,
  on: readonly AttributePlace[],
  about: string,
): AttributeDefinition<Key> {
  return { key, type, unit, on, about };
}

/** Every attribute of spans and their links. Those of the progress document keep their names under the prefix. */
export const spanAttributes = {
  graphName: attribute("spanloom.graph.name", "string", "", ["invocation"], "The graph's name."),
  graphVersion: attribute("spanloom.graph.version", "string", "", ["invocation"], "The graph's version, if it has one."),
  graphFingerprint: attribute("spanloom.graph.fingerprint", "string", "", ["invocation"], "What identifies the graph's structure."),
  sessionId: attribute("spanloom.session.id", "string", "", everySpan, "The session."),
  invocationId: attribute("spanloom.invocation.id", "string", "", ["invocation"], "The invocation."),
  invocationKind: attribute("spanloom.invocation.kind", "string", "", ["invocation"], "One of start, resume, next."),
  invocationOutcome: attribute("spanloom.invocation.outcome", "string", "", ["invocation"], "One of completed, failed, cancelled, paused."),
  invocationSegment: attribute("spanloom.invocation.segment", "int", "", ["invocation"], "Which span of this invocation it is, from 1."),
  superstepCount: attribute("spanloom.superstep.count", "int", "{step}", ["invocation"], "How many supersteps the invocation took."),
  durability: attribute("spanloom.durability", "string", "", ["invocation"], "One of sync, async, exit, none."),
  step: attribute("spanloom.step", "int", "", stepped, "The superstep's number, from 1; 0 is the creation."),
  ranNodesLength: attribute("spanloom.ran_nodes_len", "int", "{entry}", ["superstep", "barrier"], "How many entries ran."),
  skippedNodesLength: attribute("spanloom.skipped_nodes_len", "int", "{entry}", ["superstep"], "How many entries their gate skipped."),
  scheduleDuration: attribute("spanloom.phase.schedule.duration", "double", "s", ["superstep"], "Phase 1, when phases are no spans."),
  barrierDuration: attribute("spanloom.phase.barrier.duration", "double", "s", ["superstep"], "Phase 2, when phases are no spans."),
  frontierDuration: attribute("spanloom.phase.frontier.duration", "double", "s", ["superstep"], "Phase 3, when phases are no spans."),
  checkpointDuration: attribute(
    "spanloom.phase.checkpoint.duration",
    "double",
    "s",
    ["invocation", "superstep"],
    "Saves under this span, in all, when phases are no spans.",
  ),
  frontierLength: attribute("spanloom.frontier_len", "int", "{entry}", ["schedule"], "How many entries are due."),
  failedNode: attribute("spanloom.failed_node", "string", "", ["schedule"], "On failure: the first node that finally failed."),
  frontierNodes: attribute("spanloom.frontier_nodes", "string[]", "", ["schedule"], "On failure: the nodes that were due, at most 20."),
  channelVersions: attribute(
    "spanloom.channel_versions",
    "string[]",
    "",
    ["schedule"],
    "On failure: the versions that the nodes saw, each as name=version.",
  ),
  nodeName: attribute("spanloom.node.name", "string", "", ["node", "event"], "The node's name."),
  nodeAttempt: attribute("spanloom.node.attempt", "int", "", ["node", "event"], "Which attempt it is, from 1."),
  nodeQueueDuration: attribute("spanloom.node.queue.duration", "double", "s", ["node"], "From due to started."),
  nodeWrites: attribute("spanloom.node.writes", "string[]", "", ["node"], "The channels that the attempt wrote."),
  nodeRetryDelay: attribute(
    "spanloom.node.retry.delay",
    "double",
    "s",
    ["node", "event"],
    "The wait before the attempt, from the second on.",
  ),
  errorsInPartials: attribute("spanloom.errors_in_partials", "int", "{error}", ["barrier"], "How many errors the entries reported."),
  updatedChannels: attribute("spanloom.updated_channels", "string[]", "", ["barrier"], "The channels that changed, as declared."),
  commandsCount: attribute("spanloom.commands_count", "int", "{command}", ["frontier"], "How many entries left by a command."),
  conditionalEdgesEvaluated: attribute(
    "spanloom.conditional_edges_evaluated",
    "int",
    "{branch}",
    ["frontier"],
    "How many branches were really decided.",
  ),
  nextFrontierLength: attribute("spanloom.next_frontier_len", "int", "{entry}", ["frontier"], "How many entries are due next."),
  checkpointBackend: attribute("spanloom.checkpoint.backend", "string", "", saves, "The store: memory, sqlite, …"),
  checkpointSize: attribute("spanloom.checkpoint.size", "int", "By", saves, "The record's size."),
  checkpointMode: attribute("spanloom.checkpoint.mode", "string", "", ["checkpoint"], "The durability it was saved under."),
  checkpointOutcome: attribute("spanloom.checkpoint.outcome", "string", "", ["checkpoint"], "One of saved, failed, conflict."),
  linkType: attribute("spanloom.link.type", "string", "", ["link"], "One of resumed_from, origin, forked_from."),
  errorType: attribute("error.type", "string", "", [...everySpan, "event"], "The error's name on a node's span, else its code."),
  errorCode: attribute("error.code", "string", "", [...everySpan, "event"], "The code of the error, where it has one."),
  errorMessage: attribute("error.message", "string", "", ["event"], "The error's message, unless messages are turned off."),
} as const satisfies Record<string, AttributeDefinition>;

/** The prefix of every name that is ours. */
export const attributePrefix = "spanloom.";

/** The events of the bus that are span events too. Their data become attributes under the prefix, flat. */
export const spanEvents = {
  "node.retrying": "An attempt failed and another follows.",
  "node.failed": "An attempt failed.",
  "node.log": "What a node logged, from level warn.",
  "interrupt.requested": "A node, or a pause, waits for an answer; never with its payload.",
  "join.starved": "A session completed while a join still waited for some of its sources.",
} as const satisfies Record<string, string>;

export type LinkType = "resumed_from" | "origin" | "forked_from";
