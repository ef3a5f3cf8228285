/** Whether a late superstep costs more than an early one while a list grows that no step reads. */
import { channel, createRunner, END, graph, START } from "../../../src/index.ts";
import { now } from "../harness/clock.ts";
import { differences, median } from "../harness/statistics.ts";
import type { Subjects } from "../harness/row.ts";

const [few, many] = [1000, 10_000];
/* The clock is read once in so many supersteps: a cost that comes every few steps is in each window. */
const windowSize = 100;
const windowsCompared = few / windowSize;

export async function openGrowth(): Promise<Subjects> {
  const stamps: number[] = [];
  let [turn, turns] = [0, many];
  const compiled = graph({ name: "growth", channels: { log: channel.list<{ readonly turn: number; readonly text: string }>() } })
    .node("turn", () => {
      if (turn % windowSize === 0) stamps.push(now());
      turn += 1;
      return { log: [{ turn, text: "appended, and read by nobody" }] };
    })
    .edge(START, "turn")
    .branch("turn", { again: "turn", done: END }, () => (turn <= turns ? "again" : "done"))
    .compile();
  const runner = createRunner(compiled, { maxSteps: many + 1 });
  const windowsOf = async (count: number): Promise<readonly number[]> => {
    stamps.length = 0;
    [turn, turns] = [0, count];
    await runner.invoke({});
    return differences(stamps);
  };
  return {
    // The early ones are another run's, after the long one, so that both find the process equally warm.
    measured: async () => median((await windowsOf(many)).slice(-windowsCompared)) / median(await windowsOf(few)),
    close: async () => void (await runner.close()),
  };
}
