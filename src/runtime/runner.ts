/** The runner as its users hold it: calls of the public surface, each of them handed to the file that does it. */
import type { SessionInfo } from "../checkpoint/checkpointer.ts";
import { RunnerError } from "../errors/errors.ts";
import { type SessionStatus, sessionStatuses } from "../events/event.ts";
import type { Duration } from "../support/types.ts";
import { parseDuration } from "../support/duration.ts";
import { show } from "../support/show.ts";
import { within } from "../events/wait.ts";
import { type Core, sessionIdOf } from "./core.ts";
import type { InvocationResult } from "./invocation.ts";
import type { Subscription } from "./outlets.ts";
import { readOptions } from "./options.ts";
import { listing } from "./reading.ts";
import { type LooseRun, runOrRefusal } from "./run.ts";
import { LooseSession } from "./session.ts";
import { checkLimit, oneOf, refuseOption } from "./settings.ts";
import type { RunnerHealth, StartOptions } from "./types.ts";

const drainTimeout = 30_000;
const closeTimeout = 5_000;
/** Of the time to close: until when runs may reach their next boundary, and until when they have to have stopped; the rest is for the sinks. */
const boundaryShare = 0.6;
const stopShare = 0.8;

const startOptions = ["signal", "services", "sessionId", "onExisting"] as const;

type Ending = { readonly timeout?: Duration } | null | undefined;

function timeoutOf(call: Ending, missing: number): number {
  const { timeout = missing } = readOptions(call ?? {}, ["timeout"]);
  return parseDuration(timeout) ?? refuseOption("timeout", 'must be a duration, such as 500 or "10s"');
}

/** A runner whose types are unknown here; `Runner` gives them. */
export class LooseRunner implements AsyncDisposable {
  readonly #core: Core;
  #draining: Promise<void> | undefined;
  #closing: Promise<{ readonly lostEvents: number }> | undefined;

  constructor(core: Core) {
    this.#core = core;
  }

  async invoke(input: unknown, call?: StartOptions | null): Promise<InvocationResult> {
    const options = readOptions(call, startOptions);
    const { sessionId, onExisting = "error" } = options;
    if (onExisting !== "error") return this.stream(input, options).result;
    return new LooseSession(this.#core, sessionId ?? this.#core.ports.settings.createId()).invoke(input, options, sessionId !== undefined);
  }

  stream(input: unknown, call?: StartOptions | null): LooseRun {
    return runOrRefusal("", () => this.#stream(input, readOptions(call, startOptions)));
  }

  #stream(input: unknown, options: StartOptions): LooseRun {
    const core = this.#core;
    const { sessionId, onExisting = "error" } = options;
    const id = sessionId ?? core.ports.settings.createId();
    const session = new LooseSession(core, id);
    if (onExisting === "error") return session.start(input, options, sessionId !== undefined);
    if (onExisting === "next") return session.next(input, options);
    if (onExisting === "resume") return session.resumeOrStart(input, options);
    const reason = `must be "error", "next" or "resume", not ${show(onExisting)}`;
    return core.launch(id, options, "session_exists", () =>
      Promise.reject(new RunnerError("invalid_option", { option: "onExisting", reason })),
    );
  }

  session(sessionId: string): LooseSession {
    return new LooseSession(this.#core, sessionIdOf(sessionId));
  }

  async *sessions(call?: { readonly status?: SessionStatus; readonly limit?: number } | null): AsyncGenerator<SessionInfo> {
    const { store, plan } = this.#core.ports;
    const filter = readOptions(call, ["status", "limit"]);
    checkLimit(filter.limit);
    if (filter.status !== undefined) oneOf("status", filter.status, sessionStatuses);
    yield* listing(store, (from) => from.list({ ...filter, graph: plan.name }));
  }

  events(call?: { readonly capacity?: number } | null): Subscription {
    return this.#core.ports.outlets.subscribe(readOptions(call, ["capacity"]).capacity);
  }

  health(): RunnerHealth {
    const { bus, settings } = this.#core.ports;
    const sinks = bus.health();
    const { invocations } = this.#core;
    const now = settings.clock.monotonic();
    const progressAge = invocations.reduce((oldest, { execution }) => Math.max(oldest, now - execution.progressedAt), 0);
    const degraded = sinks.some(({ healthy }) => !healthy);
    const status = this.#closing === undefined ? (degraded ? "degraded" : "ok") : "closed";
    return { status, activeInvocations: invocations.length, progressAge, sinks, late: { ...this.#core.late } };
  }

  async drain(call?: Ending): Promise<void> {
    const timeout = timeoutOf(call, drainTimeout);
    this.#draining ??= this.#drain(timeout);
    return this.#draining;
  }

  async close(call?: Ending): Promise<{ readonly lostEvents: number }> {
    const timeout = timeoutOf(call, closeTimeout);
    this.#closing ??= this.#close(timeout);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /* Past the time-out signals abort; then a node that ignores its signal has its grace. */
  async #drain(timeout: number): Promise<void> {
    const core = this.#core;
    core.stopAccepting();
    core.stopAll("drain", "boundary");
    const idle = core.whenIdle();
    await within(core.ports.settings.clock, idle, timeout);
    core.stopAll("drain", "now");
    await within(core.ports.settings.clock, idle, core.ports.settings.engine.grace + 1_000);
    for (const sessionId of core.held.keys()) await core.release(sessionId, "drain");
  }

  async #close(timeout: number): Promise<{ readonly lostEvents: number }> {
    const { settings, bus, outlets, store, ownsStore } = this.#core.ports;
    const started = settings.clock.monotonic();
    const left = (share: number): number => Math.max(0, timeout * share - (settings.clock.monotonic() - started));
    const drained = this.drain({ timeout: timeout * boundaryShare });
    // One that was begun before may have more time than this.
    await within(settings.clock, drained, left(boundaryShare));
    this.#core.stopAll("drain", "now");
    // A node that ignores its signal is not waited for past the bound: what it does is dropped.
    await within(settings.clock, drained, left(stopShare));
    const lost = await bus.close(left(1));
    outlets.close();
    if (ownsStore) await store.close();
    return lost;
  }
}
