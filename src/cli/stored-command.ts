/** What the commands on stored sessions have in common: no module is loaded, the answer goes to standard output, and a mistake is one sentence. */
import { addStorageOptions } from "./run-options.ts";
import type { Command } from "commander";
import type { StorageOptions } from "./database.ts";
import { type ExitCode, exitCodeOf, exitCodes } from "./exit-codes.ts";
import { explain } from "./format.ts";
import { wayOut } from "./go-on.ts";
import { painterFor, write } from "./terminal.ts";

/** What standard output gets, and what people are told. */
export interface Answer {
  readonly result: string;
  readonly said?: readonly string[];
  /** Default: completed. */
  readonly exitCode?: ExitCode;
}

/** Does it and gives the exit code. `sessionId` is the one that it is about. Never rejects. */
export async function answer(options: StorageOptions, sessionId: string | undefined, work: () => Promise<Answer>): Promise<ExitCode> {
  const say = (lines: readonly string[]): Promise<void> => write(process.stderr, lines.map((line) => `${line}\n`).join(""));
  try {
    const { result, said = [], exitCode = exitCodes.completed } = await work();
    await write(process.stdout, result);
    await say(said);
    return exitCode;
  } catch (error) {
    const paint = painterFor(process.stderr, process.env);
    await say([`${paint("red", "✗")} ${explain(error)}`, ...wayOut(error, sessionId, options)]);
    return exitCodeOf(error);
  }
}

/** The options and the help that end each of them. */
export function finishCommand(command: Command, example: string): Command {
  return addStorageOptions(command).addHelpText("after", `\nExample: ${example}`);
}
