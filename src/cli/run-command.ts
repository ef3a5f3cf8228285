/** The command `run`: its options, and its checks before anything runs. */
import { type Command, Option } from "commander";
import type { ExitCode } from "./exit-codes.ts";
import { checkEventLog } from "./home.ts";
import { checkComplete, readInput } from "./input.ts";
import { loadGraph, locateModule } from "./load-graph.ts";
import type { Beginning, RunRequest } from "./loose-runner.ts";
import type { ProcessWatch } from "./process-watch.ts";
import { addSharedOptions, addStorageOptions, checkNodes, exitCodesHelp, given, requestOf, type SharedOptions } from "./run-options.ts";
import { execute } from "./run-report.ts";
import { openStorage } from "./storage.ts";

interface RunOptions extends SharedOptions {
  readonly input?: string;
  readonly session?: string;
  readonly onExisting?: Beginning["onExisting"];
}

async function prepare(module: string, options: RunOptions, watch: ProcessWatch): Promise<RunRequest> {
  const path = locateModule(module);
  const { session: sessionId, onExisting } = options;
  const input = await readInput(options.input, process.stdin);
  // The engine is loaded only now, so that help and mistakes come at once.
  const { planOf } = await import("../graph/graph.ts");
  const loaded = await watch.guard(`The import of ${module}`, loadGraph(path, options.export, planOf));
  checkNodes(loaded.plan, "--pause-before", options.pauseBefore);
  // A session that exists needs less, or none: whether it does is the runner's to find.
  if (onExisting === undefined || onExisting === "error") checkComplete(loaded.plan, input);
  if (options.events !== undefined && options.events !== "none") checkEventLog(options.events);
  return requestOf(loaded, { kind: "run", input, sessionId, onExisting }, await openStorage(options), options);
}

const afterHelp = `
Example: spanloom run flow.ts --input '{ "question": "Why?" }' --session demo
The module may also export \`services\`, a value or a function (may be async): what the graph's nodes get as services.
Standard output holds the result alone; the live view, and what the module writes with console, go to standard error.
${exitCodesHelp}`;

/** Adds `run`; its exit code goes to `done`. */
export function addRunCommand(program: Command, done: (code: ExitCode) => void): void {
  const command = program
    .command("run")
    .summary("run the graph that a module exports")
    .description("Run the compiled graph that a TypeScript or JavaScript module exports, with a live view and a trace.")
    .argument("<module>", "path of the module; its default export, or the only graph it exports, is run")
    .option("--export <name>", "the export to run", given)
    .option("--input <json|file|->", 'the input: JSON if it begins with {, [ or ", a file, or - for standard input', given)
    .option("--session <id>", "the session's id (default: a new one)", given)
    .addOption(new Option("--on-existing <what>", "when the session exists (default: error)").choices(["error", "next", "resume"]));
  addStorageOptions(addSharedOptions(command), "be in memory")
    .addHelpText("after", afterHelp)
    .action(async (module: string, options: RunOptions) =>
      done(await execute(options.session, options, (watch) => prepare(module, options, watch))),
    );
}
