/** The trace of a run as lines of text, after everything that holds for every trace has been checked. */
import { expect } from "vitest";
import { memoryCheckpointer } from "spanloom";
import { recordSpans, type RecordedSpan } from "spanloom/testing";

/** What a span carries: keys without their prefix; those after "?" only sometimes. On purpose not read from the registry of names. */
const carried: Readonly<Record<string, string>> = {
  invoke_workflow:
    "graph.name graph.fingerprint session.id invocation.id invocation.kind invocation.outcome invocation.segment superstep.count durability ? graph.version",
  superstep: "step session.id ran_nodes_len skipped_nodes_len",
  schedule: "step session.id frontier_len ? failed_node frontier_nodes channel_versions",
  execute_node: "session.id node.name node.attempt node.queue.duration ? node.writes node.retry.delay",
  barrier: "step session.id ran_nodes_len errors_in_partials updated_channels",
  frontier: "step session.id commands_count conditional_edges_evaluated next_frontier_len",
  checkpoint: "step session.id checkpoint.backend checkpoint.size checkpoint.mode checkpoint.outcome",
  checkpoint_load: "step session.id checkpoint.backend checkpoint.size",
};

/** Checked here, and therefore not on the lines. */
const silent: ReadonlySet<string> = new Set([
  "graph.name",
  "graph.fingerprint",
  "session.id",
  "invocation.id",
  "invocation.segment",
  "durability",
  "node.name",
  "node.queue.duration",
  "checkpoint.backend",
  "checkpoint.size",
  "checkpoint.mode",
]);

/** A microsecond, in milliseconds: two dates as doubles differ by a quarter of it without being different. */
const microsecond = 0.001;

const kindOf = (span: RecordedSpan): string => span.name.split(" ")[0] ?? "";
export const ours = (span: RecordedSpan): boolean => kindOf(span) in carried;
export const attribute = (span: RecordedSpan | undefined, key: string): unknown => span?.attributes[`spanloom.${key}`];

function checkKeys(span: RecordedSpan): void {
  const [always = "", sometimes = ""] = (carried[kindOf(span)] ?? "").split(" ? ");
  const has = Object.keys(span.attributes).filter((key) => key !== "error.type" && key !== "error.code");
  expect(has.filter((key) => !key.startsWith("spanloom."))).toEqual([]);
  const keys = has.map((key) => key.slice("spanloom.".length));
  const allowed = sometimes.split(" ");
  expect(keys.filter((key) => !allowed.includes(key)).toSorted(), `attributes of ${span.name}`).toEqual(always.split(" ").toSorted());
  expect(typeof span.attributes["error.type"], `status of ${span.name}`).toBe(span.status === "error" ? "string" : "undefined");
  expect(span.status).not.toBe("ok");
  if (span.status === "unset") expect(span.attributes).not.toHaveProperty(["error.code"]);
}

function checkSilent(span: RecordedSpan, root: RecordedSpan): void {
  const same = (key: string) => expect(attribute(span, key), `${key} of ${span.name}`).toBe(attribute(root, key));
  same("session.id");
  expect(span.traceId).toBe(root.traceId);
  const kind = kindOf(span);
  if (kind === "invoke_workflow") {
    expect(span.name).toBe(`invoke_workflow ${String(attribute(span, "graph.name"))}`);
    expect(attribute(span, "graph.fingerprint")).toMatch(/^\S{8,}$/);
    expect(attribute(span, "invocation.id")).toMatch(/\S/);
    expect(attribute(span, "invocation.segment")).toBe(1);
  }
  if (kind === "execute_node") {
    expect(span.name).toBe(`execute_node ${String(attribute(span, "node.name"))}`);
    expect(attribute(span, "node.queue.duration")).toBeGreaterThanOrEqual(0);
  }
  if (kind.startsWith("checkpoint")) {
    expect(attribute(span, "checkpoint.backend")).toBe("memory");
    expect(attribute(span, "checkpoint.size")).toSatisfy(Number.isSafeInteger);
    if (kind === "checkpoint") expect(attribute(span, "checkpoint.mode")).toBe(attribute(root, "durability"));
  }
}

/** Children lie inside their parent, one after the other but for attempts; span events lie inside their span. */
function checkTimes(span: RecordedSpan, children: readonly RecordedSpan[]): void {
  expect(span.end).toBeGreaterThanOrEqual(span.start);
  for (const { time } of span.events) {
    expect(time).toBeGreaterThanOrEqual(span.start - microsecond);
    expect(time).toBeLessThanOrEqual(span.end + microsecond);
  }
  let free = span.start;
  for (const child of children) {
    expect(child.start, `${child.name} starts in ${span.name}`).toBeGreaterThanOrEqual(span.start - microsecond);
    expect(child.end, `${child.name} ends in ${span.name}`).toBeLessThanOrEqual(span.end + microsecond);
    if (kindOf(child) === "execute_node") continue;
    expect(child.start, `${child.name} starts after what was before it`).toBeGreaterThanOrEqual(free - microsecond);
    free = child.end;
  }
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return `[${value.join(",")}]`;
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The attributes that say something of this very run, by their short keys. */
function said(attributes: Readonly<Record<string, unknown>>): string {
  return Object.entries(attributes)
    .map(([key, value]) => [key.replace(/^spanloom\./, ""), value] as const)
    .filter(([key]) => !silent.has(key) || key === "node.name")
    .map(([key, value]) => ` ${key}=${shown(value)}`)
    .join("");
}

const orderOf = (span: RecordedSpan): string =>
  said(Object.fromEntries(Object.entries(span.attributes).filter(([key]) => key !== "spanloom.node.name" && !key.startsWith("error."))));

function linesOf(span: RecordedSpan, spans: readonly RecordedSpan[], depth: number): string[] {
  const children = spans.filter(({ parentId }) => parentId === span.spanId);
  if (ours(span)) checkTimes(span, children.filter(ours));
  const indent = "  ".repeat(depth);
  const { "error.type": type, "error.code": code } = span.attributes;
  const status = span.status === "error" ? ` ERROR ${shown(type)}/${shown(code ?? "-")}` : "";
  const line = `${indent}${span.name}${ours(span) ? orderOf(span) : ""}${status}`;
  const events = span.events.map((event) => `${indent}  * ${event.name}${said(event.attributes)}`);
  return [line, ...events, ...children.flatMap((child) => linesOf(child, spans, depth + 1))];
}

/** Checks what holds for every trace of one invocation, and gives its spans as lines, nested, in the order of their start. */
export function outline(spans: readonly RecordedSpan[]): readonly string[] {
  const roots = spans.filter(({ parentId }) => !spans.some(({ spanId }) => spanId === parentId));
  expect(roots.map(kindOf), "roots").toEqual(["invoke_workflow"]);
  for (const span of spans.filter(ours)) {
    checkKeys(span);
    checkSilent(span, roots[0] as RecordedSpan);
  }
  return linesOf(roots[0] as RecordedSpan, spans, 0);
}

export interface Traced<T> {
  readonly result: T | undefined;
  readonly error: unknown;
  readonly spans: readonly RecordedSpan[];
  /** Of the one invocation that ran. */
  readonly lines: readonly string[];
}

/** The trace of the one invocation that runs inside, however it ends. */
export async function traced<T>(run: () => Promise<T>): Promise<Traced<T>> {
  const { result, spans } = await recordSpans(async () => {
    try {
      return { result: await run(), error: undefined };
    } catch (error) {
      return { result: undefined, error };
    }
  });
  return { ...result, spans, lines: outline(spans) };
}

/** A promise and what settles it. */
export const gate = <T = void>(): PromiseWithResolvers<T> => Promise.withResolvers<T>();

/** Rejects with the reason once the signal aborts. */
export function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    // The reason of a signal is whatever its owner gave.
    const stop = (): void => reject(signal.reason as Error);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}

type Store = ReturnType<typeof memoryCheckpointer>;

/** A store whose named calls do something else from their `from`-th on, counted from 1. */
export function faultyStore(call: "save" | "amend" | "addResults", from: number, fail: () => never): Store {
  const store = memoryCheckpointer();
  let calls = 0;
  return new Proxy(store, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property, target);
      if (typeof member !== "function") return member;
      return (...given: unknown[]): unknown => {
        if (property === call && (calls += 1) >= from) fail();
        return Reflect.apply(member, target, given);
      };
    },
  });
}

/** A store that answers late: `asked` is called before each answer, and awaited. */
export function lateStore(asked: (call: string) => Promise<void>): Store {
  const store = memoryCheckpointer();
  return new Proxy(store, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property, target);
      if (typeof member !== "function") return member;
      if (!["load", "save", "amend"].includes(String(property))) return member.bind(target) as unknown;
      return async (...given: unknown[]): Promise<unknown> => {
        await asked(String(property));
        return Reflect.apply(member, target, given);
      };
    },
  });
}

export class UserError extends Error {
  override readonly name = "UserError";
  readonly code: string | undefined;
  constructor(message: string, code?: string) {
    super(message);
    this.code = code;
  }
}
