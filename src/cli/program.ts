/** All commands under one name: parsing, help, and the exit code of whatever was asked for. */
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { CommandError, type ExitCode, exitCodes } from "./exit-codes.ts";
import { explain } from "./format.ts";
import { outcomeJson, withoutRun } from "./outcome.ts";
import { addDeleteCommand } from "./delete-command.ts";
import { addForkCommand } from "./fork-command.ts";
import { addPruneCommand } from "./prune-command.ts";
import { addSessionsCommand } from "./sessions-command.ts";
import { addShowCommand } from "./show-command.ts";
import { addResumeCommand } from "./resume-command.ts";
import { addRunCommand } from "./run-command.ts";
import { outliveReaders, write } from "./terminal.ts";
import { hideSqliteWarning } from "./warnings.ts";

/** Every command adds itself, and hands its exit code to `done`. */
const commands: readonly ((program: Command, done: (code: ExitCode) => void) => void)[] = [
  addRunCommand,
  addResumeCommand,
  addSessionsCommand,
  addShowCommand,
  addForkCommand,
  addDeleteCommand,
  addPruneCommand,
];

function versionOfPackage(): string {
  const content: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  return typeof content === "object" && content !== null && "version" in content ? String(content.version) : "unknown";
}

function makeProgram(done: (code: ExitCode) => void): Command {
  const program = new Command("spanloom")
    .description("Run typed workflow graphs, and see what they do.")
    .version(versionOfPackage(), "--version", "print the version")
    .helpOption("--help", "show help")
    .showSuggestionAfterError()
    .exitOverride();
  for (const add of commands) add(program, done);
  return program;
}

/** Whether the document of a run was asked for, in arguments that could not all be understood. */
function asksForDocument([command, ...rest]: readonly string[]): boolean {
  const end = rest.indexOf("--");
  return (command === "run" || command === "resume") && (end < 0 ? rest : rest.slice(0, end)).includes("--json");
}

/** What the parser refuses, or has done: it has said so itself, for people. */
async function parserEnded({ exitCode, message }: CommanderError, args: readonly string[]): Promise<ExitCode> {
  if (exitCode === 0) return exitCodes.completed;
  const error = new CommandError("wrong_usage", { reason: message.replace(/^error: /, "") });
  if (asksForDocument(args)) await write(process.stdout, outcomeJson(withoutRun("failed", undefined, error)));
  return exitCodes.usage;
}

/** Parses the arguments (without those of Node itself), does what they ask, and gives the exit code. Never rejects. */
export async function runProgram(args: readonly string[]): Promise<ExitCode> {
  hideSqliteWarning();
  outliveReaders(process.stdout, process.stderr);
  let code: ExitCode = exitCodes.completed;
  try {
    await makeProgram((given) => {
      code = given;
    }).parseAsync(args, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) return parserEnded(error, args);
    await write(process.stderr, `${explain(error)}\n`);
    return exitCodes.failed;
  }
  return code;
}
