/** The command `fork`: a new session that begins as a stored one was. */
import type { Command } from "commander";
import { openInterrupts } from "../engine/execution.ts";
import { idSource, secureRandom } from "../runtime/ids.ts";
import { readStored } from "../runtime/open-session.ts";
import { forkOrigin, forkSession } from "../runtime/session-care.ts";
import { systemClock } from "../support/clock.ts";
import type { StorageOptions } from "./database.ts";
import type { ExitCode } from "./exit-codes.ts";
import { messageOf } from "./format.ts";
import { goOnLine } from "./go-on.ts";
import { makeFolder } from "./home.ts";
import { given } from "./run-options.ts";
import { modulesFolder, recallModule, rememberModule } from "./session-modules.ts";
import { openSessionStore, type SessionStore } from "./storage.ts";
import { type Answer, answer, finishCommand } from "./stored-command.ts";

interface ForkOptions extends StorageOptions {
  readonly at?: string;
  readonly as?: string;
}

/** What could not be kept of it, in sentences. */
function copyModule({ place }: SessionStore, from: string, to: string): readonly string[] {
  const stored = recallModule(place, from);
  if (stored === undefined) return [];
  try {
    makeFolder(place.home, modulesFolder);
    rememberModule(place, to, stored);
    return [];
  } catch (error) {
    return [`! Which module the session runs could not be stored, so that resume needs --module: ${messageOf(error)}`];
  }
}

async function fork(sessionId: string, options: ForkOptions): Promise<Answer> {
  const storage = await openSessionStore(sessionId, options);
  const { store } = storage;
  const settings = { clock: systemClock, createId: idSource(systemClock, secureRandom) };
  try {
    const { origin } = await forkOrigin((checkpointId) => readStored(store, sessionId, checkpointId), options.at);
    const forked = options.as ?? settings.createId();
    await forkSession({ store, settings }, origin, forked);
    const losses = copyModule(storage, sessionId, forked);
    const isDue = origin.record.next.length > 0;
    const more = recallModule(storage.place, sessionId) === undefined ? ["--module", "'<path>'"] : [];
    const goOn = isDue ? [goOnLine(forked, openInterrupts(origin.record), options, more)] : [];
    return { result: `${forked}\n`, said: [...losses, ...goOn] };
  } finally {
    await store.close();
  }
}

/** Adds `fork`; its exit code goes to `done`. */
export function addForkCommand(program: Command, done: (code: ExitCode) => void): void {
  const command = program
    .command("fork")
    .summary("begin a new session as a stored one")
    .description(
      "Begin a new session as a stored one is, or as it was at a checkpoint. Standard output gets its id; neither sees the other's later values.",
    )
    .argument("<session>", "the session's id")
    .option("--at <checkpoint>", "the checkpoint (default: the newest; show --history lists them)", given)
    .option("--as <id>", "the new session's id (default: a new one)", given);
  finishCommand(command, "spanloom fork demo --as demo-2").action(async (sessionId: string, options: ForkOptions) =>
    done(await answer(options, sessionId, () => fork(sessionId, options))),
  );
}
