/** Runs a loaded graph from its first event to the last flush, and says how it ended. */
import { resolve } from "node:path";
import { performance } from "node:perf_hooks";
import type { StoredCheckpoint } from "../checkpoint/checkpointer.ts";
import { SpanloomError } from "../errors/errors.ts";
import { divertConsole } from "./divert-console.ts";
import { CommandError, type ExitCode } from "./exit-codes.ts";
import { eventLogPath } from "./home.ts";
import { type LiveOutput, liveOutput } from "./live-output.ts";
import { createLiveView, type LiveView, runningNodes } from "./live-view.ts";
import { begin, type LooseRun, type MadeRunner, makeRunner, type RunRequest } from "./loose-runner.ts";
import { exitCodeFor, type Outcome, withoutRun } from "./outcome.ts";
import { factsOf } from "./own-writes.ts";
import type { ProcessWatch } from "./process-watch.ts";
import { barrierAtOnce } from "./storage.ts";
import type { Paint } from "./terminal.ts";
import { startTracing, type Tracing } from "./tracing.ts";
import { warningTexts } from "./warnings.ts";

/** How it ended, and what is to be said of it. */
export interface Finished {
  readonly outcome: Outcome;
  readonly exitCode: ExitCode;
  /** Milliseconds. */
  readonly duration: number;
  /** OTLP-JSON lines; empty without a trace. */
  readonly trace: string;
  /** The address that every span of it was delivered to. */
  readonly sentTo: string | undefined;
  /** What the run warned of, and what was lost on the way, in sentences. */
  readonly warnings: readonly string[];
}

async function follow(run: LooseRun, output: LiveOutput): Promise<void> {
  for await (const event of run) output.event(event);
}

/** What is known of a run whose process ends. */
export interface CutOff {
  /** With its status if it had ended. */
  readonly facts: Partial<Outcome>;
  /** The nodes that run, and the superstep they run in. */
  readonly running: readonly string[];
  readonly step: number;
}

/** Takes what, as the process ends, puts screen and trace in order and tells what is known of the run: without waiting. */
export type Begun = (cutOff: () => CutOff) => void;

/** A run's surroundings, from its first event to its last. */
interface Stage extends MadeRunner {
  readonly view: LiveView;
  readonly output: LiveOutput;
  readonly watch: ProcessWatch;
  readonly tracing: Tracing;
}

/** The session's last barrier when the run began. */
type Before = StoredCheckpoint | undefined;

/** A run that was refused has no invocation. */
const idsOf = ({ sessionId, invocationId }: LooseRun, view: LiveView): Pick<Outcome, "sessionId" | "invocationId"> => ({
  sessionId,
  invocationId: view.startedAt === undefined ? null : invocationId,
});

/** What a failed run leaves: its session as of the last barrier that it wrote itself, or found and did not get to. */
async function failedOutcome({ store, view, lastWrite }: Stage, run: LooseRun, before: Before, error: unknown): Promise<Outcome> {
  const known = { ...withoutRun("failed", run.sessionId, error), ...idsOf(run, view), steps: view.steps, traceId: view.traceId ?? null };
  // One that was refused has done nothing to a session, which may be there all the same.
  if (known.invocationId === null) return known;
  const own = lastWrite();
  const step = own?.step ?? before?.record.step ?? 0;
  try {
    // By its id: the newest one may be another owner's. It is gone if the session was deleted meanwhile.
    const barrier = own === undefined ? before : await store.load(own.sessionId, own.checkpointId);
    return barrier === undefined ? { ...known, step } : { ...known, step: barrier.record.step, ...factsOf(barrier, own) };
  } catch {
    return { ...known, step };
  }
}

/** What stalls is told with the nodes that run. */
function located(error: unknown, view: LiveView): unknown {
  const running = runningNodes(view);
  return SpanloomError.is(error, "stalled") && running.length > 0 ? new CommandError("stalled", { what: "The run", running }) : error;
}

/** Waits for the end; where the process cannot bring it about, the run is cancelled and has failed. */
async function settle(stage: Stage, run: LooseRun, before: Before): Promise<Outcome> {
  const { view, output, watch } = stage;
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
    return failedOutcome(stage, run, before, error);
  }
}

/** The trace's path, once it has its name. */
function publish({ draft }: Tracing, invocationId: string | null): string | null {
  return (invocationId === null ? undefined : draft?.publish(invocationId)) ?? null;
}

/** The store knows what was done; the view, which lags behind, is asked only for what is nowhere else. */
function cutOff({ store, view, output, tracing, lastWrite }: Stage, run: LooseRun, before: Before): CutOff {
  output.close();
  const own = lastWrite();
  // Until this invocation owns it, the session is as others left it.
  const barrier = own === undefined ? undefined : barrierAtOnce(store, own.sessionId, own.checkpointId);
  const { sessionId, invocationId } = own === undefined ? idsOf(run, view) : run;
  const traceId = view.traceId ?? barrier?.record.trace?.traceparent.split("-")[1] ?? null;
  const ids = { sessionId, invocationId, traceId, traceFile: publish(tracing, invocationId) };
  const step = barrier?.record.step ?? own?.step ?? view.steps;
  const steps = barrier === undefined ? view.steps : step - (before?.record.step ?? 0);
  const facts = { ...ids, steps, step, ...(barrier === undefined ? {} : factsOf(barrier, own)) };
  return { facts, running: runningNodes(view), step: view.step };
}

async function runToEnd(stage: Stage, { call }: RunRequest, begun: Begun): Promise<Outcome> {
  const { runner, store, output, watch } = stage;
  const before = call.sessionId === undefined ? undefined : barrierAtOnce(store, call.sessionId);
  const run = begin(runner, call);
  begun(() => cutOff(stage, run, before));
  watch.onFirstSignal((signal) => {
    output.say(`${signal}: stopping at the end of this superstep. Once more stops at once.`);
    void runner.drain().catch(() => {});
  });
  return settle(stage, run, before);
}

/** What was lost on the way, in sentences. */
interface Flushed {
  readonly losses: readonly string[];
  readonly allSpans: boolean;
}

/** `undefined` for what was not waited for. */
function lossTexts(lostEvents: number | undefined, lostSpans: number | undefined, eventLog: string, reason: string): readonly string[] {
  return [
    ...(lostEvents === undefined ? [`The event log was not waited for: ${eventLog} may lack its last lines.`] : []),
    ...(lostEvents ? [`${lostEvents} events could not be written to the event log, ${eventLog}: ${reason}`] : []),
    ...(lostSpans === undefined ? ["The collector was not waited for: spans of the trace may be missing there."] : []),
    ...(lostSpans ? [`${lostSpans} spans of the trace could not be delivered.`] : []),
  ];
}

/** Waits until all is written and sent, or until nobody wants to wait: then what is left may be lost, and that is said. */
async function flush(
  { runner, tracing, store }: Stage,
  { events, given, otlp }: RunRequest,
  invocationId: string | null,
  hurried: Promise<undefined>,
): Promise<Flushed> {
  const closed = await Promise.race([runner.close(), hurried]);
  // The run has ended: nothing is left to be written.
  await store.close();
  const ended = tracing.telemetry.shutdown();
  // Into a file alone it is written at once.
  const sent = await (otlp === undefined ? ended : Promise.race([ended, hurried]));
  const eventLog = events === undefined ? eventLogPath(given.home, invocationId ?? "") : resolve(events);
  const lostEvents = events === "none" ? 0 : closed?.lostEvents;
  const reason = runner.health().sinks[0]?.lastError ?? "there was no time left";
  return { losses: lossTexts(lostEvents, sent?.lostSpans, eventLog, reason), allSpans: sent?.lostSpans === 0 };
}

/** Runs it, with a live view on the stream. Throws only for what keeps it from beginning. */
export async function runSession(
  request: RunRequest,
  watch: ProcessWatch,
  terminal: { readonly stream: NodeJS.WriteStream; readonly paint: Paint },
  begun: Begun,
): Promise<Finished> {
  const began = performance.now();
  const tracing = startTracing(request);
  const view = createLiveView();
  const output = liveOutput(view, { ...terminal, environment: process.env, quiet: request.quiet });
  const stage = { ...makeRunner(request), view, output, watch, tracing };
  const restoreConsole = divertConsole((text) => output.pass(text));
  let outcome: Outcome;
  try {
    outcome = await runToEnd(stage, request, begun);
  } finally {
    output.close();
    restoreConsole();
  }
  const duration = performance.now() - began;
  const { invocationId, step } = outcome;
  const exitCode = exitCodeFor(outcome, watch.signal);
  const { promise: hurried, resolve: hurry } = Promise.withResolvers<undefined>();
  begun(() => ({ facts: { ...outcome, traceFile: publish(tracing, invocationId) }, running: [], step }));
  watch.settled(exitCode, () => hurry(undefined));
  const { losses, allSpans } = await flush(stage, request, invocationId, hurried);
  const trace = (await tracing.draft?.read()) ?? "";
  const traceFile = publish(tracing, invocationId);
  tracing.draft?.discard();
  const warnings = [...warningTexts(view.warnings), ...stage.losses, ...losses];
  return { outcome: { ...outcome, traceFile }, exitCode, duration, trace, sentTo: allSpans ? tracing.collector : undefined, warnings };
}
