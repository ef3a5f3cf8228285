/** An execution to call the scheduler with, by itself. */
import { type AnyEvent, type AnyGraph, memoryCheckpointer } from "spanloom";
import { Cancellation } from "../../src/engine/cancellation.ts";
import { nothingUnsaved } from "../../src/engine/checkpoint.ts";
import { type EngineSettings, type Execution, nothingDue } from "../../src/engine/execution.ts";
import { computeEntryFrontier } from "../../src/engine/frontier.ts";
import { viewOf } from "../../src/engine/state.ts";
import { InvocationEvents } from "../../src/events/invocation-events.ts";
import { planOf } from "../../src/graph/graph.ts";
import { initialImage } from "../../src/runtime/input.ts";
import { countingClock } from "./support.ts";

const defaults: EngineSettings = {
  concurrency: 64,
  onFailure: "settle",
  maxSteps: 1_000,
  pauseBefore: new Set(),
  pauseAfter: new Set(),
  pauseEachStep: false,
  // What a step stores is not the scheduler's.
  autosave: false,
  onCheckpointError: "fail",
  durability: "none",
  grace: 5_000,
};

/** At its first step, with the initial values. */
export function executionOf(graph: AnyGraph, settings: Partial<EngineSettings> = {}) {
  const plan = planOf(graph);
  if (plan === undefined) throw new Error("no compiled graph");
  const clock = countingClock();
  const events: AnyEvent[] = [];
  const outlet = { listening: true, publish: (event: AnyEvent) => void events.push(event) };
  const identity = { graph: plan.name, sessionId: "s", invocationId: "i", epoch: 1 };
  const image = initialImage(plan);
  const frontier = computeEntryFrontier(plan, () => viewOf(plan, image), new Map(), 0).next;
  const execution: Execution = {
    plan,
    graph: { description: graph.describe(), channelNames: plan.channels.map(({ name }) => name) },
    settings: { ...defaults, ...settings },
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
    shared: false,
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
  };
  return { execution, clock, events };
}
