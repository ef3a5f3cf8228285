/** The graph of the superstep rows: one node that does nothing, with a branch back to itself. */
import { type Checkpointer, createRunner, END, graph, type RunnerOptions, START } from "../../../src/index.ts";
import { now } from "../harness/clock.ts";

export const noop = (): void => {};
export const asyncNoop = async (): Promise<void> => {};

export interface Loop {
  /** One invocation of so many supersteps. Milliseconds from the first turn of the node to the end. */
  run(turns: number): Promise<number>;
  close(): Promise<void>;
}

export interface Surroundings {
  /** Default the global one, which is none here. */
  readonly tracerProvider?: object;
  /** Default the runner's own, which keeps sessions in memory. */
  readonly checkpointer?: Checkpointer;
  /** What the node does. */
  readonly onTurn?: () => void;
}

export const optionsIn = ({
  tracerProvider,
  checkpointer,
}: Surroundings): Pick<RunnerOptions, "maxSteps" | "checkpointer" | "telemetry"> => ({
  maxSteps: 1_000_000,
  ...(checkpointer && { checkpointer }),
  ...(tracerProvider && { telemetry: { tracerProvider } }),
});

export function openLoop(surroundings: Surroundings = {}): Loop {
  const { onTurn = noop } = surroundings;
  let left = 0;
  let began = 0;
  const compiled = graph({ name: "loop", channels: {} })
    .node("turn", () => {
      if (began === 0) began = now();
      onTurn();
    })
    .edge(START, "turn")
    .branch("turn", { again: "turn", done: END }, () => (--left > 0 ? "again" : "done"))
    .compile();
  const runner = createRunner(compiled, optionsIn(surroundings));
  return {
    async run(turns) {
      left = turns;
      began = 0;
      await runner.invoke({});
      return now() - began;
    },
    async close() {
      await runner.close();
    },
  };
}
