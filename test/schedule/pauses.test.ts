/** Pauses that a runner is set to: before and after nodes, and after each step. */
import { describe, expect, it } from "vitest";
import { channel, createRunner, END, graph, input, memoryCheckpointer, type RunnerOptions, START } from "spanloom";
import { collect, eventsOf, refused, solo } from "./support.ts";

/** START → a → b → c, each of which notes itself. */
function chain(ran: string[] = []) {
  const run = (name: string) => () => {
    ran.push(name);
    return { log: [name] };
  };
  return graph({ name: "g", channels: { log: channel.list<string>() } })
    .node("a", run("a"))
    .node("b", run("b"))
    .node("c", run("c"))
    .edge(START, "a")
    .edge("a", "b")
    .edge("b", "c")
    .edge("c", END)
    .compile();
}

type Options = Pick<RunnerOptions<ReturnType<typeof chain>>, "pauseBefore" | "pauseAfter" | "pauseEachStep">;

/** The kinds and nodes of each pause, and what had run by then. */
async function pausesOf(options: Options) {
  const ran: string[] = [];
  const runner = createRunner(chain(ran), { ...options, checkpointer: memoryCheckpointer() });
  const told: string[] = [];
  let result = await runner.invoke({}, { sessionId: "s" });
  while (result.status === "paused") {
    told.push(`${result.interrupts.map(({ kind, node }) => `${kind} ${node ?? ""}`.trim()).join(", ")} | ${ran.join("")}`);
    result = await runner.session("s").resume().result;
  }
  return { told, result, ran };
}

describe("pauseBefore", () => {
  it("pauses before the step in which the node is due, once, and runs it on resume", async () => {
    const { told, result, ran } = await pausesOf({ pauseBefore: ["b"] });
    expect(told).toEqual(["before b | a"]);
    expect(result).toMatchObject({ status: "completed", step: 3, state: { log: ["a", "b", "c"] } });
    expect(ran).toEqual(["a", "b", "c"]);
  });

  it("pauses before the first step too, and names only the nodes that are due", async () => {
    expect((await pausesOf({ pauseBefore: ["a", "c"] })).told).toEqual(["before a | ", "before c | ab"]);
  });

  it("tells the step that is due, as an interrupt of kind before, persisted and announced", async () => {
    const runner = createRunner(chain(), { pauseBefore: ["b"] });
    const { events, result } = await collect(runner.stream({}, { sessionId: "s" }));
    const [open] = result?.interrupts ?? [];
    expect(open).toMatchObject({ kind: "before", node: "b", step: 2 });
    expect(result).toMatchObject({ status: "paused", step: 1, steps: 1 });
    expect(eventsOf(events, "interrupt.requested").map(({ data }) => data)).toEqual([open]);
    expect(events.at(-1)).toMatchObject({ type: "invocation.paused", data: { interrupts: [open] } });
    expect(eventsOf(events, "superstep.started").map(({ step }) => step)).toEqual([1]);
    expect(await runner.session("s").state()).toMatchObject({ status: "paused", next: ["b"], interrupts: [open] });
  });

  it("pauses in every round of a loop, since each is another step", async () => {
    const compiled = graph({ name: "g", channels: { n: channel.value(0) } })
      .node("a", ({ n }) => ({ n: n + 1 }))
      .edge(START, "a")
      .branch("a", { again: "a", done: END }, ({ n }) => (n < 3 ? "again" : "done"))
      .compile();
    const runner = createRunner(compiled, { pauseBefore: ["a"] });
    const steps: unknown[] = [];
    let result = await runner.invoke({}, { sessionId: "s" });
    for (; result.status === "paused"; result = await runner.session("s").resume().result) steps.push(result.interrupts[0]?.step);
    expect(steps).toEqual([1, 2, 3]);
  });

  it("that was passed is not paused at again when the same step failed, also by another runner", async () => {
    let broken = true;
    const compiled = solo(() => {
      if (broken) throw new Error("x");
    });
    const checkpointer = memoryCheckpointer();
    const make = () => createRunner(compiled, { checkpointer, pauseBefore: ["a"] });
    expect((await make().invoke({}, { sessionId: "s" })).status).toBe("paused");
    await refused(() => make().session("s").resume().result, "scheduler");
    broken = false;
    expect((await make().session("s").resume().result).status).toBe("completed");
  });

  it("that was passed is not passed for other nodes: what an update makes due in that step is paused before", async () => {
    let broken = true;
    const ran: string[] = [];
    const note = (_state: unknown, { node }: { readonly node: string }) => {
      ran.push(node);
      if (node === "b" && broken) throw new Error("x");
    };
    const compiled = graph({ name: "g", channels: { n: channel.value(0) } })
      .node("a", note)
      .node("b", note)
      .node("c", note)
      .edge(START, "a")
      .edge("a", "b")
      .edge("b", "c")
      .branch("c", { again: "c", done: END }, () => "done")
      .compile();
    const session = createRunner(compiled, { pauseBefore: ["b", "c"] }).session("s");
    expect((await session.start({}).result).interrupts).toMatchObject([{ node: "b", step: 2 }]);
    await refused(() => session.resume().result, "scheduler");
    broken = false;
    expect((await session.update({}, { asNode: "b" })).next).toEqual(["c"]);
    expect(await session.resume().result).toMatchObject({ status: "paused", interrupts: [{ id: "2/before/c", node: "c", step: 2 }] });
    expect(await session.resume().result).toMatchObject({ status: "completed" });
    expect(ran).toEqual(["a", "b", "c"]);
  });

  it("and an interrupt in that step are two pauses, of which the first is not met again", async () => {
    const compiled = solo(async (_state, { interrupt }) => ({ log: [String(await interrupt("?"))] }));
    const runner = createRunner(compiled, { pauseBefore: ["a"] });
    expect((await runner.invoke({}, { sessionId: "s" })).interrupts).toMatchObject([{ kind: "before" }]);
    expect(await runner.session("s").resume().result).toMatchObject({ status: "paused", interrupts: [{ kind: "interrupt" }] });
    expect((await runner.session("s").resume({ answer: "yes" }).result).state.log).toEqual(["yes"]);
  });

  it("names a node with several entries once", async () => {
    const compiled = graph({ name: "g", channels: { n: channel.value(0) }, inputs: { work: input<number>() } })
      .node("plan", (_state, { goto, send }) => goto([send("work", 1), send("work", 2)]), { jumps: ["work"] })
      .node("work", () => {})
      .edge(START, "plan")
      .edge("work", END)
      .compile();
    const { interrupts } = await createRunner(compiled, { pauseBefore: ["work"] }).invoke({});
    expect(interrupts).toMatchObject([{ node: "work", kind: "before" }]);
  });

  it("stops a step by hand before it runs anything; the next call runs it", async () => {
    const ran: string[] = [];
    const session = createRunner(chain(ran), { pauseBefore: ["a"] }).session("s");
    await session.create({});
    const report = await session.runStep();
    expect(report).toMatchObject({
      step: 1,
      ranNodes: [],
      nextFrontier: ["a"],
      completed: false,
      interrupts: [{ kind: "before", node: "a" }],
    });
    expect(ran).toEqual([]);
    expect(await session.runStep()).toMatchObject({ step: 1, ranNodes: ["a"], interrupts: [] });
  });

  it("takes no answer", async () => {
    const runner = createRunner(chain(), { pauseBefore: ["a"] });
    const { interrupts } = await runner.invoke({}, { sessionId: "s" });
    await refused(() => runner.session("s").resume({ answer: 1 }).result, "interrupt_not_found");
    await refused(() => runner.session("s").resume({ answers: { [interrupts[0]?.id ?? ""]: 1 } }).result, "interrupt_not_found");
    expect((await runner.session("s").resume().result).status).toBe("completed");
  });
});

describe("pauseAfter", () => {
  it("pauses after the step in which the node ran, with that step's state", async () => {
    const { told, result } = await pausesOf({ pauseAfter: ["a"] });
    expect(told).toEqual(["after a | a"]);
    expect(result.status).toBe("completed");
    const paused = await createRunner(chain(), { pauseAfter: ["a"] }).invoke({});
    expect(paused).toMatchObject({ step: 1, state: { log: ["a"] }, interrupts: [{ kind: "after", node: "a", step: 1 }] });
  });

  it("does not pause a session that has just completed", async () => {
    expect((await pausesOf({ pauseAfter: ["c"] })).told).toEqual([]);
  });

  it("and pauseBefore of the next are two pauses", async () => {
    expect((await pausesOf({ pauseAfter: ["a"], pauseBefore: ["b"] })).told).toEqual(["after a | a", "before b | a"]);
  });

  it("does not pause after a node that was skipped", async () => {
    let rounds = 0;
    const compiled = graph({ name: "g", channels: { n: channel.value(0) } })
      .node("a", () => {}, { gate: "on-change" })
      .edge(START, "a")
      .branch("a", { again: "a", done: END }, () => ((rounds += 1) < 3 ? "again" : "done"))
      .compile();
    const runner = createRunner(compiled, { pauseAfter: ["a"] });
    expect((await runner.invoke({}, { sessionId: "s" })).status).toBe("paused");
    expect((await runner.session("s").resume().result).status).toBe("completed");
  });
});

describe("pauseEachStep", () => {
  it("pauses after each step but the last", async () => {
    expect((await pausesOf({ pauseEachStep: true })).told).toEqual(["step | a", "step | ab"]);
  });

  it("names no node, and goes with pauseAfter", async () => {
    const { interrupts } = await createRunner(chain(), { pauseEachStep: true, pauseAfter: ["a"] }).invoke({});
    expect(interrupts.map(({ kind, node }) => [kind, node])).toEqual([
      ["after", "a"],
      ["step", undefined],
    ]);
  });

  it("pauses a session stepped by hand, and reports it", async () => {
    const session = createRunner(chain(), { pauseEachStep: true }).session("s");
    await session.create({});
    const report = await session.runStep();
    expect(report).toMatchObject({
      step: 1,
      ranNodes: ["a"],
      nextFrontier: ["b"],
      completed: false,
      interrupts: [{ kind: "step", step: 1 }],
    });
    expect((await session.state()).status).toBe("paused");
    expect(await session.runStep()).toMatchObject({ step: 2, ranNodes: ["b"] });
    expect(await session.runStep()).toMatchObject({ step: 3, completed: true, interrupts: [] });
  });
});

describe("wrong pauses", () => {
  it("are invalid options", () => {
    for (const options of [{ pauseBefore: ["nobody"] }, { pauseAfter: "a" }, { pauseEachStep: 1 }, { pauseBefore: [1] }]) {
      expect(() => createRunner(chain(), options as never)).toThrow(expect.objectContaining({ code: "invalid_option" }));
    }
  });
});

describe("pauseBefore a node whose result is kept", () => {
  it("does not pause: it does not run", async () => {
    let broken = true;
    const compiled = graph({ name: "g", channels: { log: channel.list<string>() } })
      .node("x", () => {
        if (broken) throw new Error("x");
        return { log: ["x"] };
      })
      .node("y", () => ({ log: ["y"] }))
      .edge(START, ["x", "y"])
      .edge(["x", "y"], END)
      .compile();
    const checkpointer = memoryCheckpointer();
    await refused(() => createRunner(compiled, { checkpointer }).invoke({}, { sessionId: "s" }), "scheduler");
    broken = false;
    const result = await createRunner(compiled, { checkpointer, pauseBefore: ["y"] })
      .session("s")
      .resume().result;
    expect(result).toMatchObject({ status: "completed", state: { log: ["x", "y"] } });
  });
});
