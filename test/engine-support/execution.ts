/** An execution to call the engine's helpers with, one at a time. */
import { type AnyEvent, type AnyGraph, memoryCheckpointer } from "spanloom";
import { manualClock } from "spanloom/testing";
import { Cancellation } from "../../src/engine/cancellation.ts";
import { nothingUnsaved } from "../../src/engine/checkpoint.ts";
import { type EngineSettings, type Execution, noLineage, nothingDue } from "../../src/engine/execution.ts";
import { computeEntryFrontier } from "../../src/engine/frontier.ts";
import { viewOf } from "../../src/engine/state.ts";
import { InvocationEvents } from "../../src/events/invocation-events.ts";
import { planOf } from "../../src/graph/graph.ts";
import { firstState } from "../../src/runtime/input.ts";

const defaults: EngineSettings = {
  concurrency: 64,
  onFailure: "settle",
  maxSteps: 1_000,
  pauseBefore: new Set(),
  pauseAfter: new Set(),
  pauseEachStep: false,
  autosave: true,
  onCheckpointError: "fail",
  durability: "sync",
  grace: 5_000,
};

export interface TestExecution {
  readonly execution: Execution;
  readonly events: readonly AnyEvent[];
  readonly types: () => readonly string[];
}

type Given = Partial<Omit<Execution, "settings">> & { readonly settings?: Partial<EngineSettings> };

/** Of a session that is made, at its first step and not yet saved. Throws for a graph that was not compiled. */
export function executionOf(graph: AnyGraph, given: Given = {}): TestExecution {
  const plan = planOf(graph);
  if (plan === undefined) throw new Error("no compiled graph");
  const { image } = firstState(plan, {});
  const clock = given.clock ?? manualClock(1_000);
  const events: AnyEvent[] = [];
  const outlet = { listening: true, publish: (event: AnyEvent) => void events.push(event) };
  const identity = { graph: plan.name, sessionId: "s", invocationId: "i", epoch: 1 };
  const frontier = computeEntryFrontier(plan, () => viewOf(plan, image), new Map(), 0).next;
  const execution: Execution = {
    plan,
    graph: { description: graph.describe(), channelNames: plan.channels.map(({ name }) => name) },
    services: undefined,
    sessionId: "s",
    invocationId: "i",
    epoch: 1,
    clock,
    random: () => 0.5,
    events: new InvocationEvents(identity, clock, [outlet]),
    trace: undefined,
    lineage: noLineage,
    cancellation: new Cancellation(),
    store: memoryCheckpointer(),
    shared: true,
    late: { results: 0, emits: 0 },
    sinks: { boundary: () => undefined },
    state: { step: 0, image, frontier, arrivals: new Map(), seen: new Map() },
    due: nothingDue,
    resting: "running",
    status: "running",
    checkpointId: undefined,
    records: 0,
    steps: 0,
    unsaved: nothingUnsaved,
    progressedAt: 0,
    ...given,
    settings: { ...defaults, ...given.settings },
  };
  return { execution, events, types: () => events.map(({ type }) => type) };
}
