/** Brings the peer: installs its own folder when that was not done yet, and loads it. Users of the package never do either. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Its sessions in a file, by its own SQLite saver. */
export interface DurablePeer {
  /** One session of so many supersteps. Milliseconds from the first turn of the node to the end. */
  runLoop(turns: number, now: () => number): Promise<number>;
  /** A session that appends what each step has to a list. */
  append(thread: string, steps: readonly (readonly unknown[])[]): Promise<void>;
  close(): void;
}

/** LangGraph.js, running the same graphs. */
export interface Peer {
  readonly version: string;
  /** One invocation of so many supersteps. Milliseconds from the first turn of the node to the end. */
  runLoop(turns: number, now: () => number): Promise<number>;
  /** Sends so many items to one node. Milliseconds. */
  fanOut(width: number, now: () => number): Promise<number>;
  /** Makes the file when there is none. */
  openDurable(path: string): DurablePeer;
}

const folder = new URL("../peer/", import.meta.url);

function install(say: (line: string) => void): void {
  say("Installing the peer (npm ci in test/bench/peer), once.");
  const cwd = fileURLToPath(folder);
  const { status, error } = spawnSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd, stdio: ["ignore", 2, 2] });
  if (error !== undefined || status !== 0) {
    throw new Error("The peer could not be installed. Run `npm ci` in test/bench/peer, or measure without it: --no-peer.", {
      cause: error,
    });
  }
}

export async function loadPeer(say: (line: string) => void): Promise<Peer> {
  if (!existsSync(new URL("node_modules/@langchain/langgraph-checkpoint-sqlite/package.json", folder))) install(say);
  // Plain JavaScript in a package of its own, which this project's compiler does not see: the interface above is all that is used.
  return (await import(new URL("langgraph.js", folder).href)) as Peer;
}
