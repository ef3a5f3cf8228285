/** Results of the entries of one superstep, and of their durable sub-steps: kept, and stored as they come where others may read them. */
import type { EntryResult, Fence, StepResults } from "../checkpoint/checkpointer.ts";
import { SpanloomError } from "../errors/errors.ts";
import { serializeError } from "../events/serialize.ts";
import type { Awaitable } from "../support/types.ts";
import { adopt } from "../support/value.ts";
import type { Execution } from "./execution.ts";

/** What a sub-step is of: an entry's attempt. */
export interface SubStepOwner {
  /** Of the entry. */
  readonly key: string;
  readonly isGivenUp: boolean;
}

interface SubStep {
  readonly owner: SubStepOwner;
  readonly result: Promise<unknown>;
}

export class StepResultStore {
  readonly #execution: Execution;
  readonly #stored: boolean;
  /** That of the step's own parent: what comes late must not go with a later record. */
  readonly #fence: Fence;
  /** By entry key: those of earlier tries of the step. Their entries do not run again. */
  readonly #earlier: ReadonlyMap<string, EntryResult>;
  readonly #added: EntryResult[] = [];
  #once: ReadonlyMap<string, ReadonlyMap<string, unknown>>;
  #running: Map<string, SubStep> | undefined;
  /** Results that no write has taken yet. */
  #waiting: EntryResult[] = [];
  /** The write under way: one at a time takes all that has come. */
  #writing: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;
  #over = false;

  /** Of a step of so many entries: a step of one stores its result with its checkpoint. */
  constructor(execution: Execution, entries: number) {
    this.#execution = execution;
    this.#fence = { checkpointId: execution.checkpointId, epoch: execution.epoch };
    this.#stored = entries > 1 && execution.shared && execution.settings.autosave;
    this.#earlier = execution.due.results;
    this.#once = execution.due.once;
  }

  /** The result of an earlier try of the step. */
  get(key: string): EntryResult | undefined {
    return this.#earlier.get(key);
  }

  /** Keeps a finished entry's result; it is stored by the time `settled` resolves. */
  add(result: EntryResult): void {
    this.#added.push(result);
    if (!this.#stored) return;
    this.#waiting.push(result);
    this.#writing ??= this.#write();
  }

  /** Whether a result is on its way to the store, or was refused there. */
  get isBusy(): boolean {
    return this.#writing !== undefined || this.#failure !== undefined;
  }

  /** The store has refused something: the run fails. */
  get isRefused(): boolean {
    return this.#failure !== undefined;
  }

  /** Ends the step: resolves when all results are stored; rejects with the store's error. */
  async settled(): Promise<void> {
    this.end();
    while (this.#writing !== undefined) await this.#writing;
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** What comes from now on is of an attempt that was given up: the step goes on without it. */
  end(): void {
    this.#over = true;
  }

  /**
   * The stored result of a sub-step, or that of running it now; concurrent calls of one key share it, also with an attempt that has failed
   * meanwhile. That of one that was given up may never end: the next attempt runs the sub-step itself.
   */
  once(owner: SubStepOwner, key: string, run: () => Awaitable<unknown>): Promise<unknown> {
    const stored = this.#once.get(owner.key);
    if (stored?.has(key) === true) return Promise.resolve(stored.get(key));
    const name = JSON.stringify([owner.key, key]);
    const found = this.#running?.get(name);
    if (found?.owner.isGivenUp === false) return found.result;
    // What cannot be stored is not run: it may be what was refused.
    if (this.#failure !== undefined) return this.#refusal();
    const running = { owner, result: this.#runOnce(owner, key, run).finally(() => this.#forget(name, running)) };
    (this.#running ??= new Map()).set(name, running);
    return running.result;
  }

  #forget(name: string, ended: SubStep): void {
    if (this.#running?.get(name) === ended) this.#running.delete(name);
  }

  /** What a record keeps of the step while it is not done. */
  kept(): { readonly results: readonly EntryResult[]; readonly once: ReadonlyMap<string, ReadonlyMap<string, unknown>> } {
    return { results: [...this.#earlier.values(), ...this.#added], once: this.#once };
  }

  async #write(): Promise<void> {
    // In the next turn: what finishes in this one goes with it.
    await Promise.resolve();
    const results = this.#waiting;
    this.#waiting = [];
    if (this.#failure === undefined) await this.#store({ results, once: [] });
    this.#writing = this.#waiting.length > 0 ? this.#write() : undefined;
  }

  async #runOnce(owner: SubStepOwner, key: string, run: () => Awaitable<unknown>): Promise<unknown> {
    const entry = owner.key;
    const { value } = adopt(await run(), `once(${JSON.stringify(key)})`);
    // Another attempt may be running it by now.
    if (this.#over || owner.isGivenUp) return value;
    if (this.#execution.settings.autosave) await this.#store({ results: [], once: [{ entry, key, value }] });
    if (this.#failure !== undefined) return this.#refusal();
    this.#once = new Map(this.#once).set(entry, new Map(this.#once.get(entry)).set(key, value));
    return value;
  }

  #refusal(): Promise<never> {
    return Promise.reject(this.#failure?.error);
  }

  /** A refusal is told; it fails the step, unless that is only to be warned of. */
  async #store(added: StepResults): Promise<void> {
    const { store, sessionId, events, settings, state, unsaved } = this.#execution;
    // The step is not that of the store's newest record, or that has another owner: the next record holds what is due.
    if (unsaved.record !== undefined || unsaved.takeOverFrom !== undefined) return;
    try {
      await store.addResults(sessionId, this.#fence, added);
    } catch (error) {
      events.emit("checkpoint.failed", { error: serializeError(error) }, { step: state.step + 1 });
      if (settings.onCheckpointError === "fail" || SpanloomError.is(error, "checkpoint_conflict")) this.#failure ??= { error };
    }
  }
}
