/** The peer's side of the rows: the same graphs in LangGraph.js, without a checkpointer, which is its fastest; `durable.js` has those with one. */
import { readFileSync } from "node:fs";
import { Annotation, END, Send, START, StateGraph } from "@langchain/langgraph";

export { openDurable } from "./durable.js";

export const version = JSON.parse(readFileSync(new URL("node_modules/@langchain/langgraph/package.json", import.meta.url), "utf8")).version;

const sum = () => Annotation({ reducer: (total, added) => total + added, default: () => 0 });

let left = 0;
let onFirstTurn = () => {};

function turn() {
  onFirstTurn();
  return {};
}

const loop = new StateGraph(Annotation.Root({ turns: sum() }))
  .addNode("turn", turn)
  .addEdge(START, "turn")
  .addConditionalEdges("turn", () => (--left > 0 ? "again" : "done"), { again: "turn", done: END })
  .compile();

/** One invocation of so many supersteps. Milliseconds from the first turn of the node to the end, by the clock that is given. */
export async function runLoop(turns, now) {
  let began = 0;
  left = turns;
  onFirstTurn = () => {
    began = now();
    onFirstTurn = () => {};
  };
  await loop.invoke({ turns: 0 }, { recursionLimit: turns + 1 });
  return now() - began;
}

const spread = new StateGraph(Annotation.Root({ width: Annotation(), done: sum() }))
  .addNode("plan", () => ({}))
  .addNode("work", () => ({ done: 1 }))
  .addEdge(START, "plan")
  .addConditionalEdges("plan", ({ width }) => Array.from({ length: width }, (_, index) => new Send("work", { index })), ["work"])
  .addEdge("work", END)
  .compile();

/** Sends so many items to one node. Milliseconds, by the clock that is given. */
export async function fanOut(width, now) {
  const start = now();
  const { done } = await spread.invoke({ width });
  if (done !== width) throw new Error(`${done} of ${width} entries ran`);
  return now() - start;
}
