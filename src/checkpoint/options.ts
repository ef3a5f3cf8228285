/** Checks what a store is asked: of a wrong value, nothing is written and nothing removed. */
import { RunnerError } from "../errors/errors.ts";
import { sessionStatuses } from "../events/event.ts";
import { parseDuration } from "../support/duration.ts";
import { show } from "../support/show.ts";
import type { Checkpointer } from "./checkpointer.ts";

function refuse(option: string, reason: string): never {
  throw new RunnerError("invalid_option", { option, reason });
}

/* A caller in JavaScript may hand over anything. */
function checkObject(options: unknown): void {
  if (typeof options !== "object" || options === null) refuse("options", `must be an object, not ${show(options)}`);
}

/** An option that is misspelt, or was meant to have a value and has none, would remove all that it should have spared. */
function checkNames(options: object, names: readonly string[]): void {
  const given = Object.entries(options);
  const strange = given.find(([name]) => !names.includes(name));
  if (strange !== undefined) refuse(strange[0], `is none of ${names.map((name) => `"${name}"`).join(", ")}`);
  const first = given[0];
  if (first !== undefined && given.every(([, value]) => value === undefined)) refuse(first[0], "is undefined: leave it out to mean all");
}

type PruneOptions = Parameters<Checkpointer["prune"]>[0];

/** Throws `RunnerError` `invalid_option`, as does the other. */
export function pruneOptions(options: PruneOptions): PruneOptions {
  checkObject(options);
  checkNames(options, ["keep", "sessionId"]);
  const { keep, sessionId } = options;
  if (!Number.isSafeInteger(keep) || keep < 1) refuse("keep", "must be a whole number from 1");
  if (sessionId !== undefined && typeof sessionId !== "string") refuse("sessionId", `must be a text, not ${show(sessionId)}`);
  return options;
}

/** Milliseconds, and a list; `undefined` where it does not matter. */
export interface Removal {
  readonly age: number | undefined;
  readonly statuses: readonly unknown[] | undefined;
}

export function removalOptions(options: Parameters<Checkpointer["deleteSessions"]>[0]): Removal {
  checkObject(options);
  checkNames(options, ["olderThan", "status"]);
  const { olderThan, status } = options;
  const age = parseDuration(olderThan);
  if (olderThan !== undefined && age === undefined) refuse("olderThan", 'must be a duration, such as "30d"');
  if (status === undefined) return { age, statuses: undefined };
  const statuses: readonly unknown[] = Array.isArray(status) ? status : [status];
  const removable = sessionStatuses.filter((each) => each !== "running");
  const wrong = statuses.find((each) => !removable.some((known) => known === each));
  if (wrong !== undefined) refuse("status", `must be of ${removable.map((each) => `"${each}"`).join(", ")}, not ${show(wrong)}`);
  return { age, statuses };
}

/** What an id may not be, or `undefined`. NUL ends a text in many stores, and half a surrogate pair is no text in any. */
export function idProblem(id: unknown): string | undefined {
  const isText = typeof id === "string" && id !== "" && !id.includes("\0") && id.isWellFormed();
  return isText ? undefined : "must be a text that is not empty, without NUL and without half a surrogate pair";
}

function checkId(option: string, id: unknown): void {
  const problem = idProblem(id);
  if (problem !== undefined) refuse(option, problem);
}

/** Throws `RunnerError` `invalid_option`: a store asks this before anything is written. */
export function checkIds({ sessionId, checkpointId }: { readonly sessionId: string; readonly checkpointId: string }): void {
  checkId("sessionId", sessionId);
  checkId("checkpointId", checkpointId);
}
