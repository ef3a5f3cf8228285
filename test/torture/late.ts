/** A session whose owner is in the middle of a step while another takes it over; what it does then, it does too late. */
import { channel, END, graph, START } from "spanloom";

/** What of the port the older owner calls next. */
export const lateKinds = ["save", "amend", "addResults", "once"] as const;
export type LateKind = (typeof lateKinds)[number];

export const lateGraph = (who: string, kind: LateKind, hold: () => Promise<void>) => {
  const work = async (): Promise<{ readonly log: readonly string[] }> => {
    await hold();
    return { log: [who] };
  };
  return graph({ name: "late", channels: { log: channel.list<string>() } })
    .node("first", () => ({}))
    .node("work", async (_state, { once }) => {
      const update = await work();
      // The newer owner is to come to the end.
      if (kind === "amend" && who === "older") throw new Error("too late");
      if (kind === "once") await once("k", () => who);
      return update;
    })
    .node("beside", work)
    .edge(START, "first")
    .branch("first", { one: "work", both: ["work", "beside"] }, () => (kind === "addResults" ? "both" : "one"))
    .edge("work", END)
    .edge("beside", END)
    .compile();
};
