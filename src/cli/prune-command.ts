/** The command `prune`: removes whole sessions by age, and old checkpoints by number; nothing of a session that runs. */
import { type Command, InvalidArgumentError } from "commander";
import type { Checkpointer, SessionInfo } from "../checkpoint/checkpointer.ts";
import { SpanloomError } from "../errors/errors.ts";
import { type SessionStatus, sessionStatuses } from "../events/event.ts";
import { asking, listing } from "../runtime/reading.ts";
import { parseDuration } from "../support/duration.ts";
import { openExisting, type StorageOptions } from "./database.ts";
import { CommandError, type ExitCode, exitCodes } from "./exit-codes.ts";
import { explain } from "./format.ts";
import { count } from "./run-options.ts";
import { forgetAllBut } from "./session-modules.ts";
import { storedPlace } from "./storage.ts";
import { type Answer, answer, finishCommand } from "./stored-command.ts";
import { countStored } from "./stored-history.ts";

type Removable = Exclude<SessionStatus, "running">;

interface PruneOptions extends StorageOptions {
  /** Milliseconds. */
  readonly olderThan?: number;
  readonly status?: readonly Removable[];
  readonly keep?: number;
  readonly dryRun?: boolean;
}

const removable = sessionStatuses.filter((status) => status !== "running");
/** Nobody waits for these. */
const ended: readonly Removable[] = ["completed", "cancelled", "failed"];

function duration(value: string): number {
  const milliseconds = parseDuration(value);
  if (milliseconds === undefined) throw new InvalidArgumentError("It must be a duration, such as 30d, 12h or 90m.");
  return milliseconds;
}

function statuses(value: string): readonly Removable[] {
  return value.split(",").map((given) => {
    const found = removable.find((status) => status === given.trim());
    if (found === undefined) throw new InvalidArgumentError(`It must be of ${removable.join(", ")}, with commas between them.`);
    return found;
  });
}

async function sessionsIn(store: Checkpointer): Promise<readonly SessionInfo[]> {
  const found: SessionInfo[] = [];
  for await (const each of listing(store, (from) => from.list())) found.push(each);
  return found;
}

const has = (allowed: readonly SessionStatus[], { status }: SessionInfo): boolean => allowed.includes(status);

/** Those of whose histories something may go. */
const prunable = (sessions: readonly SessionInfo[], { status = removable }: PruneOptions): readonly SessionInfo[] =>
  sessions.filter((session) => has(status, session));

interface Removed {
  readonly sessions: number;
  readonly checkpoints: number;
  /** Why the histories of some sessions are as they were. */
  readonly damages?: readonly unknown[];
}

/** What would go, counted and left as it is. */
async function countRemoved(store: Checkpointer, options: PruneOptions): Promise<Removed> {
  const { olderThan, status = ended, keep } = options;
  const all = await sessionsIn(store);
  const newest = Date.now() - (olderThan ?? 0);
  const isOld = (session: SessionInfo): boolean => olderThan !== undefined && has(status, session) && session.updatedAt <= newest;
  let checkpoints = 0;
  for (const { sessionId } of keep === undefined ? [] : prunable(all, options).filter((session) => !isOld(session))) {
    checkpoints += Math.max(0, (await countStored(store, sessionId)) - (keep ?? 0));
  }
  return { sessions: all.filter(isOld).length, checkpoints };
}

async function remove(store: Checkpointer, options: PruneOptions): Promise<Removed> {
  const { olderThan, status = ended, keep } = options;
  const sessions = olderThan === undefined ? 0 : await asking(store, (from) => from.deleteSessions({ olderThan, status }));
  if (keep === undefined) return { sessions, checkpoints: 0 };
  let checkpoints = 0;
  const damages: unknown[] = [];
  for (const { sessionId } of prunable(await sessionsIn(store), options)) {
    try {
      checkpoints += await asking(store, (from) => from.prune({ keep, sessionId }));
    } catch (error) {
      if (!SpanloomError.is(error, "checkpoint_corrupt")) throw error;
      damages.push(error);
    }
  }
  return { sessions, checkpoints, damages };
}

const counted = (number: number, what: string): string => `${number} ${number === 1 ? what : `${what}s`}`;

function textOf({ sessions, checkpoints }: Removed, dryRun: boolean | undefined): string {
  return `${dryRun === true ? "would remove" : "removed"} ${counted(sessions, "session")}, ${counted(checkpoints, "checkpoint")}\n`;
}

async function prune(options: PruneOptions): Promise<Answer> {
  const { olderThan, keep, dryRun } = options;
  if (olderThan === undefined && keep === undefined) throw new CommandError("nothing_to_prune", {});
  const place = storedPlace(options);
  const store = await openExisting(place.database);
  if (store === undefined) return { result: textOf({ sessions: 0, checkpoints: 0 }, dryRun) };
  try {
    if (dryRun === true) return { result: textOf(await countRemoved(store, options), dryRun) };
    const removed = await remove(store, options);
    await forgetAllBut(place, async () => new Set((await sessionsIn(store)).map(({ sessionId }) => sessionId)));
    const { damages = [] } = removed;
    const said = damages.map((error) => `Left as it is: ${explain(error)}`);
    return { result: textOf(removed, dryRun), said, ...(damages.length === 0 ? {} : { exitCode: exitCodes.failed }) };
  } finally {
    await store.close();
  }
}

const afterOptions = `--status holds for both. Without it, --older-than removes sessions that are ${ended.join(", ")}.`;

/** Adds `prune`; its exit code goes to `done`. */
export function addPruneCommand(program: Command, done: (code: ExitCode) => void): void {
  const command = program
    .command("prune")
    .summary("remove old sessions and checkpoints")
    .description(`Remove whole sessions by age, old checkpoints by number, or both; nothing of a session that is running.\n${afterOptions}`)
    .option("--older-than <duration>", "whole sessions that were last written so long ago, such as 30d", duration)
    .option("--status <statuses>", "only sessions with these, with commas between them", statuses)
    .option("--keep <n>", "all but the newest checkpoints of each session", count)
    .option("--dry-run", "say what would go, and leave it");
  finishCommand(command, "spanloom prune --older-than 30d --keep 10 --dry-run").action(async (options: PruneOptions) =>
    done(await answer(options, undefined, () => prune(options))),
  );
}
