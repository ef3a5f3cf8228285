/** Failures that `onError` routes: once per failed entry, with what failed, and recorded in `errors`. */
import { describe, expect, it } from "vitest";
import { channel, createRunner, END, graph, input, memoryCheckpointer, type NodeOptions, START } from "spanloom";
import { collect, countingClock, eventsOf, gate, never, refused, settle } from "./support.ts";

class Broken extends Error {
  override readonly name = "Broken";
  readonly code = "E_BROKEN";
}

const channels = { log: channel.list<string>(), n: channel.value(0) };

/** START → a, b; a's failure leads to mend. */
const routed = (
  fail: (context: { readonly attempt: number; readonly signal: AbortSignal }) => unknown,
  options: NodeOptions = {},
  seen: unknown[] = [],
) =>
  graph({ name: "g", channels })
    .node("a", (_state, context) => fail(context) as undefined, { ...options, onError: "mend" })
    .node("b", () => ({ log: ["b"] }))
    .node("mend", (_state, { failure, step }) => {
      seen.push({ failure, step });
      return { log: ["mend"] };
    })
    .edge(START, ["a", "b"])
    .edge("a", END)
    .edge("b", END)
    .edge("mend", END)
    .compile();

const throws = (error: unknown) => (): never => {
  throw error;
};

describe("a routed failure", () => {
  it("makes the handler due next, with the failure; siblings go on", async () => {
    const seen: {
      readonly failure?: { readonly node: string; readonly attempt: number; readonly input: unknown; readonly error: unknown };
    }[] = [];
    const { result, events } = await collect(createRunner(routed(throws(new Broken("down")), {}, seen)).stream({}));
    expect(result).toMatchObject({ status: "completed", steps: 2, state: { log: ["b", "mend"] } });
    expect(seen).toMatchObject([{ step: 2, failure: { node: "a", attempt: 1, input: undefined } }]);
    const error = seen[0]?.failure?.error;
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: "Broken", message: "down" });
    expect(eventsOf(events, "node.failed", "a").map(({ data }) => [data.error.name, data.error.code, data.final])).toEqual([
      ["Broken", "E_BROKEN", true],
    ]);
    expect(eventsOf(events, "invocation.failed")).toEqual([]);
  });

  it("is in `errors`, which counts as an updated channel, and once only", async () => {
    const session = createRunner(routed(throws(new Broken("down", { cause: new TypeError("why") })))).session("s");
    await session.create({});
    const report = await session.runStep();
    expect(report).toMatchObject({ ranNodes: ["a", "b"], updatedChannels: ["log", "errors"], nextFrontier: ["mend"] });
    expect(report.versions["errors"]).toBe(2);
    const { state } = await session.state();
    expect(state.errors).toMatchObject([
      {
        scope: "node",
        node: "a",
        step: 1,
        tags: [],
        error: { name: "Broken", message: "down", code: "E_BROKEN", cause: { name: "TypeError" } },
      },
    ]);
  });

  it("comes after all attempts, and says how many there were", async () => {
    const seen: unknown[] = [];
    const retry = { attempts: 3, initialDelay: 0 };
    const { result } = await collect(createRunner(routed(throws(new Error("x")), { retry }, seen)).stream({}));
    expect(seen).toMatchObject([{ failure: { attempt: 3 } }]);
    expect(result?.state.errors).toHaveLength(1);
  });

  it("may be a time-out, or an update that was refused", async () => {
    const clock = countingClock();
    const late: unknown[] = [];
    const run = createRunner(routed(never, { timeout: 20 }, late), { clock }).invoke({});
    await clock.advance(20);
    expect((await run).status).toBe("completed");
    expect(late).toMatchObject([{ failure: { error: { name: "NodeError", code: "node_timeout" } } }]);
    const wrong: unknown[] = [];
    await createRunner(routed(() => ({ nope: 1 }), {}, wrong)).invoke({});
    expect(wrong).toMatchObject([{ failure: { error: { name: "StateError", code: "unknown_channel" } } }]);
  });

  it("does not abort the siblings, whatever `onFailure` says", async () => {
    const hold = gate();
    const compiled = graph({ name: "g", channels })
      .node("a", throws(new Error("x")), { onError: "mend" })
      .node("b", async (_state, { signal }) => {
        await hold.promise;
        return { log: [`b ${String(signal.aborted)}`] };
      })
      .node("mend", () => {})
      .edge(START, ["a", "b"])
      .edge("a", END)
      .edge("b", END)
      .edge("mend", END)
      .compile();
    const run = createRunner(compiled, { onFailure: "abort" }).invoke({});
    await settle();
    hold.resolve();
    expect((await run).state.log).toEqual(["b false"]);
  });

  it("takes neither the node's own exits, nor an arrival at a join", async () => {
    const compiled = graph({ name: "g", channels })
      .node("a", throws(new Error("x")), { onError: "mend" })
      .node("b", () => {})
      .node("own", () => ({ log: ["own"] }))
      .node("both", () => ({ log: ["both"] }))
      .node("mend", () => ({ log: ["mend"] }))
      .edge(START, ["a", "b"])
      .edge("a", "own")
      .edge(["a", "b"], "both")
      .edge("own", END)
      .edge("both", END)
      .edge("mend", END)
      .compile();
    const { result, events } = await collect(createRunner(compiled).stream({}));
    expect(result?.state.log).toEqual(["mend"]);
    expect(eventsOf(events, "join.starved").map(({ data }) => data)).toEqual([{ to: "both", arrived: ["b"], missing: ["a"] }]);
  });

  it("of an error that cannot be stored gives the handler its plain form", async () => {
    const seen: unknown[] = [];
    const error = Object.assign(new Error("odd"), { socket: () => {} });
    expect((await createRunner(routed(throws(error), {}, seen)).invoke({})).status).toBe("completed");
    expect(seen).toMatchObject([{ failure: { error: { message: "odd" } } }]);
  });

  it("of anything thrown that is no error is routed as well", async () => {
    for (const thrown of [undefined, null, "text", 7, { why: "object" }, Symbol("s"), () => {}]) {
      const seen: unknown[] = [];
      const { status, state } = await createRunner(routed(throws(thrown), {}, seen)).invoke({});
      expect(status).toBe("completed");
      expect(seen).toHaveLength(1);
      expect(state.errors).toHaveLength(1);
    }
  });

  it("in the handler fails the run like any other", async () => {
    const compiled = graph({ name: "g", channels })
      .node("a", throws(new Error("first")), { onError: "mend" })
      .node("mend", throws(new Error("second")))
      .edge(START, "a")
      .edge("a", END)
      .edge("mend", END)
      .compile();
    const error = await refused(() => createRunner(compiled).invoke({}), "scheduler");
    expect(error.cause).toMatchObject({ message: "second" });
    expect(error.facts).toMatchObject({ node: "mend", step: 2 });
  });
});

describe("sent entries", () => {
  const fan = (seen: unknown[], fails: (item: number) => boolean) =>
    graph({ name: "g", channels, inputs: { work: input<number>() } })
      .node("plan", (_state, { goto, send }) => goto([1, 2, 3, 4].map((item) => send("work", item))), { jumps: ["work"] })
      .node(
        "work",
        (_state, { input: item }) => {
          if (fails(item)) throw new Error(`item ${item}`);
          return { log: [`work ${item}`] };
        },
        { onError: "mend" },
      )
      .node("mend", (_state, { failure }) => {
        seen.push(failure?.input);
        return { log: [`mend ${String(failure?.input)}`] };
      })
      .node("after", () => ({ log: ["after"] }))
      .edge(START, "plan")
      .edge("work", "after")
      .edge("mend", END)
      .edge("after", END)
      .compile();

  it("route alone: the handler runs once per failed entry, with that entry's item", async () => {
    const seen: unknown[] = [];
    const session = createRunner(fan(seen, (item) => item % 2 === 0)).session("s");
    await session.create({});
    await session.runStep();
    const report = await session.runStep();
    expect(report.ranNodes).toEqual(["work", "work", "work", "work"]);
    expect(report.nextFrontier.toSorted()).toEqual(["after", "mend", "mend"]);
    await session.runUntilComplete();
    expect(seen).toEqual([2, 4]);
    expect((await session.state().catch(() => undefined))?.state.log ?? []).toEqual([]);
  });

  it("that all fail are all handled, and nothing follows their node's own edge", async () => {
    const seen: unknown[] = [];
    const { state } = await createRunner(fan(seen, () => true)).invoke({});
    expect(state.log).toEqual(["mend 1", "mend 2", "mend 3", "mend 4"]);
    expect(state.errors.map(({ error }) => error.message)).toEqual(["item 1", "item 2", "item 3", "item 4"]);
  });
});

describe("a routed failure beside one that is not", () => {
  it("is a pending result: the resume does not run that node again, and the handler gets the failure", async () => {
    let tries = 0;
    let broken = true;
    const seen: unknown[] = [];
    const compiled = graph({ name: "g", channels })
      .node(
        "a",
        () => {
          tries += 1;
          throw new Broken("down");
        },
        { onError: "mend" },
      )
      .node("b", () => {
        if (broken) throw new Error("b");
      })
      .node("mend", (_state, { failure }) => void seen.push(failure))
      .edge(START, ["a", "b"])
      .edge("a", END)
      .edge("b", END)
      .edge("mend", END)
      .compile();
    const checkpointer = memoryCheckpointer();
    await refused(() => createRunner(compiled, { checkpointer }).invoke({}, { sessionId: "s" }), "scheduler");
    const elsewhere = createRunner(compiled, { checkpointer }).session("s");
    expect(await elsewhere.state()).toMatchObject({ status: "failed", next: ["b"], state: { errors: [] } });
    broken = false;
    const { status, state } = await elsewhere.resume().result;
    expect(status).toBe("completed");
    expect([tries, state.errors.length]).toEqual([1, 1]);
    expect(seen).toMatchObject([{ node: "a", attempt: 1, error: { name: "Broken", message: "down" } }]);
  });
});

describe("reportError", () => {
  it("adds to `errors` with tags and context, in frontier order, and the run goes on", async () => {
    const compiled = graph({ name: "g", channels })
      .node("slow", async (_state, { reportError }) => {
        reportError(new Broken("one"), { tags: ["net"], context: { url: "x" } });
        await settle(2);
        reportError("two");
      })
      .node("quick", (_state, { reportError }) => reportError(new Error("three")))
      .edge(START, ["slow", "quick"])
      .edge("slow", END)
      .edge("quick", END)
      .compile();
    const clock = countingClock(1000);
    const { state } = await createRunner(compiled, { clock }).invoke({});
    expect(
      state.errors.map(({ node, error, tags, context, when, scope }) => ({ node, message: error.message, tags, context, when, scope })),
    ).toEqual([
      { node: "slow", message: "one", tags: ["net"], context: { url: "x" }, when: 1000, scope: "node" },
      { node: "slow", message: "two", tags: [], context: {}, when: 1000, scope: "node" },
      { node: "quick", message: "three", tags: [], context: {}, when: 1000, scope: "node" },
    ]);
  });

  it("of an attempt that failed is not kept", async () => {
    const compiled = graph({ name: "g", channels })
      .node(
        "a",
        (_state, { attempt, reportError }) => {
          reportError(new Error(`try ${attempt}`));
          if (attempt === 1) throw new Error("x");
        },
        { retry: { attempts: 2, initialDelay: 0 } },
      )
      .edge(START, "a")
      .edge("a", END)
      .compile();
    const { state } = await createRunner(compiled).invoke({});
    expect(state.errors.map(({ error }) => error.message)).toEqual(["try 2"]);
  });
});
