/** What a node is given beside the state: plain functions and values, that it may take apart. */
import type { RuntimeEventData } from "../events/event.ts";
import { copyOfData } from "../events/invocation-events.ts";
import { show } from "../support/show.ts";
import type { Awaitable } from "../support/types.ts";
import { handOut } from "../support/value.ts";
import type { Attempt } from "./attempt.ts";
import { isName, misuse, placeOf } from "./context-call.ts";
import { also, goto, send } from "./commands.ts";
import { errorRecord } from "./entry-result.ts";
import { keyPart } from "./execution.ts";
import { interrupt, type InterruptOptions } from "./interrupt.ts";

type LogLevel = RuntimeEventData["node.log"]["level"];
type Fields = Readonly<Record<string, unknown>>;

const noFields: Fields = Object.freeze({});

/** Counts what comes after the end, and says whether it did. */
function isLate(attempt: Attempt): boolean {
  if (attempt.ended) attempt.scope.execution.late.emits += 1;
  return attempt.ended;
}

function emit(attempt: Attempt, type: unknown, data: unknown): void {
  if (isLate(attempt)) return;
  const { events, plan } = attempt.scope.execution;
  // In typed code the compiler refuses other names.
  if (typeof type === "string" && plan.events.has(type)) events.emitOwn(type, data, placeOf(attempt));
  else log(attempt, "warn", `emit(${show(type)}): the graph declares no such event`, noFields);
}

function log(attempt: Attempt, level: LogLevel, message: unknown, fields: unknown = noFields): void {
  if (isLate(attempt)) return;
  const { events } = attempt.scope.execution;
  const copied = copyOfData(fields);
  const kept: Fields = typeof copied === "object" && copied !== null ? { ...copied } : noFields;
  const data = { level, message: typeof message === "string" ? message : show(message), fields: Object.freeze(kept) };
  attempt.trace?.event("node.log", data);
  events.emit("node.log", data, placeOf(attempt));
}

function logger(attempt: Attempt): Readonly<Record<LogLevel, (message: string, fields?: Fields) => void>> {
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

function reportError(attempt: Attempt, error: unknown, options: ReportOptions = {}): void {
  if (isLate(attempt)) return;
  const { tags = [], context = {} } = options;
  attempt.reports.push(errorRecord(attempt.scope, attempt.node.name, error, tags, context));
}

function once(attempt: Attempt, key: string, run: () => Awaitable<unknown>): Promise<unknown> {
  const result = runOnce(attempt, key, run);
  // A rejection that nobody awaits is none.
  result.catch(() => {});
  return result;
}

async function runOnce(attempt: Attempt, key: string, run: () => Awaitable<unknown>): Promise<unknown> {
  if (!isName(key)) throw misuse(attempt, "key", `of \`once\` must be a text that is not empty, not ${show(key)}`);
  if (attempt.ended) throw new Error(`once(${JSON.stringify(key)}) was called after the attempt had ended.`);
  const { results } = attempt.scope;
  return handOut(await results.once(attempt, key, run));
}

/* Made when they are asked for, and yet properties of each context's own, so that a copy by spreading has them. One getter for all contexts:
   one for each would give each a hidden class of its own. */
const whenAsked = (make: (attempt: Attempt) => unknown): PropertyDescriptor => ({
  enumerable: true,
  get(this: NodeContext) {
    return make(NodeContext.attemptOf(this));
  },
});
const signalProperty = whenAsked(({ signal }) => signal);
const logProperty = whenAsked(logger);

/* Made outside of the constructor: closures of its own scope survive the collection of young objects (Node 24), each a kilobyte with all that
   hangs on it, which costs a traced superstep a tenth of its time. `npm run bench -- --only traced` shows it. */
const emitFor =
  (attempt: Attempt): NodeContext["emit"] =>
  (type, data) =>
    emit(attempt, type, data);
const interruptFor =
  (attempt: Attempt): NodeContext["interrupt"] =>
  (payload, options) =>
    interrupt(attempt, payload, options);
const onceFor =
  (attempt: Attempt): NodeContext["once"] =>
  (key, run) =>
    once(attempt, key, run);
const reportErrorFor =
  (attempt: Attempt): NodeContext["reportError"] =>
  (error, options) =>
    reportError(attempt, error, options);
const heartbeatFor = (attempt: Attempt) => (): void => attempt.heartbeat();

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
  readonly interrupt: (payload: unknown, options?: InterruptOptions | null) => Promise<unknown>;
  readonly once: (key: string, run: () => Awaitable<unknown>) => Promise<unknown>;
  readonly reportError: (error: unknown, options?: ReportOptions) => void;
  readonly heartbeat: () => void;
  readonly #attempt: Attempt;

  constructor(attempt: Attempt) {
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
    this.idempotencyKey = `${keyPart(sessionId)}/${step}/${keyPart(entry.node)}/${entry.ordinal}`;
    this.input = handOut(entry.item);
    this.emit = emitFor(attempt);
    this.interrupt = interruptFor(attempt);
    this.once = onceFor(attempt);
    this.reportError = reportErrorFor(attempt);
    this.heartbeat = heartbeatFor(attempt);
  }

  static attemptOf(context: NodeContext): Attempt {
    return context.#attempt;
  }
}

export function makeContext(attempt: Attempt): object {
  return new NodeContext(attempt);
}
