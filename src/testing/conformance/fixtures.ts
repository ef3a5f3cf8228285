/** What tests write: records, changes, results, and a session that is written beside a model of what the store must then give. */
import type {
  Amendment,
  ChannelChange,
  CheckpointRecord,
  EntryResult,
  Fence,
  SaveReceipt,
  SessionInfo,
  StateDelta,
  StepResults,
} from "../../checkpoint/checkpointer.ts";
import { graph } from "../../graph/builder.ts";
import { channel } from "../../graph/channel.ts";
import { END, START } from "../../graph/names.ts";
import type { Values } from "../../support/types.ts";
import { adopt } from "../../support/value.ts";
import type { Trial } from "./harness.ts";
import type { Known } from "./reading.ts";

/** As the runtime prepares what it stores: a copy of its own, frozen. Its type stays. */
export function prepared<T>(value: T): T {
  // A copy is of the same type.
  return adopt(value, "value").value as T;
}

const compiled = graph({ name: "g", channels: { log: channel.list<number>(), note: channel.value("") } })
  .node("work", () => ({}))
  .edge(START, "work")
  .edge("work", END)
  .compile();

/** When the first record of a session is made; each later one a millisecond after what was written before. */
const firstTime = 1_000;

const emptyRecord: CheckpointRecord = prepared({
  graph: "g",
  graphVersion: undefined,
  fingerprint: "f1",
  description: compiled.describe(),
  channels: ["log", "note"],
  checkpointId: "",
  parentId: undefined,
  sessionId: "",
  epoch: 1,
  step: 0,
  time: firstTime,
  next: [],
  arrivals: new Map(),
  versions: [1, 1],
  seen: new Map(),
  ranNodes: [],
  skippedNodes: [],
  updatedChannels: [],
  trace: undefined,
  forkedFrom: undefined,
  finished: false,
  status: "running",
  interrupts: [],
  answers: new Map(),
  results: [],
  once: new Map(),
  pausePassed: undefined,
  failure: undefined,
});

export const record = (more: Partial<CheckpointRecord>): CheckpointRecord => prepared({ ...emptyRecord, ...more });

export const set = (name: string, value: unknown): ChannelChange => prepared({ channel: name, kind: "set", value });
export const appendTo = (name: string, ...items: readonly unknown[]): ChannelChange => prepared({ channel: name, kind: "append", items });
export const append = (...items: readonly unknown[]): ChannelChange => appendTo("log", ...items);

export function result(node: string, more: Partial<EntryResult> = {}): EntryResult {
  return { node, ordinal: 0, writes: [], command: undefined, errors: [], failure: undefined, ...more };
}

export const once = (entry: string, key: string, value: unknown): StepResults["once"][number] => ({ entry, key, value });

type State = ReadonlyMap<string, unknown>;

/** By the rule of `ChannelChange`, with nothing shared between states. */
function folded(state: State, changes: readonly ChannelChange[]): State {
  const next = new Map(state);
  for (const change of changes) {
    if (change.kind === "set") next.set(change.channel, change.value);
    else {
      const before: unknown = next.get(change.channel);
      next.set(change.channel, Object.freeze([...(Array.isArray(before) ? (before as readonly unknown[]) : []), ...change.items]));
    }
  }
  return next;
}

/** A delta as the runtime makes it, of what was before: the whole state is made when it is asked for. */
export function delta(before: Values, changes: readonly ChannelChange[], size = 20 * changes.length): StateDelta {
  const state = folded(new Map(Object.entries(before)), changes);
  return { changes, size, state: () => Object.fromEntries(state) };
}

interface Kept {
  readonly record: CheckpointRecord;
  readonly state: State;
  readonly updatedAt: number;
}

type OnceByEntry = Map<string, ReadonlyMap<string, unknown>>;

function withOnce(before: CheckpointRecord["once"], added: StepResults["once"]): CheckpointRecord["once"] {
  const merged: OnceByEntry = new Map(before);
  for (const { entry, key, value } of added) merged.set(entry, new Map([...(merged.get(entry) ?? []), [key, value]]));
  return merged;
}

/** A session that a test writes, in the store and in the model. What the store refuses is in neither. */
export class Writer {
  readonly sessionId: string;
  readonly #trial: Pick<Trial, "store">;
  /** Oldest first. */
  #kept: readonly Kept[] = [];
  #count = 0;
  #ownerEpoch = 0;
  #createdAt = 0;

  constructor(trial: Pick<Trial, "store">, sessionId = "s") {
    this.#trial = trial;
    this.sessionId = sessionId;
  }

  /** What is newest, as its owner knows it. */
  get fence(): Fence {
    return { checkpointId: this.#kept.at(-1)?.record.checkpointId, epoch: this.#ownerEpoch };
  }

  get newest(): Known {
    return this.#known(this.#last);
  }

  /** Newest first. */
  get history(): readonly Known[] {
    return this.#kept.toReversed().map((kept) => this.#known(kept));
  }

  get summary(): SessionInfo {
    const { record: newest, createdAt, updatedAt } = this.newest;
    const { sessionId, graph: name, fingerprint, status, step } = newest;
    return { sessionId, graph: name, fingerprint, status, step, createdAt, updatedAt };
  }

  #known({ state, ...kept }: Kept): Known {
    return { ...kept, state: Object.fromEntries(state), createdAt: this.#createdAt, ownerEpoch: this.#ownerEpoch };
  }

  get #last(): Kept {
    const last = this.#kept.at(-1);
    if (last === undefined) throw new Error("There is no such session.");
    return last;
  }

  get #nextTime(): number {
    return (this.#kept.at(-1)?.updatedAt ?? firstTime - 1) + 1;
  }

  /** The record that comes next, one step on. */
  record(more: Partial<CheckpointRecord> = {}): CheckpointRecord {
    const before = this.#kept.at(-1)?.record;
    const step = before === undefined ? 0 : before.step + 1;
    const epoch = Math.max(1, this.#ownerEpoch);
    const place = {
      checkpointId: `${this.sessionId}-run.${this.#count}`,
      parentId: before?.checkpointId,
      sessionId: this.sessionId,
      step,
      epoch,
    };
    return record({ ...place, time: this.#nextTime, ...more });
  }

  /** What goes with it. */
  delta(changes: readonly ChannelChange[] = []): StateDelta {
    return delta(Object.fromEntries(this.#kept.at(-1)?.state ?? []), changes);
  }

  async save(changes: readonly ChannelChange[] = [], more: Partial<CheckpointRecord> = {}): Promise<SaveReceipt> {
    const saved = this.record(more);
    const before = this.#kept.at(-1);
    const state = folded(before?.state ?? new Map(), changes);
    const whole = { changes, size: 20 * changes.length, state: () => Object.fromEntries(state) };
    const receipt = await this.#trial.store.save(this.fence, saved, whole);
    this.#count += 1;
    if (before === undefined) this.#createdAt = saved.time;
    else if (saved.step > before.record.step) this.#replaceNewest({ ...before, record: { ...before.record, results: [] } });
    this.#kept = [...this.#kept, { record: saved, state, updatedAt: saved.time }];
    this.#ownerEpoch = saved.epoch;
    return receipt;
  }

  /** Records one after the other: the first sets `log` and `note`, each other appends its number to `log`. */
  async grow(count: number): Promise<void> {
    for (let made = 0; made < count; made += 1) {
      const number = this.#count;
      await this.save(number === 0 ? [set("log", [0]), set("note", `of ${this.sessionId}`)] : [append(number)], { ranNodes: ["work"] });
    }
  }

  async amend(change: Amendment): Promise<SaveReceipt> {
    const { time, epoch, ...rest } = prepared(change);
    const receipt = await this.#trial.store.amend(this.sessionId, this.fence, prepared(change));
    const { record: before, state } = this.#last;
    this.#replaceNewest({ record: { ...before, ...rest }, state, updatedAt: time });
    this.#ownerEpoch = epoch ?? this.#ownerEpoch;
    return receipt;
  }

  async addResults(added: Partial<StepResults>): Promise<void> {
    const whole: StepResults = prepared({ results: [], once: [], ...added });
    await this.#trial.store.addResults(this.sessionId, this.fence, whole);
    const { record: before, ...rest } = this.#last;
    const results = [...before.results, ...whole.results];
    this.#replaceNewest({ ...rest, record: { ...before, results, once: withOnce(before.once, whole.once) } });
  }

  #replaceNewest(kept: Kept): void {
    this.#kept = [...this.#kept.slice(0, -1), kept];
  }

  /** The model alone forgets all but the newest so many, and says how many these are: as a prune does. */
  pruned(keep: number): number {
    const gone = Math.max(0, this.#kept.length - keep);
    this.#kept = this.#kept.slice(gone);
    return gone;
  }
}

/** A session of so many records. */
export async function written(trial: Trial, count: number, sessionId = "s"): Promise<Writer> {
  const writer = new Writer(trial, sessionId);
  await writer.grow(count);
  return writer;
}
