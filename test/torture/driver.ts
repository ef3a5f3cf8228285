/** Brings sessions to their end through processes that are killed, and looks at what is left. */
import { fork } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Fault } from "./faults.ts";
import type { CaseName } from "./graphs.ts";
import type { Message, Order } from "./worker.ts";
import type { Note } from "./world.ts";

/** Milliseconds after which a process hangs: it has a second of work at most. */
const patience = 120_000;

/** When a process is killed: at a fault point, or after so many milliseconds of work. */
export type Kill = { readonly fault: Fault } | { readonly after: number };

interface Ended {
  readonly wasKilled: boolean;
  readonly counts: ReadonlyMap<string, number> | undefined;
  /** Milliseconds that it worked, without its start. */
  readonly worked: number;
  /** It ended otherwise than by the kill or by its own end. */
  readonly complaint: string | undefined;
}

/** A process that goes on with the session. */
function runWorker(worker: string, order: Omit<Order, "fault">, kill: Kill | undefined): Promise<Ended> {
  const fault = kill !== undefined && "fault" in kill ? kill.fault : undefined;
  const child = fork(worker, [JSON.stringify({ ...order, fault })], {
    execArgv: ["--disable-warning=ExperimentalWarning"],
    env: { ...process.env, NODE_COMPILE_CACHE: join(order.folder, "..", "compile-cache") },
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let counts: ReadonlyMap<string, number> | undefined;
  let began = 0;
  let worked = 0;
  let said = "";
  let hangs = false;
  child.stderr?.on("data", (data: Buffer) => {
    said += String(data);
  });
  child.on("message", (message: Message) => {
    if ("counts" in message) {
      counts = new Map(message.counts);
      worked = performance.now() - began;
      return;
    }
    began = performance.now();
    // Any instant is right.
    if (kill !== undefined && "after" in kill) setTimeout(() => child.kill("SIGKILL"), kill.after);
  });
  const watch = setTimeout(() => {
    hangs = true;
    child.kill("SIGKILL");
  }, patience);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(watch);
      const wasKilled = signal === "SIGKILL";
      const complaint = hangs ? "a process hung" : wasKilled || code === 0 ? undefined : `a process ended with ${signal ?? code}: ${said}`;
      resolve({ wasKilled, counts, worked, complaint });
    });
  });
}

export interface Finished {
  readonly notes: readonly Note[];
  readonly kills: number;
  /** Of its last process, which was not killed. */
  readonly counts: ReadonlyMap<string, number>;
  readonly worked: number;
  readonly complaints: readonly string[];
}

export interface Lane {
  /** The module that is run. */
  readonly worker: string;
  readonly folder: string;
  /** All sessions of a lane, and of others, are in one file. */
  readonly database: string;
}

/** One session, through as many processes as there are kills, and a last one that is left alone. */
export async function bringToEnd(
  { worker, folder, database }: Lane,
  name: CaseName,
  sessionId: string,
  kills: readonly Kill[],
): Promise<Finished> {
  const own = join(folder, sessionId);
  mkdirSync(own, { recursive: true });
  const order = { name, database, folder: own, sessionId };
  let killed = 0;
  let complaint: string | undefined;
  for (const kill of kills) {
    const ended = await runWorker(worker, order, kill);
    ({ complaint } = ended);
    if (!ended.wasKilled || complaint !== undefined) break;
    killed += 1;
  }
  const last = complaint === undefined ? await runWorker(worker, order, undefined) : undefined;
  const complaints = [complaint, last?.complaint].filter((each) => each !== undefined);
  return { notes: journalOf(own), kills: killed, counts: last?.counts ?? new Map(), worked: last?.worked ?? 0, complaints };
}

function journalOf(folder: string): readonly Note[] {
  const journal = join(folder, "journal");
  if (!existsSync(journal)) return [];
  const lines = readFileSync(journal, "utf8").split("\n");
  // Whole lines alone: one that was cut would not parse.
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Note);
}
