/** What a test of the suite is, and what it may do: each has a store of its own, which is closed afterwards. */
import type { Checkpointer, SessionInfo, StoredCheckpoint } from "../../checkpoint/checkpointer.ts";
import { SpanloomError } from "../../errors/errors.ts";
import { valueDifferences } from "./differences.ts";
import { all, type Everything, everythingDifferences, everythingOf, historyDifferences, type Known } from "./reading.ts";

/** Where the stores come from. */
export interface StoreSource {
  /** An empty store. */
  open(): Promise<Checkpointer>;
  /** A store of the same data: stores that outlive their close have it. */
  reopen?(closed: Checkpointer): Promise<Checkpointer>;
}

/** What vitest and jest have in common, as far as it is used here. */
export interface TestRunner {
  describe(name: string, register: () => void): unknown;
  it(name: string, run: () => Promise<void>, timeout: number): unknown;
  expect(actual: unknown): { toEqual(expected: unknown): unknown };
}

/** Tests by name. */
export type Theme = Readonly<Record<string, (trial: Trial) => Promise<void>>>;

/** What a call throws or rejects with; `undefined` when it does neither. */
export async function thrownBy(call: () => unknown): Promise<unknown> {
  try {
    await call();
    return undefined;
  } catch (error) {
    return error;
  }
}

export type Refusal = "CheckpointError checkpoint_conflict" | "CheckpointError checkpoint_not_found" | "RunnerError invalid_option";

const refusalOf = (error: unknown): unknown => (SpanloomError.is(error) ? `${error.name} ${error.code}` : error);

/** What is known of a session, newest first. */
interface Model {
  readonly sessionId: string;
  readonly history: readonly Known[];
  readonly summary: SessionInfo;
}

/** One test under way. */
export class Trial {
  readonly #source: StoreSource;
  readonly #runner: TestRunner;
  #store: Checkpointer;

  constructor(source: StoreSource, runner: TestRunner, store: Checkpointer) {
    this.#source = source;
    this.#runner = runner;
    this.#store = store;
  }

  get store(): Checkpointer {
    return this.#store;
  }

  /** The store is closed and opened again, if it is of a kind that can be. */
  async reopen(): Promise<void> {
    if (this.#source.reopen === undefined) return;
    await this.#store.close();
    this.#store = await this.#source.reopen(this.#store);
  }

  equal(actual: unknown, expected: unknown): void {
    this.#runner.expect(actual).toEqual(expected);
  }

  /** A value of the state came back identical. */
  identical(actual: unknown, expected: unknown, path?: string): void {
    this.equal(valueDifferences(actual, expected, path), []);
  }

  /** What was loaded is what the model knows of it, one by one. */
  loaded(actual: readonly (Known | undefined)[], expected: readonly (Known | undefined)[]): void {
    this.equal(historyDifferences(actual, expected), []);
  }

  history(sessionId: string, options?: Parameters<Checkpointer["history"]>[1]): Promise<readonly StoredCheckpoint[]> {
    return all(this.#store.history(sessionId, options));
  }

  /** Every way to read the sessions gives what their models know. */
  async holds(...models: readonly Model[]): Promise<void> {
    const list = await all(this.#store.list());
    for (const { sessionId, history, summary } of models) {
      this.equal(
        list.filter((listed) => listed.sessionId === sessionId),
        [summary],
      );
      this.loaded(await this.history(sessionId), history);
      const named = await Promise.all(history.map(async ({ record }) => this.#store.load(sessionId, record.checkpointId)));
      this.loaded([await this.#store.load(sessionId), ...named], [history[0], ...history]);
    }
  }

  /** They hold, and after a reopening they still do. */
  async keeps(...models: readonly Model[]): Promise<void> {
    await this.holds(...models);
    await this.reopen();
    await this.holds(...models);
  }

  /** Newest first. */
  async historyIds(sessionId: string): Promise<readonly string[]> {
    return (await this.history(sessionId)).map(({ record }) => record.checkpointId);
  }

  /** All that can be read is as it was. */
  async unchangedSince(before: Everything): Promise<void> {
    this.equal(everythingDifferences(await everythingOf(this.#store), before), []);
  }

  async unchangedBy(work: () => Promise<unknown>): Promise<void> {
    const before = await everythingOf(this.#store);
    await work();
    await this.unchangedSince(before);
  }

  async refused(refusal: Refusal, call: () => unknown): Promise<{ readonly facts: Readonly<Record<string, unknown>> }> {
    const error = await thrownBy(call);
    this.equal(refusalOf(error), refusal);
    return { facts: SpanloomError.is(error) ? { ...error.facts } : {} };
  }

  async conflict(...calls: readonly (() => unknown)[]): Promise<void> {
    for (const call of calls) await this.refused("CheckpointError checkpoint_conflict", call);
  }

  /** Of calls at once: how many were done, when all others were refused with a conflict. */
  async winners(calls: readonly (() => unknown)[]): Promise<number> {
    const errors = await Promise.all(calls.map(thrownBy));
    const losers = errors.filter((error) => error !== undefined).map(refusalOf);
    this.equal(
      losers,
      losers.map(() => "CheckpointError checkpoint_conflict"),
    );
    return calls.length - losers.length;
  }
}

/** Runs one test on a store of its own. */
export async function runTest(source: StoreSource, runner: TestRunner, test: Theme[string]): Promise<void> {
  const trial = new Trial(source, runner, await source.open());
  try {
    await test(trial);
  } finally {
    await trial.store.close();
  }
}
