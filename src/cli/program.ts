/** All commands under one name: parsing, help, and the exit code of whatever was asked for. */
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { suggest } from "../support/suggest.ts";
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
import { outliveFaults, painterFor, write, writeResult } from "./terminal.ts";
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

/** Help that is asked for with a command's name is help with that command: the parser itself would give that of the program. */
function refuseUnknown(program: Command): void {
  const [first, second] = program.args;
  const name = first === "help" ? second : first;
  const names = ["help", ...program.commands.map((command) => command.name())];
  if (name === undefined || name.startsWith("-") || names.includes(name)) return;
  const nearest = suggest(name, names);
  program.error(`error: unknown command '${name}'${nearest === undefined ? "" : `\n(Did you mean ${nearest}?)`}`);
}

/** `writeOut` takes the help and the version, when they are what was asked for. */
function makeProgram(done: (code: ExitCode) => void, writeOut: (text: string) => void): Command {
  const program = new Command("spanloom")
    .description("Run typed workflow graphs, and see what they do.")
    .version(versionOfPackage(), "--version", "print the version")
    .helpOption("--help", "show help")
    .configureOutput({ writeOut })
    .showSuggestionAfterError()
    .exitOverride();
  program.addHelpText("before", () => {
    refuseUnknown(program);
    return "";
  });
  for (const add of commands) add(program, done);
  return program;
}

/** Whether the document of a run was asked for, in arguments that could not all be understood. */
function asksForDocument([command, ...rest]: readonly string[]): boolean {
  const end = rest.indexOf("--");
  return (command === "run" || command === "resume") && (end < 0 ? rest : rest.slice(0, end)).includes("--json");
}

/** What the parser refuses, or has done: it has said so itself, for people. `out` is what it has to say on standard output. */
async function parserEnded({ exitCode, message }: CommanderError, args: readonly string[], out: string): Promise<ExitCode> {
  const error = new CommandError("wrong_usage", { reason: message.replace(/^error: /, "") });
  const document = exitCode !== 0 && asksForDocument(args) ? outcomeJson(withoutRun("failed", undefined, error)) : "";
  const unwritten = await writeResult(out + document, painterFor(process.stderr, process.env));
  await write(process.stderr, unwritten.map((line) => `${line}\n`).join(""));
  if (exitCode !== 0) return exitCodes.usage;
  return unwritten.length === 0 ? exitCodes.completed : exitCodes.failed;
}

/** Parses the arguments (without those of Node itself), does what they ask, and gives the exit code. Never rejects. */
export async function runProgram(args: readonly string[]): Promise<ExitCode> {
  hideSqliteWarning();
  outliveFaults(process.stdout, process.stderr);
  let code: ExitCode = exitCodes.completed;
  let out = "";
  const program = makeProgram(
    (given) => {
      code = given;
    },
    (text) => {
      out += text;
    },
  );
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) return parserEnded(error, args, out);
    await write(process.stderr, `${explain(error)}\n`);
    return exitCodes.failed;
  }
  return code;
}
