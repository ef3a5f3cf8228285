/** Does what `run` or `resume` asks for, and says how it ended: the result on standard output, all else on standard error. */
import type { StorageOptions } from "./database.ts";
import { divertConsole } from "./divert-console.ts";
import { CommandError, type ExitCode, exitCodeOf, exitCodes } from "./exit-codes.ts";
import { explain, messageOf, nodesInWords } from "./format.ts";
import { goOnLines, wayOut } from "./go-on.ts";
import type { RunRequest } from "./loose-runner.ts";
import { type Outcome, outcomeJson, resultText, statusLines, statusMark, withoutRun } from "./outcome.ts";
import { readSpans } from "./otlp-spans.ts";
import { type ProcessWatch, watchProcess } from "./process-watch.ts";
import type { SharedOptions } from "./run-options.ts";
import type { CutOff, Finished } from "./run-session.ts";
import { type Paint, painterFor, widthOf, write, writeResult } from "./terminal.ts";
import { waterfall } from "./waterfall.ts";

const linesOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join("");

function traceLines({ outcome, sentTo }: Finished, request: RunRequest, paint: Paint): readonly string[] {
  if (outcome.traceFile !== null) {
    return [`Trace: ${outcome.traceFile}`, paint("dim", "  To open it in Jaeger: Search → Upload → JSON File, and choose this file.")];
  }
  if (request.otlp === undefined || outcome.traceId === null) return [];
  if (sentTo === undefined) return [`Trace: ${outcome.traceId}`];
  return [
    `Trace: ${outcome.traceId}, sent to ${sentTo}`,
    paint("dim", "  In Jaeger: look it up by this trace id, at the top of the page."),
  ];
}

/** All that there is time to say: without an error, the run had ended or was stopped by a signal. */
function cutOffLines({ facts, running, step }: CutOff, known: Outcome, storage: StorageOptions, paint: Paint): readonly string[] {
  const { error } = known;
  const was = running.length === 1 ? "was" : "were";
  const still = running.length === 0 ? "" : paint("dim", ` · ${nodesInWords(running)} ${was} still running (step ${step})`);
  const ended = facts.status === undefined ? paint("yellow", "■ stopped at once") : statusMark(facts.status, paint);
  return [
    error === undefined ? `${ended}${still}` : `${paint("red", "✗")} ${explain(error)}`,
    ...(typeof facts.traceFile === "string" ? [`Trace: ${facts.traceFile}`] : []),
    ...goOnLines(known, storage),
  ];
}

/** Gives the exit code: that of the run, unless nobody got its result. */
async function report(finished: Finished, request: RunRequest, json: boolean, paint: Paint): Promise<ExitCode> {
  const { outcome, duration, trace, warnings } = finished;
  const { stderr } = process;
  const say = (lines: readonly string[]): Promise<unknown> => write(stderr, linesOf(lines));
  await say(statusLines(outcome, duration, paint));
  if (outcome.status === "failed") await say([explain(outcome.error)]);
  await say(warnings.map((warning) => paint("yellow", `! ${warning}`)));
  const unwritten = await writeResult(resultText(outcome, json), paint);
  await say(waterfall(readSpans(trace), { width: widthOf(stderr), paint }));
  await say(traceLines(finished, request, paint));
  const out = wayOut(outcome.error, outcome.sessionId ?? undefined, request.given);
  await say([...(out.length === 0 ? goOnLines(outcome, request.given) : out), ...unwritten]);
  return unwritten.length === 0 ? finished.exitCode : exitCodes.failed;
}

/* With the SDK, which an older API in the application's own `node_modules` lets nobody load. */
function loadRunSession(): Promise<typeof import("./run-session.ts")> {
  return import("./run-session.ts").catch((cause: unknown) => {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new CommandError("telemetry_unusable", { reason: `${messageOf(cause)}.` }, { cause });
  });
}

/** Runs what `prepare` makes of the arguments, and gives the exit code. Never rejects. */
export async function execute(
  sessionId: string | undefined,
  options: SharedOptions,
  prepare: (watch: ProcessWatch) => Promise<RunRequest>,
): Promise<ExitCode> {
  const paint = painterFor(process.stderr, process.env);
  const json = options.json === true;
  let printed = false;
  let cutOff = (): CutOff => ({ facts: {}, running: [], step: 0 });
  const watch = watchProcess((error) => {
    if (printed && error === undefined) return;
    const known = cutOff();
    const failed = error === undefined ? {} : { status: "failed" as const, error };
    const outcome = { ...withoutRun("cancelled", sessionId), ...known.facts, ...failed };
    process.stderr.write(linesOf(cutOffLines(known, outcome, options, paint)));
    if (!printed) process.stdout.write(resultText(outcome, json));
  });
  // From the import on; where there is a live view, it takes over while the graph runs.
  const restoreConsole = divertConsole((text) => void process.stderr.write(text));
  try {
    const request = await prepare(watch);
    const { runSession } = await loadRunSession();
    const finished = await runSession(request, watch, { stream: process.stderr, paint }, (next) => {
      cutOff = next;
    });
    printed = true;
    const exitCode = await report(finished, request, json, paint);
    watch.settled(exitCode);
    return exitCode;
  } catch (error) {
    printed = true;
    watch.settled(exitCodeOf(error));
    await write(process.stderr, linesOf([`${paint("red", "✗")} ${explain(error)}`, ...wayOut(error, sessionId, options)]));
    const document = json ? outcomeJson(withoutRun("failed", sessionId, error)) : "";
    await write(process.stderr, linesOf(await writeResult(document, paint)));
    return exitCodeOf(error);
  } finally {
    restoreConsole();
  }
}
