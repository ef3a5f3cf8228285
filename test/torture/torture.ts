/** So many kills, spread over sessions of every graph: at every point that a process passes, and at random instants. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createRunner } from "spanloom";
import { sqliteCheckpointer } from "spanloom/sqlite";
import { seededRandom } from "spanloom/testing";
import { violations } from "./checks.ts";
import { bringToEnd, type Finished, type Kill, type Lane } from "./driver.ts";
import { type CaseName, cases } from "./graphs.ts";
import type { World } from "./world.ts";

export interface TortureOptions {
  readonly folder: string;
  readonly names: readonly CaseName[];
  /** At least so many, and at least one at every point. */
  readonly kills: number;
  readonly seed: number;
  /** Sessions at once, all in one file. */
  readonly lanes: number;
  readonly say: (line: string) => void;
}

export interface Summary {
  readonly kills: number;
  readonly sessions: number;
  /** Points at which a process was killed, of all that are passed. */
  readonly covered: readonly string[];
  readonly points: readonly string[];
  readonly violations: readonly string[];
}

/** Kills that one session is put through. */
const perSession = 12;
/** Milliseconds of work. */
const longestWork = 40;
/** Sessions between two looks at the whole file that they share. */
const looksEvery = 50;

interface Known {
  readonly whole: Finished;
  readonly points: readonly (readonly [string, number])[];
}

export async function torture(options: TortureOptions): Promise<Summary> {
  const { folder, names, seed, lanes, say } = options;
  mkdirSync(folder, { recursive: true });
  const lane: Lane = { folder, database: join(folder, "sessions.db") };
  const random = seededRandom(seed);
  const known = new Map<CaseName, Known>();
  for (const name of names) {
    const whole = await bringToEnd(lane, name, `whole-${name}`, []);
    known.set(name, { whole, points: [...whole.counts] });
  }
  const points = [...new Set(Array.from(known.values()).flatMap((each) => each.points.map(([point]) => point)))].toSorted();
  // What only the process passes that makes the file cannot be passed in a file that is there.
  const left = new Set(points);
  const found: string[] = [];
  let kills = 0;
  let sessions = 0;

  const plan = (name: CaseName): readonly Kill[] => {
    const { points: passed } = known.get(name) ?? { points: [] };
    const wanted = passed.filter(([point]) => left.has(point)).map(([point]): Kill => ({ fault: { point, at: 1 } }));
    const any = (): Kill => {
      if (random() < 0.4) return { after: random() * longestWork };
      const [point, count] = passed[Math.floor(random() * passed.length)] ?? ["journal before", 1];
      // The earlier ones more often: of what is left of a session, less is passed.
      return { fault: { point, at: 1 + Math.floor(random() ** 3 * count) } };
    };
    return [...wanted.slice(0, perSession / 2), ...Array.from({ length: perSession / 2 }, any)];
  };

  const oneSession = async (number: number): Promise<void> => {
    const name = names[number % names.length];
    const base = name === undefined ? undefined : known.get(name);
    if (name === undefined || base === undefined) return;
    const sessionId = `${name}-${seed}-${number}`;
    // A file of its own now and then: then also the making of it is interrupted.
    const database = number % 8 < 2 ? join(folder, `${sessionId}.db`) : lane.database;
    const planned = plan(name);
    const finished = await bringToEnd({ folder, database }, name, sessionId, planned);
    for (const kill of planned.slice(0, finished.kills)) if (kill !== undefined && "fault" in kill) left.delete(kill.fault.point);
    kills += finished.kills;
    sessions += 1;
    const wrong = [...violations(finished.notes, base.whole.notes), ...(await storedWrong(database, name, sessionId))];
    if (database !== lane.database || sessions % looksEvery === 0) wrong.push(...damageOf(database));
    found.push(...wrong.map((violation) => `${sessionId}: ${violation}`));
    if (sessions % 20 === 0) say(`${kills} kills, ${sessions} sessions, ${left.size} points left, ${found.length} violations`);
  };

  let next = 0;
  const work = async (): Promise<void> => {
    // Points that are left are looked for in a bounded number of sessions.
    while (kills < options.kills || (left.size > 0 && next < options.kills)) await oneSession(next++);
  };
  await Promise.all(Array.from({ length: lanes }, work));
  found.push(...damageOf(lane.database));
  return { kills, sessions, points, covered: points.filter((point) => !left.has(point)), violations: found };
}

const nobody: World = { note: () => {}, isFirst: () => false };

function damageOf(database: string): readonly string[] {
  const file = new DatabaseSync(database);
  const integrity = file.prepare("PRAGMA integrity_check").all();
  file.close();
  return integrity.some((row) => row["integrity_check"] !== "ok") ? [`the file is damaged: ${JSON.stringify(integrity)}`] : [];
}

/** The session's records follow each other without a gap. */
async function storedWrong(database: string, name: CaseName, sessionId: string): Promise<readonly string[]> {
  const wrong: string[] = [];
  const store = sqliteCheckpointer(database);
  const history: { readonly checkpointId: string; readonly parentId: string | undefined; readonly step: number }[] = [];
  for await (const snapshot of createRunner(cases[name](nobody).graph, { checkpointer: store }).session(sessionId).history())
    history.push(snapshot);
  await store.close();
  history.forEach(({ parentId, step }, index) => {
    const before = history[index + 1];
    if (parentId !== before?.checkpointId) wrong.push(`the record of step ${step} does not follow the one before it`);
    if (before !== undefined && step - before.step > 1) wrong.push(`steps ${before.step + 1} to ${step - 1} have no record`);
  });
  return wrong;
}
