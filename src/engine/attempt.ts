/** One attempt of one entry: the node's code, called with its deadlines, until it settles, is stopped, or is given up. */
import { NodeError, SpanloomError } from "../errors/errors.ts";
import type { EntryResult, FrontierEntry } from "../checkpoint/checkpointer.ts";
import type { Interrupt } from "../events/event.ts";
import type { PlannedNode } from "../graph/plan.ts";
import { isThenable } from "../support/thenable.ts";
import type { NodeTrace } from "../telemetry/instrumentation.ts";
import type { Stoppable } from "./cancellation.ts";
import { entryKey } from "./execution.ts";
import { makeContext } from "./node-context.ts";
import { resultOf } from "./entry-result.ts";
import type { StepScope } from "./step-scope.ts";

export type AttemptOutcome =
  | { readonly status: "completed"; readonly result: EntryResult }
  /** `retryable` is false when what it returned was refused. */
  | { readonly status: "failed"; readonly error: unknown; readonly retryable: boolean }
  | { readonly status: "timed_out"; readonly error: NodeError }
  | { readonly status: "cancelled"; readonly abandoned: boolean }
  | { readonly status: "interrupted"; readonly interrupts: readonly Interrupt[]; readonly abandoned: boolean }
  | { readonly status: "refused"; readonly interruptId: string; readonly error: Error };

/** How the node's code came to an end, or did not. */
type Settled =
  | { readonly kind: "returned"; readonly value: unknown }
  | { readonly kind: "threw"; readonly error: unknown }
  | { readonly kind: "overran"; readonly error: NodeError }
  | { readonly kind: "abandoned" };

/** What `context` itself refused to take, such as an error report that cannot be stored. */
const isRefusal = (error: unknown): boolean => SpanloomError.is(error, "unserializable_value");

export class Attempt implements Stoppable {
  readonly scope: StepScope;
  readonly entry: FrontierEntry;
  readonly key: string;
  readonly node: PlannedNode;
  readonly number: number;
  readonly trace: NodeTrace | undefined;
  readonly reports: unknown[] = [];
  readonly interrupts: Interrupt[] = [];
  refused: { readonly interruptId: string; readonly error: Error } | undefined;
  interruptCalls = 0;
  /** Of the interrupts that it asked for, answered or not. */
  interruptNames: Set<string> | undefined;
  /** A call of `context` that can never be right. */
  misused: Error | undefined;
  /** Nothing that it does counts any more. */
  ended = false;
  /** Ended by its time-out, or past the grace: its code may go on for ever. */
  isGivenUp = false;
  #controller: AbortController | undefined;
  #stopped: { readonly reason: unknown } | undefined;
  #settle: ((settled: Settled) => void) | undefined;
  #timers: { clear(): void }[] | undefined;
  #idle: { clear(): void } | undefined;

  constructor(scope: StepScope, entry: FrontierEntry, node: PlannedNode, number: number, trace: NodeTrace | undefined) {
    this.scope = scope;
    this.entry = entry;
    this.key = entryKey(entry);
    this.node = node;
    this.number = number;
    this.trace = trace;
  }

  /** Made when it is asked for. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#stopped !== undefined && !this.#controller.signal.aborted) this.#controller.abort(this.#stopped.reason);
    return this.#controller.signal;
  }

  /** Never rejects. At once, when the node's code returned at once. */
  run(): AttemptOutcome | Promise<AttemptOutcome> {
    this.scope.execution.cancellation.running.add(this);
    const settled = this.#call();
    return settled instanceof Promise ? settled.then((last) => this.#end(last)) : this.#end(settled);
  }

  #end(settled: Settled): AttemptOutcome {
    this.scope.execution.cancellation.running.delete(this);
    const outcome = this.#judge(settled);
    this.ended = true;
    return outcome;
  }

  /** Aborts its signal; past the grace it is given up. */
  stop(reason: unknown): void {
    if (this.#stopped !== undefined || this.ended) return;
    this.#abort(reason);
    this.#startGrace();
  }

  heartbeat(): void {
    const { idleTimeout } = this.node;
    if (idleTimeout === undefined || this.#settle === undefined || this.#stopped !== undefined) return;
    this.#idle?.clear();
    this.#idle = this.scope.execution.clock.setTimeout(() => this.#overran("idleTimeout"), idleTimeout);
  }

  #abort(reason: unknown): void {
    this.#stopped ??= { reason };
    this.#controller?.abort(this.#stopped.reason);
  }

  #after(milliseconds: number, call: () => void): void {
    if (this.#settle === undefined) return;
    (this.#timers ??= []).push(this.scope.execution.clock.setTimeout(call, milliseconds));
  }

  /** The grace is the only deadline of what was told to stop: a time-out would make a failure of it. */
  #startGrace(): void {
    this.#clearTimers();
    this.#after(this.scope.execution.settings.grace, () => this.#close({ kind: "abandoned" }));
  }

  #clearTimers(): void {
    for (const timer of this.#timers ?? []) timer.clear();
    this.#idle?.clear();
  }

  /** The first end counts. No timer outlives it; what did not come by itself is over at once. */
  #close(settled: Settled): void {
    const settle = this.#settle;
    if (settle === undefined) return;
    this.#settle = undefined;
    this.#clearTimers();
    this.isGivenUp = settled.kind !== "returned" && settled.kind !== "threw";
    this.ended = this.isGivenUp;
    settle(settled);
  }

  #call(): Settled | Promise<Settled> {
    const { node, trace } = this;
    const invoke = (): unknown => node.run(this.scope.view(), makeContext(this));
    let returned: unknown;
    try {
      returned = trace === undefined ? invoke() : trace.run(invoke);
      // Reading `then` may throw.
      if (!isThenable(returned)) return { kind: "returned", value: returned };
    } catch (error) {
      return { kind: "threw", error };
    }
    return this.#wait(returned);
  }

  #wait(pending: PromiseLike<unknown>): Promise<Settled> {
    const settled = new Promise<Settled>((settle) => (this.#settle = settle));
    // Resolving makes a promise of any thenable, whatever its `then` does.
    Promise.resolve(pending).then(
      (value) => this.#came({ kind: "returned", value }),
      (error: unknown) => this.#came({ kind: "threw", error }),
    );
    // Told to stop before there was anything to wait for: by the node's own code, synchronously.
    if (this.#stopped !== undefined) this.#startGrace();
    else {
      if (this.node.timeout !== undefined) this.#after(this.node.timeout, () => this.#overran("timeout"));
      this.heartbeat();
    }
    return settled;
  }

  #came(settled: Settled): void {
    if (!this.ended) this.#close(settled);
    // That it threw, such as for its signal, loses nothing.
    else if (settled.kind === "returned") this.scope.execution.late.results += 1;
  }

  /** Over before its signal aborts: what its listeners do is late. */
  #overran(kind: "timeout" | "idleTimeout"): void {
    const error = new NodeError("node_timeout", { node: this.node.name, timeout: this.node[kind] ?? 0, kind, attempt: this.number });
    this.#close({ kind: "overran", error });
    this.#abort(error);
  }

  #judge(settled: Settled): AttemptOutcome {
    if (this.refused !== undefined) return { status: "refused", ...this.refused };
    // Beside questions that are open, nobody else would hear of it.
    if (this.misused !== undefined && settled.kind === "threw" && this.interrupts.length > 0) {
      return { status: "failed", error: this.misused, retryable: false };
    }
    if (this.interrupts.length > 0) {
      return { status: "interrupted", interrupts: this.interrupts, abandoned: settled.kind === "abandoned" };
    }
    switch (settled.kind) {
      case "returned":
        return this.#returned(settled.value);
      case "threw":
        if (this.#stopped !== undefined) return { status: "cancelled", abandoned: false };
        return { status: "failed", error: settled.error, retryable: this.#mayRetry(settled.error) };
      case "abandoned":
        return { status: "cancelled", abandoned: true };
      case "overran":
        return { status: "timed_out", error: settled.error };
    }
  }

  /** Not what would be refused again, nor when the store has refused a result: that fails the run. */
  #mayRetry(error: unknown): boolean {
    return !isRefusal(error) && error !== this.misused && !this.scope.results.isRefused;
  }

  #returned(value: unknown): AttemptOutcome {
    try {
      return { status: "completed", result: resultOf(this, value) };
    } catch (error) {
      return { status: "failed", error, retryable: false };
    }
  }
}
