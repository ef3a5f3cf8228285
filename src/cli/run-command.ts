/** The command `run`: its options, its checks before anything runs, and what it prints. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Plan } from "../graph/plan.ts";
import { hint } from "../support/suggest.ts";
import { divertConsole } from "./divert-console.ts";
import { CommandError, type ExitCode, exitCodeOf, exitCodes } from "./exit-codes.ts";
import { explain, messageOf, nodesInWords } from "./format.ts";
import { checkComplete, readInput } from "./input.ts";
import { checkEventLog } from "./home.ts";
import { type LoadedGraph, loadGraph, locateModule } from "./load-graph.ts";
import type { RunRequest } from "./loose-runner.ts";
import { outcomeJson, resultText, statusLines, statusMark, withoutRun } from "./outcome.ts";
import { readSpans } from "./otlp-spans.ts";
import { type ProcessWatch, watchProcess } from "./process-watch.ts";
import { type Paint, painterFor, widthOf, write } from "./terminal.ts";
import { waterfall } from "./waterfall.ts";
import type { CutOff, Finished } from "./run-session.ts";

interface RunOptions {
  readonly export?: string;
  readonly input?: string;
  readonly session?: string;
  readonly onExisting?: RunRequest["onExisting"];
  readonly pauseBefore?: readonly string[];
  readonly maxSteps?: number;
  readonly concurrency?: number;
  readonly onGraphChange?: RunRequest["onGraphChange"];
  readonly otlp?: boolean;
  readonly otlpEndpoint?: string;
  readonly events?: string;
  readonly quiet?: boolean;
  readonly json?: boolean;
  readonly home: string;
}

function count(value: string): number {
  if (!/^[1-9]\d{0,14}$/.test(value)) throw new InvalidArgumentError("It must be a whole number, 1 or more.");
  return Number(value);
}

function names(value: string): readonly string[] {
  const all = value.split(",").map((name) => name.trim());
  if (all.includes("")) throw new InvalidArgumentError("It must be node names, with commas between them.");
  return all;
}

function given(value: string): string {
  if (value === "") throw new InvalidArgumentError("It must not be empty.");
  return value;
}

function url(value: string): string {
  const { protocol } = URL.parse(value) ?? { protocol: "" };
  if (protocol !== "http:" && protocol !== "https:") throw new InvalidArgumentError("It must be a URL, such as http://localhost:4318.");
  return value;
}

function checkNodes(plan: Plan, option: string, nodes: readonly string[]): void {
  for (const node of nodes) {
    if (!plan.nodeIndex.has(node)) throw new CommandError("unknown_node", { option, node, hint: hint(node, plan.nodeIndex.keys()) });
  }
}

function requestOf(loaded: LoadedGraph, input: RunRequest["input"], options: RunOptions): RunRequest {
  const sends = options.otlp === true || options.otlpEndpoint !== undefined;
  return {
    loaded,
    input,
    sessionId: options.session,
    onExisting: options.onExisting,
    pauseBefore: options.pauseBefore ?? [],
    maxSteps: options.maxSteps,
    concurrency: options.concurrency,
    onGraphChange: options.onGraphChange,
    events: options.events,
    home: options.home,
    otlp: sends ? { endpoint: options.otlpEndpoint } : undefined,
    quiet: options.quiet === true,
  };
}

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
function cutOffLines({ facts, running, step }: CutOff, error: unknown, paint: Paint): readonly string[] {
  const was = running.length === 1 ? "was" : "were";
  const still = running.length === 0 ? "" : paint("dim", ` · ${nodesInWords(running)} ${was} still running (step ${step})`);
  const ended = facts.status === undefined ? paint("yellow", "■ stopped at once") : statusMark(facts.status, paint);
  return [
    error === undefined ? `${ended}${still}` : `${paint("red", "✗")} ${explain(error)}`,
    ...(typeof facts.traceFile === "string" ? [`Trace: ${facts.traceFile}`] : []),
  ];
}

async function report(finished: Finished, request: RunRequest, json: boolean, paint: Paint): Promise<void> {
  const { outcome, duration, trace, warnings } = finished;
  const { stdout, stderr } = process;
  const say = (lines: readonly string[]): Promise<void> => write(stderr, lines.map((line) => `${line}\n`).join(""));
  await say(statusLines(outcome, duration, paint));
  if (outcome.status === "failed") await say([explain(outcome.error)]);
  await say(warnings.map((warning) => paint("yellow", `! ${warning}`)));
  await write(stdout, resultText(outcome, json));
  await say(waterfall(readSpans(trace), { width: widthOf(stderr), paint }));
  await say(traceLines(finished, request, paint));
}

async function prepare(module: string, options: RunOptions, watch: ProcessWatch): Promise<RunRequest> {
  const path = locateModule(module);
  const input = await readInput(options.input, process.stdin);
  // The engine is loaded only now, so that help and mistakes come at once.
  const { planOf } = await import("../graph/graph.ts");
  const loaded = await watch.guard(`The import of ${module}`, loadGraph(path, options.export, planOf));
  checkNodes(loaded.plan, "--pause-before", options.pauseBefore ?? []);
  // A session that exists needs less, or none: whether it does is the runner's to find.
  if (options.onExisting === undefined || options.onExisting === "error") checkComplete(loaded.plan, input);
  if (options.events !== undefined && options.events !== "none") checkEventLog(options.events);
  return requestOf(loaded, input, options);
}

/* With the SDK, which an older API in the application's own `node_modules` lets nobody load. */
function loadRunSession(): Promise<typeof import("./run-session.ts")> {
  return import("./run-session.ts").catch((cause: unknown) => {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new CommandError("telemetry_unusable", { reason: `${messageOf(cause)}.` }, { cause });
  });
}

async function execute(module: string, options: RunOptions): Promise<ExitCode> {
  const paint = painterFor(process.stderr, process.env);
  const json = options.json === true;
  let printed = false;
  let cutOff = (): CutOff => ({ facts: {}, running: [], step: 0 });
  const watch = watchProcess((error) => {
    if (printed && error === undefined) return;
    const known = cutOff();
    const lines = cutOffLines(known, error, paint);
    process.stderr.write(lines.map((line) => `${line}\n`).join(""));
    const stopped = withoutRun("cancelled", options.session);
    const failed = error === undefined ? {} : { status: "failed" as const, error };
    if (!printed) process.stdout.write(resultText({ ...stopped, ...known.facts, ...failed }, json));
  });
  // From the import on; where there is a live view, it takes over while the graph runs.
  const restoreConsole = divertConsole((text) => void process.stderr.write(text));
  try {
    const request = await prepare(module, options, watch);
    const { runSession } = await loadRunSession();
    const finished = await runSession(request, watch, { stream: process.stderr, paint }, (next) => {
      cutOff = next;
    });
    printed = true;
    await report(finished, request, json, paint);
    return finished.exitCode;
  } catch (error) {
    printed = true;
    watch.settled(exitCodeOf(error));
    await write(process.stderr, `${paint("red", "✗")} ${explain(error)}\n`);
    if (json) await write(process.stdout, outcomeJson(withoutRun("failed", options.session, error)));
    return exitCodeOf(error);
  } finally {
    restoreConsole();
  }
}

const afterHelp = `
The module may also export \`services\`, a value or a function (may be async): what the graph's nodes get as services.
Standard output holds the result alone; the live view, and what the module writes with console, go to standard error.
Exit codes: ${exitCodes.completed} completed, ${exitCodes.failed} failed, ${exitCodes.usage} wrong usage or input, ${exitCodes.paused} paused, ${exitCodes.SIGINT} SIGINT, ${exitCodes.SIGTERM} SIGTERM.`;

/** Adds `run`; its exit code goes to `done`. */
export function addRunCommand(program: Command, done: (code: ExitCode) => void): void {
  program
    .command("run")
    .summary("run the graph that a module exports")
    .description("Run the compiled graph that a TypeScript or JavaScript module exports, with a live view and a trace.")
    .argument("<module>", "path of the module; its default export, or the only graph it exports, is run")
    .option("--export <name>", "the export to run", given)
    .option("--input <json|file|->", 'the input: JSON if it begins with {, [ or ", a file, or - for standard input', given)
    .option("--session <id>", "the session's id (default: a new one)", given)
    .addOption(new Option("--on-existing <what>", "when the session exists (default: error)").choices(["error", "next", "resume"]))
    .option("--pause-before <nodes>", "pause before these nodes, with commas between them", names)
    .option("--max-steps <n>", "supersteps at most (default: 1000)", count)
    .option("--concurrency <n>", "nodes at once in a superstep (default: 64)", count)
    .addOption(
      new Option("--on-graph-change <what>", "when it was stored by another graph (default: compatible)").choices([
        "compatible",
        "error",
        "warn",
      ]),
    )
    .addOption(new Option("--db <none>", "where sessions are kept; so far in memory alone").choices(["none"]))
    .option("--otlp", "send telemetry to a collector and not to a file")
    .addOption(
      new Option(
        "--otlp-endpoint <url>",
        "the collector (default: OTEL_EXPORTER_OTLP_ENDPOINT or http://localhost:4318); implies --otlp",
      ).argParser(url),
    )
    .option("--events <path|none>", "the event log (default: <home>/events/<invocation id>.jsonl)", given)
    .option("--quiet", "no live view")
    .option("--json", "print one JSON document, whatever the outcome")
    .option("--home <dir>", "where traces and event logs are kept", given, ".spanloom")
    .addHelpText("after", afterHelp)
    .action(async (module: string, options: RunOptions) => done(await execute(module, options)));
}
