/** The exit codes of every command, and the errors of the command line itself with the code that each leads to. */
import { SpanloomError } from "../errors/errors.ts";
import { nodesInWords } from "./format.ts";

/** What a process of the command line ends with. */
export const exitCodes = { completed: 0, failed: 1, usage: 2, paused: 3, SIGINT: 130, SIGTERM: 143 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Every mistake that the command line finds by itself: its exit code, and the sentence made of its facts. */
const mistakes = {
  wrong_usage: {
    exit: exitCodes.usage,
    sentence: ({ reason }: { reason: string }) => reason,
  },
  module_not_found: {
    exit: exitCodes.usage,
    sentence: ({ module, hint }: { module: string; hint: string }) => `There is no module ${module}.${hint}`,
  },
  import_failed: {
    exit: exitCodes.failed,
    sentence: ({ module, reason }: { module: string; reason: string }) => `${module} could not be imported: ${reason}`,
  },
  export_not_found: {
    exit: exitCodes.usage,
    sentence: ({ module, name, hint }: { module: string; name: string; hint: string }) => `${module} has no export "${name}".${hint}`,
  },
  not_a_graph: {
    exit: exitCodes.usage,
    sentence: ({ module, reason }: { module: string; reason: string }) => `${module} ${reason}`,
  },
  services_failed: {
    exit: exitCodes.failed,
    sentence: ({ module, reason }: { module: string; reason: string }) => `The \`services\` function of ${module} threw: ${reason}`,
  },
  telemetry_unusable: {
    exit: exitCodes.failed,
    sentence: ({ reason }: { reason: string }) =>
      `The OpenTelemetry SDK cannot be loaded: ${reason} It needs @opentelemetry/api 1.10 or later: see which one is installed with npm ls @opentelemetry/api.`,
  },
  input_unreadable: {
    exit: exitCodes.usage,
    sentence: ({ source, reason }: { source: string; reason: string }) => `The input cannot be read from ${source}: ${reason}`,
  },
  input_not_json: {
    exit: exitCodes.usage,
    sentence: ({ source, reason }: { source: string; reason: string }) => `The input from ${source} is not valid JSON: ${reason}`,
  },
  input_not_an_object: {
    exit: exitCodes.usage,
    sentence: ({ source, found }: { source: string; found: string }) =>
      `The input from ${source} is ${found}. It must be an object with a value for each channel, such as {"question": "…"}.`,
  },
  input_missing: {
    exit: exitCodes.usage,
    sentence: ({ graph, channels }: { graph: string; channels: readonly string[] }) => {
      const names = channels.map((name) => `"${name}"`).join(", ");
      const example = channels.map((name) => `${JSON.stringify(name)}: …`).join(", ");
      return `The input of graph "${graph}" lacks ${names}. Give it as --input '{ ${example} }', or name a file.`;
    },
  },
  unknown_node: {
    exit: exitCodes.usage,
    sentence: ({ option, node, hint }: { option: string; node: string; hint: string }) =>
      `${option} names "${node}", but the graph has no such node.${hint}`,
  },
  home_unusable: {
    exit: exitCodes.usage,
    sentence: ({ folder, reason }: { folder: string; reason: string }) =>
      `Nothing can be written to ${folder}: ${reason}. Name another folder with --home.`,
  },
  events_unusable: {
    exit: exitCodes.usage,
    sentence: ({ path, reason }: { path: string; reason: string }) =>
      `The event log cannot be written to ${path}: ${reason}. Name another file with --events, or none.`,
  },
  database_unsupported: {
    exit: exitCodes.usage,
    sentence: ({ what }: { what: string }) =>
      `--db names ${what}, which the command line cannot keep sessions in. Name an SQLite file, or none to keep them in memory alone.`,
  },
  database_unusable: {
    exit: exitCodes.usage,
    sentence: ({ path, reason }: { path: string; reason: string }) =>
      `Sessions cannot be kept in ${path}: ${reason}. Mend that, or name another file with --db.`,
  },
  nothing_stored: {
    exit: exitCodes.usage,
    sentence: (_facts: object) => "With --db none no session is stored: leave it out, or name the file that holds the sessions.",
  },
  session_not_found: {
    exit: exitCodes.usage,
    sentence: ({ sessionId, path }: { sessionId: string; path: string }) =>
      `There is no session ${JSON.stringify(sessionId)} in ${path}. See which there are with spanloom sessions, or name another file with --db.`,
  },
  module_unknown: {
    exit: exitCodes.usage,
    sentence: ({ sessionId }: { sessionId: string }) =>
      `Which module session ${JSON.stringify(sessionId)} runs was not stored here. Name it with --module, and its export with --export.`,
  },
  module_gone: {
    exit: exitCodes.usage,
    sentence: ({ sessionId, module }: { sessionId: string; module: string }) =>
      `The module that session ${JSON.stringify(sessionId)} was run with is gone: ${module}. Say where it is now with --module.`,
  },
  answer_not_json: {
    exit: exitCodes.usage,
    sentence: ({ option, reason }: { option: string; reason: string }) =>
      `The value of ${option} is not valid JSON: ${reason}. A text has its double quotes: ${option} '"yes"'.`,
  },
  answers_not_an_object: {
    exit: exitCodes.usage,
    sentence: ({ found }: { found: string }) => `--answers is ${found}. It must be an object with an answer for each interrupt id.`,
  },
  nothing_to_prune: {
    exit: exitCodes.usage,
    sentence: (_facts: object) =>
      "Say what may go: --older-than 30d for whole sessions, --keep 10 for the newest checkpoints of each, or both.",
  },
  stalled: {
    exit: exitCodes.failed,
    sentence: ({ what, running = [] }: { what: string; running?: readonly string[] }) =>
      `${what} waits${running.length === 0 ? "" : `, in ${nodesInWords(running)},`} for something that can never happen: nothing is left in this process that could wake it. Look for a promise that is never settled.`,
  },
  exited: {
    exit: exitCodes.failed,
    sentence: ({ what, code }: { what: string; code: number }) =>
      `${what} was cut off: the process was ended by process.exit(${code}). Return from the node, or throw an error, instead.`,
  },
  crashed: {
    exit: exitCodes.failed,
    sentence: ({ reason }: { reason: string }) => `An error was thrown outside every node, and nothing caught it: ${reason}`,
  },
} as const;

/** The exit code of each. */
export const exitOfMistakes: Readonly<Record<MistakeCode, ExitCode>> = Object.fromEntries(
  Object.entries(mistakes).map(([code, { exit }]) => [code, exit]),
) as Record<MistakeCode, ExitCode>;

export type MistakeCode = keyof typeof mistakes;
type MistakeFacts<Code extends MistakeCode> = (typeof mistakes)[Code]["sentence"] extends (facts: infer Facts) => string ? Facts : never;

/** What the command line says and ends with before, or instead of, running a graph. */
export class CommandError<Code extends MistakeCode = MistakeCode> extends SpanloomError {
  declare readonly code: Code;
  readonly exitCode: ExitCode;

  constructor(code: Code, facts: MistakeFacts<Code>, options?: ErrorOptions) {
    // The table ties the code to its facts; indexing by a type parameter loses that.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const sentence = mistakes[code].sentence as unknown as (facts: MistakeFacts<Code>) => string;
    super("CommandError", code, sentence(facts), facts, options);
    this.exitCode = mistakes[code].exit;
  }
}

/** Refusals of a runner that the caller of the command can mend by calling it otherwise. */
const usageCodes: ReadonlySet<string> = new Set([
  "invalid_input",
  "invalid_option",
  "session_exists",
  "session_not_found",
  "session_pending",
  "session_finished",
  "interrupt_not_found",
  "wrong_graph",
  "checkpoint_not_found",
]);

/** The exit code that an error leads to. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CommandError) return error.exitCode;
  return SpanloomError.is(error) && usageCodes.has(error.code) ? exitCodes.usage : exitCodes.failed;
}
