/** The command `resume`: finds the session and its module, reads the answers, and goes on. */
import { type Command, Option } from "commander";
import { isRecord } from "../support/plain.ts";
import { CommandError, type ExitCode } from "./exit-codes.ts";
import { messageOf, oneLine } from "./format.ts";
import { checkEventLog, makeFolder } from "./home.ts";
import { kindOf } from "./input.ts";
import { loadGraph, locateModule } from "./load-graph.ts";
import type { Answers, RunRequest } from "./loose-runner.ts";
import type { ProcessWatch } from "./process-watch.ts";
import { addSharedOptions, addStorageOptions, checkNodes, exitCodesHelp, given, requestOf, type SharedOptions } from "./run-options.ts";
import { execute } from "./run-report.ts";
import { modulesFolder, recallModule, type SessionPlace } from "./session-modules.ts";
import { openSessionStore } from "./storage.ts";

interface ResumeOptions extends SharedOptions {
  readonly answer?: string;
  readonly answers?: string;
  readonly module?: string;
}

function parseAnswer(option: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = text.trim() === "" ? "it is empty" : oneLine(messageOf(cause));
    throw new CommandError("answer_not_json", { option, reason }, { cause });
  }
}

function answersOf({ answer, answers }: ResumeOptions): Answers {
  if (answer !== undefined) return { answer: parseAnswer("--answer", answer) };
  if (answers === undefined) return {};
  const all = parseAnswer("--answers", answers);
  if (!isRecord(all) || Array.isArray(all)) throw new CommandError("answers_not_an_object", { found: kindOf(all) });
  return { answers: all };
}

/** The module's path and the export to run. Throws `CommandError` where there is no such module, or it is not known which. */
function moduleOf(
  sessionId: string,
  place: SessionPlace,
  options: ResumeOptions,
): { readonly path: string; readonly name: string | undefined } {
  if (options.module !== undefined) return { path: locateModule(options.module), name: options.export };
  const stored = recallModule(place, sessionId);
  if (stored === undefined) throw new CommandError("module_unknown", { sessionId });
  try {
    return { path: locateModule(stored.module), name: options.export ?? stored.export };
  } catch (cause) {
    throw new CommandError("module_gone", { sessionId, module: stored.module }, { cause });
  }
}

async function prepare(sessionId: string, options: ResumeOptions, watch: ProcessWatch): Promise<RunRequest> {
  const answers = answersOf(options);
  const storage = await openSessionStore(sessionId, options);
  try {
    const { path, name } = moduleOf(sessionId, storage.place, options);
    const { planOf } = await import("../graph/graph.ts");
    const loaded = await watch.guard(`The import of ${path}`, loadGraph(path, name, planOf));
    checkNodes(loaded.plan, "--pause-before", options.pauseBefore);
    if (options.events !== undefined && options.events !== "none") checkEventLog(options.events);
    makeFolder(options.home, modulesFolder);
    return requestOf(loaded, { kind: "resume", sessionId, answers }, storage, options);
  } catch (error) {
    await storage.store.close();
    throw error;
  }
}

const afterHelp = `
Example: spanloom resume demo --answer '"yes"'
The module is the one that the session was run with last. Standard output holds the result alone, as with run.
${exitCodesHelp}`;

/** Adds `resume`; its exit code goes to `done`. */
export function addResumeCommand(program: Command, done: (code: ExitCode) => void): void {
  const command = program
    .command("resume")
    .summary("go on with a session")
    .description("Go on with a session that is paused, failed, was cancelled or lost its process, with the module that it was run with.")
    .argument("<session>", "the session's id")
    .addOption(new Option("--answer <json>", "the answer, if one question is open").conflicts("answers"))
    .option("--answers <json>", "answers by interrupt id, as an object")
    .option("--module <path>", "the module, if it is not where it was", given)
    .option("--export <name>", "the export to run", given);
  addStorageOptions(addSharedOptions(command))
    .addHelpText("after", afterHelp)
    .action(async (sessionId: string, options: ResumeOptions) =>
      done(await execute(sessionId, options, (watch) => prepare(sessionId, options, watch))),
    );
}
