/** `context.interrupt`: asks, and gives the answer once there is one. */
import { StateError } from "../errors/errors.ts";
import type { Interrupt } from "../events/event.ts";
import { validateWith } from "../support/schema.ts";
import { show } from "../support/show.ts";
import type { StandardSchema } from "../support/types.ts";
import { adopt, handOut } from "../support/value.ts";
import type { Attempt } from "./attempt.ts";
import { isName, misuse, placeOf } from "./context-call.ts";
import { questionsOf } from "./execution.ts";

/** What a call of `interrupt` without an answer rejects with, so that the handler settles. Users may catch it: that changes nothing. */
class Interrupted extends Error {
  override readonly name = "Interrupted";
  constructor(id: string) {
    super(`Interrupt ${JSON.stringify(id)} waits for an answer: the run pauses.`);
  }
}

export interface InterruptOptions {
  readonly id?: string;
  readonly schema?: StandardSchema;
}

/** A rejection that nobody awaits is none. */
function rejected<T>(error: unknown): Promise<T> {
  const promise = Promise.reject<T>(error instanceof Error ? error : new Error(String(error)));
  promise.catch(() => {});
  return promise;
}

export function interrupt(attempt: Attempt, payload: unknown, options: InterruptOptions | null = {}): Promise<unknown> {
  const { scope, entry, ended, interruptCalls } = attempt;
  const { id: given, schema } = options ?? {};
  if (given !== undefined && !isName(given)) {
    return rejected(misuse(attempt, "id", `of an interrupt must be a text that is not empty, not ${show(given)}`));
  }
  // An ordinal looks like no id of a user's own.
  const name = given ?? `#${interruptCalls}`;
  attempt.interruptCalls += 1;
  const id = `${questionsOf(scope.step, entry.node)}${entry.ordinal}/${name}`;
  if (ended) return rejected(new Interrupted(id));
  const names = (attempt.interruptNames ??= new Set());
  if (names.has(name)) {
    return rejected(misuse(attempt, "id", `of an interrupt must be unique: the node asked for ${JSON.stringify(name)} before`));
  }
  names.add(name);
  const { answers } = scope.execution.due;
  if (answers.has(id)) return answered(attempt, id, handOut(answers.get(id)), schema);
  try {
    ask(attempt, { id, node: attempt.node.name, step: scope.step, payload: adopt(payload, "payload").value, kind: "interrupt" });
  } catch (error) {
    return rejected(error);
  }
  return rejected(new Interrupted(id));
}

function ask(attempt: Attempt, asked: Interrupt): void {
  const { execution } = attempt.scope;
  attempt.interrupts.push(Object.freeze(asked));
  // One that was open before stays open: it was announced then.
  if (execution.due.interrupts.some((open) => open.id === asked.id)) return;
  announce(attempt, asked);
}

function announce(attempt: Attempt, asked: Interrupt): void {
  attempt.trace?.event("interrupt.requested", { ...asked });
  attempt.scope.execution.events.emit("interrupt.requested", asked, placeOf(attempt));
}

function answered(attempt: Attempt, id: string, answer: unknown, schema: StandardSchema | undefined): Promise<unknown> {
  if (schema === undefined) return Promise.resolve(answer);
  const checked = validateWith(schema, answer);
  if (checked.ok) return Promise.resolve(checked.value);
  const path = checked.path === "" ? "answer" : `answer.${checked.path}`;
  const error = new StateError("invalid_update", { path, reason: `the answer to ${JSON.stringify(id)}: ${checked.message}` });
  attempt.refused ??= { interruptId: id, error };
  // Told as answered when the answer came: it is open again.
  const asked = attempt.scope.execution.due.interrupts.find((each) => each.id === id);
  if (asked !== undefined) announce(attempt, asked);
  return rejected(error);
}
