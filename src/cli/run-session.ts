/** Runs a loaded graph from its first event to the last flush, and says how it ended. */
import { resolve } from "node:path";
import { performance } from "node:perf_hooks";
import { SpanloomError } from "../errors/errors.ts";
import { createRunner, jsonlSink } from "../index.ts";
import type { AnyEvent, Interrupt } from "../events/event.ts";
import type { EventSink } from "../events/sink.ts";
import { startTelemetry } from "../otel.ts";
import type { Values } from "../support/types.ts";
import { draftTrace, invocationSink, type TraceDraft } from "./home.ts";
import { divertConsole } from "./divert-console.ts";
import { CommandError } from "./exit-codes.ts";
import { type LiveOutput, liveOutput } from "./live-output.ts";
import { createLiveView, type LiveView, runningNodes } from "./live-view.ts";
import type { LoadedGraph } from "./load-graph.ts";
import { type Outcome, withoutRun } from "./outcome.ts";
import type { ProcessWatch } from "./process-watch.ts";
import type { Paint } from "./terminal.ts";
import { warningTexts } from "./warnings.ts";

export interface RunRequest {
  readonly loaded: LoadedGraph;
  readonly input: Values;
  readonly sessionId: string | undefined;
  readonly onExisting: "error" | "next" | "resume" | undefined;
  readonly pauseBefore: readonly string[];
  readonly maxSteps: number | undefined;
  readonly concurrency: number | undefined;
  readonly onGraphChange: "compatible" | "error" | "warn" | undefined;
  /** A path, "none", or `undefined` for a file of the invocation's own under `home`. */
  readonly events: string | undefined;
  readonly home: string;
  /** Sends the trace to a collector; its base URL, or `undefined` for that of the environment. */
  readonly otlp: { readonly endpoint: string | undefined } | undefined;
  readonly quiet: boolean;
}

/** How it ended, and what is to be said of it. */
export interface Finished {
  readonly outcome: Outcome;
  /** Milliseconds. */
  readonly duration: number;
  /** OTLP-JSON lines; empty without a trace. */
  readonly trace: string;
  /** What the run warned of, and what was lost on the way, in sentences. */
  readonly warnings: readonly string[];
}

interface Result {
  readonly status: "completed" | "paused" | "cancelled";
  readonly state: unknown;
  readonly steps: number;
  readonly step: number;
  readonly versions: Readonly<Record<string, number>>;
  readonly interrupts: readonly Interrupt[];
}

/** A run and a runner of a graph whose types are unknown here. */
interface LooseRun extends AsyncIterable<AnyEvent> {
  readonly sessionId: string;
  readonly invocationId: string;
  readonly result: Promise<Result>;
  cancel(reason?: unknown): void;
}
interface LooseRunner {
  stream(input: Values, options: { readonly sessionId?: string; readonly onExisting?: "error" | "next" | "resume" }): LooseRun;
  session(sessionId: string): { state(): Promise<Omit<Result, "status" | "steps">> };
  drain(): Promise<void>;
  close(): Promise<{ readonly lostEvents: number }>;
}

function makeRunner({ loaded, ...request }: RunRequest): LooseRunner {
  const sinks: EventSink[] = [];
  if (request.events === undefined) sinks.push(invocationSink(request.home, jsonlSink));
  else if (request.events !== "none") sinks.push(jsonlSink(resolve(request.events)));
  const options = {
    sinks,
    ...(loaded.services === undefined ? {} : { services: loaded.services }),
    ...(request.pauseBefore.length === 0 ? {} : { pauseBefore: request.pauseBefore }),
    ...(request.maxSteps === undefined ? {} : { maxSteps: request.maxSteps }),
    ...(request.concurrency === undefined ? {} : { concurrency: request.concurrency }),
    ...(request.onGraphChange === undefined ? {} : { onGraphChange: request.onGraphChange }),
  };
  // A graph from a file has no types at compile time: the runner itself checks what it is given.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const untyped = createRunner as unknown as (graph: unknown, options: object) => LooseRunner;
  return untyped(loaded.graph, options);
}

async function follow(run: LooseRun, output: LiveOutput): Promise<void> {
  for await (const event of run) output.event(event);
}

/** What is known of a run that is cut off. */
export interface CutOff {
  readonly facts: Partial<Outcome>;
  /** The nodes that run, and the superstep they run in. */
  readonly running: readonly string[];
  readonly step: number;
}

/** Takes what, as the process ends, puts screen and trace in order and tells what is known of the run: without waiting. */
export type Begun = (cutOff: () => CutOff) => void;

/** A run's surroundings, from its first event to its last. */
interface Stage {
  readonly runner: LooseRunner;
  readonly view: LiveView;
  readonly output: LiveOutput;
  readonly watch: ProcessWatch;
  readonly draft: TraceDraft | undefined;
}

/** A run that was refused has no invocation. */
const idsOf = ({ sessionId, invocationId }: LooseRun, view: LiveView): Pick<Outcome, "sessionId" | "invocationId"> => ({
  sessionId,
  invocationId: view.startedAt === undefined ? null : invocationId,
});

/** What a failed run leaves: its session as of the last barrier, if there is one. */
async function failedOutcome(runner: LooseRunner, run: LooseRun, view: LiveView, error: unknown): Promise<Outcome> {
  const known = { ...withoutRun("failed", run.sessionId, error), ...idsOf(run, view), steps: view.steps, traceId: view.traceId ?? null };
  try {
    const { state, step, versions, interrupts } = await runner.session(run.sessionId).state();
    return { ...known, state, step, versions, interrupts };
  } catch {
    return known;
  }
}

/** What stalls is told with the nodes that run. */
function located(error: unknown, view: LiveView): unknown {
  const running = runningNodes(view);
  return SpanloomError.is(error, "stalled") && running.length > 0 ? new CommandError("stalled", { what: "The run", running }) : error;
}

/** Waits for the end; where the process cannot bring it about, the run is cancelled and has failed. */
async function settle({ runner, view, output, watch }: Stage, run: LooseRun): Promise<Outcome> {
  const followed = follow(run, output);
  const end = (): Promise<void> => watch.guard("The run", followed).catch(() => {});
  try {
    const { status, state, steps, step, versions, interrupts } = await watch.guard("The run", run.result);
    await end();
    const ids = { sessionId: run.sessionId, invocationId: run.invocationId, traceId: view.traceId ?? null, traceFile: null };
    return { status, ...ids, steps, step, state, interrupts, versions };
  } catch (cause) {
    const error = located(cause, view);
    run.cancel(error);
    await watch.guard("The run", run.result).catch(() => {});
    // Nodes that never wait let nobody follow them meanwhile.
    await end();
    return failedOutcome(runner, run, view, error);
  }
}

function cutOff({ view, output, draft }: Stage, run: LooseRun): CutOff {
  output.close();
  const ids = idsOf(run, view);
  const traceFile = (ids.invocationId === null ? undefined : draft?.publish(ids.invocationId)) ?? null;
  // Sessions are new: what this invocation has done is all that was done.
  const steps = { steps: view.steps, step: view.steps };
  return { facts: { ...ids, ...steps, traceId: view.traceId ?? null, traceFile }, running: runningNodes(view), step: view.step };
}

async function runToEnd(stage: Stage, request: RunRequest, begun: Begun): Promise<Outcome> {
  const { runner, output, watch } = stage;
  const { sessionId, onExisting } = request;
  const run = runner.stream(request.input, {
    ...(sessionId === undefined ? {} : { sessionId }),
    ...(onExisting === undefined ? {} : { onExisting }),
  });
  begun(() => cutOff(stage, run));
  watch.onFirstSignal((signal) => {
    output.say(`${signal}: stopping at the end of this superstep. Once more stops at once.`);
    void runner.drain().catch(() => {});
  });
  const outcome = await settle(stage, run);
  watch.onFirstSignal(undefined);
  return outcome;
}

function startTracing({ otlp, loaded }: RunRequest, draft: TraceDraft | undefined): ReturnType<typeof startTelemetry> {
  const serviceName = process.env["OTEL_SERVICE_NAME"] ?? loaded.plan.name;
  return startTelemetry({
    serviceName,
    ...(draft === undefined ? {} : { file: draft.file }),
    ...(otlp?.endpoint === undefined ? {} : { endpoint: otlp.endpoint }),
  });
}

/** Runs it, with a live view on the stream. Throws only for what keeps it from beginning. */
export async function runSession(
  request: RunRequest,
  watch: ProcessWatch,
  terminal: { readonly stream: NodeJS.WriteStream; readonly paint: Paint },
  begun: Begun,
): Promise<Finished> {
  const began = performance.now();
  const draft = request.otlp === undefined ? draftTrace(request.home) : undefined;
  if (draft !== undefined) process.once("exit", () => draft.discard());
  const telemetry = startTracing(request, draft);
  const runner = makeRunner(request);
  const view = createLiveView();
  const output = liveOutput(view, { ...terminal, environment: process.env, quiet: request.quiet });
  const restoreConsole = divertConsole((text) => output.pass(text));
  let outcome: Outcome;
  try {
    outcome = await runToEnd({ runner, view, output, watch, draft }, request, begun);
  } finally {
    output.close();
    restoreConsole();
  }
  const duration = performance.now() - began;
  const { lostEvents } = await runner.close();
  const lost = await telemetry.shutdown();
  const trace = (await draft?.read()) ?? "";
  const traceFile = (outcome.invocationId === null ? undefined : draft?.publish(outcome.invocationId)) ?? null;
  draft?.discard();
  const warnings = [
    ...warningTexts(view.warnings),
    ...(lostEvents > 0 ? [`${lostEvents} events could not be written to the event log.`] : []),
    ...(lost.lostSpans > 0 ? [`${lost.lostSpans} spans of the trace could not be delivered.`] : []),
  ];
  return { outcome: { ...outcome, traceFile }, duration, trace, warnings };
}
