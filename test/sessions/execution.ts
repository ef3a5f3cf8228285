/** An execution to call the engine's helpers with, one at a time. */
import { memoryCheckpointer } from "spanloom";
import { Cancellation } from "../../src/engine/cancellation.ts";
import { nothingUnsaved } from "../../src/engine/checkpoint.ts";
import { type EngineSettings, type Execution, nothingDue } from "../../src/engine/execution.ts";
import { computeEntryFrontier } from "../../src/engine/frontier.ts";
import { viewOf } from "../../src/engine/state.ts";
import type { AnyEvent } from "../../src/events/event.ts";
import { InvocationEvents } from "../../src/events/invocation-events.ts";
import { planOf } from "../../src/graph/graph.ts";
import type { Plan } from "../../src/graph/plan.ts";
import { firstState } from "../../src/runtime/input.ts";
import { manualClock } from "../../src/testing/manual-clock.ts";
import type { LooseGraph } from "./support.ts";

const settings: EngineSettings = {
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

/** Of a session that is made, and not yet saved. */
export function executionOf(
  graph: LooseGraph,
  given: Partial<Omit<Execution, "settings">> & { readonly settings?: Partial<EngineSettings> } = {},
): TestExecution {
  const plan = planOf(graph) as Plan;
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
    settings: { ...settings, ...given.settings },
  };
  return { execution, events, types: () => events.map(({ type }) => type) };
}
