/** What `context` and the attempt that it belongs to know of each other. */
import type { FrontierEntry } from "../checkpoint/checkpointer.ts";
import { RunnerError } from "../errors/errors.ts";
import type { Interrupt } from "../events/event.ts";
import type { EventPlace } from "../events/invocation-events.ts";
import type { PlannedNode } from "../graph/plan.ts";
import type { NodeTrace } from "../telemetry/instrumentation.ts";
import type { StepScope } from "./step-scope.ts";

/** What the context notes of an attempt. */
export interface AttemptRecord {
  readonly scope: StepScope;
  readonly entry: FrontierEntry;
  readonly key: string;
  readonly node: PlannedNode;
  readonly number: number;
  readonly trace: NodeTrace | undefined;
  readonly ended: boolean;
  readonly signal: AbortSignal;
  readonly reports: unknown[];
  readonly interrupts: Interrupt[];
  refused: { readonly interruptId: string; readonly error: Error } | undefined;
  interruptCalls: number;
  /** Of the interrupts that it asked for, answered or not. */
  interruptNames: Set<string> | undefined;
  /** A call of `context` that can never be right. */
  misused: Error | undefined;
  heartbeat(): void;
}

export const placeOf = (attempt: AttemptRecord): EventPlace => ({
  step: attempt.scope.step,
  node: attempt.node.name,
  attempt: attempt.number,
  span: attempt.trace,
});

/** Whether it can be an id or a key. */
export const isName = (value: unknown): boolean => typeof value === "string" && value !== "";

/** Fails the attempt without another try, unless the node handles it. */
export function misuse(attempt: AttemptRecord, option: string, reason: string): RunnerError {
  const error = new RunnerError("invalid_option", { option, reason });
  attempt.misused ??= error;
  return error;
}
