/** One invocation from its first event to its last: whatever becomes of it, it ends exactly once. */
import { type Execution, openInterrupts, shownInterrupts } from "../engine/execution.ts";
import { finalizeStateSnapshot, type StateSnapshot } from "../engine/complete.ts";
import type { StepReport } from "../engine/outcome.ts";
import { boundary, runUntilComplete } from "../engine/run.ts";
import { phaseFailure } from "../engine/span-failure.ts";
import { runStep } from "../engine/step.ts";
import { RunnerError, SpanloomError } from "../errors/errors.ts";
import type { Interrupt } from "../events/event.ts";
import { serializeError } from "../events/serialize.ts";
import { messageOf } from "../support/show.ts";
import type { InvocationOutcome } from "../telemetry/instrumentation.ts";

/** How an invocation ended, unless it failed. */
export interface InvocationResult extends StateSnapshot {
  readonly status: "completed" | "paused" | "cancelled";
  readonly sessionId: string;
  readonly invocationId: string;
  readonly steps: number;
  readonly interrupts: readonly Interrupt[];
}

/** What a cancellation's reason is called in an event. */
function reasonText(reason: unknown): string | undefined {
  if (reason === undefined) return undefined;
  return messageOf(reason);
}

/** Its lists are those of the record: a reader that changed them would change history. Only who steps by hand gets one. */
function frozenReport(report: StepReport): StepReport {
  for (const part of Object.values(report)) Object.freeze(part);
  return Object.freeze(report);
}

export class Invocation {
  readonly execution: Execution;
  readonly #ended: (invocation: Invocation) => Promise<void>;
  #over = false;

  /** `ended` is called once, after the last event. */
  constructor(execution: Execution, ended: (invocation: Invocation) => Promise<void>) {
    this.execution = execution;
    this.#ended = ended;
  }

  get over(): boolean {
    return this.#over;
  }

  /** The first record alone. Rejects with what it failed with. */
  async prepare(prepare: () => Promise<void>): Promise<void> {
    try {
      await prepare();
    } catch (error) {
      throw await this.#fail(error);
    }
  }

  /** Prepares, then runs to the end. Rejects with what it failed with. */
  async run(prepare: () => Promise<void>): Promise<InvocationResult> {
    const { execution } = this;
    try {
      await prepare();
      await runUntilComplete(execution);
    } catch (error) {
      throw await this.#fail(error);
    }
    await this.finish();
    return this.result();
  }

  /** One superstep by hand. Rejects with `cancelled` when it was stopped. */
  async step(prepare: () => Promise<void>): Promise<StepReport> {
    const { execution } = this;
    const { cancellation, sessionId } = execution;
    let report: StepReport | undefined;
    try {
      await prepare();
      await boundary(execution);
      if (execution.status !== "cancelled") report = await runStep(execution);
    } catch (error) {
      throw await this.#fail(error);
    }
    if (execution.status !== "idle") await this.finish();
    if (report !== undefined && execution.status !== "cancelled") return frozenReport(report);
    throw new RunnerError("cancelled", { sessionId, reason: reasonText(cancellation.reason) ?? "no reason given" });
  }

  /** Ends it by the status that the session has come to. */
  async finish(): Promise<void> {
    const { events, status, steps, due, cancellation, trace } = this.execution;
    const place = { span: trace };
    if (status === "completed") events.emit("invocation.completed", { steps }, place);
    else if (status === "paused") events.emit("invocation.paused", { interrupts: openInterrupts(due) }, place);
    else {
      const reason = reasonText(cancellation.reason);
      events.emit("invocation.cancelled", reason === undefined ? {} : { reason }, place);
    }
    await this.#end(status === "completed" || status === "paused" ? status : "cancelled", undefined);
  }

  result(): InvocationResult {
    const { execution } = this;
    const { status, sessionId, invocationId, steps, due } = execution;
    const ended = status === "completed" || status === "paused" ? status : "cancelled";
    const interrupts = ended === "paused" ? shownInterrupts(due) : [];
    return { status: ended, sessionId, invocationId, steps, interrupts, ...finalizeStateSnapshot(execution) };
  }

  /** Tells the failure, and gives it back as the error to throw. */
  async #fail(error: unknown): Promise<unknown> {
    const code = SpanloomError.is(error) ? error.code : "unknown";
    const { events, trace } = this.execution;
    events.emit("invocation.failed", { code, error: serializeError(error) }, { span: trace });
    await this.#end("failed", error);
    return error;
  }

  async #end(outcome: InvocationOutcome, error: unknown): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    const { trace, steps } = this.execution;
    trace?.end({ outcome, supersteps: steps, failure: outcome === "failed" ? phaseFailure(error) : undefined });
    await this.#ended(this);
  }
}
