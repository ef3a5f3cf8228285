/** So many kills, spread over sessions of every graph: at every point that a process passes, and at random instants. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { seededRandom } from "spanloom/testing";
import { violations } from "./checks.ts";
import { buildWorker } from "./build.ts";
import { bringToEnd, type Finished, type Kill, type Lane } from "./driver.ts";
import { type CaseName, cases } from "./graphs.ts";
import { damageOf, historyWrong } from "./stored-checks.ts";
import type { World } from "./world.ts";

export interface TortureOptions {
  readonly folder: string;
  readonly names: readonly CaseName[];
  /** At least so many, and at least one at every point. */
  readonly kills: number;
  readonly seed: number;
  /** Sessions at once, most of them in one file. */
  readonly lanes: number;
  /** What every session is put through, instead of what the seed gives. */
  readonly plan?: readonly Kill[] | undefined;
  readonly say: (line: string) => void;
}

export interface Violation {
  readonly name: CaseName;
  readonly sessionId: string;
  readonly plan: readonly Kill[];
  readonly what: string;
}

export interface Summary {
  readonly kills: number;
  readonly sessions: number;
  /** Points at which a process was killed, of all that are passed. */
  readonly covered: readonly string[];
  readonly points: readonly string[];
  readonly violations: readonly Violation[];
}

/** Kills that one session is put through. */
const perSession = 12;
/** The share of a session after which a process is killed at most: so every step comes to be the one that a process is killed in. */
const longestShare = 0.4;
/** Sessions between two looks at the whole file that they share. */
const looksEvery = 50;

interface Known {
  readonly whole: Finished;
  /** What an uninterrupted process passes, and how often. */
  readonly points: readonly (readonly [string, number])[];
}

/** What was done so far, and what is left to do. */
interface Campaign {
  readonly options: TortureOptions;
  readonly worker: string;
  readonly known: ReadonlyMap<CaseName, Known>;
  readonly points: readonly string[];
  /** Points at which nothing was killed yet. */
  readonly left: Set<string>;
  readonly found: Violation[];
  kills: number;
  sessions: number;
}

const sharedFile = ({ folder }: TortureOptions): string => join(folder, "sessions.db");

async function beginCampaign(options: TortureOptions): Promise<Campaign> {
  const { folder, names, plan } = options;
  const known = new Map<CaseName, Known>();
  const found: Violation[] = [];
  const worker = buildWorker(folder);
  for (const name of names) {
    const sessionId = `whole-${name}`;
    // What only the process passes that makes a file is passed by each.
    const lane = { worker, folder, database: join(folder, `${sessionId}.db`) };
    const whole = await bringToEnd(lane, name, sessionId, []);
    const wrong = await wrongOf(lane, name, sessionId, whole, whole);
    found.push(...wrong.map((what) => ({ name, sessionId, plan: [], what })));
    known.set(name, { whole, points: [...whole.counts] });
  }
  const all = Array.from(known.values()).flatMap((each) => each.points.map(([point]) => point));
  const points = plan === undefined ? [...new Set(all)].toSorted() : [];
  return { options, worker, known, points, left: new Set(points), found, kills: 0, sessions: 0 };
}

const nobody: World = { note: () => {}, isFirst: () => false, pass: () => {} };

async function wrongOf(
  { database }: Lane,
  name: CaseName,
  sessionId: string,
  finished: Finished,
  whole: Finished,
): Promise<readonly string[]> {
  const history = await historyWrong(database, sessionId, cases[name](nobody).forkAt !== undefined);
  return [...finished.complaints, ...violations(finished.notes, whole.notes), ...history];
}

/** First at points that are left, then anywhere: of a seed and a number the same each time, but for those that are left. */
function planOf({ options, left }: Campaign, { whole, points }: Known, number: number): readonly Kill[] {
  if (options.plan !== undefined) return options.plan;
  const random = seededRandom(options.seed * 1_000_003 + number);
  const wanted = points.filter(([point]) => left.has(point)).map(([point]): Kill => ({ fault: { point, at: 1 } }));
  const passings = points.flatMap(([, count], index) => Array.from({ length: count }, () => index));
  const any = (): Kill => {
    const share = random() * longestShare;
    const way = random();
    if (way < 0.3) return { after: share * whole.worked };
    // Any point as often as any other, or as often as it is passed.
    const index = way < 0.5 ? Math.floor(random() * points.length) : (passings[Math.floor(random() * passings.length)] ?? 0);
    const [point, count] = points[index] ?? ["journal before", 1];
    return { fault: { point, at: 1 + Math.floor(share * count) } };
  };
  return [...wanted.slice(0, perSession / 4), ...Array.from({ length: perSession * 0.75 }, any)];
}

async function oneSession(campaign: Campaign, number: number): Promise<void> {
  const { options, worker, known, left, found } = campaign;
  const { folder, names, seed, say } = options;
  const name = names[number % names.length];
  const base = name === undefined ? undefined : known.get(name);
  if (name === undefined || base === undefined) return;
  const sessionId = `${name}-${seed}-${number}`;
  // A file of its own now and then: then also the making of it is interrupted.
  const isAlone = number % 8 < 2;
  const lane = { worker, folder, database: isAlone ? join(folder, `${sessionId}.db`) : sharedFile(options) };
  const plan = planOf(campaign, base, number);
  const finished = await bringToEnd(lane, name, sessionId, plan);
  for (const kill of plan.slice(0, finished.kills)) if ("fault" in kill) left.delete(kill.fault.point);
  campaign.kills += finished.kills;
  campaign.sessions += 1;
  const wrong = [...(await wrongOf(lane, name, sessionId, finished, base.whole))];
  if (isAlone || campaign.sessions % looksEvery === 0) wrong.push(...damageOf(lane.database));
  found.push(...wrong.map((what) => ({ name, sessionId, plan, what })));
  const { kills, sessions } = campaign;
  if (sessions % 20 === 0) say(`${kills} kills, ${sessions} sessions, ${left.size} points left, ${found.length} violations`);
}

export async function torture(options: TortureOptions): Promise<Summary> {
  mkdirSync(options.folder, { recursive: true });
  const campaign = await beginCampaign(options);
  const { points, left, found } = campaign;
  let next = 0;
  const work = async (): Promise<void> => {
    // Points that are left are looked for in a bounded number of sessions.
    while (campaign.kills < options.kills || (left.size > 0 && next < options.kills)) await oneSession(campaign, next++);
  };
  await Promise.all(Array.from({ length: options.lanes }, work));
  const [name] = options.names;
  if (name !== undefined) found.push(...damageOf(sharedFile(options)).map((what) => ({ name, sessionId: "all", plan: [], what })));
  const { kills, sessions } = campaign;
  return { kills, sessions, points, covered: points.filter((point) => !left.has(point)), violations: found };
}
