/** The health of a git repository: which files are hot, who knows them, what nobody knows any more, and what to do first. */
import { availableParallelism } from "node:os";
import { END, START } from "spanloom";
import { base } from "./base.ts";
import { mayPass } from "./git/git-error.ts";
import { openGit } from "./git/git.ts";
import { readBranches } from "./nodes/branches.ts";
import { measureFile } from "./nodes/file.ts";
import { readHistory } from "./nodes/history.ts";
import { assess, rankFiles } from "./nodes/judge.ts";
import { open } from "./nodes/open.ts";
import { writeReport } from "./nodes/report.ts";
import { findSuccessors } from "./nodes/successors.ts";
import { noteUnmeasured } from "./nodes/unmeasured.ts";

/** Git fails for a moment when something else repacks the repository, or when processes run out. */
const retry = { attempts: 3, initialDelay: "200ms", retryOn: mayPass } as const;

export const repoHealth = base
  .node("open", open, { jumps: ["report"], retry, timeout: "1m" })
  .node("history", readHistory, { jumps: ["file", "rank"], retry, idleTimeout: "1m" })
  .node("branches", readBranches, { retry, idleTimeout: "1m" })
  // Git works in processes of its own: more at once than there are processors help nobody.
  .node("file", measureFile, { retry, timeout: "2m", concurrency: availableParallelism(), onError: "unmeasured" })
  .node("unmeasured", noteUnmeasured)
  .node("rank", rankFiles, { defer: true })
  .node("assess", assess)
  .node("successors", findSuccessors, { retry, timeout: "2m" })
  .node("report", writeReport)
  .edge(START, "open")
  .edge("open", ["history", "branches"])
  .edge("file", "rank")
  .edge("unmeasured", "rank")
  // A join: once, after both.
  .edge(["rank", "branches"], "assess")
  .branch("assess", { healthy: "report", otherwise: "successors" }, ({ health }) =>
    health?.verdict === "healthy" ? "healthy" : "otherwise",
  )
  .edge("successors", "report")
  .edge("report", END)
  .compile();

/** What `spanloom run` gives the nodes. A program gives its own to `createRunner`. */
export const services = { git: openGit() };
