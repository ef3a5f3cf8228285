/** Runs that fail outside their nodes: the fault is on its phase and on everything above it, and nowhere else. */
import { describe, expect, test } from "vitest";
import { channel, CheckpointError, createRunner, END, graph, memoryCheckpointer, type RunnerOptions, START } from "spanloom";
import { attribute, faultyStore, outline, traced, UserError } from "./run-support.ts";
import { recordSpans } from "spanloom/testing";

const channels = {
  last: channel.value(""),
  sum: channel.reduce(0, (sum, more: number) => {
    if (more < 0) throw new UserError("negative");
    return sum + more;
  }),
};

const invocation = (outcome: string, steps: number, error = ""): string =>
  `invoke_workflow g invocation.kind=start invocation.outcome=${outcome} superstep.count=${steps}${error && ` ERROR ${error}/${error}`}`;
const saved = (step: number): string => `  checkpoint step=${step} checkpoint.outcome=saved`;
const superstep = (step: number, ran: number, error = ""): string =>
  `  superstep step=${step} ran_nodes_len=${ran} skipped_nodes_len=0${error && ` ERROR ${error}/${error}`}`;

test("maxSteps: the invocation alone is in error", async () => {
  const endless = graph({ name: "g", channels })
    .node("a", () => ({}))
    .edge(START, "a")
    .branch("a", { again: "a", done: END }, () => "again")
    .compile();
  const { lines, error } = await traced(() => createRunner(endless, { maxSteps: 2 }).invoke({}));
  expect(error).toMatchObject({ code: "max_steps" });
  const step = (number: number): readonly string[] => [
    superstep(number, 1),
    `    schedule step=${number} frontier_len=1`,
    "      execute_node a node.attempt=1 node.writes=[]",
    `    barrier step=${number} ran_nodes_len=1 errors_in_partials=0 updated_channels=[]`,
    `    frontier step=${number} commands_count=0 conditional_edges_evaluated=1 next_frontier_len=1`,
    `    checkpoint step=${number} checkpoint.outcome=saved`,
  ];
  expect(lines).toEqual([invocation("failed", 2, "max_steps"), saved(0), ...step(1), ...step(2), saved(2)]);
});

describe("a barrier that fails", () => {
  const ran = [
    "    schedule step=1 frontier_len=2",
    "      execute_node a node.attempt=1 node.writes=[last]",
    "      execute_node b node.attempt=1 node.writes=[last]",
  ];

  test("by two writes of one value: no frontier, no checkpoint of the step, and the nodes are no error", async () => {
    const both = graph({ name: "g", channels })
      .node("a", () => ({ last: "a" }))
      .node("b", (_state, context) => {
        context.reportError(new UserError("beside"));
        return { last: "b" };
      })
      .edge(START, ["a", "b"])
      .edge("a", END)
      .edge("b", END)
      .compile();
    const { lines, error } = await traced(() => createRunner(both).invoke({}));
    expect(error).toMatchObject({ code: "barrier" });
    expect(lines).toEqual([
      invocation("failed", 0, "barrier"),
      saved(0),
      superstep(1, 2, "barrier"),
      ...ran,
      "    barrier step=1 ran_nodes_len=2 errors_in_partials=1 updated_channels=[] ERROR barrier/barrier",
      saved(0),
    ]);
  });

  test("by a reducer that throws", async () => {
    const reduced = graph({ name: "g", channels })
      .node("a", () => ({ sum: -1 }))
      .edge(START, "a")
      .edge("a", END)
      .compile();
    const { lines } = await traced(() => createRunner(reduced).invoke({}));
    expect(lines.filter((line) => line.includes("ERROR"))).toEqual([
      invocation("failed", 0, "barrier"),
      superstep(1, 1, "barrier"),
      "    barrier step=1 ran_nodes_len=1 errors_in_partials=0 updated_channels=[] ERROR barrier/barrier",
    ]);
  });
});

describe("a frontier that fails", () => {
  const branching = (decide: () => string | string[]) =>
    graph({ name: "g", channels })
      .node("a", (_state, { also }) => also([]), { jumps: [END] })
      .node("b", () => ({ last: "b" }))
      .edge(START, ["a", "b"])
      .branch("a", { done: END }, () => "done")
      .branch("b", { done: END, back: "a" }, decide as () => "done")
      .compile();

  test("by a branch that throws: what was decided before it counts", async () => {
    const { lines, error } = await traced(() =>
      createRunner(
        branching(() => {
          throw new UserError("undecided");
        }),
      ).invoke({}),
    );
    expect(error).toMatchObject({ code: "frontier" });
    expect(lines).toEqual([
      invocation("failed", 0, "frontier"),
      saved(0),
      superstep(1, 2, "frontier"),
      "    schedule step=1 frontier_len=2",
      "      execute_node a node.attempt=1 node.writes=[]",
      "      execute_node b node.attempt=1 node.writes=[last]",
      "    barrier step=1 ran_nodes_len=2 errors_in_partials=0 updated_channels=[last]",
      "    frontier step=1 commands_count=1 conditional_edges_evaluated=2 next_frontier_len=0 ERROR frontier/frontier",
      saved(0),
    ]);
  });

  test("by a label that there is none of", async () => {
    const { lines } = await traced(() => createRunner(branching(() => "bakc")).invoke({}));
    expect(lines.filter((line) => line.includes("ERROR")).map((line) => line.trim().split(" ")[0])).toEqual([
      "invoke_workflow",
      "superstep",
      "frontier",
    ]);
  });

  test("at START: there is no superstep to blame", async () => {
    const unled = graph({ name: "g", channels })
      .node("a", () => ({}))
      .branch(START, { a: "a" }, () => {
        throw new UserError("undecided");
      })
      .edge("a", END)
      .compile();
    const { lines } = await traced(() => createRunner(unled).invoke({}));
    expect(lines).toEqual([invocation("failed", 0, "frontier")]);
  });
});

const plain = (options: RunnerOptions) =>
  createRunner(
    graph({ name: "g", channels })
      .node("a", () => ({ last: "a" }))
      .node("b", () => ({ sum: 1 }))
      .edge(START, ["a", "b"])
      .edge("a", END)
      .edge("b", END)
      .compile(),
    options as object,
  );
const ranWell = [
  "    schedule step=1 frontier_len=2",
  "      execute_node a node.attempt=1 node.writes=[last]",
  "      execute_node b node.attempt=1 node.writes=[sum]",
  "    barrier step=1 ran_nodes_len=2 errors_in_partials=0 updated_channels=[last,sum]",
  "    frontier step=1 commands_count=0 conditional_edges_evaluated=0 next_frontier_len=0",
];

const full = (): never => {
  throw Object.assign(new Error("disk full"), { code: "ENOSPC" });
};
const conflict = (): never => {
  throw new CheckpointError("checkpoint_conflict", { sessionId: "s" });
};

describe("a checkpoint that is not saved", () => {
  test("of a superstep: checkpoint, superstep and invocation are in error", async () => {
    const { lines, error } = await traced(() => plain({ checkpointer: faultyStore("save", 2, full) }).invoke({}));
    expect(error).toMatchObject({ code: "checkpoint_failed" });
    expect(lines).toEqual([
      invocation("failed", 0, "checkpoint_failed"),
      saved(0),
      superstep(1, 2, "checkpoint_failed"),
      ...ranWell,
      "    checkpoint step=1 checkpoint.outcome=failed ERROR checkpoint_failed/ENOSPC",
    ]);
  });

  test("of the creation: the session never began", async () => {
    const { lines } = await traced(() => plain({ checkpointer: faultyStore("save", 1, full) }).invoke({}));
    expect(lines).toEqual([
      invocation("failed", 0, "checkpoint_failed"),
      "  checkpoint step=0 checkpoint.outcome=failed ERROR checkpoint_failed/ENOSPC",
    ]);
  });

  test("of a pause", async () => {
    const { lines } = await traced(() => plain({ pauseBefore: ["a"], checkpointer: faultyStore("amend", 1, full) } as object).invoke({}));
    expect(lines).toEqual([
      invocation("failed", 0, "checkpoint_failed"),
      "  * interrupt.requested id=1/before/a node.name=a step=1 kind=before",
      saved(0),
      "  checkpoint step=0 checkpoint.outcome=failed ERROR checkpoint_failed/ENOSPC",
    ]);
  });

  test("because somebody else owns the session", async () => {
    const { lines } = await traced(() => plain({ checkpointer: faultyStore("save", 2, conflict) }).invoke({}));
    expect(lines).toEqual([
      invocation("failed", 0, "checkpoint_failed"),
      saved(0),
      superstep(1, 2, "checkpoint_failed"),
      ...ranWell,
      "    checkpoint step=1 checkpoint.outcome=conflict ERROR checkpoint_conflict/checkpoint_conflict",
    ]);
  });

  test("when that is only to be warned of: the checkpoint is in error, and nothing above it", async () => {
    const { lines } = await traced(() => plain({ checkpointer: faultyStore("save", 2, full), onCheckpointError: "warn" }).invoke({}));
    expect(lines).toEqual([
      invocation("completed", 1),
      saved(0),
      superstep(1, 2),
      ...ranWell,
      "    checkpoint step=1 checkpoint.outcome=failed ERROR checkpoint_failed/ENOSPC",
    ]);
  });

  test("results of entries that cannot be stored: the schedule is in error, and names no node", async () => {
    const { lines } = await traced(() => plain({ checkpointer: faultyStore("addResults", 1, full) }).invoke({}));
    expect(lines).toEqual([
      invocation("failed", 0, "checkpoint_failed"),
      saved(0),
      superstep(1, 0, "checkpoint_failed"),
      "    schedule step=1 frontier_len=2 frontier_nodes=[a,b] channel_versions=[last=1,sum=1,errors=1] ERROR checkpoint_failed/ENOSPC",
      "      execute_node a node.attempt=1 node.writes=[last]",
      "      execute_node b node.attempt=1 node.writes=[sum]",
    ]);
  });
});

test("autosave: false makes no checkpoint span, and is said on the invocation", async () => {
  const { lines, spans } = await traced(() => plain({ autosave: false }).invoke({}));
  expect(lines).toEqual([invocation("completed", 1), superstep(1, 2), ...ranWell]);
  expect(attribute(spans[0], "durability")).toBe("none");
  expect(attribute(spans[0], "durability")).toBe("none");
});

test("autosave: false makes none at a pause or a failure either", async () => {
  const paused = await traced(() => plain({ autosave: false, pauseBefore: ["a"] } as object).invoke({}));
  expect(paused.lines).toEqual([invocation("paused", 0), "  * interrupt.requested id=1/before/a node.name=a step=1 kind=before"]);
  const failing = graph({ name: "g", channels })
    .node("a", () => {
      throw new UserError("no");
    })
    .edge(START, "a")
    .edge("a", END)
    .compile();
  const failed = await traced(() => createRunner(failing, { autosave: false }).invoke({}));
  expect(failed.spans.filter(({ name }) => name === "checkpoint")).toEqual([]);
});

test("an owner that was overtaken: its own save is the conflict, the other's trace is whole", async () => {
  const checkpointer = memoryCheckpointer();
  const { spans } = await recordSpans(async () => {
    const other = plain({ checkpointer, pauseBefore: ["a"] } as object);
    const one = graph({ name: "g", channels })
      .node("a", async () => {
        await other.session("s").resume().result;
        return { last: "a" };
      })
      .node("b", () => ({ sum: 1 }))
      .edge(START, ["a", "b"])
      .edge("a", END)
      .edge("b", END)
      .compile();
    await expect(createRunner(one, { checkpointer }).invoke({}, { sessionId: "s" })).rejects.toMatchObject({ code: "checkpoint_failed" });
  });
  const [first] = spans;
  const inner = spans.find(({ name, parentId }) => name.startsWith("invoke") && parentId !== undefined);
  // Resumed inside the node: the node's span is the caller's active one.
  expect(inner?.parentId).toBe(spans.find(({ name }) => name === "execute_node a")?.spanId);
  expect(first?.attributes["error.type"]).toBe("checkpoint_failed");
  expect(outline(spans)[0]).toBe(invocation("failed", 0, "checkpoint_failed"));
});
