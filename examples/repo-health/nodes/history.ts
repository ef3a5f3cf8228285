/** Reads the whole history as a stream, keeps sums, and sends each of the most changed files to be looked into. */
import type { NodeOf } from "spanloom";
import { noiseFilter, usualNoise } from "../analysis/noise.ts";
import { hotFiles, summarise } from "../analysis/summary.ts";
import { count, createTally } from "../analysis/tally.ts";
import { type base, located } from "../base.ts";
import { logArguments, readLog } from "../git/log.ts";
import { readTree, treeArguments } from "../git/tree.ts";

export const readHistory: NodeOf<typeof base, "history", "file" | "rank"> = async (state, context) => {
  const { services, signal, heartbeat, emit, send, goto } = context;
  const origin = located(state.origin);
  const files = await readTree(services.git.pieces(origin.root, treeArguments(origin.commit), { signal }));
  heartbeat();
  const isNoise = noiseFilter([...usualNoise, ...state.ignore]);
  const tally = createTally(origin, { files, isNoise, months: state.months });
  const every = Math.ceil(origin.commits / 10);
  for await (const commit of readLog(services.git.pieces(origin.root, logArguments(origin.commit), { signal }))) {
    // The idle time-out ends a git that hangs, however long the history is.
    heartbeat();
    count(tally, commit);
    if (tally.commits % every === 0) emit("progress", { stage: "history", done: tally.commits, total: origin.commits });
  }
  const hot = hotFiles(tally, state.files);
  const sent = hot.map((file, index) => send("file", { ...file, rank: index + 1, of: hot.length }));
  // `rank` is deferred: it runs after every file, and also when there is none.
  return goto([...sent, "rank"], { history: summarise(tally, hot, files.size - tally.tree.size) });
};
