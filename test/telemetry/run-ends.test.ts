/** Runs that end by themselves, completed: the whole tree of spans of each. */
import { describe, expect, test } from "vitest";
import { channel, createRunner, END, graph, input, START } from "spanloom";
import { attribute, traced, UserError } from "./run-support.ts";

const channels = { count: channel.reduce(0, (sum, more: number) => sum + more), log: channel.list<string>(), last: channel.value("") };

describe("completed", () => {
  test("one superstep after the other, each of four phases", async () => {
    const two = graph({ name: "two", version: "7", channels })
      .node("a", () => ({ log: ["a"], count: 1 }))
      .node("b", () => ({}))
      .edge(START, "a")
      .edge("a", "b")
      .edge("b", END)
      .compile();
    const { lines, spans } = await traced(() => createRunner(two).invoke({}, { sessionId: "s1" }));
    expect(lines).toEqual([
      "invoke_workflow two invocation.kind=start graph.version=7 invocation.outcome=completed superstep.count=2",
      "  checkpoint step=0 checkpoint.outcome=saved",
      "  superstep step=1 ran_nodes_len=1 skipped_nodes_len=0",
      "    schedule step=1 frontier_len=1",
      "      execute_node a node.attempt=1 node.writes=[log,count]",
      "    barrier step=1 ran_nodes_len=1 errors_in_partials=0 updated_channels=[count,log]",
      "    frontier step=1 commands_count=0 conditional_edges_evaluated=0 next_frontier_len=1",
      "    checkpoint step=1 checkpoint.outcome=saved",
      "  superstep step=2 ran_nodes_len=1 skipped_nodes_len=0",
      "    schedule step=2 frontier_len=1",
      "      execute_node b node.attempt=1 node.writes=[]",
      "    barrier step=2 ran_nodes_len=1 errors_in_partials=0 updated_channels=[]",
      "    frontier step=2 commands_count=0 conditional_edges_evaluated=0 next_frontier_len=0",
      "    checkpoint step=2 checkpoint.outcome=saved",
    ]);
    const [root] = spans;
    expect(attribute(root, "graph.name")).toBe("two");
    expect(attribute(root, "graph.fingerprint")).toBe(two.fingerprint);
    expect(attribute(root, "session.id")).toBe("s1");
    expect(root?.parentId).toBeUndefined();
    expect(root?.links).toEqual([]);
  });

  test("in no step at all", async () => {
    const empty = graph({ name: "empty", channels }).edge(START, END).compile();
    const { lines } = await traced(() => createRunner(empty).invoke({}));
    expect(lines).toEqual([
      "invoke_workflow empty invocation.kind=start invocation.outcome=completed superstep.count=0",
      "  checkpoint step=0 checkpoint.outcome=saved",
    ]);
  });

  test("over a fan-out, commands, branches, a reported error and a join that starves", async () => {
    const busy = graph({ name: "busy", channels, inputs: { work: input<number>() } })
      .node("plan", (_state, { goto, send }) => goto([send("work", 1), send("work", 2), "check"], { last: "planned" }), {
        jumps: ["work", "check"],
      })
      .node("work", (_state, context) => {
        context.reportError(new UserError("half done"));
        context.log.info("fine");
        context.log.warn("slow", { ms: 3 });
        return { log: [String(context.input)] };
      })
      .node("check", (_state, { also }) => also("side"), { jumps: ["side"] })
      .node("side", (_state, { goto }) => goto([]), { jumps: [END] })
      .node("late", () => ({}))
      .edge(START, "plan")
      .edge("plan", END)
      .edge("work", END)
      .branch("check", { yes: END, no: END }, () => "yes")
      .branch("check", { none: END }, () => [])
      .edge(["check", "side"], "late")
      .edge("late", END)
      .compile();
    const { lines } = await traced(() => createRunner(busy).invoke({}));
    expect(lines).toEqual([
      "invoke_workflow busy invocation.kind=start invocation.outcome=completed superstep.count=3",
      "  checkpoint step=0 checkpoint.outcome=saved",
      "  superstep step=1 ran_nodes_len=1 skipped_nodes_len=0",
      "    schedule step=1 frontier_len=1",
      "      execute_node plan node.attempt=1 node.writes=[last]",
      "    barrier step=1 ran_nodes_len=1 errors_in_partials=0 updated_channels=[last]",
      "    frontier step=1 commands_count=1 conditional_edges_evaluated=0 next_frontier_len=3",
      "    checkpoint step=1 checkpoint.outcome=saved",
      "  superstep step=2 ran_nodes_len=3 skipped_nodes_len=0",
      "    schedule step=2 frontier_len=3",
      "      execute_node work node.attempt=1 node.writes=[log]",
      "        * node.log level=warn message=slow fields.ms=3",
      "      execute_node work node.attempt=1 node.writes=[log]",
      "        * node.log level=warn message=slow fields.ms=3",
      "      execute_node check node.attempt=1 node.writes=[]",
      "    barrier step=2 ran_nodes_len=3 errors_in_partials=2 updated_channels=[log,errors]",
      "    frontier step=2 commands_count=1 conditional_edges_evaluated=2 next_frontier_len=1",
      "    checkpoint step=2 checkpoint.outcome=saved",
      "  superstep step=3 ran_nodes_len=1 skipped_nodes_len=0",
      "    schedule step=3 frontier_len=1",
      "      execute_node side node.attempt=1 node.writes=[]",
      "    barrier step=3 ran_nodes_len=1 errors_in_partials=0 updated_channels=[]",
      "    frontier step=3 commands_count=1 conditional_edges_evaluated=0 next_frontier_len=0",
      "      * join.starved to=late arrived=[check] missing=[side]",
      "    checkpoint step=3 checkpoint.outcome=saved",
    ]);
  });

  test("with a node that its gate skips: it is no attempt", async () => {
    const gated = graph({ name: "gated", channels })
      .node("watch", () => ({}), { gate: "on-change" })
      .node("again", () => ({}))
      .edge(START, "watch")
      .edge("watch", "again")
      .branch("again", { back: "watch", done: END }, () => (++rounds < 2 ? "back" : "done"))
      .compile();
    let rounds = 0;
    const { lines } = await traced(() => createRunner(gated).invoke({}));
    expect(lines.slice(14, 20)).toEqual([
      "  superstep step=3 ran_nodes_len=0 skipped_nodes_len=1",
      "    schedule step=3 frontier_len=1",
      "    barrier step=3 ran_nodes_len=0 errors_in_partials=0 updated_channels=[]",
      "    frontier step=3 commands_count=0 conditional_edges_evaluated=0 next_frontier_len=1",
      "    checkpoint step=3 checkpoint.outcome=saved",
      "  superstep step=4 ran_nodes_len=1 skipped_nodes_len=0",
    ]);
  });
});

test("routed by onError: the attempt alone is in error, the failure is among the errors, and the handler runs next", async () => {
  const routed = graph({ name: "routed", channels })
    .node(
      "bad",
      () => {
        throw new UserError("broken");
      },
      { onError: "mend" },
    )
    .node("mend", (_state, { failure }) => ({ last: failure?.node ?? "" }))
    .edge(START, "bad")
    .edge("bad", END)
    .edge("mend", END)
    .compile();
  const { lines } = await traced(() => createRunner(routed).invoke({}));
  expect(lines).toEqual([
    "invoke_workflow routed invocation.kind=start invocation.outcome=completed superstep.count=2",
    "  checkpoint step=0 checkpoint.outcome=saved",
    "  superstep step=1 ran_nodes_len=1 skipped_nodes_len=0",
    "    schedule step=1 frontier_len=1",
    "      execute_node bad node.attempt=1 ERROR UserError/-",
    "        * node.failed error.type=UserError error.message=broken final=true",
    "    barrier step=1 ran_nodes_len=1 errors_in_partials=1 updated_channels=[errors]",
    "    frontier step=1 commands_count=0 conditional_edges_evaluated=0 next_frontier_len=1",
    "    checkpoint step=1 checkpoint.outcome=saved",
    "  superstep step=2 ran_nodes_len=1 skipped_nodes_len=0",
    "    schedule step=2 frontier_len=1",
    "      execute_node mend node.attempt=1 node.writes=[last]",
    "    barrier step=2 ran_nodes_len=1 errors_in_partials=0 updated_channels=[last]",
    "    frontier step=2 commands_count=0 conditional_edges_evaluated=0 next_frontier_len=0",
    "    checkpoint step=2 checkpoint.outcome=saved",
  ]);
});
