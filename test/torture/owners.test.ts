/** Two processes that want one session: one of them has it, and the other, or an older owner that wakes late, changes nothing. */
import { type ChildProcess, fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { createRunner } from "spanloom";
import { sqliteCheckpointer } from "spanloom/sqlite";
import { lateGraph, lateKinds } from "./late.ts";
import type { LateAnswer } from "./late-owner.ts";
import type { Answer, Command, Meeting, Race } from "./owner.ts";

const races = 1_000;
const kinds = [
  ["start", "loaded"],
  ["resume", "loaded"],
  ["next", "loaded"],
  ["update", "loaded"],
  ["start", "inside"],
  ["resume", "inside"],
  ["next", "inside"],
] as const satisfies readonly (readonly [Race, Meeting])[];

function newDatabase(): string {
  const folder = mkdtempSync(join(tmpdir(), "spanloom-owners-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, "sessions.db");
}

/** What a process answers, in order: asked for before or after it has come. */
class Owner<Told extends object, Said> {
  readonly #child: ChildProcess;
  readonly #answers: Said[] = [];
  #waiting: ((answer: Said) => void) | undefined;
  readonly ended: Promise<unknown>;

  constructor(module: string, args: readonly string[]) {
    const path = fileURLToPath(new URL(module, import.meta.url));
    const execArgv = ["--disable-warning=ExperimentalWarning", "--import", new URL("../docs/from-source.ts", import.meta.url).href];
    this.#child = fork(path, args, { execArgv });
    this.ended = new Promise((resolve) => this.#child.once("close", resolve));
    this.#child.on("message", (answer: Said) => {
      if (this.#waiting === undefined) this.#answers.push(answer);
      else this.#waiting(answer);
      this.#waiting = undefined;
    });
  }

  tell(command: Told): void {
    this.#child.send(command);
  }

  answer(): Promise<Said> {
    const next = this.#answers.shift();
    return next === undefined ? new Promise((resolve) => (this.#waiting = resolve)) : Promise.resolve(next);
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}

interface Outcome {
  readonly met: number;
  readonly won: number;
  readonly lost: readonly string[];
  readonly log: readonly string[];
}

async function race(owners: readonly Owner<Command, Answer>[], kind: Race, meeting: Meeting, sessionId: string): Promise<Outcome> {
  const [first] = owners;
  first?.tell({ make: kind, sessionId });
  await first?.answer();
  for (const owner of owners) owner.tell({ race: kind, meeting, sessionId });
  const early = await Promise.all(owners.map((owner) => owner.answer()));
  for (const owner of owners) owner.tell({ proceed: true });
  const ended = await Promise.all(early.map(async (answer, index) => ("waits" in answer ? owners[index]?.answer() : answer)));
  const outcomes = ended.flatMap((answer) => (answer !== undefined && "ended" in answer ? [answer] : []));
  const won = outcomes.filter((answer) => answer.won);
  return {
    met: early.filter((answer) => "waits" in answer).length,
    won: won.length,
    lost: outcomes.filter((answer) => !answer.won).flatMap(({ ended: codes }) => codes),
    log: won[0]?.ended ?? [],
  };
}

const conflict = ["checkpoint_failed", "checkpoint_conflict"];

it(`${races} races have one winner each, whose effect alone is in the state`, { timeout: 600_000 }, async () => {
  const database = newDatabase();
  const owners = ["left", "right"].map((name) => new Owner<Command, Answer>("owner.ts", [database, name]));
  const store = sqliteCheckpointer(database);
  const winners = new Set<string>();
  const refusals = new Set<string>();
  for (let number = 0; number < races; number += 1) {
    const [kind, meeting] = kinds[number % kinds.length] ?? kinds[0];
    const sessionId = `${kind}-${meeting}-${number}`;
    const { met, won, lost, log } = await race(owners, kind, meeting, sessionId);
    expect([sessionId, won]).toEqual([sessionId, 1]);
    // Both believed the same to be newest: the store alone decides.
    if (meeting === "loaded") expect([sessionId, met, lost]).toEqual([sessionId, 2, conflict]);
    // Who came when it was there already was refused; who was overtaken could not save.
    else expect([["session_exists"], ["session_pending"], conflict]).toContainEqual(lost);
    const stored = await store.load(sessionId);
    expect([sessionId, stored?.record.status, stored?.state["log"]]).toEqual([sessionId, kind === "update" ? "paused" : "completed", log]);
    winners.add(log.at(-1) ?? "");
    for (const code of lost) refusals.add(code);
  }
  await store.close();
  for (const owner of owners) owner.tell({ end: true });
  for (const owner of owners) await owner.ended;
  expect([...winners].toSorted()).toEqual(["left", "right"]);
  expect([...refusals]).toContain("checkpoint_conflict");
});

describe("an older owner", () => {
  it.each(lateKinds)("whose next write is `%s` changes nothing, and the newer one goes on", async (kind) => {
    const database = newDatabase();
    const older = new Owner<object, LateAnswer>("late-owner.ts", [database, "s", kind]);
    expect(await older.answer()).toEqual({ waits: true });
    const store = sqliteCheckpointer(database);
    const graph = lateGraph("newer", kind, async () => {});
    const paused = await createRunner(graph, { checkpointer: store, pauseBefore: ["work"] })
      .session("s")
      .resume().result;
    expect(paused.status).toBe("paused");
    const before = await store.load("s");
    if (kind === "addResults") expect(await older.answer()).toEqual({ waits: true });
    older.tell({ proceed: true });
    expect(await older.answer()).toEqual({ ended: conflict });
    await older.ended;
    expect(await store.load("s")).toEqual(before);
    const { status, state } = await createRunner(graph, { checkpointer: store }).session("s").resume().result;
    expect([status, [...new Set(state.log)]]).toEqual(["completed", ["newer"]]);
    await store.close();
  });

  it("that was killed in the middle of a step blocks nobody", async () => {
    const database = newDatabase();
    const older = new Owner<object, LateAnswer>("late-owner.ts", [database, "s", "once"]);
    expect(await older.answer()).toEqual({ waits: true });
    older.kill();
    await older.ended;
    const store = sqliteCheckpointer(database);
    const session = createRunner(
      lateGraph("newer", "once", async () => {}),
      { checkpointer: store },
    ).session("s");
    expect((await session.state()).status).toBe("running");
    await expect(session.next({}).result).rejects.toMatchObject({ code: "session_pending" });
    expect(await session.resume().result).toMatchObject({ status: "completed", state: { log: ["newer"] } });
    await store.close();
  });
});
