/** What a node is given beside the state: plain functions and values, that it may take apart. */
import type { FrontierEntry } from "../checkpoint/checkpointer.ts";
import { RunnerError, StateError } from "../errors/errors.ts";
import type { EventPlace } from "../events/invocation-events.ts";
import type { Interrupt, RuntimeEventData } from "../events/event.ts";
import { copyOfData } from "../events/invocation-events.ts";
import type { PlannedNode } from "../graph/plan.ts";
import { validateWith } from "../support/schema.ts";
import { show } from "../support/show.ts";
import type { Awaitable, StandardSchema } from "../support/types.ts";
import { adopt, handOut } from "../support/value.ts";
import type { NodeTrace } from "../telemetry/instrumentation.ts";
import type { StepScope } from "./step-scope.ts";
import { also, goto, send } from "./commands.ts";
import { errorRecord } from "./entry-result.ts";

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
  heartbeat(): void;
}

type LogLevel = RuntimeEventData["node.log"]["level"];
type Fields = Readonly<Record<string, unknown>>;

const noFields: Fields = Object.freeze({});

const placeOf = (attempt: AttemptRecord): EventPlace => ({
  step: attempt.scope.step,
  node: attempt.node.name,
  attempt: attempt.number,
  span: attempt.trace,
});

/** Counts what comes after the end, and says whether it did. */
function isLate(attempt: AttemptRecord): boolean {
  if (attempt.ended) attempt.scope.execution.late.emits += 1;
  return attempt.ended;
}

function emit(attempt: AttemptRecord, type: unknown, data: unknown): void {
  if (isLate(attempt)) return;
  const { events, plan } = attempt.scope.execution;
  // In typed code the compiler refuses other names.
  if (typeof type === "string" && plan.events.has(type)) events.emitOwn(type, data, placeOf(attempt));
  else log(attempt, "warn", `emit(${show(type)}): the graph declares no such event`, noFields);
}

function log(attempt: AttemptRecord, level: LogLevel, message: unknown, fields: unknown = noFields): void {
  if (isLate(attempt)) return;
  const { events } = attempt.scope.execution;
  const copied = copyOfData(fields);
  const kept: Fields = typeof copied === "object" && copied !== null ? { ...copied } : noFields;
  const data = { level, message: typeof message === "string" ? message : show(message), fields: Object.freeze(kept) };
  attempt.trace?.event("node.log", data);
  events.emit("node.log", data, placeOf(attempt));
}

function logger(attempt: AttemptRecord): Readonly<Record<LogLevel, (message: string, fields?: Fields) => void>> {
  return {
    debug: (message, fields) => log(attempt, "debug", message, fields),
    info: (message, fields) => log(attempt, "info", message, fields),
    warn: (message, fields) => log(attempt, "warn", message, fields),
    error: (message, fields) => log(attempt, "error", message, fields),
  };
}

interface ReportOptions {
  readonly tags?: readonly string[];
  readonly context?: Fields;
}

function reportError(attempt: AttemptRecord, error: unknown, options: ReportOptions = {}): void {
  if (isLate(attempt)) return;
  const { tags = [], context = {} } = options;
  attempt.reports.push(errorRecord(attempt.scope, attempt.node.name, error, tags, context));
}

/** What a call of `interrupt` without an answer rejects with, so that the handler settles. Users may catch it: that changes nothing. */
class Interrupted extends Error {
  override readonly name = "Interrupted";
  constructor(id: string) {
    super(`Interrupt ${JSON.stringify(id)} waits for an answer: the run pauses.`);
  }
}

interface InterruptOptions {
  readonly id?: string;
  readonly schema?: StandardSchema;
}

/** A rejection that nobody awaits is none. */
function rejected<T>(error: unknown): Promise<T> {
  const promise = Promise.reject<T>(error instanceof Error ? error : new Error(String(error)));
  promise.catch(() => {});
  return promise;
}

function interrupt(attempt: AttemptRecord, payload: unknown, options: InterruptOptions = {}): Promise<unknown> {
  const { scope, key, ended, interruptCalls } = attempt;
  // An ordinal looks like no id of a user's own.
  const name = options.id ?? `#${interruptCalls}`;
  attempt.interruptCalls += 1;
  const id = `${scope.step}/${key}/${name}`;
  if (ended) return rejected(new Interrupted(id));
  const { answers } = scope.execution.due;
  if (answers.has(id)) return answered(attempt, id, handOut(answers.get(id)), options.schema);
  if (attempt.interrupts.some((open) => open.id === id)) {
    return rejected(
      new RunnerError("invalid_option", { option: "id", reason: `of an interrupt must be unique: ${JSON.stringify(name)} is open` }),
    );
  }
  try {
    ask(attempt, { id, node: attempt.node.name, step: scope.step, payload: adopt(payload, "payload").value, kind: "interrupt" });
  } catch (error) {
    return rejected(error);
  }
  return rejected(new Interrupted(id));
}

function ask(attempt: AttemptRecord, asked: Interrupt): void {
  const { execution } = attempt.scope;
  attempt.interrupts.push(Object.freeze(asked));
  // One that was open before stays open: it was announced then.
  if (execution.due.interrupts.some((open) => open.id === asked.id)) return;
  announce(attempt, asked);
}

function announce(attempt: AttemptRecord, asked: Interrupt): void {
  attempt.trace?.event("interrupt.requested", { ...asked });
  attempt.scope.execution.events.emit("interrupt.requested", asked, placeOf(attempt));
}

function answered(attempt: AttemptRecord, id: string, answer: unknown, schema: StandardSchema | undefined): Promise<unknown> {
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

async function once(attempt: AttemptRecord, key: string, run: () => Awaitable<unknown>): Promise<unknown> {
  if (attempt.ended) throw new Error(`once(${JSON.stringify(key)}) was called after the attempt had ended.`);
  const { results } = attempt.scope;
  return handOut(await results.once(attempt.key, key, run));
}

/* Made when they are asked for, and yet properties of each context's own, so that a copy by spreading has them. One getter for all contexts:
   one for each would give each a hidden class of its own. */
const signalProperty: PropertyDescriptor = {
  enumerable: true,
  get(this: NodeContext) {
    return NodeContext.attemptOf(this).signal;
  },
};
const logProperty: PropertyDescriptor = {
  enumerable: true,
  get(this: NodeContext) {
    return logger(NodeContext.attemptOf(this));
  },
};

/** The context of one attempt. */
class NodeContext {
  readonly services: unknown;
  readonly failure: unknown;
  readonly graph: string;
  readonly node: string;
  readonly step: number;
  readonly attempt: number;
  readonly sessionId: string;
  readonly invocationId: string;
  readonly idempotencyKey: string;
  readonly input: unknown;
  readonly emit: (type: string, data?: unknown) => void;
  readonly goto = goto;
  readonly also = also;
  readonly send = send;
  readonly interrupt: (payload: unknown, options?: InterruptOptions) => Promise<unknown>;
  readonly once: (key: string, run: () => Awaitable<unknown>) => Promise<unknown>;
  readonly reportError: (error: unknown, options?: ReportOptions) => void;
  readonly heartbeat: () => void;
  readonly #attempt: AttemptRecord;

  constructor(attempt: AttemptRecord) {
    const { scope, entry, node, number } = attempt;
    const { execution, step } = scope;
    const { sessionId, invocationId, services, plan } = execution;
    this.#attempt = attempt;
    Object.defineProperty(this, "signal", signalProperty);
    Object.defineProperty(this, "log", logProperty);
    this.services = services;
    this.failure = entry.failure === undefined ? undefined : handOut(entry.failure);
    this.graph = plan.name;
    this.node = node.name;
    this.step = step;
    this.attempt = number;
    this.sessionId = sessionId;
    this.invocationId = invocationId;
    this.idempotencyKey = `${sessionId}/${step}/${attempt.key}`;
    this.input = handOut(entry.item);
    this.emit = (type, data) => emit(attempt, type, data);
    this.interrupt = (payload, options) => interrupt(attempt, payload, options);
    this.once = (key, run) => once(attempt, key, run);
    this.reportError = (error, options) => reportError(attempt, error, options);
    this.heartbeat = () => attempt.heartbeat();
  }

  static attemptOf(context: NodeContext): AttemptRecord {
    return context.#attempt;
  }
}

export function makeContext(attempt: AttemptRecord): object {
  return new NodeContext(attempt);
}
