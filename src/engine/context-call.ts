/** What the calls of `context` have in common: where they happen, and how one that can never be right is refused. */
import { RunnerError } from "../errors/errors.ts";
import type { EventPlace } from "../events/invocation-events.ts";
import type { Attempt } from "./attempt.ts";

export const placeOf = (attempt: Attempt): EventPlace => ({
  step: attempt.scope.step,
  node: attempt.node.name,
  attempt: attempt.number,
  span: attempt.trace,
});

/** Whether it can be an id or a key. */
export const isName = (value: unknown): boolean => typeof value === "string" && value !== "";

/** Fails the attempt without another try, unless the node handles it. */
export function misuse(attempt: Attempt, option: string, reason: string): RunnerError {
  const error = new RunnerError("invalid_option", { option, reason });
  attempt.misused ??= error;
  return error;
}
