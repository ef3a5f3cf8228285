/** The command `show`: a stored session as it stands, as it stood at a checkpoint, or all of its checkpoints. */
import { type Command, Option } from "commander";
import { readStored } from "../runtime/open-session.ts";
import type { StorageOptions } from "./database.ts";
import type { ExitCode } from "./exit-codes.ts";
import { readableJson } from "./readable-json.ts";
import { count, given } from "./run-options.ts";
import { historyTable, snapshotDocument, snapshotLines } from "./session-text.ts";
import { openSessionStore, type SessionStore } from "./storage.ts";
import { type Answer, answer, finishCommand } from "./stored-command.ts";
import { type Damaged, storedHistory } from "./stored-history.ts";
import type { StoredCheckpoint } from "../checkpoint/checkpointer.ts";
import { painterFor } from "./terminal.ts";

interface ShowOptions extends StorageOptions {
  readonly history?: boolean;
  readonly at?: string;
  readonly limit?: number;
  readonly json?: boolean;
}

const paintOutput = (): ReturnType<typeof painterFor> => painterFor(process.stdout, process.env);

async function showHistory({ store }: SessionStore, sessionId: string, { limit, json }: ShowOptions): Promise<Answer> {
  const found: (StoredCheckpoint | Damaged)[] = [];
  for await (const each of storedHistory(store, sessionId, limit)) found.push(each);
  const said = found.flatMap((each) => ("damaged" in each ? [`! ${each.reason}`] : []));
  if (json !== true) return { result: `${historyTable(found, paintOutput()).join("\n")}\n`, said };
  const whole = found.flatMap((each) => ("damaged" in each ? [] : [snapshotDocument(each)]));
  return { result: `${readableJson(whole)}\n`, said };
}

async function show(sessionId: string, options: ShowOptions): Promise<Answer> {
  const storage = await openSessionStore(sessionId, options);
  try {
    if (options.history === true || options.limit !== undefined) return await showHistory(storage, sessionId, options);
    const stored = await readStored(storage.store, sessionId, options.at);
    const text = options.json === true ? readableJson(snapshotDocument(stored)) : snapshotLines(stored, paintOutput()).join("\n");
    return { result: `${text}\n` };
  } finally {
    await storage.store.close();
  }
}

/** Adds `show`; its exit code goes to `done`. */
export function addShowCommand(program: Command, done: (code: ExitCode) => void): void {
  const command = program
    .command("show")
    .summary("show a stored session")
    .description("Show a stored session: its status, its state, and what is next. No module is needed.")
    .argument("<session>", "the session's id")
    .option("--history", "its checkpoints, newest first")
    .addOption(
      new Option("--at <checkpoint>", "as it was at this checkpoint; not with --history or --limit")
        .argParser(given)
        .conflicts(["history", "limit"]),
    )
    // Not by `implies`: then a conflict names --history, which was not given.
    .option("--limit <n>", "so many checkpoints at most; implies --history", count)
    .option("--json", "print one JSON document, with --history a JSON array");
  finishCommand(command, "spanloom show demo --history").action(async (sessionId: string, options: ShowOptions) =>
    done(await answer(options, sessionId, () => show(sessionId, options))),
  );
}
