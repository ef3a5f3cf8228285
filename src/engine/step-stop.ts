/** Why a superstep goes no further than its schedule: a failure before all, then a cancellation, then interrupts. */
import { RunnerError } from "../errors/errors.ts";
import type { Interrupt } from "../events/event.ts";
import { serializeError } from "../events/serialize.ts";
import type { Execution } from "./execution.ts";
import type { EntryOutcome, SchedulerOutcome } from "./outcome.ts";

export type StepStop =
  | { readonly kind: "failed"; readonly error: unknown }
  /** A schema refused an answer, and nothing failed: the session is paused as it was. */
  | { readonly kind: "refused"; readonly error: unknown }
  | { readonly kind: "cancelled" }
  | { readonly kind: "interrupted"; readonly interrupts: readonly Interrupt[] };

type Failed = Extract<EntryOutcome, { status: "failed" | "timed_out" }>;

const isFailed = (outcome: EntryOutcome): outcome is Failed => outcome.status === "failed" || outcome.status === "timed_out";

/** What is open when the step stops: also beside a failure, which wins. */
export const interruptsOf = ({ outcomes }: SchedulerOutcome): readonly Interrupt[] =>
  outcomes.flatMap((outcome) => (outcome.status === "interrupted" ? outcome.interrupts : []));

export function stopOf(execution: Execution, scheduler: SchedulerOutcome): StepStop | undefined {
  const { outcomes } = scheduler;
  const failures = outcomes.filter(isFailed);
  if (failures.length > 0) return { kind: "failed", error: schedulerError(execution, failures) };
  for (const outcome of outcomes) {
    if (outcome.status !== "refused") continue;
    return { kind: "refused", error: new RunnerError("invalid_input", { reason: outcome.error.message }, { cause: outcome.error }) };
  }
  if (execution.cancellation.requested || outcomes.some(({ status }) => status === "cancelled")) return { kind: "cancelled" };
  const interrupts = interruptsOf(scheduler);
  return interrupts.length > 0 ? { kind: "interrupted", interrupts } : undefined;
}

/** Transparent: the node's own error is its cause, several as an AggregateError in frontier order. */
function schedulerError({ state }: Execution, failures: readonly Failed[]): RunnerError {
  const step = state.step + 1;
  const nodes = failures.map(({ entry }) => entry.node);
  const [first] = failures;
  if (first !== undefined && failures.length === 1) {
    const { node } = first.entry;
    return new RunnerError(
      "scheduler",
      { node, step, reason: `Node "${node}" failed in step ${step}: ${serializeError(first.error).message}` },
      { cause: first.error },
    );
  }
  const cause = new AggregateError(
    failures.map(({ error }) => error),
    `${failures.length} nodes failed in step ${step}: ${nodes.map((node) => `"${node}"`).join(", ")}.`,
  );
  return new RunnerError("scheduler", { nodes, step, reason: cause.message }, { cause });
}
