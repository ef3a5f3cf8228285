/** Runs the workflow on a repository, and keeps what happened. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createRunner, type GraphEvent, type GraphInput, type GraphState, type RunnerOptions } from "spanloom";
import { onTestFinished } from "vitest";
import { openGit } from "../../../examples/repo-health/git/git.ts";
import { repoHealth } from "../../../examples/repo-health/repo-health.ts";
import { program, temporaryFolder } from "./repository.ts";

type RepoHealth = typeof repoHealth;

export interface Measured {
  readonly state: GraphState<RepoHealth>;
  readonly events: readonly GraphEvent<RepoHealth>[];
  /** Names of the nodes, one for each entry that ran to its end, in the order of the steps. */
  readonly ran: readonly string[];
  readonly report: string;
}

/** A runner that closes when the test ends. Retries wait for nothing. */
export function runnerWith(options: Partial<RunnerOptions<RepoHealth>> = {}) {
  const runner = createRunner(repoHealth, { random: () => 0, services: { git: openGit() }, ...options });
  onTestFinished(async () => {
    await runner.close();
  });
  return runner;
}

export async function inputFor(repository: string, more: Partial<GraphInput<RepoHealth>> = {}): Promise<GraphInput<RepoHealth>> {
  return { repository, reportPath: join(await temporaryFolder(), "new folder", "health.md"), asOf: "2026-06-15T12:00:00Z", ...more };
}

export async function measure(repository: string, more: Partial<GraphInput<RepoHealth>> = {}, git = openGit()): Promise<Measured> {
  const run = runnerWith({ services: { git } }).stream(await inputFor(repository, more));
  const events: GraphEvent<RepoHealth>[] = [];
  for await (const event of run) events.push(event);
  const { state } = await run.result;
  const ran = events.flatMap((event) => (event.type === "superstep.completed" ? event.data.ranNodes : []));
  return { state, events, ran, report: await readFile(state.report ?? "", "utf8") };
}

/** The real git, behind a script that may do something else first. The script finds the command in "$*". */
export async function gitBehind(script: string) {
  return openGit(await program(`${script}\nexec git "$@"`));
}
