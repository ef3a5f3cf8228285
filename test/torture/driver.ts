/** Brings sessions to their end through processes that are killed, and looks at what is left. */
import { fork } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Fault } from "./faults.ts";
import type { CaseName } from "./graphs.ts";
import type { Message, Order } from "./worker.ts";
import type { Note } from "./world.ts";

const worker = fileURLToPath(new URL("worker.ts", import.meta.url));
const fromSource = new URL("../docs/from-source.ts", import.meta.url).href;

/** When a process is killed: at a fault point, after so many milliseconds of work, or not at all. */
export type Kill = { readonly fault: Fault } | { readonly after: number } | undefined;

interface Ended {
  readonly wasKilled: boolean;
  readonly counts: ReadonlyMap<string, number> | undefined;
  readonly complaint: string;
}

/** A process that goes on with the session. Rejects when it ends otherwise than by the kill or by its own end. */
function runWorker(order: Omit<Order, "fault">, kill: Kill): Promise<Ended> {
  const fault = kill !== undefined && "fault" in kill ? kill.fault : undefined;
  const child = fork(worker, [JSON.stringify({ ...order, fault })], {
    execArgv: ["--disable-warning=ExperimentalWarning", "--import", fromSource],
    env: { ...process.env, NODE_COMPILE_CACHE: join(order.folder, "..", "compile-cache") },
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let counts: ReadonlyMap<string, number> | undefined;
  let complaint = "";
  child.stderr?.on("data", (data: Buffer) => {
    complaint += String(data);
  });
  child.on("message", (message: Message) => {
    if ("counts" in message) counts = new Map(message.counts);
    // Any instant is right.
    else if (kill !== undefined && "after" in kill) setTimeout(() => child.kill("SIGKILL"), kill.after);
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (signal === "SIGKILL" || code === 0) resolve({ wasKilled: signal === "SIGKILL", counts, complaint });
      else
        reject(
          new Error(
            `A worker ended with ${signal ?? code}: ${complaint}\n${readFileSync(join(order.folder, "journal"), "utf8").slice(-2_000)}`,
          ),
        );
    });
  });
}

export interface Finished {
  readonly notes: readonly Note[];
  readonly kills: number;
  /** Of its last process, which was not killed. */
  readonly counts: ReadonlyMap<string, number>;
}

export interface Lane {
  readonly folder: string;
  /** All sessions of a lane, and of others, are in one file. */
  readonly database: string;
}

/** One session, through as many processes as there are kills, and a last one that is left alone. */
export async function bringToEnd({ folder, database }: Lane, name: CaseName, sessionId: string, kills: readonly Kill[]): Promise<Finished> {
  const own = join(folder, sessionId);
  mkdirSync(own, { recursive: true });
  const order = { name, database, folder: own, sessionId };
  let killed = 0;
  for (const kill of kills) {
    const { wasKilled } = await runWorker(order, kill);
    if (!wasKilled) break;
    killed += 1;
  }
  const { counts = new Map<string, number>() } = await runWorker(order, undefined);
  return { notes: journalOf(own), kills: killed, counts };
}

function journalOf(folder: string): readonly Note[] {
  const lines = readFileSync(join(folder, "journal"), "utf8").split("\n");
  // Whole lines alone: one that was cut would not parse.
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Note);
}
