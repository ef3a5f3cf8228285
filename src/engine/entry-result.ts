/** What came of a finished entry, checked and copied, so that it can be stored. */
import type { EntryFailure, EntryResult, FrontierEntry, PreparedWrite, StoredTarget } from "../checkpoint/checkpointer.ts";
import type { ErrorRecord } from "../graph/channel.ts";
import { StateError } from "../errors/errors.ts";
import type { SerializedError } from "../events/event.ts";
import { serializeError } from "../events/serialize.ts";
import type { PlannedNode } from "../graph/plan.ts";
import { adopt } from "../support/value.ts";
import { isCommand } from "./commands.ts";
import type { Attempt } from "./attempt.ts";
import type { StepScope } from "./step-scope.ts";
import { prepareTargets, prepareUpdate } from "./update.ts";

type Command = EntryResult["command"];
const noErrors: EntryResult["errors"] = Object.freeze([]);

/** Throws `StateError` for what the state cannot take; the node's name is in its facts. */
export function resultOf(attempt: Attempt, returned: unknown): EntryResult {
  const { scope, entry } = attempt;
  const { plan, state } = scope.execution;
  try {
    const command = isCommand(returned) ? returned : undefined;
    const writes: readonly PreparedWrite[] = prepareUpdate(plan, state.image, command === undefined ? returned : command.update);
    const taken: Command =
      command === undefined
        ? undefined
        : { kind: command["~command"], targets: prepareTargets(command.targets) satisfies readonly StoredTarget[] };
    const errors = attempt.reports.length === 0 ? noErrors : attempt.reports;
    return {
      node: entry.node,
      ordinal: entry.ordinal,
      writes,
      command: taken,
      errors,
      failure: undefined,
      seen: seenBy(scope, attempt.node),
    };
  } catch (error) {
    throw withNode(error, entry.node);
  }
}

/** The versions that a gated node started with: its result may wait for a later try of the step, and the state change meanwhile. */
const seenBy = ({ execution }: StepScope, { gated }: PlannedNode): EntryResult["seen"] =>
  gated ? execution.state.image.versions : undefined;

/** The same refusal, saying whose it is. */
function withNode(error: unknown, node: string): unknown {
  if (!(error instanceof StateError)) return error;
  Object.assign(error, { facts: Object.freeze({ ...error.facts, node }) });
  return error;
}

/** What comes of an entry whose final failure its node's `onError` handles: the failure, for the handler and for `errors`. */
export function routedResult(scope: StepScope, entry: FrontierEntry, node: PlannedNode, error: unknown, attempt: number): EntryResult {
  const failure: EntryFailure = { node: entry.node, input: entry.item, attempt, error: storable(error) };
  const record = errorRecord(scope, entry.node, error, [], {});
  return { node: entry.node, ordinal: entry.ordinal, writes: [], command: undefined, errors: [record], failure, seen: seenBy(scope, node) };
}

/** The error as it can be stored; its plain form, causes included, if it holds what cannot be. */
function storable(error: unknown): unknown {
  try {
    return adopt(error, "error").value;
  } catch {
    return plainError(serializeError(error));
  }
}

function plainError({ name, message, code, cause }: SerializedError): Error {
  const error = new Error(message, cause === undefined ? {} : { cause: plainError(cause) });
  return Object.assign(error, { name, ...(code === undefined ? {} : { code }) });
}

/** An entry of the channel `errors`. Throws `StateError` `unserializable_value` for a context that cannot be stored. */
export function errorRecord(
  scope: StepScope,
  node: string,
  error: unknown,
  tags: readonly string[],
  context: Readonly<Record<string, unknown>>,
): ErrorRecord {
  const { clock } = scope.execution;
  const record = { when: clock.now(), scope: "node", node, step: scope.step, error: serializeError(error), tags, context };
  // Adopting copies and freezes, and leaves the shape as it is.
  return adopt(record, "errors").value as ErrorRecord;
}
