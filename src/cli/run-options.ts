/** What `run` and `resume` have in common: their options, and what becomes of them. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Plan } from "../graph/plan.ts";
import { hint } from "../support/suggest.ts";
import { defaultHome, type StorageOptions } from "./database.ts";
import { CommandError, exitCodes } from "./exit-codes.ts";
import type { LoadedGraph } from "./load-graph.ts";
import type { RunRequest } from "./loose-runner.ts";
import type { Storage } from "./storage.ts";

export interface SharedOptions extends StorageOptions {
  readonly export?: string;
  readonly pauseBefore?: readonly string[];
  readonly maxSteps?: number;
  readonly concurrency?: number;
  readonly onGraphChange?: RunRequest["onGraphChange"];
  readonly otlp?: boolean;
  readonly otlpEndpoint?: string;
  readonly events?: string;
  readonly quiet?: boolean;
  readonly json?: boolean;
}

export function count(value: string): number {
  if (!/^[1-9]\d{0,14}$/.test(value)) throw new InvalidArgumentError("It must be a whole number, 1 or more.");
  return Number(value);
}

export function given(value: string): string {
  if (value === "") throw new InvalidArgumentError("It must not be empty.");
  return value;
}

function names(value: string): readonly string[] {
  const all = value.split(",").map((name) => name.trim());
  if (all.includes("")) throw new InvalidArgumentError("It must be node names, with commas between them.");
  return all;
}

function url(value: string): string {
  const { protocol } = URL.parse(value) ?? { protocol: "" };
  if (protocol !== "http:" && protocol !== "https:") throw new InvalidArgumentError("It must be a URL, such as http://localhost:4318.");
  return value;
}

/** Throws `CommandError` `unknown_node`. */
export function checkNodes(plan: Plan, option: string, nodes: readonly string[] = []): void {
  for (const node of nodes) {
    if (!plan.nodeIndex.has(node)) throw new CommandError("unknown_node", { option, node, hint: hint(node, plan.nodeIndex.keys()) });
  }
}

export function requestOf(loaded: LoadedGraph, call: RunRequest["call"], storage: Storage, options: SharedOptions): RunRequest {
  const sends = options.otlp === true || options.otlpEndpoint !== undefined;
  return {
    loaded,
    call,
    storage,
    given: options,
    pauseBefore: options.pauseBefore ?? [],
    maxSteps: options.maxSteps,
    concurrency: options.concurrency,
    onGraphChange: options.onGraphChange,
    events: options.events,
    otlp: sends ? { endpoint: options.otlpEndpoint } : undefined,
    quiet: options.quiet === true,
  };
}

/** Where sessions are: every command on them takes these. Only a session that begins may be in memory alone. */
export function addStorageOptions(command: Command, may: "be in memory" | "be stored" = "be stored"): Command {
  const inMemory = may === "be in memory";
  return command
    .option(
      inMemory ? "--db <path|none>" : "--db <path>",
      `the SQLite file of the sessions${inMemory ? ", or none: in memory" : ""} (default: <home>/sessions.db)`,
      given,
    )
    .option("--home <dir>", "where sessions, traces and event logs are kept", given, defaultHome);
}

/** The options that both have, in the order that help lists them in. */
export function addSharedOptions(command: Command): Command {
  return command
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
    .option("--otlp", "send telemetry to a collector and not to a file")
    .addOption(
      new Option(
        "--otlp-endpoint <url>",
        "the collector (default: OTEL_EXPORTER_OTLP_ENDPOINT or http://localhost:4318); implies --otlp",
      ).argParser(url),
    )
    .option("--events <path|none>", "the event log (default: <home>/events/<invocation id>.jsonl)", given)
    .option("--quiet", "no live view")
    .option("--json", "print one JSON document, whatever the outcome");
}

/** What both end with, in help. */
export const exitCodesHelp = `Exit codes: ${exitCodes.completed} completed, ${exitCodes.failed} failed, ${exitCodes.usage} wrong usage or input, ${exitCodes.paused} paused, ${exitCodes.SIGINT} SIGINT, ${exitCodes.SIGTERM} SIGTERM.`;
