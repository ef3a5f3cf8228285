/** What the commands on stored sessions have in common: no module is loaded, the answer goes to standard output, and a mistake is one sentence. */
import { addStorageOptions } from "./run-options.ts";
import type { Command } from "commander";
import type { StorageOptions } from "./database.ts";
import { type ExitCode, exitCodeOf, exitCodes } from "./exit-codes.ts";
import { explain } from "./format.ts";
import { wayOut } from "./go-on.ts";
import { painterFor, write, writeResult } from "./terminal.ts";

/** What standard output gets, and what people are told. */
export interface Answer {
  readonly result: string;
  readonly said?: readonly string[];
  /** Default: completed. */
  readonly exitCode?: ExitCode;
}

/** Does it and gives the exit code. `sessionId` is the one that it is about. Never rejects. */
export async function answer(options: StorageOptions, sessionId: string | undefined, work: () => Promise<Answer>): Promise<ExitCode> {
  const paint = painterFor(process.stderr, process.env);
  const say = (lines: readonly string[]): Promise<unknown> => write(process.stderr, lines.map((line) => `${line}\n`).join(""));
  try {
    const { result, said = [], exitCode = exitCodes.completed } = await work();
    const unwritten = await writeResult(result, paint);
    // Also without its result: what was done is done.
    await say([...said, ...unwritten]);
    return unwritten.length === 0 ? exitCode : exitCodes.failed;
  } catch (error) {
    await say([`${paint("red", "✗")} ${explain(error)}`, ...wayOut(error, sessionId, options)]);
    return exitCodeOf(error);
  }
}

/** The options and the help that end each of them. */
export function finishCommand(command: Command, example: string): Command {
  return addStorageOptions(command).addHelpText("after", `\nExample: ${example}`);
}
