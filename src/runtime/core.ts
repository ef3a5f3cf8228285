/** What all calls of one runner share: its graph, settings and ports, and who runs which session. */
import type { Checkpointer } from "../checkpoint/checkpointer.ts";
import { idProblem } from "../checkpoint/options.ts";
import { Cancellation } from "../engine/cancellation.ts";
import type { GraphRecord, LateCounts } from "../engine/execution.ts";
import { type CodeOf, type FactsOf } from "../errors/catalogue.ts";
import { RunnerError } from "../errors/errors.ts";
import type { EventBus } from "../events/bus.ts";
import type { Plan } from "../graph/plan.ts";
import { show } from "../support/show.ts";
import type { Instrumentation } from "../telemetry/instrumentation.ts";
import type { Invocation, InvocationResult } from "./invocation.ts";
import type { Outlets } from "./outlets.ts";
import { type LooseRun, makeRun, RunLog } from "./run.ts";
import { checkServices, refuseOption, type RunnerSettings } from "./settings.ts";

export interface CorePorts {
  readonly plan: Plan;
  readonly graph: GraphRecord;
  readonly settings: RunnerSettings;
  readonly store: Checkpointer;
  /** The runner made it: completed sessions are forgotten, and it is closed with the runner. */
  readonly ownsStore: boolean;
  readonly bus: EventBus;
  readonly outlets: Outlets;
  readonly instrumentation: Instrumentation | undefined;
}

/** What a caller may give with any run. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly services?: object | undefined;
}

/** A call that has a session to itself. */
export interface Ticket {
  readonly sessionId: string;
  readonly invocationId: string;
  readonly cancellation: Cancellation;
  readonly options: CallOptions;
  /** `undefined` when nobody can read a stream of it. */
  readonly log: RunLog | undefined;
}

type BusyCode = Extract<CodeOf<"runner">, "session_busy" | "session_exists">;

/** Throws `RunnerError` `invalid_option` for what cannot be an id. */
export function sessionIdOf(given: unknown): string {
  const problem = idProblem(given);
  // What has no problem is a text.
  return problem === undefined ? (given as string) : refuseOption("sessionId", problem);
}

export class Core {
  readonly ports: CorePorts;
  readonly late: LateCounts = { results: 0, emits: 0 };
  /** Sessions that run now. */
  readonly #running = new Map<string, Ticket>();
  readonly #invocations = new Map<string, Invocation>();
  /** Sessions that are stepped by hand, between two steps. */
  readonly held = new Map<string, Invocation>();
  #closing = false;
  #idle: (() => void)[] = [];

  constructor(ports: CorePorts) {
    this.ports = ports;
  }

  /** Whether a run or a step of the session is under way here. */
  isUnderWay(sessionId: string): boolean {
    return this.#invocations.has(sessionId);
  }

  get invocations(): readonly Invocation[] {
    return [...this.#invocations.values()];
  }

  /** Refuses new work from now on. */
  stopAccepting(): void {
    this.#closing = true;
  }

  checkOpen(): void {
    if (this.#closing) throw new RunnerError("closed", {});
  }

  /** Throws `RunnerError` `session_busy` while a run or a step of the session is under way. */
  checkIdle(sessionId: string): void {
    this.checkOpen();
    if (this.#running.has(sessionId)) throw new RunnerError("session_busy", { sessionId });
  }

  /** Begins a run at once; nothing throws here, the run's result rejects. */
  launch(sessionId: string, options: CallOptions, busy: BusyCode, operation: (ticket: Ticket) => Promise<InvocationResult>): LooseRun {
    const log = new RunLog();
    const ticket = this.ticket(sessionId, options, log);
    const { cancellation } = ticket;
    const started = this.occupy(ticket, busy, () => operation(ticket));
    return makeRun({ sessionId, invocationId: ticket.invocationId }, log, started, (reason) => cancellation.cancel(reason));
  }

  /** Without a log, nobody reads a stream of what it is for. */
  ticket(sessionId: string, options: CallOptions, log?: RunLog): Ticket {
    return { sessionId, invocationId: this.ports.settings.createId(), cancellation: new Cancellation(), options, log };
  }

  /** Has the session to itself for as long as the work goes on. */
  async occupy<T>(ticket: Ticket, busy: BusyCode, work: () => Promise<T>): Promise<T> {
    const { options } = ticket;
    const sessionId = sessionIdOf(ticket.sessionId);
    checkCall(options);
    this.checkOpen();
    if (this.#running.has(sessionId)) throw new RunnerError(busy, { sessionId } satisfies FactsOf<"runner", BusyCode>);
    this.#running.set(sessionId, ticket);
    const detach = attach(options.signal, ticket.cancellation);
    try {
      // The caller gets its run before any of it happens.
      await Promise.resolve();
      return await work();
    } finally {
      detach();
      this.#running.delete(sessionId);
      this.#invocations.delete(sessionId);
      if (this.#running.size === 0) for (const tell of this.#idle.splice(0)) tell();
    }
  }

  /** Whoever goes on with a session otherwise ends the invocation that was stepped by hand. */
  async release(sessionId: string, reason: string): Promise<void> {
    const invocation = this.held.get(sessionId);
    if (invocation === undefined) return;
    this.held.delete(sessionId);
    invocation.execution.cancellation.drain(reason);
    await invocation.finish();
  }

  /** It makes progress, or should: health looks at it. */
  track(invocation: Invocation): void {
    invocation.execution.progressedAt = this.ports.settings.clock.monotonic();
    this.#invocations.set(invocation.execution.sessionId, invocation);
  }

  /** Tells everything that runs to stop: at its next boundary, or now. */
  stopAll(reason: unknown, at: "boundary" | "now"): void {
    for (const { cancellation } of this.#running.values()) {
      if (at === "boundary") cancellation.drain(reason);
      else cancellation.cancel(reason);
    }
  }

  /** Resolves when nothing runs. */
  whenIdle(): Promise<void> {
    if (this.#running.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }
}

/** Throws `RunnerError` `invalid_option`: a caller in JavaScript may hand over anything. */
function checkCall({ signal, services }: CallOptions): void {
  const given: unknown = signal;
  const isSignal = typeof given === "object" && given !== null && "aborted" in given && "addEventListener" in given;
  if (given !== undefined && !isSignal) refuseOption("signal", `must be an AbortSignal, not ${show(given)}`);
  checkServices(services);
}

/** Cancels when the signal aborts; what it gives ends that. */
function attach(signal: AbortSignal | undefined, cancellation: Cancellation): () => void {
  if (signal === undefined) return () => {};
  const cancel = (): void => cancellation.cancel(signal.reason);
  if (signal.aborted) cancel();
  else signal.addEventListener("abort", cancel, { once: true });
  return () => signal.removeEventListener("abort", cancel);
}
