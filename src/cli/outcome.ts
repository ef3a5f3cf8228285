/** How a run ended, as the command line tells it: one document for programs, lines for people, an exit code. */
import { serializeError } from "../events/serialize.ts";
import type { Interrupt } from "../events/event.ts";
import { type ExitCode, exitCodeOf, exitCodes } from "./exit-codes.ts";
import { formatDuration, oneLine } from "./format.ts";
import { interruptLine } from "./live-view.ts";
import type { StopSignal } from "./process-watch.ts";
import { readableJson } from "./readable-json.ts";
import type { Paint } from "./terminal.ts";

export interface Outcome {
  readonly status: "completed" | "paused" | "cancelled" | "failed";
  readonly sessionId: string | null;
  readonly invocationId: string | null;
  /** Supersteps of this invocation, and of the session so far. */
  readonly steps: number;
  readonly step: number;
  /** That of the last barrier; `null` where there is none. */
  readonly state: unknown;
  readonly interrupts: readonly Interrupt[];
  readonly versions: Readonly<Record<string, number>>;
  readonly traceId: string | null;
  /** Absolute; `null` where the trace went elsewhere. */
  readonly traceFile: string | null;
  /** Only when it failed. */
  readonly error?: unknown;
}

/** The outcome of a command that ended before it had a run. */
export function withoutRun(status: "cancelled" | "failed", sessionId: string | undefined, error?: unknown): Outcome {
  const nothing = { invocationId: null, steps: 0, step: 0, state: null, interrupts: [], versions: {}, traceId: null, traceFile: null };
  return { status, sessionId: sessionId ?? null, ...nothing, ...(status === "failed" ? { error } : {}) };
}

/** With a payload: JSON has no word for one that is undefined. */
export const plainInterrupt = (interrupt: Interrupt): Interrupt => ({ ...interrupt, payload: interrupt.payload ?? null });

/** What `--json` prints. */
export function outcomeJson(outcome: Outcome): string {
  const { status, sessionId, invocationId, steps, step, state, versions, traceId, traceFile } = outcome;
  const interrupts = outcome.interrupts.map(plainInterrupt);
  const error = status === "failed" ? { error: serializeError(outcome.error) } : {};
  const all = { status, sessionId, invocationId, steps, step, state, interrupts, versions, traceId, traceFile, ...error };
  return `${readableJson(all)}\n`;
}

/** What standard output gets: the document, or the state alone, if there is one. */
export function resultText(outcome: Outcome, json: boolean): string {
  if (json) return outcomeJson(outcome);
  return outcome.state === null ? "" : `${readableJson(outcome.state)}\n`;
}

/** The exit code; a run that ended by itself before a signal could stop it keeps its own. */
export function exitCodeFor({ status, error }: Outcome, signal: StopSignal | undefined): ExitCode {
  if (status === "failed") return exitCodeOf(error);
  if (status === "cancelled") return signal === undefined ? exitCodes.failed : exitCodes[signal];
  return exitCodes[status];
}

const marks = { completed: ["green", "✓"], paused: ["yellow", "‖"], cancelled: ["yellow", "■"], failed: ["red", "✗"] } as const;

/** "✓ completed" */
export function statusMark(status: Outcome["status"], paint: Paint): string {
  const [style, mark] = marks[status];
  return paint(style, `${mark} ${status}`);
}

/** The status, and what a pause waits for. `duration` in milliseconds. */
export function statusLines(outcome: Outcome, duration: number, paint: Paint): readonly string[] {
  const steps = outcome.steps === 1 ? "1 step" : `${outcome.steps} steps`;
  // One that was refused made no session.
  const session = outcome.sessionId === null || outcome.invocationId === null ? [] : [`session ${oneLine(outcome.sessionId)}`];
  const facts = [...session, steps, formatDuration(duration)].join(" · ");
  return [
    `${statusMark(outcome.status, paint)} ${paint("dim", facts)}`,
    ...outcome.interrupts.map((interrupt) => `  ${paint("yellow", interruptLine(interrupt))}`),
  ];
}
