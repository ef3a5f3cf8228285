/** The command `sessions`: what is stored, the most recently written first. */
import { type Command, Option } from "commander";
import type { SessionInfo } from "../checkpoint/checkpointer.ts";
import { type SessionStatus, sessionStatuses } from "../events/event.ts";
import { listing } from "../runtime/reading.ts";
import { openExisting, type StorageOptions } from "./database.ts";
import type { ExitCode } from "./exit-codes.ts";
import { readableJson } from "./readable-json.ts";
import { count, given } from "./run-options.ts";
import { infoDocument, sessionsTable } from "./session-text.ts";
import { storedPlace } from "./storage.ts";
import { type Answer, answer, finishCommand } from "./stored-command.ts";
import { painterFor } from "./terminal.ts";

interface SessionsOptions extends StorageOptions {
  readonly status?: SessionStatus;
  readonly graph?: string;
  readonly limit?: number;
  readonly json?: boolean;
}

async function list(options: SessionsOptions): Promise<Answer> {
  const { status, graph, limit } = options;
  const { database } = storedPlace(options);
  const store = await openExisting(database);
  const filter = {
    ...(status === undefined ? {} : { status }),
    ...(graph === undefined ? {} : { graph }),
    ...(limit === undefined ? {} : { limit }),
  };
  const found: SessionInfo[] = [];
  if (store !== undefined) for await (const each of listing(store, (from) => from.list(filter))) found.push(each);
  await store?.close();
  if (options.json === true) return { result: `${readableJson(found.map(infoDocument))}\n` };
  const lines = sessionsTable(found, painterFor(process.stdout, process.env));
  const said = found.length === 0 ? [`${store === undefined ? "There is no file" : "No such sessions are in"} ${database}.`] : [];
  return { result: lines.map((line) => `${line}\n`).join(""), said };
}

/** Adds `sessions`; its exit code goes to `done`. */
export function addSessionsCommand(program: Command, done: (code: ExitCode) => void): void {
  const command = program
    .command("sessions")
    .summary("list the stored sessions")
    .description("List the stored sessions of all graphs, the most recently written first.")
    .addOption(new Option("--status <status>", "only those with this status").choices(sessionStatuses))
    .option("--graph <name>", "only those of this graph", given)
    .option("--limit <n>", "so many at most", count)
    .option("--json", "print one JSON array");
  finishCommand(command, "spanloom sessions --status paused").action(async (options: SessionsOptions) =>
    done(await answer(options, undefined, () => list(options))),
  );
}
