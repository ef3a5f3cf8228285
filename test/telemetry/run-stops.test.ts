/** Runs that stop before they are complete: the whole tree of spans of each. */
import { describe, expect, test } from "vitest";
import { manualClock } from "spanloom/testing";
import { aborted, gate, traced } from "./run-support.ts";
import { invocation, loaded, noop, pair, saved, step } from "./run-pair.ts";

describe("cancelled", () => {
  test("while a node runs: no error anywhere, no barrier, and the save is the invocation's", async () => {
    const { lines, result } = await traced(async () => {
      const started = gate();
      const run = pair(({ signal }) => {
        started.resolve();
        return aborted(signal);
      }).stream({});
      await started.promise;
      run.cancel(new Error("enough"));
      return run.result;
    });
    expect(result?.status).toBe("cancelled");
    expect(lines).toEqual([
      invocation("start", "cancelled", 0),
      saved(0),
      "  superstep step=1 ran_nodes_len=0 skipped_nodes_len=0",
      "    schedule step=1 frontier_len=1",
      "      execute_node a node.attempt=1",
      saved(0),
    ]);
  });

  test("a node that ignores its signal is abandoned, and its span says so", async () => {
    const clock = manualClock();
    const { lines } = await traced(async () => {
      const started = gate();
      const run = pair(
        () => {
          started.resolve();
          return new Promise(noop);
        },
        { clock },
      ).stream({});
      await started.promise;
      run.cancel();
      await clock.advance(5_000);
      return run.result;
    });
    expect(lines.slice(2)).toEqual([
      "  superstep step=1 ran_nodes_len=0 skipped_nodes_len=0",
      "    schedule step=1 frontier_len=1",
      "      execute_node a node.attempt=1",
      expect.stringMatching(/^ {8}\* node\.log level=warn message=Node "a" is abandoned: 5000 ms after its signal aborted it still runs\./),
      saved(0),
    ]);
  });

  test("beforehand: no superstep", async () => {
    const { lines, result } = await traced(() => pair(noop).invoke({}, { signal: AbortSignal.abort() }));
    expect(result).toMatchObject({ status: "cancelled", steps: 0 });
    expect(lines).toEqual([invocation("start", "cancelled", 0), saved(0), saved(0)]);
  });

  test("by a drain: the superstep is done, and the next one is none", async () => {
    const { lines } = await traced(async () => {
      const started = gate();
      const go = gate();
      const runner = pair(() => {
        started.resolve();
        return go.promise;
      });
      const running = runner.invoke({});
      await started.promise;
      const drained = runner.drain();
      go.resolve();
      await drained;
      return running;
    });
    expect(lines).toEqual([invocation("start", "cancelled", 1), saved(0), ...step(1, "a", 1), saved(1)]);
  });
});

describe("paused", () => {
  test("before a node: no superstep; and resumed, in a trace of its own", async () => {
    const runner = pair(noop, { pauseBefore: ["a"] });
    const first = await traced(() => runner.invoke({}, { sessionId: "s" }));
    expect(first.lines).toEqual([
      invocation("start", "paused", 0),
      "  * interrupt.requested id=1/before/a node.name=a step=1 kind=before",
      saved(0),
      saved(0),
    ]);
    const second = await traced(() => runner.session("s").resume().result);
    expect(second.lines).toEqual([invocation("resume", "completed", 2), loaded(0), saved(0), ...step(1, "a", 1), ...step(2, "b", 0)]);
  });

  test("after a node: the save of the pause is the invocation's", async () => {
    const runner = pair(noop, { pauseAfter: ["a"] });
    const first = await traced(() => runner.invoke({}, { sessionId: "s" }));
    expect(first.lines).toEqual([
      invocation("start", "paused", 1),
      "  * interrupt.requested id=1/after/a node.name=a step=1 kind=after",
      saved(0),
      ...step(1, "a", 1),
      saved(1),
    ]);
    const second = await traced(() => runner.session("s").resume().result);
    expect(second.lines).toEqual([invocation("resume", "completed", 1), loaded(1), saved(1), ...step(2, "b", 0)]);
  });

  test("after each step, but not after the last", async () => {
    const runner = pair(noop, { pauseEachStep: true });
    const first = await traced(() => runner.invoke({}, { sessionId: "s" }));
    expect(first.lines).toEqual([
      invocation("start", "paused", 1),
      "  * interrupt.requested id=1/step step=1 kind=step",
      saved(0),
      ...step(1, "a", 1),
      saved(1),
    ]);
    const second = await traced(() => runner.session("s").resume().result);
    expect(second.lines).toEqual([invocation("resume", "completed", 1), loaded(1), saved(1), ...step(2, "b", 0)]);
  });
});
