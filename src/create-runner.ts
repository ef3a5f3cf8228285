/** Puts a runner together: the graph, its options, and the adapters that are used unless others are given. */
import { boundedMemoryCheckpointer } from "./checkpoint/memory/memory-checkpointer.ts";
import { RunnerError } from "./errors/errors.ts";
import { EventBus } from "./events/bus.ts";
import { type AnyGraph, planOf, type Types } from "./graph/graph.ts";
import { Core } from "./runtime/core.ts";
import { Outlets } from "./runtime/outlets.ts";
import { LooseRunner } from "./runtime/runner.ts";
import { runnerSettings } from "./runtime/settings.ts";
import type { Runner, RunnerOptions } from "./runtime/types.ts";
import type { Clock } from "./support/clock.ts";
import { otelInstrumentation, type OtelInstrumentationOptions } from "./telemetry/otel/otel-instrumentation.ts";

/** Records of one session that the default store keeps: nobody but this process can read them, and each holds its state. */
const keptRecords = 128;

function instrumentationOf({ telemetry }: RunnerOptions, clock: Clock): ReturnType<typeof otelInstrumentation> | undefined {
  if (telemetry === false) return undefined;
  const { detail, errorMessages, traceMode, tracerProvider: given } = telemetry ?? {};
  // Checked to be one; its type is unknown in the contract, so that no copy of the API is asked for.
  const tracerProvider = given as OtelInstrumentationOptions["tracerProvider"];
  return otelInstrumentation({ detail, errorMessages, traceMode, tracerProvider, clock });
}

/**
 * Starts a runner, which serves many sessions at once. Throws `RunnerError` `invalid_option` for options that cannot be, or for what is no
 * compiled graph.
 */
export function createRunner<G extends AnyGraph>(
  graph: G,
  ...[options]: Types<G>["services"] extends undefined
    ? [options?: RunnerOptions<G>]
    : [options: RunnerOptions<G> & { readonly services: Types<G>["services"] }]
): Runner<G> {
  const plan = planOf(graph);
  if (plan === undefined)
    throw new RunnerError("invalid_option", { option: "graph", reason: "must be a compiled graph: what .compile() gave" });
  // Names of nodes are checked against the plan, as are all options at run time.
  const given = options as RunnerOptions | undefined;
  const settings = runnerSettings(given, plan);
  const { clock, sinks, payloads, errorMessages } = settings;
  const bus = new EventBus({ graph: plan.name, clock, sinks, payloads, errorMessages });
  const core = new Core({
    plan,
    graph: { description: graph.describe(), channelNames: Object.freeze(plan.channels.map(({ name }) => name)) },
    settings,
    store: settings.checkpointer ?? boundedMemoryCheckpointer({ keep: keptRecords }),
    ownsStore: settings.checkpointer === undefined,
    bus,
    outlets: new Outlets(bus),
    instrumentation: instrumentationOf(given ?? {}, clock),
  });
  // The runtime treats states and updates as unknown; the graph's types are put on here.
  return new LooseRunner(core) as unknown as Runner<G>;
}
