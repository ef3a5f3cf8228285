/** One entry of the frontier, from its first attempt to its outcome: retries, backoff, and the route of a final failure. */
import type { FrontierEntry } from "../checkpoint/checkpointer.ts";
import type { EventPlace } from "../events/invocation-events.ts";
import { serializeError } from "../events/serialize.ts";
import type { PlannedNode, PlannedRetry } from "../graph/plan.ts";
import { parseDuration } from "../support/duration.ts";
import { messageOf, show } from "../support/show.ts";
import type { Awaitable } from "../support/types.ts";
import type { NodeTrace, ScheduleTrace } from "../telemetry/instrumentation.ts";
import { Attempt, type AttemptOutcome } from "./attempt.ts";
import { routedResult } from "./entry-result.ts";
import type { EntryOutcome } from "./outcome.ts";
import { spanFailure } from "./span-failure.ts";
import type { StepScope } from "./step-scope.ts";

/** One entry that is due, and where it is traced. */
export interface EntryRun {
  readonly scope: StepScope;
  readonly entry: FrontierEntry;
  readonly node: PlannedNode;
  readonly trace: ScheduleTrace | undefined;
  /** When the step began, by the clock's monotonic source. */
  readonly dueSince: number;
}

/** Tries until it succeeds or must not be tried again; at once, if the node's code returns at once. Never rejects. */
export function runEntry(run: EntryRun): Awaitable<EntryOutcome> {
  return tryEntry(run, 1, undefined);
}

function tryEntry(run: EntryRun, number: number, delay: number | undefined): Awaitable<EntryOutcome> {
  const tried = runAttempt(run, number, delay);
  return tried instanceof Promise ? tried.then((last) => conclude(run, last, number)) : conclude(run, tried, number);
}

function conclude(run: EntryRun, tried: Tried, number: number): Awaitable<EntryOutcome> {
  const { scope, entry } = run;
  switch (tried.status) {
    case "completed":
      scope.results.add(tried.result);
      return { status: "completed", entry, result: tried.result };
    case "failed":
    case "timed_out":
      return tried.next === undefined ? finallyFailed(run, tried, number) : tryAgain(run, number, tried.next);
    case "cancelled":
      return { status: "cancelled", entry };
    case "interrupted":
      return { status: "interrupted", entry, interrupts: tried.interrupts };
    case "refused":
      return { status: "refused", entry, interruptId: tried.interruptId, error: tried.error };
  }
}

async function tryAgain(run: EntryRun, number: number, delay: number): Promise<EntryOutcome> {
  const { scope, entry } = run;
  // Also what came as the delay ended: an attempt that is started now would not hear of it.
  if (!(await isStoppedWithin(scope, delay)) && !scope.isStopping) return tryEntry(run, number + 1, delay);
  scope.execution.events.emit("node.cancelled", {}, placeOf(run, number));
  return { status: "cancelled", entry };
}

type Failure = Extract<AttemptOutcome, { status: "failed" | "timed_out" }>;
/** `next` is the delay before the next attempt; `undefined` when there is none. */
type Tried =
  | Exclude<AttemptOutcome, Failure>
  | { readonly status: "failed"; readonly error: unknown; readonly next: number | undefined }
  | { readonly status: "timed_out"; readonly error: unknown; readonly next: number | undefined };

const placeOf = ({ scope, node }: EntryRun, attempt: number, span?: NodeTrace): EventPlace => ({
  step: scope.step,
  node: node.name,
  attempt,
  span,
});

function runAttempt(run: EntryRun, number: number, delay: number | undefined): Awaitable<Tried> {
  const { scope, node } = run;
  const { clock, events } = scope.execution;
  const started = clock.monotonic();
  const trace = run.trace?.node(node.name, number, number === 1 ? started - run.dueSince : 0, delay);
  const place = placeOf(run, number, trace);
  events.emit("node.started", {}, place);
  const outcome = new Attempt(scope, run.entry, node, number, trace).run();
  const tell = (ended: AttemptOutcome): Tried => tellEnd(run, ended, { number, started, place, trace });
  return outcome instanceof Promise ? outcome.then(tell) : tell(outcome);
}

/** One attempt under way. */
interface Tell {
  readonly number: number;
  /** By the clock's monotonic source. */
  readonly started: number;
  readonly place: EventPlace;
  readonly trace: NodeTrace | undefined;
}

function tellEnd(run: EntryRun, outcome: AttemptOutcome, { number, started, place, trace }: Tell): Tried {
  const { execution } = run.scope;
  const { events } = execution;
  execution.progressedAt = execution.clock.monotonic();
  switch (outcome.status) {
    case "completed": {
      const channels = outcome.result.writes.map((write) => write.channel);
      trace?.end({ writes: channels });
      events.emit("node.completed", { duration: execution.progressedAt - started, channels }, place);
      return outcome;
    }
    case "failed":
    case "timed_out":
      return failed(run, outcome, number, trace);
    case "cancelled":
      if (outcome.abandoned) tellAbandoned(run, place, trace);
      trace?.end({});
      events.emit("node.cancelled", {}, place);
      return outcome;
    case "interrupted":
      if (outcome.abandoned) tellAbandoned(run, place, trace);
      trace?.end({});
      return outcome;
    case "refused":
      trace?.end({ failure: spanFailure(outcome.error) });
      return outcome;
  }
}

function tellAbandoned(run: EntryRun, place: EventPlace, trace: NodeTrace | undefined): void {
  const { scope, node } = run;
  const { grace } = scope.execution.settings;
  const message = `Node "${node.name}" is abandoned: ${grace} ms after its signal aborted it still runs. What it returns will be dropped.`;
  warn(run, message, place, trace);
}

function warn({ scope }: EntryRun, message: string, place: EventPlace, trace: NodeTrace | undefined): void {
  const data = { level: "warn", message, fields: Object.freeze({}) } as const;
  trace?.event("node.log", data);
  scope.execution.events.emit("node.log", data, place);
}

/** Tells the failed attempt, and whether another follows. */
function failed(run: EntryRun, outcome: Failure, number: number, trace: NodeTrace | undefined): Tried {
  const { events } = run.scope.execution;
  const place = placeOf(run, number, trace);
  const { status, error } = outcome;
  const next = delayAfter(run, outcome, number, trace);
  const serialized = serializeError(error);
  const final = next === undefined;
  trace?.event("node.failed", { error: serialized, final });
  if (next !== undefined) trace?.event("node.retrying", { delay: next, error: serialized });
  trace?.end({ failure: spanFailure(error) });
  events.emit("node.failed", { error: serialized, final }, place);
  if (next !== undefined) events.emit("node.retrying", { delay: next, error: serialized }, place);
  return { status, error, next };
}

/** The delay before the next attempt, if there is one. */
function delayAfter(run: EntryRun, outcome: Failure, number: number, trace: NodeTrace | undefined): number | undefined {
  const { retry } = run.node;
  const mayRetry = outcome.status === "timed_out" || outcome.retryable;
  if (!mayRetry || retry === undefined || number >= retry.attempts) return undefined;
  const wanted = retry.retryOn === undefined ? true : askRetryOn(run, retry.retryOn, outcome.error, number, trace);
  if (typeof wanted === "number") return wanted;
  return wanted ? backoff(retry, number, run.scope.execution.random) : undefined;
}

/** One that throws, or gives what it must not, retries nothing and is told: the failure stays the node's own. */
function askRetryOn(
  run: EntryRun,
  retryOn: NonNullable<PlannedRetry["retryOn"]>,
  error: unknown,
  number: number,
  trace: NodeTrace | undefined,
): boolean | number {
  let fault: string;
  try {
    const wanted: unknown = trace === undefined ? retryOn(error, number) : trace.run(() => retryOn(error, number));
    if (typeof wanted === "boolean") return wanted;
    const delay = parseDuration(wanted);
    if (delay !== undefined) return delay;
    if (wanted instanceof Promise) wanted.catch(() => {}); // it is refused, whatever it settles to
    fault = `gave ${show(wanted)}; it gives true, false or a delay such as 500 or "2s"`;
  } catch (thrown) {
    fault = `threw: ${messageOf(thrown)}`;
  }
  warn(run, `\`retryOn\` of node "${run.node.name}" ${fault}. The node is not tried again.`, placeOf(run, number, trace), trace);
  return false;
}

function backoff(retry: PlannedRetry, number: number, random: () => number): number {
  // A power without bound, times no delay, would be no number.
  const growth = Math.min(Number.MAX_VALUE, retry.factor ** (number - 1));
  const capped = Math.min(retry.maxDelay, retry.initialDelay * growth);
  return retry.jitter ? random() * capped : capped;
}

/** Waits; `true` as soon as the run is told to stop. */
function isStoppedWithin(scope: StepScope, milliseconds: number): Promise<boolean> {
  const { clock, cancellation } = scope.execution;
  if (scope.isStopping || milliseconds === 0) return Promise.resolve(scope.isStopping);
  return new Promise((resolve) => {
    const end = (stopped: boolean): void => {
      cancellation.running.delete(waiting);
      timer.clear();
      resolve(stopped);
    };
    const waiting = { stop: () => end(true) };
    const timer = clock.setTimeout(() => end(false), milliseconds);
    cancellation.running.add(waiting);
  });
}

function finallyFailed(
  run: EntryRun,
  { status, error }: { readonly status: Failure["status"]; readonly error: unknown },
  attempt: number,
): EntryOutcome {
  const { scope, entry, node } = run;
  if (node.onError === undefined) return { status, entry, error, attempt };
  const result = routedResult(scope, entry, node, error, attempt);
  scope.results.add(result);
  return { status: "routed", entry, result };
}
