/** A result is validated and copied inside its attempt: a bad one fails its node, by name, and nothing of it is stored. */
import { channel, memoryCheckpointer, StateError } from "spanloom";
import { recordSpans } from "spanloom/testing";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { causeOf, loose, parallel, refusal, runnerOf, sequence } from "./support.ts";

const channels = { v: channel.value(0).with({ schema: z.number() }), l: channel.list<unknown>(), ok: channel.value("no") };

const badResults: Readonly<Record<string, readonly [unknown, string]>> = {
  "an unknown channel": [{ nope: 1 }, "unknown_channel"],
  "a value that the schema refuses": [{ v: "x" }, "invalid_update"],
  "what the channel does not take": [{ l: 1 }, "invalid_update"],
  "what cannot be stored": [{ l: [() => 1] }, "unserializable_value"],
  "a text": ["done", "invalid_update"],
  "a number": [0, "invalid_update"],
  false: [false, "invalid_update"],
  "a list": [[{ v: 1 }], "invalid_update"],
  "a Map": [new Map([["v", 1]]), "invalid_update"],
  "a Date": [new Date(0), "invalid_update"],
  "a function": [() => ({ v: 1 }), "invalid_update"],
  "a symbol": [Symbol("s"), "invalid_update"],
  "an instance of a class": [
    new (class Update {
      v = 1;
    })(),
    "invalid_update",
  ],
  "an error that is returned instead of thrown": [new Error("oops"), "invalid_update"],
};

describe("a node that returns", () => {
  for (const [name, [returned, code]] of Object.entries(badResults)) {
    it(`${name} fails with its name, sync and async; what a sibling wrote is kept as a pending result, and nothing of the bad one`, async () => {
      for (const bad of [() => returned, () => Promise.resolve(returned)]) {
        const checkpointer = memoryCheckpointer();
        const runner = runnerOf(parallel(channels, { good: () => ({ ok: "yes" }), bad }), { checkpointer });
        const error = await refusal("scheduler", () => runner.invoke({}, { sessionId: "s" }));
        expect(error.facts).toMatchObject({ node: "bad", step: 1 });
        expect(error.message).toContain('"bad"');
        expect(causeOf(error, code).facts["node"]).toBe("bad");
        const stored = await checkpointer.load("s");
        expect(stored?.record.results.map(({ node }) => node)).toEqual(["good"]);
        expect(stored?.state).toMatchObject({ v: 0, l: [], ok: "no" });
        expect(stored?.record.status).toBe("failed");
      }
    });
  }

  it("nothing, undefined, null or an empty object has written nothing", async () => {
    for (const returned of [undefined, null, {}, { v: undefined }, Object.create(null)]) {
      const { status, versions } = await runnerOf(parallel(channels, { n: () => returned })).invoke({});
      expect({ status, versions }).toEqual({ status: "completed", versions: { v: 1, l: 1, ok: 1, errors: 1 } });
    }
  });

  it("an update whose getter throws fails with that error", async () => {
    const thrown = new RangeError("from a getter");
    const update = {
      get v(): number {
        throw thrown;
      },
    };
    const error = await refusal("scheduler", () => runnerOf(parallel(channels, { n: () => update })).invoke({}));
    expect(error.cause).toBe(thrown);
  });

  it("a command with a bad update fails alike", async () => {
    const compiled = parallel(channels, { n: (_state, { goto }) => goto([], { v: "x" }) });
    expect(causeOf(await refusal("scheduler", () => runnerOf(compiled).invoke({})), "invalid_update").facts["node"]).toBe("n");
  });
});

describe("a refused result", () => {
  it("is never retried: not as an update, a value or a schema's refusal", async () => {
    for (const returned of [{ nope: 1 }, { l: [() => 1] }, { v: "x" }, "text"]) {
      let runs = 0;
      const compiled = loose(channels)
        .node("n", () => ((runs += 1), returned), { retry: { attempts: 5, initialDelay: 0 } })
        .edge("start", "n")
        .edge("n", "end")
        .compile();
      await refusal("scheduler", () => runnerOf(compiled).invoke({}));
      expect(runs).toBe(1);
    }
  });

  it("emits node.failed with its code, final, and no node.completed", async () => {
    const run = runnerOf(sequence(channels, [() => ({ v: "x" })])).stream({});
    const types: string[] = [];
    for await (const event of run) {
      types.push(event.type);
      if (event.type === "node.failed") expect(event.data).toMatchObject({ final: true, error: { code: "invalid_update" } });
    }
    expect(types).toContain("node.failed");
    expect(types).not.toContain("node.completed");
    await refusal("scheduler", () => run.result);
  });

  it("is the node's span's failure, not the barrier's", async () => {
    const { spans } = await recordSpans(async () => {
      await refusal("scheduler", () => runnerOf(sequence(channels, [() => ({ v: "x" })]), { telemetry: {} }).invoke({}));
    });
    const named = (name: string) => spans.filter((span) => span.name.startsWith(name)).map(({ status }) => status);
    expect(named("execute_node")).toEqual(["error"]);
    expect(named("barrier")).toEqual([]);
  });

  it("goes by onError like any other failure, and the run goes on", async () => {
    const compiled = loose(channels)
      .node("bad", () => ({ nope: 1 }), { onError: "rescue" })
      .node("rescue", (_state, { failure }) => ({ ok: failure.error instanceof Error ? `rescued ${failure.node}` : "not an error" }))
      .edge("start", "bad")
      .edge("bad", "end")
      .edge("rescue", "end")
      .compile();
    const { state } = await runnerOf(compiled).invoke({});
    expect(state["ok"]).toBe("rescued bad");
    expect(state["errors"]).toMatchObject([{ node: "bad", error: { name: "StateError", code: "unknown_channel" } }]);
  });

  it("of two nodes surfaces as both, in frontier order, each with its own name", async () => {
    const compiled = parallel(channels, { a: () => ({ nope: 1 }), b: () => ({ v: "x" }) });
    const error = await refusal("scheduler", () => runnerOf(compiled).invoke({}));
    const both = (error.cause as AggregateError).errors as StateError[];
    expect(both.map(({ code, facts }) => [code, facts["node"]])).toEqual([
      ["unknown_channel", "a"],
      ["invalid_update", "b"],
    ]);
  });

  it("can be mended: a resume runs the bad node again, and no other", async () => {
    const checkpointer = memoryCheckpointer();
    const runs: string[] = [];
    const graphWith = (bad: unknown) =>
      parallel(channels, { good: () => (runs.push("good"), { ok: "yes" }), bad: () => (runs.push("bad"), bad) });
    await refusal("scheduler", () => runnerOf(graphWith({ v: "x" }), { checkpointer }).invoke({}, { sessionId: "s" }));
    const { state } = await runnerOf(graphWith({ v: 7 }), { checkpointer })
      .session("s")
      .resume().result;
    expect(state).toMatchObject({ v: 7, ok: "yes" });
    expect(runs.toSorted()).toEqual(["bad", "bad", "good"]);
  });
});
