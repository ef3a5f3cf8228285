/** The command `delete`: removes a stored session, with all of its checkpoints. */
import type { Command } from "commander";
import { asking } from "../runtime/reading.ts";
import type { StorageOptions } from "./database.ts";
import type { ExitCode } from "./exit-codes.ts";
import { shellWord } from "./format.ts";
import { forgetModule } from "./session-modules.ts";
import { openSessionStore } from "./storage.ts";
import { type Answer, answer, finishCommand } from "./stored-command.ts";

async function remove(sessionId: string, options: StorageOptions): Promise<Answer> {
  const { store, place } = await openSessionStore(sessionId, options);
  try {
    await asking(store, (from) => from.delete(sessionId));
    forgetModule(place, sessionId);
    return { result: `deleted session ${shellWord(sessionId)}\n` };
  } finally {
    await store.close();
  }
}

/** Adds `delete`; its exit code goes to `done`. */
export function addDeleteCommand(program: Command, done: (code: ExitCode) => void): void {
  const command = program
    .command("delete")
    .summary("delete a stored session")
    .description(
      "Delete a stored session with all of its checkpoints, whatever its status: a run of it that is under way ends at its next save.",
    )
    .argument("<session>", "the session's id");
  finishCommand(command, "spanloom delete demo").action(async (sessionId: string, options: StorageOptions) =>
    done(await answer(options, sessionId, () => remove(sessionId, options))),
  );
}
