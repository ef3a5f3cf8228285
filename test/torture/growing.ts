/** A session that needs more room at each of its steps. */
import { channel, END, graph, START } from "spanloom";

export const steps = 60;
const chunk = 20_000;

export const growing = graph({ name: "growing", channels: { log: channel.list<string>(), n: channel.value(0) } })
  .node("grow", ({ n }) => ({ log: [String(n).padEnd(chunk, "x")], n: n + 1 }))
  .edge(START, "grow")
  .branch("grow", { again: "grow", end: END }, ({ n }) => (n < steps ? "again" : "end"))
  .compile();
