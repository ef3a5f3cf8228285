/** What is kept of a step that failed, and that it is the same step again. */
import { describe, expect, it } from "vitest";
import { channel, createRunner, END, graph, memoryCheckpointer, RunnerError, START } from "spanloom";
import { collect, countingClock, eventsOf, list, never, refused, side } from "./support.ts";

const throws = (message: string) => (): never => {
  throw new Error(message);
};

describe("pending results", () => {
  const broken = { a: true };
  const build = (ran: string[]) =>
    side(
      Object.fromEntries(
        ["a", "b", "c"].map((name) => [
          name,
          () => {
            ran.push(name);
            if (name === "a" && broken.a) throw new Error("a");
            return { log: [`${name}${ran.length}`] };
          },
        ]),
      ),
    );

  it("are stored with the session: a runner elsewhere runs only what failed", async () => {
    const checkpointer = memoryCheckpointer();
    const ran: string[] = [];
    broken.a = true;
    await refused(() => createRunner(build(ran), { checkpointer }).invoke({}, { sessionId: "s" }), "scheduler");
    const elsewhere = createRunner(build(ran), { checkpointer });
    expect((await elsewhere.session("s").state()).next).toEqual(["a"]);
    broken.a = false;
    expect((await elsewhere.session("s").resume().result).state.log).toEqual(["a4", "b2", "c3"]);
    expect(ran).toEqual(["a", "b", "c", "a"]);
  });

  it("are overridden by `rerun`: all, or the nodes that are named", async () => {
    const resumed = async (rerun: "all" | readonly string[]): Promise<readonly string[]> => {
      const ran: string[] = [];
      const runner = createRunner(build(ran));
      broken.a = true;
      await refused(() => runner.invoke({}, { sessionId: "s" }), "scheduler");
      broken.a = false;
      ran.length = 0;
      await runner.session("s").resume({ rerun }).result;
      return ran;
    };
    expect(await resumed("all")).toEqual(["a", "b", "c"]);
    expect(await resumed(["c"])).toEqual(["a", "c"]);
    expect(await resumed([])).toEqual(["a"]);
    await refused(() => resumed(["nobody"]), "invalid_option");
    await refused(() => resumed("some" as never), "invalid_option");
  });

  it("survive a second failure, and a session that fails and resumes many times ends as if it had not", async () => {
    const ran: string[] = [];
    let fails = 3;
    const runner = createRunner(
      side({
        a: () => {
          ran.push("a");
          return { log: ["a"] };
        },
        b: () => {
          ran.push("b");
          if ((fails -= 1) >= 0) throw new Error("b");
          return { log: ["b"] };
        },
      }),
    );
    await refused(() => runner.invoke({}, { sessionId: "s" }), "scheduler");
    await refused(() => runner.session("s").resume().result, "scheduler");
    await refused(() => runner.session("s").resume().result, "scheduler");
    expect(await runner.session("s").resume().result).toMatchObject({ status: "completed", step: 1, state: { log: ["a", "b"] } });
    expect(ran).toEqual(["a", "b", "b", "b", "b"]);
  });
});

describe("a failed step", () => {
  it("leaves state, versions, frontier and step number as they were, makes no record, and is the same step again", async () => {
    const steps: number[] = [];
    let broken = true;
    const compiled = graph({ name: "g", channels: { log: channel.list<string>(), n: channel.value(0) } })
      .node("first", () => ({ n: 1 }))
      .node("ok", (_state, { step }) => ({ log: [`ok ${step}`] }))
      .node("bad", (_state, { step }) => {
        steps.push(step);
        if (broken) throw new Error("x");
        return { log: [`bad ${step}`] };
      })
      .edge(START, "first")
      .edge("first", ["ok", "bad"])
      .edge("ok", END)
      .edge("bad", END)
      .compile();
    const runner = createRunner(compiled, { checkpointer: memoryCheckpointer() });
    const session = runner.session("s");
    await session.create({});
    await session.runStep();
    const before = await session.state();
    await refused(() => session.runStep(), "scheduler");
    const after = await session.state();
    expect(after).toMatchObject({ status: "failed", step: 1, checkpointId: before.checkpointId });
    expect(after.state).toEqual(before.state);
    expect(after.versions).toEqual(before.versions);
    expect(await list(session.history())).toHaveLength(2);
    await refused(() => session.runStep(), "scheduler");
    broken = false;
    expect(await session.runStep()).toMatchObject({ step: 2, ranNodes: ["ok", "bad"], completed: true });
    expect(steps).toEqual([2, 2, 2]);
    expect((await session.state()).state.log).toEqual(["ok 2", "bad 2"]);
  });

  it("tells a failed, a timed-out and a cancelled entry apart", async () => {
    const clock = countingClock();
    const compiled = side({ failed: throws("x"), late: never, stopped: never }, {}, { late: { timeout: 10 } });
    const run = createRunner(compiled, { clock }).stream({});
    const streamed = collect(run);
    await clock.advance(10);
    run.cancel();
    await clock.advance(5000);
    const { events, error } = await streamed;
    expect((error as RunnerError | undefined)?.cause).toBeInstanceOf(AggregateError);
    expect(eventsOf(events, "node.failed").map(({ node, data }) => [node, data.error.code])).toEqual([
      ["failed", undefined],
      ["late", "node_timeout"],
    ]);
    expect(eventsOf(events, "node.cancelled").map(({ node }) => node)).toEqual(["stopped"]);
  });
});
