/** The peer's side of the durable rows: the same graphs with its own SQLite saver, on a file of node:sqlite. */
import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import { SqliteSaver } from "@langchain/langgraph-checkpoint-sqlite";

/** A step is on the file before the next one begins, as it is with Spanloom. */
const durability = "sync";

/** A graph of one node, that goes round while `again` says so. */
function cycle(channels, turn, again, checkpointer) {
  return new StateGraph(Annotation.Root(channels))
    .addNode("turn", turn)
    .addEdge(START, "turn")
    .addConditionalEdges("turn", () => (again() ? "again" : "done"), { again: "turn", done: END })
    .compile({ checkpointer });
}

const total = () => Annotation({ reducer: (sum, added) => sum + added, default: () => 0 });
const list = () => Annotation({ reducer: (items, added) => items.concat(added), default: () => [] });

const optionsOf = (thread, steps) => ({ durability, configurable: { thread_id: thread }, recursionLimit: steps + 1 });

/** Its sessions in the file of that path. */
export function openDurable(path) {
  const saver = SqliteSaver.fromConnString(path);
  let left = 0;
  let items = [];
  let onFirstTurn = () => {};
  const again = () => --left > 0;
  const nothing = () => {
    onFirstTurn();
    return {};
  };
  const loop = cycle({ turns: total() }, nothing, again, saver);
  const log = cycle({ log: list() }, () => ({ log: items[items.length - left] }), again, saver);
  return {
    /** One session of so many supersteps. Milliseconds from the first turn of the node to the end, by the clock that is given. */
    async runLoop(turns, now) {
      let began = 0;
      left = turns;
      onFirstTurn = () => {
        began = now();
        onFirstTurn = () => {};
      };
      await loop.invoke({ turns: 0 }, optionsOf(crypto.randomUUID(), turns));
      return now() - began;
    },

    /** A session that appends what each step has. */
    async append(thread, steps) {
      left = steps.length;
      items = steps;
      await log.invoke({ log: [] }, optionsOf(thread, steps.length));
    },

    close() {
      saver.db.close();
    },
  };
}
