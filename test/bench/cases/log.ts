/** The graph of the rows about what is stored: a node that appends an item to a list at each superstep, and never reads it. */
import { channel, type Checkpointer, createRunner, END, graph, START } from "../../../src/index.ts";

export interface Item {
  readonly turn: number;
  readonly text: string;
}

const text = "appended, read by nobody: with numbers and names it is one hundred bytes too";

/** A hundred bytes of JSON. */
export const itemOf = (turn: number): Item => ({ turn: 10_000 + turn, text });

export interface Log {
  /** A session of so many supersteps; `of` says what each appends. */
  run(sessionId: string, turns: number, of: (turn: number) => readonly Item[]): Promise<void>;
  close(): Promise<void>;
}

export function openLog(checkpointer: Checkpointer): Log {
  let [turn, turns] = [0, 0];
  let appended: (turn: number) => readonly Item[] = () => [];
  const compiled = graph({ name: "log", channels: { log: channel.list<Item>() } })
    .node("turn", () => ({ log: appended(turn++) }))
    .edge(START, "turn")
    .branch("turn", { again: "turn", done: END }, () => (turn < turns ? "again" : "done"))
    .compile();
  const runner = createRunner(compiled, { maxSteps: 1_000_000, checkpointer });
  return {
    async run(sessionId, count, of) {
      [turn, turns, appended] = [0, count, of];
      await runner.invoke({}, { sessionId });
    },
    close: async () => void (await runner.close()),
  };
}
