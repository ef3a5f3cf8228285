/** Two processes that take the same session at once: one of them has it, and the other changes nothing. */
import { type ChildProcess, fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { sqliteCheckpointer } from "spanloom/sqlite";
import type { Answer, Command, Race } from "./owner.ts";

const races = 1_000;
const kinds: readonly Race[] = ["start", "resume", "next"];

/** What a process answers, in order: asked for before or after it has come. */
class Owner {
  readonly #child: ChildProcess;
  readonly #answers: Answer[] = [];
  #waiting: ((answer: Answer) => void) | undefined;

  constructor(database: string, name: string) {
    const owner = fileURLToPath(new URL("owner.ts", import.meta.url));
    const execArgv = ["--disable-warning=ExperimentalWarning", "--import", new URL("../docs/from-source.ts", import.meta.url).href];
    this.#child = fork(owner, [database, name], { execArgv });
    this.#child.on("message", (answer: Answer) => {
      if (this.#waiting === undefined) this.#answers.push(answer);
      else this.#waiting(answer);
      this.#waiting = undefined;
    });
  }

  tell(command: Command): void {
    this.#child.send(command);
  }

  answer(): Promise<Answer> {
    const next = this.#answers.shift();
    return next === undefined ? new Promise((resolve) => (this.#waiting = resolve)) : Promise.resolve(next);
  }

  async end(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once("close", resolve));
    this.tell({ end: true });
    await ended;
  }
}

interface Outcome {
  readonly won: number;
  readonly lost: readonly string[];
  readonly log: readonly string[];
}

async function race(owners: readonly Owner[], kind: Race, sessionId: string): Promise<Outcome> {
  const [first] = owners;
  first?.tell({ make: kind, sessionId });
  await first?.answer();
  for (const owner of owners) owner.tell({ race: kind, sessionId });
  const early = await Promise.all(owners.map((owner) => owner.answer()));
  for (const owner of owners) owner.tell({ proceed: true });
  const ended = await Promise.all(early.map(async (answer, index) => ("inside" in answer ? owners[index]?.answer() : answer)));
  const outcomes = ended.flatMap((answer) => (answer !== undefined && "ended" in answer ? [answer] : []));
  const won = outcomes.filter((answer) => answer.won);
  return {
    won: won.length,
    lost: outcomes.filter((answer) => !answer.won).flatMap(({ ended: codes }) => codes),
    log: won[0]?.ended ?? [],
  };
}

it(`${races} races have one winner each, whose effect alone is in the state`, { timeout: 600_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "spanloom-owners-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const database = join(folder, "sessions.db");
  const owners = [new Owner(database, "left"), new Owner(database, "right")];
  const store = sqliteCheckpointer(database);
  const winners = new Set<string>();
  const refusals = new Set<string>();
  for (let number = 0; number < races; number += 1) {
    const kind = kinds[number % kinds.length] ?? "start";
    const sessionId = `${kind}-${number}`;
    const { won, lost, log } = await race(owners, kind, sessionId);
    expect([sessionId, won]).toEqual([sessionId, 1]);
    // Who came when it was there already was refused; who was overtaken could not save.
    expect([["session_exists"], ["checkpoint_failed", "checkpoint_conflict"], ["session_pending"]]).toContainEqual(lost);
    const stored = await store.load(sessionId);
    expect([stored?.record.status, stored?.state["log"]]).toEqual(["completed", log]);
    winners.add(log.at(-1) ?? "");
    for (const code of lost) refusals.add(code);
  }
  await store.close();
  for (const owner of owners) await owner.end();
  expect([...winners].toSorted()).toEqual(["left", "right"]);
  expect([...refusals]).toContain("checkpoint_conflict");
});
