/** Checks the options of a runner and fills in the defaults. */
import type { Checkpointer } from "../checkpoint/checkpointer.ts";
import type { EngineSettings } from "../engine/execution.ts";
import { RunnerError } from "../errors/errors.ts";
import { positiveInteger } from "../events/queue-options.ts";
import type { EventSink } from "../events/sink.ts";
import type { Plan } from "../graph/plan.ts";
import { type Clock, systemClock } from "../support/clock.ts";
import { isRecord } from "../support/plain.ts";
import { show } from "../support/show.ts";
import { hint } from "../support/suggest.ts";
import { idSource, secureRandom } from "./ids.ts";
import type { RunnerOptions } from "./types.ts";

/** How long a node may go on after its signal has aborted. */
const grace = 5_000;

/** Options with nothing left open. */
export interface RunnerSettings {
  readonly engine: EngineSettings;
  readonly services: unknown;
  readonly checkpointer: Checkpointer | undefined;
  readonly sinks: readonly EventSink[];
  readonly payloads: boolean;
  readonly errorMessages: boolean;
  readonly onGraphChange: NonNullable<RunnerOptions["onGraphChange"]>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly createId: () => string;
}

export function refuseOption(option: string, reason: string): never {
  throw new RunnerError("invalid_option", { option, reason });
}

export function oneOf<Value extends string>(option: string, value: unknown, known: readonly Value[]): Value {
  const found = known.find((each) => each === value);
  const quoted = known.map((each) => `"${each}"`).join(" or ");
  return found ?? refuseOption(option, `must be ${quoted}, not ${show(value)}`);
}

export function flag(option: string, value: unknown, missing: boolean): boolean {
  if (value === undefined) return missing;
  return typeof value === "boolean" ? value : refuseOption(option, `must be true or false, not ${show(value)}`);
}

/** Throws `RunnerError` `invalid_option` for a limit that is no whole number from 1. */
export function checkLimit(limit: number | undefined): void {
  positiveInteger("limit", limit, 1);
}

/** Names of nodes, each of which exists. */
export function nodeNames(plan: Plan, option: string, value: unknown): ReadonlySet<string> {
  if (value === undefined) return new Set();
  if (!Array.isArray(value)) return refuseOption(option, "must be a list of node names");
  for (const name of value as readonly unknown[]) {
    if (typeof name === "string" && plan.nodeIndex.has(name)) continue;
    refuseOption(option, `names ${show(name)}, but there is no such node.${hint(String(name), plan.nodeIndex.keys())}`);
  }
  return new Set(value as readonly string[]);
}

/** Throws `RunnerError` `invalid_option` for what cannot be services. */
export function checkServices(services: unknown): void {
  if (services !== undefined && !isRecord(services)) refuseOption("services", `must be an object, not ${show(services)}`);
}

function checkMembers(option: string, value: unknown, members: readonly string[]): void {
  const whole = isRecord(value) && members.every((name) => typeof value[name] === "function");
  if (!whole) refuseOption(option, `must be an object with ${members.join(", ")}`);
}

function checkFunction(option: string, value: unknown): void {
  if (value !== undefined && typeof value !== "function") refuseOption(option, `must be a function, not ${show(value)}`);
}

function engineSettings(options: RunnerOptions, plan: Plan): EngineSettings {
  const autosave = flag("autosave", options.autosave, true);
  const { onFailure = "settle", onCheckpointError = "fail", durability = "sync" } = options;
  oneOf("durability", durability, ["sync"]);
  return {
    concurrency: positiveInteger("concurrency", options.concurrency, 64),
    onFailure: oneOf("onFailure", onFailure, ["settle", "abort"]),
    maxSteps: positiveInteger("maxSteps", options.maxSteps, 1_000),
    pauseBefore: nodeNames(plan, "pauseBefore", options.pauseBefore),
    pauseAfter: nodeNames(plan, "pauseAfter", options.pauseAfter),
    pauseEachStep: flag("pauseEachStep", options.pauseEachStep, false),
    autosave,
    onCheckpointError: oneOf("onCheckpointError", onCheckpointError, ["fail", "warn"]),
    durability: autosave ? "sync" : "none",
    grace,
  };
}

function checkPorts(options: RunnerOptions): void {
  const { checkpointer, clock, sinks, services } = options;
  if (checkpointer !== undefined)
    checkMembers("checkpointer", checkpointer, ["load", "save", "amend", "addResults", "history", "list", "delete"]);
  if (clock !== undefined) checkMembers("clock", clock, ["now", "monotonic", "setTimeout"]);
  if (sinks !== undefined && !Array.isArray(sinks)) refuseOption("sinks", "must be a list of sinks");
  checkServices(services);
  checkFunction("random", options.random);
  checkFunction("createId", options.createId);
}

function checkTelemetry(telemetry: unknown): { readonly errorMessages: boolean } {
  if (telemetry === undefined || telemetry === false) return { errorMessages: true };
  if (!isRecord(telemetry)) return refuseOption("telemetry", `must be false or an object, not ${show(telemetry)}`);
  const { detail = "phase", traceMode = "auto", tracerProvider } = telemetry;
  oneOf("telemetry.detail", detail, ["invocation", "superstep", "phase"]);
  oneOf("telemetry.traceMode", traceMode, ["auto", "continued", "linked"]);
  if (tracerProvider !== undefined) checkMembers("telemetry.tracerProvider", tracerProvider, ["getTracer"]);
  return { errorMessages: flag("telemetry.errorMessages", telemetry["errorMessages"], true) };
}

const largest = 1 - 2 ** -53;

/** In [0, 1), whatever the source gives: of what is no number, no delay and no id could be made. */
function bounded(random: () => number): () => number {
  return () => Math.min(largest, Math.max(0, random()) || 0);
}

/** Throws `RunnerError` `invalid_option`. */
export function runnerSettings(given: RunnerOptions | undefined, plan: Plan): RunnerSettings {
  // A caller in JavaScript may hand over anything.
  const options: RunnerOptions = given ?? {};
  if (!isRecord(given ?? {})) refuseOption("options", `must be an object, not ${show(given)}`);
  checkPorts(options);
  const { onGraphChange = "compatible", clock = systemClock } = options;
  const random = options.random === undefined ? Math.random : bounded(options.random);
  if (typeof onGraphChange !== "function") oneOf("onGraphChange", onGraphChange, ["compatible", "error", "warn"]);
  return {
    engine: engineSettings(options, plan),
    services: options.services,
    checkpointer: options.checkpointer,
    sinks: options.sinks ?? [],
    payloads: flag("payloads", options.payloads, false),
    errorMessages: checkTelemetry(options.telemetry).errorMessages,
    onGraphChange,
    clock,
    random,
    createId: options.createId ?? idSource(clock, options.random === undefined ? secureRandom : random),
  };
}
