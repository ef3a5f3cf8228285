/** How to go on with a session, as a command that can be copied. */
import { SpanloomError } from "../errors/errors.ts";
import type { Interrupt } from "../events/event.ts";
import { defaultHome, type StorageOptions } from "./database.ts";
import { shellWord } from "./format.ts";
import type { Outcome } from "./outcome.ts";

/** A command on a session, with where it is: "spanloom resume demo --home elsewhere". */
function commandOn(command: string, sessionId: string, { home, db }: StorageOptions, more: readonly string[] = []): string {
  const place = [...(home === defaultHome ? [] : ["--home", shellWord(home)]), ...(db === undefined ? [] : ["--db", shellWord(db)])];
  const id = shellWord(sessionId);
  // An id that looks like an option is one, unless it is said not to be.
  const words = id.startsWith("-") ? [...more, ...place, "--", id] : [id, ...more, ...place];
  return ["spanloom", command, ...words].join(" ");
}

/** What to do, and the option that does it. */
function nextMove(interrupts: readonly Interrupt[]): readonly [what: string, ...option: string[]] {
  const asked = interrupts.filter(({ kind }) => kind === "interrupt");
  if (asked.length === 0) return ["Go on"];
  if (asked.length === 1) return ["Answer it, and go on", "--answer", "'<json>'"];
  const answers = Object.fromEntries(asked.map(({ id }) => [id, "…"]));
  return ["Answer them, and go on", "--answers", shellWord(JSON.stringify(answers))];
}

/** Of a session with these open interrupts; `more` are options that it takes as well. */
export function goOnLine(
  sessionId: string,
  interrupts: readonly Interrupt[],
  storage: StorageOptions,
  more: readonly string[] = [],
): string {
  const [what, ...option] = nextMove(interrupts);
  return `${what}: ${commandOn("resume", sessionId, storage, [...option, ...more])}`;
}

type Ended = Pick<Outcome, "status" | "sessionId" | "invocationId" | "interrupts" | "state" | "error">;

/** Of a run that could go on; nothing for one that is complete, that made no session, or that another has taken over. */
export function goOnLines(ended: Ended, storage: StorageOptions): readonly string[] {
  const { status, sessionId, invocationId, interrupts, state, error } = ended;
  // It failed before anything was stored.
  if (status === "failed" && state === null) return [];
  if (status === "completed" || sessionId === null || invocationId === null || isOthers(error)) return [];
  if (storage.db === "none") return ["The session was in memory only: it ends with this process. Without --db none it is kept."];
  return [goOnLine(sessionId, interrupts, storage)];
}

/** Whether an error, or what caused it, has the code. */
function hasCode(error: unknown, code: string): boolean {
  for (let each = error, depth = 0; each instanceof Error && depth < 8; each = each.cause, depth += 1) {
    if (SpanloomError.is(each, code)) return true;
  }
  return false;
}

const isOthers = (error: unknown): boolean => hasCode(error, "checkpoint_conflict");

/** What to do about a checkpoint that is damaged; nothing for any other error. */
export function wayOut(error: unknown, sessionId: string | undefined, storage: StorageOptions): readonly string[] {
  if (sessionId === undefined || !hasCode(error, "checkpoint_corrupt")) return [];
  return [
    `See which checkpoints can be read: ${commandOn("show", sessionId, storage, ["--history"])}`,
    `Go on from one of them, in a session of its own: ${commandOn("fork", sessionId, storage, ["--at", "'<checkpoint>'"])}`,
  ];
}
