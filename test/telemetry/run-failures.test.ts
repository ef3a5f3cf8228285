/** Attempts that fail, are tried again, and fail for good: the whole tree of spans. */
import { describe, expect, test } from "vitest";
import { channel, createRunner, END, graph, input, memoryCheckpointer, START } from "spanloom";
import { manualClock } from "spanloom/testing";
import { aborted, attribute, gate, traced, UserError } from "./run-support.ts";

const channels = { count: channel.reduce(0, (sum, more: number) => sum + more), log: channel.list<string>(), last: channel.value("") };

const shaky = (attempts: number, clock = manualClock(), timeout?: number) => {
  let calls = 0;
  const built = graph({ name: "shaky", channels })
    .node(
      "try",
      async (_state, { signal }) => {
        calls += 1;
        if (calls >= 3) return { last: "done" };
        if (timeout !== undefined) return aborted(signal);
        throw new UserError(`no ${calls}`, "E_NO");
      },
      { retry: { attempts, initialDelay: 200, jitter: false }, ...(timeout === undefined ? {} : { timeout }) },
    )
    .edge(START, "try")
    .edge("try", END)
    .compile();
  const runner = createRunner(built, { clock });
  return async () => {
    const running = runner.invoke({});
    running.catch(() => {});
    await clock.advance(60_000);
    return running;
  };
};

describe("retried", () => {
  test("an attempt that failed is in error, and nothing above it", async () => {
    const { lines } = await traced(shaky(3));
    expect(lines).toEqual([
      "invoke_workflow shaky invocation.kind=start invocation.outcome=completed superstep.count=1",
      "  checkpoint step=0 checkpoint.outcome=saved",
      "  superstep step=1 ran_nodes_len=1 skipped_nodes_len=0",
      "    schedule step=1 frontier_len=1",
      "      execute_node try node.attempt=1 ERROR UserError/E_NO",
      "        * node.failed error.type=UserError error.code=E_NO error.message=no 1 final=false",
      "        * node.retrying node.retry.delay=0.2 error.type=UserError error.code=E_NO error.message=no 1",
      "      execute_node try node.attempt=2 node.retry.delay=0.2 ERROR UserError/E_NO",
      "        * node.failed error.type=UserError error.code=E_NO error.message=no 2 final=false",
      "        * node.retrying node.retry.delay=0.4 error.type=UserError error.code=E_NO error.message=no 2",
      "      execute_node try node.attempt=3 node.retry.delay=0.4 node.writes=[last]",
      "    barrier step=1 ran_nodes_len=1 errors_in_partials=0 updated_channels=[last]",
      "    frontier step=1 commands_count=0 conditional_edges_evaluated=0 next_frontier_len=0",
      "    checkpoint step=1 checkpoint.outcome=saved",
    ]);
  });

  test("attempts of one entry follow each other", async () => {
    const { spans } = await traced(shaky(3));
    const attempts = spans.filter(({ name }) => name === "execute_node try");
    expect(attempts).toHaveLength(3);
    attempts.slice(1).forEach((attempt, index) => expect(attempt.start).toBeGreaterThanOrEqual((attempts[index]?.end ?? Infinity) - 0.001));
  });

  test("in vain: the last failure is final, and everything above it is in error", async () => {
    const { lines } = await traced(shaky(2));
    expect(lines).toEqual([
      "invoke_workflow shaky invocation.kind=start invocation.outcome=failed superstep.count=0 ERROR scheduler/scheduler",
      "  checkpoint step=0 checkpoint.outcome=saved",
      "  superstep step=1 ran_nodes_len=0 skipped_nodes_len=0 ERROR scheduler/scheduler",
      "    schedule step=1 frontier_len=1 failed_node=try frontier_nodes=[try] channel_versions=[count=1,log=1,last=1,errors=1] ERROR scheduler/scheduler",
      "      execute_node try node.attempt=1 ERROR UserError/E_NO",
      "        * node.failed error.type=UserError error.code=E_NO error.message=no 1 final=false",
      "        * node.retrying node.retry.delay=0.2 error.type=UserError error.code=E_NO error.message=no 1",
      "      execute_node try node.attempt=2 node.retry.delay=0.2 ERROR UserError/E_NO",
      "        * node.failed error.type=UserError error.code=E_NO error.message=no 2 final=true",
      "  checkpoint step=0 checkpoint.outcome=saved",
    ]);
  });
});

describe("timed out", () => {
  test("the attempt ends when its time is up, as a NodeError", async () => {
    const { lines } = await traced(shaky(1, manualClock(), 1_000));
    expect(lines).toEqual([
      "invoke_workflow shaky invocation.kind=start invocation.outcome=failed superstep.count=0 ERROR scheduler/scheduler",
      "  checkpoint step=0 checkpoint.outcome=saved",
      "  superstep step=1 ran_nodes_len=0 skipped_nodes_len=0 ERROR scheduler/scheduler",
      "    schedule step=1 frontier_len=1 failed_node=try frontier_nodes=[try] channel_versions=[count=1,log=1,last=1,errors=1] ERROR scheduler/scheduler",
      "      execute_node try node.attempt=1 ERROR NodeError/node_timeout",
      '        * node.failed error.type=NodeError error.code=node_timeout error.message=Node "try" did not finish within 1000 ms. Raise its `timeout`, or make it stop by its `signal`. final=true',
      "  checkpoint step=0 checkpoint.outcome=saved",
    ]);
  });

  test("and tried again: that attempt alone is in error", async () => {
    const { lines } = await traced(shaky(3, manualClock(), 1_000));
    expect(lines.filter((line) => line.includes("ERROR"))).toEqual([
      "      execute_node try node.attempt=1 ERROR NodeError/node_timeout",
      "      execute_node try node.attempt=2 node.retry.delay=0.2 ERROR NodeError/node_timeout",
    ]);
  });
});

const fragile = (onFailure: "settle" | "abort", both = false) => {
  const failed = gate();
  return createRunner(
    graph({ name: "fragile", channels })
      .node("ok", async (_state, { signal }) => {
        if (onFailure === "settle") await failed.promise;
        else await aborted(signal);
        if (both) throw new TypeError("me too");
        return { log: ["ok"] };
      })
      .node("bad", () => {
        failed.resolve();
        throw new UserError("broken", "E_BROKEN");
      })
      .edge(START, ["ok", "bad"])
      .edge("ok", END)
      .edge("bad", END)
      .compile(),
    { onFailure, checkpointer: memoryCheckpointer() },
  );
};

describe("failed", () => {
  const versions = "channel_versions=[count=1,log=1,last=1,errors=1]";

  test("settle: siblings finish, and are among those that ran", async () => {
    const { lines, error } = await traced(() => fragile("settle").invoke({}));
    expect(error).toMatchObject({ code: "scheduler" });
    expect(lines).toEqual([
      "invoke_workflow fragile invocation.kind=start invocation.outcome=failed superstep.count=0 ERROR scheduler/scheduler",
      "  checkpoint step=0 checkpoint.outcome=saved",
      "  superstep step=1 ran_nodes_len=1 skipped_nodes_len=0 ERROR scheduler/scheduler",
      `    schedule step=1 frontier_len=2 failed_node=bad frontier_nodes=[ok,bad] ${versions} ERROR scheduler/scheduler`,
      "      execute_node ok node.attempt=1 node.writes=[log]",
      "      execute_node bad node.attempt=1 ERROR UserError/E_BROKEN",
      "        * node.failed error.type=UserError error.code=E_BROKEN error.message=broken final=true",
      "  checkpoint step=0 checkpoint.outcome=saved",
    ]);
  });

  test("abort: a sibling that was stopped is no error", async () => {
    const { lines } = await traced(() => fragile("abort").invoke({}));
    expect(lines.slice(2, 7)).toEqual([
      "  superstep step=1 ran_nodes_len=0 skipped_nodes_len=0 ERROR scheduler/scheduler",
      `    schedule step=1 frontier_len=2 failed_node=bad frontier_nodes=[ok,bad] ${versions} ERROR scheduler/scheduler`,
      "      execute_node ok node.attempt=1",
      "      execute_node bad node.attempt=1 ERROR UserError/E_BROKEN",
      "        * node.failed error.type=UserError error.code=E_BROKEN error.message=broken final=true",
    ]);
  });

  test("twice: the first in frontier order is named, whichever failed first", async () => {
    const { lines, error } = await traced(() => fragile("settle", true).invoke({}));
    expect(error).toMatchObject({ code: "scheduler", cause: expect.any(AggregateError) });
    expect(lines.filter((line) => line.includes("ERROR"))).toEqual([
      "invoke_workflow fragile invocation.kind=start invocation.outcome=failed superstep.count=0 ERROR scheduler/scheduler",
      "  superstep step=1 ran_nodes_len=0 skipped_nodes_len=0 ERROR scheduler/scheduler",
      `    schedule step=1 frontier_len=2 failed_node=ok frontier_nodes=[ok,bad] ${versions} ERROR scheduler/scheduler`,
      "      execute_node ok node.attempt=1 ERROR TypeError/-",
      "      execute_node bad node.attempt=1 ERROR UserError/E_BROKEN",
    ]);
  });

  test("by a bad update: the attempt has the typed error", async () => {
    const wrong = graph({ name: "wrong", channels })
      // What the compiler refuses.
      .node("bad", () => ({ count: (() => 1) as unknown as number }))
      .edge(START, "bad")
      .edge("bad", END)
      .compile();
    const { lines } = await traced(() => createRunner(wrong).invoke({}));
    expect(lines.filter((line) => line.includes("execute_node"))).toEqual([
      "      execute_node bad node.attempt=1 ERROR StateError/unserializable_value",
    ]);
  });

  test("what is thrown and is no error has a type all the same", async () => {
    const odd = graph({ name: "odd", channels })
      .node("bad", () => {
        // eslint-disable-next-line no-throw-literal -- users do
        throw "a text" as unknown as Error;
      })
      .edge(START, "bad")
      .edge("bad", END)
      .compile();
    const { lines } = await traced(() => createRunner(odd).invoke({}));
    expect(lines.filter((line) => line.includes("bad") && line.includes("ERROR")).at(-1)).toBe(
      "      execute_node bad node.attempt=1 ERROR Error/-",
    );
  });

  test("of many that were due, twenty are named", async () => {
    const wide = graph({ name: "wide", channels, inputs: { work: input<number>() } })
      .node("plan", (_state, { goto, send }) => goto(Array.from({ length: 30 }, (_item, index) => send("work", index))), {
        jumps: ["work"],
      })
      .node("work", (_state, { input: item }) => {
        if (item === 25) throw new UserError("25");
        return {};
      })
      .edge(START, "plan")
      .edge("work", END)
      .compile();
    const { spans } = await traced(() => createRunner(wide).invoke({}));
    const schedule = spans.filter(({ name }) => name === "schedule").at(-1);
    expect(attribute(schedule, "frontier_len")).toBe(30);
    expect(attribute(schedule, "frontier_nodes")).toEqual(Array.from({ length: 20 }, () => "work"));
    expect(attribute(schedule, "failed_node")).toBe("work");
  });
});
