/** Reads what `node()` was given: the name, the function, and every option. */
import { parseDuration } from "../support/duration.ts";
import type { DeclaredNode } from "./declaration.ts";
import type { Note } from "./draft.ts";
import { checkKeys, nodePlace, report, reportOption, shown, type Findings } from "./findings.ts";
import { END, START } from "./names.ts";
import type { AnyFunction, PlannedRetry } from "./plan.ts";
import { isRecord } from "../support/plain.ts";

type Options = Readonly<Record<string, unknown>>;

const nodeOptions = ["jumps", "retry", "timeout", "idleTimeout", "concurrency", "gate", "defer", "onError"];
const retryOptions = ["attempts", "initialDelay", "maxDelay", "factor", "jitter", "retryOn"];
const aDuration = 'must be milliseconds, or a number with a unit such as "250ms", "10s", "5m"';

/** The nodes in the order given. Of two of one name both are here, and reported. */
export function readNodes(notes: readonly Note[], findings: Findings): readonly DeclaredNode[] {
  const nodes: DeclaredNode[] = [];
  const names = new Map<string, number>();
  for (const note of notes) {
    if (note.kind !== "node") continue;
    const name = shown(note.name);
    const named = checkName(note.name, findings);
    const times = (names.get(name) ?? 0) + 1;
    names.set(name, times);
    if (named && times === 2) report(findings, "duplicate_node", { node: name }, [name]);
    const node = readNode(name, note.run, note.options, findings);
    if (named) nodes.push(node);
  }
  return nodes;
}

/** Whether it is a name at all: what such a node leads to is checked, also with a name that it may not have. */
function checkName(name: unknown, findings: Findings): boolean {
  const refuse = (reason: string): void => report(findings, "invalid_name", { what: "node", name: shown(name), reason }, [shown(name)]);
  if (typeof name !== "string") {
    refuse("is not a string");
    return false;
  }
  if (name === "") refuse("is empty");
  if (name === START || name === END) refuse("is reserved; choose another one");
  return true;
}

function readNode(name: string, run: unknown, given: unknown, findings: Findings): DeclaredNode {
  if (typeof run !== "function") report(findings, "missing_handler", { node: name }, [name]);
  const wrong = (option: string, reason: string): void => reportOption(findings, nodePlace(name), option, reason);
  if (given !== undefined && !isRecord(given)) wrong("options", "must be an object");
  const options: Options = isRecord(given) ? given : {};
  checkKeys(findings, nodePlace(name), options, nodeOptions);
  const { gate, defer, onError } = options;
  if (gate !== undefined && gate !== "always" && gate !== "on-change") wrong("gate", 'must be "always" or "on-change"');
  if (defer !== undefined && typeof defer !== "boolean") wrong("defer", "must be true or false");
  return {
    name,
    // Checked above: a graph with any problem has no plan.
    run: run as AnyFunction,
    jumps: readJumps(name, options["jumps"], findings),
    retry: readRetry(name, options["retry"], findings),
    timeout: readTimeout(name, "timeout", options, findings),
    idleTimeout: readTimeout(name, "idleTimeout", options, findings),
    concurrency: readCount(name, "concurrency", options["concurrency"], findings),
    gated: gate === "on-change",
    defer: defer === true,
    onError: readOnError(name, onError, findings),
  };
}

function readJumps(name: string, jumps: unknown, findings: Findings): readonly string[] {
  if (jumps === undefined) return [];
  const refuse = (reason: string): void => {
    findings.excused.exits.add(name);
    reportOption(findings, nodePlace(name), "jumps", reason);
  };
  if (!Array.isArray(jumps)) {
    refuse("must be a list of node names");
    return [];
  }
  const names = jumps.filter((target) => typeof target === "string");
  if (names.length < jumps.length) refuse("must be a list of node names: one of them is not a string");
  if (names.includes(START)) refuse("names START, which nothing leads into");
  return [...new Set(names)].filter((target) => target !== START);
}

function readOnError(name: string, onError: unknown, findings: Findings): string | undefined {
  if (onError === undefined) return undefined;
  if (typeof onError === "string" && onError !== START && onError !== END) return onError;
  findings.excused.exits.add(name);
  reportOption(findings, nodePlace(name), "onError", "must be the name of a node, which handles the failure");
  return undefined;
}

function readRetry(name: string, retry: unknown, findings: Findings): PlannedRetry | undefined {
  if (retry === undefined) return undefined;
  const wrong = (option: string, reason: string): void => reportOption(findings, nodePlace(name), option, reason);
  if (!isRecord(retry)) {
    wrong("retry", "must be an object such as { attempts: 3 }");
    return undefined;
  }
  const meant = checkKeys(findings, nodePlace(name), retry, retryOptions, "retry.");
  const { attempts, factor = 2, jitter = true, retryOn } = retry;
  const delay = (option: string, byDefault: number): number => {
    const milliseconds = retry[option] === undefined ? byDefault : parseDuration(retry[option]);
    if (milliseconds === undefined) wrong(`retry.${option}`, aDuration);
    return milliseconds ?? byDefault;
  };
  const missing = attempts === undefined && !meant.has("attempts");
  if (missing) wrong("retry.attempts", "is missing: a whole number from 1 on, the first attempt included");
  const count = readCount(name, "retry.attempts", attempts, findings) ?? 1;
  const growing = typeof factor === "number" && Number.isFinite(factor) && factor >= 1;
  if (!growing) wrong("retry.factor", "must be a number from 1 on");
  if (typeof jitter !== "boolean") wrong("retry.jitter", "must be true or false");
  if (retryOn !== undefined && typeof retryOn !== "function") wrong("retry.retryOn", "must be a function");
  return Object.freeze({
    attempts: count,
    initialDelay: delay("initialDelay", 500),
    maxDelay: delay("maxDelay", 30_000),
    factor: growing ? factor : 2,
    jitter: jitter !== false,
    // Checked above.
    retryOn: retryOn as AnyFunction | undefined,
  });
}

function readTimeout(name: string, option: string, options: Options, findings: Findings): number | undefined {
  if (options[option] === undefined) return undefined;
  const milliseconds = parseDuration(options[option]);
  if (milliseconds === undefined) reportOption(findings, nodePlace(name), option, aDuration);
  if (milliseconds === 0) reportOption(findings, nodePlace(name), option, "must be more than 0: no attempt could finish in time");
  return milliseconds;
}

function readCount(name: string, option: string, value: unknown, findings: Findings): number | undefined {
  if (value === undefined || (typeof value === "number" && Number.isSafeInteger(value) && value >= 1)) return value;
  reportOption(findings, nodePlace(name), option, "must be a whole number from 1 on");
  return undefined;
}
