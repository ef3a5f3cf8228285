/** The graph of the superstep rows: one node that does nothing, with a branch back to itself. */
import { createRunner, END, graph, START } from "../../../src/index.ts";
import { now } from "../harness/clock.ts";

export const noop = (): void => {};
export const asyncNoop = async (): Promise<void> => {};

export interface Loop {
  /** One invocation of so many supersteps. Milliseconds from the first turn of the node to the end. */
  run(turns: number): Promise<number>;
  close(): Promise<void>;
}

/** `tracerProvider`: default the global one, which is none here. */
export function openLoop(tracerProvider?: object): Loop {
  let left = 0;
  let began = 0;
  const compiled = graph({ name: "loop", channels: {} })
    .node("turn", () => {
      if (began === 0) began = now();
    })
    .edge(START, "turn")
    .branch("turn", { again: "turn", done: END }, () => (--left > 0 ? "again" : "done"))
    .compile();
  const runner = createRunner(compiled, { maxSteps: 1_000_000, ...(tracerProvider && { telemetry: { tracerProvider } }) });
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
