/** What all attempts of one superstep share. */
import type { Values } from "../support/types.ts";
import type { Execution } from "./execution.ts";
import { viewOf } from "./state.ts";
import { StepResultStore } from "./step-results.ts";

export class StepScope {
  readonly execution: Execution;
  /** The number of the superstep that is run. */
  readonly step: number;
  readonly results: StepResultStore;
  #failed = false;

  /** Of a superstep of so many entries. */
  constructor(execution: Execution, entries: number) {
    this.execution = execution;
    this.step = execution.state.step + 1;
    this.results = new StepResultStore(execution, entries);
  }

  /** The state before the barrier, as nodes see it. */
  view(): Values {
    return viewOf(this.execution.plan, this.execution.state.image);
  }

  /** Nothing more is started: the run was cancelled, or a sibling's failure aborts the step. */
  get isStopping(): boolean {
    return this.#failed || this.execution.cancellation.requested;
  }

  /** A sibling has finally failed, under `onFailure: "abort"`: the others are told to stop. */
  stopFor(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.execution.cancellation.stopRunning(error);
  }
}
