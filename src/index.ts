/** The entry point `spanloom`. */
export { memoryCheckpointer } from "./checkpoint/memory/memory-checkpointer.ts";
export type {
  Amendment,
  ChannelChange,
  Checkpointer,
  CheckpointRecord,
  EntryFailure,
  EntryResult,
  Fence,
  FrontierEntry,
  PreparedWrite,
  RecordStatus,
  SaveReceipt,
  SessionFilter,
  SessionInfo,
  StateDelta,
  StepResults,
  StoredCheckpoint,
  StoredTarget,
} from "./checkpoint/checkpointer.ts";
export { createRunner } from "./create-runner.ts";
export type { StepReport } from "./engine/outcome.ts";
export { CheckpointError, GraphError, type GraphProblem, NodeError, RunnerError, SpanloomError, StateError } from "./errors/errors.ts";
export {
  type AnyEvent,
  type CustomEvent,
  type EventEnvelope,
  type Interrupt,
  isRuntimeEvent,
  type RunnerEvent,
  type RunnerEventData,
  type RuntimeEvent,
  type RuntimeEventData,
  type SerializedError,
  type SessionStatus,
} from "./events/event.ts";
export type { EventSink, QueueOptions, SinkHealth } from "./events/sink.ts";
export { jsonlSink } from "./events/sinks/jsonl.ts";
export { memorySink } from "./events/sinks/memory.ts";
export { graph, type GraphBuilder, type GraphSpec, type NodeOf } from "./graph/builder.ts";
export {
  channel,
  type Channel,
  type Channels,
  type ErrorRecord,
  type InputOf,
  type Message,
  replace,
  type Replace,
  type StateOf,
  type UpdateOf,
} from "./graph/channel.ts";
export { event, type EventType, type EventTypes } from "./graph/event-type.ts";
export type { AnyGraph, Graph, GraphDescription, GraphInput, GraphState } from "./graph/graph.ts";
export { input, type InputType, type InputTypes } from "./graph/input.ts";
export { END, START } from "./graph/names.ts";
export type { Command, NodeContext, NodeHandler, NodeOptions, RetryOptions, Send } from "./graph/node.ts";
export { services, type ServicesType } from "./graph/services.ts";
export type {
  GraphEvent,
  MigratedSession,
  NextOptions,
  ResumeOptions,
  Run,
  Runner,
  RunnerHealth,
  RunnerOptions,
  RunOptions,
  RunResult,
  Session,
  SessionSnapshot,
  StartOptions,
  TelemetryOptions,
} from "./runtime/types.ts";
export type { Clock } from "./support/clock.ts";
export type { Awaitable, Duration, OneOrMany, StandardSchema } from "./support/types.ts";
