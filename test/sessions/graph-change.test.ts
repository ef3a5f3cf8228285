/** A session whose graph has changed since it was stored. */
import { describe, expect, it } from "vitest";
import { channel, type Checkpointer, createRunner, END, input, memoryCheckpointer, RunnerError, START } from "spanloom";
import { all, chain, expectCode, type Handler, loose, type LooseGraph, marked, settle } from "./support.ts";

/** A session of START → a → b → END that is paused after a. */
async function paused(graph: LooseGraph = chain("a", "b").compile()): Promise<Checkpointer> {
  const checkpointer = memoryCheckpointer();
  await createRunner(graph, { checkpointer, pauseAfter: ["a"] }).invoke({}, { sessionId: "s" });
  return checkpointer;
}

const open = (graph: LooseGraph, checkpointer: Checkpointer, options: Record<string, unknown> = {}) =>
  createRunner(graph, { checkpointer, ...options }).session("s");

describe("a compatible change", () => {
  it("goes on: more nodes and channels, other exits, nodes gone that are not due", async () => {
    const more = marked(loose({ extra: channel.value(7) }), "start_here", "b", "c")
      .edge(START, "start_here")
      .edge("start_here", "b")
      .edge("b", "c")
      .edge("c", END)
      .compile();
    const result = await open(more, await paused()).resume().result;
    expect(result).toMatchObject({ status: "completed", state: { log: ["a@1", "b@2", "c@3"], extra: 7 }, versions: { extra: 1 } });
  });

  it("brings a new channel's initial value into the store with the first record", async () => {
    const checkpointer = await paused();
    const more = loose({ notes: channel.list<string>(["first"]) })
      .node("b", () => ({ notes: ["second"] }))
      .node("c", () => ({ notes: ["third"] }))
      .edge(START, "b")
      .edge("b", "c")
      .edge("c", END)
      .compile();
    const session = open(more, checkpointer, { pauseAfter: ["b"] });
    expect((await session.resume().result).state["notes"]).toEqual(["first", "second"]);
    expect((await session.state()).state["notes"]).toEqual(["first", "second"]);
    expect((await open(more, checkpointer).resume().result).state["notes"]).toEqual(["first", "second", "third"]);
  });

  it("is written with the new graph's fingerprint from then on", async () => {
    const checkpointer = await paused();
    const longer = chain("a", "b", "c").compile();
    await open(longer, checkpointer).resume().result;
    const prints = (await all(checkpointer.history("s"))).map(({ record: { fingerprint } }) => fingerprint === longer.fingerprint);
    expect(prints).toEqual([true, true, false, false]);
  });
});

describe("an incompatible change", () => {
  const arrived = () =>
    marked(loose(), "a", "b1", "b2", "c").edge(START, ["a", "b1"]).edge("b1", "b2").edge(["a", "b2"], "c").edge("c", END);

  it("is `graph_changed`, with what changed, and leaves the session as it was", async () => {
    for (const [before, after, said] of [
      [undefined, chain("a", "c").compile(), /"b".*due/u],
      [
        marked(loose({ n: channel.value(1) }), "a", "b")
          .edge(START, "a")
          .edge("a", "b")
          .edge("b", END)
          .compile(),
        chain("a", "b").compile(),
        /"n".*gone/u,
      ],
      [
        marked(loose({ n: channel.value<unknown>([]) }), "a", "b")
          .edge(START, "a")
          .edge("a", "b")
          .edge("b", END)
          .compile(),
        marked(loose({ n: channel.list() }), "a", "b")
          .edge(START, "a")
          .edge("a", "b")
          .edge("b", END)
          .compile(),
        /"n".*value.*list/u,
      ],
      [arrived().compile(), chain("a", "b1", "b2", "c").compile(), /join.*arrivals/u],
    ] as const) {
      const checkpointer = await paused(before);
      const session = open(after, checkpointer);
      const snapshot = await session.state();
      for (const call of [
        () => session.resume().result,
        () => session.runStep(),
        () => session.next({}, { discardPending: true }).result,
        () => session.update({}),
      ]) {
        const error = await expectCode(call, "graph_changed");
        expect(error).toBeInstanceOf(RunnerError);
        expect((error.facts["changes"] as readonly string[]).join()).toMatch(said);
      }
      expect(await session.state(), "reading is allowed").toEqual(snapshot);
      expect(await all(session.history())).toHaveLength(2);
    }
  });
});

describe("`onGraphChange`", () => {
  it('of "error" refuses any change, of "warn" none', async () => {
    const longer = chain("a", "b", "c").compile();
    await expectCode(async () => open(longer, await paused(), { onGraphChange: "error" }).resume().result, "graph_changed");
    expect((await open(longer, await paused(), { onGraphChange: "warn" }).resume().result).state["log"]).toEqual(["a@1", "b@2", "c@3"]);
    const same = await open(chain("a", "b").compile(), await paused(), { onGraphChange: "error" }).resume().result;
    expect(same.state["log"]).toEqual(["a@1", "b@2"]);
  });

  it("may be a migration, which is given the stored graph and session, and may rename what is due", async () => {
    const given: unknown[] = [];
    const renamed = chain("a", "c").compile();
    const stored = chain("a", "b").compile();
    const migrate = (description: unknown, session: { readonly state: Record<string, unknown>; readonly next: readonly string[] }) => {
      given.push(description, session);
      return { state: { log: [...(session.state["log"] as readonly string[]), "migrated"] }, next: ["c"] };
    };
    const result = await open(renamed, await paused(stored), { onGraphChange: migrate }).resume().result;
    expect(result.state["log"]).toEqual(["a@1", "migrated", "c@2"]);
    expect(given).toEqual([stored.describe(), { state: { log: ["a@1"], errors: [] }, next: ["b"] }]);
  });

  it("is stored with what it made: a later session reads the migrated state", async () => {
    const checkpointer = await paused();
    const migrate = (_description: unknown, { state }: { readonly state: Record<string, unknown> }) => ({
      state: { log: [...(state["log"] as readonly string[]), "migrated"] },
      next: ["c"],
    });
    const session = open(chain("a", "c").compile(), checkpointer, { onGraphChange: migrate });
    await session.resume().result;
    expect((await session.state()).state["log"]).toEqual(["a@1", "migrated", "c@2"]);
    expect((await open(chain("a", "c").compile(), checkpointer).resume().result).state["log"]).toEqual(["a@1", "migrated", "c@2"]);
  });

  it("that leaves nothing due completes the session", async () => {
    const migrate = (_description: unknown, { state }: { readonly state: Record<string, unknown> }) => ({ state, next: [] });
    const checkpointer = await paused();
    const session = open(chain("a", "c").compile(), checkpointer, { onGraphChange: migrate });
    expect(await session.resume().result).toMatchObject({ status: "completed", steps: 0, state: { log: ["a@1"] } });
    expect(await session.state()).toMatchObject({ status: "completed" });
  });

  it("that gives what cannot be is refused, saying what is wrong, and leaves the session as it was", async () => {
    const state = { log: [] };
    for (const [migrate, code, said] of [
      [() => ({ state: {}, next: ["nowhere"] }), "graph_changed", /"nowhere", which is no node/u],
      [() => ({ state: { nope: 1 }, next: ["c"] }), "graph_changed", /"nope", which is no channel/u],
      [() => undefined, "graph_changed", /undefined/u],
      [() => null, "graph_changed", /null/u],
      [() => ({}), "graph_changed", /`state`/u],
      [() => ({ state: [], next: ["c"] }), "graph_changed", /`state`.*a list/u],
      [() => ({ state: new Map(), next: ["c"] }), "graph_changed", /`state`/u],
      [() => ({ state }), "graph_changed", /`next`.*undefined/u],
      [() => ({ state, next: "c" }), "graph_changed", /`next`/u],
      [() => ({ state, next: ["c", 3] }), "graph_changed", /`next`/u],
      [() => Promise.resolve({ state, next: ["c"] }), "graph_changed", /promise/u],
      [() => Promise.reject(new Error("late")), "graph_changed", /promise/u],
      [
        () => {
          throw new Error("no way");
        },
        "graph_changed",
        /threw/u,
      ],
      [() => ({ state: { log: "str" }, next: ["c"] }), "invalid_state", /"log"/u],
      [() => ({ state: { log: undefined }, next: ["c"] }), "invalid_state", /"log"/u],
      [() => ({ state: { facts: [] }, next: ["c"] }), "invalid_state", /"facts"/u],
      [() => ({ state: { log: [() => {}] }, next: ["c"] }), "unserializable_value", /log\[0\]/u],
    ] as const) {
      const checkpointer = await paused();
      const graph = marked(loose({ facts: channel.merge({}) }), "a", "c")
        .edge(START, "a")
        .edge("a", "c")
        .edge("c", END)
        .compile();
      const session = open(graph, checkpointer, { onGraphChange: migrate });
      const before = await session.state();
      for (const call of [() => session.resume().result, () => session.runStep(), () => session.update({})]) {
        expect((await expectCode(call, code)).message).toMatch(said);
      }
      expect(await session.state()).toEqual(before);
      expect(await all(session.history())).toHaveLength(2);
    }
  });

  it("that throws is the cause of what is refused", async () => {
    const cause = new Error("no way");
    const migrate = () => {
      throw cause;
    };
    const session = open(chain("a", "c").compile(), await paused(), { onGraphChange: migrate });
    expect((await expectCode(() => session.resume().result, "graph_changed")).cause).toBe(cause);
  });

  it("gets copies of what is live: what it changes in them is not stored", async () => {
    const graph = (name: string) =>
      loose({ seen: channel.value(new Map([["k", 1]])) })
        .node(name, ({ seen }) => ({ log: [String(seen.get("k"))] }))
        .edge(START, name)
        .edge(name, END)
        .compile();
    const checkpointer = memoryCheckpointer();
    await createRunner(graph("a"), { checkpointer, pauseBefore: ["a"] }).invoke({}, { sessionId: "s" });
    const spoils = (_stored: unknown, { state }: { readonly state: Record<string, unknown> }) => {
      (state["seen"] as Map<string, number>).set("k", 99);
      return {};
    };
    await expectCode(() => open(graph("b"), checkpointer, { onGraphChange: spoils }).resume().result, "graph_changed");
    expect((await open(graph("a"), checkpointer).resume().result).state["log"]).toEqual(["1"]);
  });
});

describe("a migration that renames what is due", () => {
  type Given = { readonly state: Record<string, unknown>; readonly next: readonly string[] };
  /** Keeps the state, and renames as told. */
  const renames =
    (names: Readonly<Record<string, string>>) =>
    (_stored: unknown, { state, next }: Given) => ({ state, next: next.map((name) => names[name] ?? name) });

  const asks: Handler = async (_state, { interrupt, node }) => ({ log: [`${node}: ${await interrupt("?", { id: "q" })}`] });
  const side = (handlers: Readonly<Record<string, Handler>>): LooseGraph =>
    Object.entries(handlers)
      .reduce((builder, [name, run]) => builder.node(name, run), loose())
      .edge(START, Object.keys(handlers))
      .edge(Object.keys(handlers), END)
      .compile();

  it("takes the questions with it: they are answered by their old names or their new ones", async () => {
    for (const answer of [{ answer: 5 }, { answers: { q: 5 } }, { answers: { "1/a/0/q": 5 } }]) {
      const checkpointer = memoryCheckpointer();
      await createRunner(side({ a: asks }), { checkpointer }).invoke({}, { sessionId: "s" });
      const session = open(side({ b: asks }), checkpointer, { onGraphChange: renames({ a: "b" }) });
      expect(await session.resume(answer).result, JSON.stringify(answer)).toMatchObject({ status: "completed", state: { log: ["b: 5"] } });
    }
    const checkpointer = memoryCheckpointer();
    await createRunner(side({ a: asks }), { checkpointer }).invoke({}, { sessionId: "s" });
    const session = open(side({ b: asks }), checkpointer, { onGraphChange: renames({ a: "b" }) });
    const { status, interrupts } = await session.resume().result;
    expect([status, interrupts]).toMatchObject(["paused", [{ id: "1/b/0/q", node: "b", payload: "?" }]]);
    expect(await session.state()).toMatchObject({ next: ["b"], interrupts });
    expect((await open(side({ b: asks }), checkpointer).resume({ answers: { "1/b/0/q": 6 } }).result).state["log"]).toEqual(["b: 6"]);
  });

  it("takes answers and sub-steps with it", async () => {
    let calls = 0;
    const two: Handler = async (_state, { interrupt, once }) => {
      await once("k", () => (calls += 1));
      const [first, second] = await Promise.all([interrupt("1?", { id: "one" }), interrupt("2?", { id: "two" })]);
      return { log: [first, second] };
    };
    const checkpointer = memoryCheckpointer();
    await createRunner(side({ a: two }), { checkpointer }).invoke({}, { sessionId: "s" });
    await open(side({ a: two }), checkpointer).resume({ answers: { one: "first" } }).result;
    const session = open(side({ b: two }), checkpointer, { onGraphChange: renames({ a: "b" }) });
    expect((await session.resume({ answers: { two: "second" } }).result).state["log"]).toEqual(["first", "second"]);
    expect(calls).toBe(1);
  });

  it("is not given what has finished, whose results stay", async () => {
    const ran: string[] = [];
    let broken = true;
    const notes: Handler = (_state, { node }) => {
      ran.push(node);
      return { log: [node] };
    };
    const fails: Handler = (state, context) => {
      if (broken) throw new Error("x");
      return notes(state, context);
    };
    const checkpointer = memoryCheckpointer();
    const before = createRunner(side({ a: notes, z: fails }), { checkpointer });
    await before.invoke({}, { sessionId: "s" }).catch(() => {});
    broken = false;
    const given: unknown[] = [];
    const migrate = (stored: unknown, session: Given) => {
      given.push(session.next);
      return renames({ z: "y" })(stored, session);
    };
    const session = open(side({ a: notes, y: fails }), checkpointer, { onGraphChange: migrate });
    expect((await session.resume().result).state["log"]).toEqual(["a", "y"]);
    expect([ran, given]).toEqual([["a", "y"], [["z"]]]);
  });

  it("is given what has finished if its node is gone: its result goes with the new name, and it does not run again", async () => {
    const ran: string[] = [];
    let broken = true;
    const notes: Handler = (_state, { node }) => {
      ran.push(node);
      return { log: [node] };
    };
    const fails: Handler = () => {
      if (broken) throw new Error("x");
    };
    const checkpointer = memoryCheckpointer();
    const before = createRunner(side({ a: notes, z: fails }), { checkpointer });
    await before.invoke({}, { sessionId: "s" }).catch(() => {});
    broken = false;
    const after = marked(loose(), "then")
      .node("b", notes)
      .node("z", fails)
      .edge(START, ["b", "z"])
      .edge("b", "then")
      .edge(["then", "z"], END)
      .compile();
    const session = open(after, checkpointer, { onGraphChange: renames({ a: "b" }) });
    expect((await session.resume().result).state["log"]).toEqual(["a", "then@2"]);
    expect(ran).toEqual(["a"]);
  });

  it("keeps items, also of several entries that get one name", async () => {
    const work: Handler = (_state, { input: item, idempotencyKey }) => ({ log: [`${item} ${idempotencyKey}`] });
    const graph = (name: string): LooseGraph =>
      loose({}, { inputs: { [name]: input<number>() } })
        .node("plan", (_state, { goto, send }) => goto([send(name, 1), send(name, 2)]), { jumps: [name] })
        .node(name, work)
        .edge(START, "plan")
        .edge(name, END)
        .compile();
    const checkpointer = memoryCheckpointer();
    await createRunner(graph("work"), { checkpointer, pauseEachStep: true }).invoke({}, { sessionId: "s" });
    const session = open(graph("job"), checkpointer, { onGraphChange: renames({ work: "job" }) });
    expect((await session.resume().result).state["log"]).toEqual(["1 s/2/job/0", "2 s/2/job/1"]);
  });

  it("does not pause again before what was passed", async () => {
    let broken = true;
    const fails: Handler = () => {
      if (broken) throw new Error("x");
    };
    const checkpointer = memoryCheckpointer();
    const before = createRunner(side({ a: fails }), { checkpointer, pauseBefore: ["a"] });
    await before.invoke({}, { sessionId: "s" });
    await before
      .session("s")
      .resume()
      .result.catch(() => {});
    broken = false;
    const options = { onGraphChange: renames({ a: "b" }), pauseBefore: ["b"] };
    expect((await open(side({ b: fails }), checkpointer, options).resume().result).status).toBe("completed");
  });

  it("is stored at once, as a record of its own, so that it happens once", async () => {
    let migrations = 0;
    const migrate = (stored: unknown, { state, next }: Given) => {
      migrations += 1;
      return renames({ a: "b" })(stored, { state: { ...state, log: [...(state["log"] as readonly string[]), "migrated"] }, next });
    };
    const checkpointer = memoryCheckpointer();
    await createRunner(side({ a: asks }), { checkpointer }).invoke({}, { sessionId: "s" });
    const after = side({ b: asks });
    const session = open(after, checkpointer, { onGraphChange: migrate });
    await session.resume().result;
    const [newest, origin] = await all(session.history());
    expect(newest).toMatchObject({ fingerprint: after.fingerprint, step: 0, next: ["b"], state: { log: ["migrated"] } });
    expect(newest?.parentId).toBe(origin?.checkpointId);
    expect((await session.resume({ answer: 1 }).result).state["log"]).toEqual(["migrated", "b: 1"]);
    expect(migrations).toBe(1);
  });

  it("makes new entries of names of another number: what was asked is asked again", async () => {
    const checkpointer = memoryCheckpointer();
    await createRunner(side({ a: asks }), { checkpointer }).invoke({}, { sessionId: "s" });
    const migrate = (_stored: unknown, { state }: Given) => ({ state, next: ["b", "c"] });
    const session = open(side({ b: asks, c: asks }), checkpointer, { onGraphChange: migrate });
    const { interrupts } = await session.resume().result;
    expect(interrupts.map(({ id }) => id)).toEqual(["1/b/0/q", "1/c/0/q"]);
  });
});

describe('`onGraphChange: "warn"`', () => {
  async function warnings(call: () => Promise<unknown>): Promise<readonly (Error & { readonly code?: string })[]> {
    const told: (Error & { readonly code?: string })[] = [];
    const note = (warning: Error): void => void told.push(warning);
    process.on("warning", note);
    await call();
    await settle();
    process.off("warning", note);
    return told.filter(({ code }) => code === "SPANLOOM_GRAPH_CHANGED");
  }

  it("warns once, naming what changed, and goes on with what is left", async () => {
    const checkpointer = await paused(
      marked(loose(), "a", "b", "c").edge(START, "a").edge("a", ["b", "c"]).edge(["b", "c"], END).compile(),
    );
    const session = open(chain("a", "c").compile(), checkpointer, { onGraphChange: "warn" });
    let log: unknown;
    const told = await warnings(async () => {
      log = (await session.resume().result).state["log"];
    });
    expect(log).toEqual(["a@1", "c@2"]);
    expect(told).toHaveLength(1);
    expect(told[0]?.message).toMatch(/"s".*"b" is due, and gone/u);
    const unchanged = await paused();
    expect(await warnings(() => open(chain("a", "b").compile(), unchanged, { onGraphChange: "warn" }).resume().result)).toEqual([]);
  });

  it("drops the questions of what is gone", async () => {
    const asks: Handler = async (_state, { interrupt, node }) => ({ log: [`${node} ${await interrupt("?")}`] });
    const graph = (...names: readonly string[]): LooseGraph =>
      names
        .reduce((builder, name) => builder.node(name, asks), loose())
        .edge(START, names)
        .edge(names, END)
        .compile();
    const checkpointer = memoryCheckpointer();
    await createRunner(graph("a", "b"), { checkpointer }).invoke({}, { sessionId: "s" });
    const session = open(graph("b"), checkpointer, { onGraphChange: "warn" });
    expect((await session.resume().result).interrupts).toMatchObject([{ node: "b" }]);
    expect((await session.resume({ answer: 1 }).result).state["log"]).toEqual(["b 1"]);
  });

  it("never makes a session completed that was not: with all that is due gone it is `graph_changed`", async () => {
    const session = open(chain("a", "c").compile(), await paused(), { onGraphChange: "warn" });
    const error = await expectCode(() => session.resume().result, "graph_changed");
    expect(error.facts["changes"]).toEqual(['node "b" is due, and gone']);
    expect(await session.state()).toMatchObject({ status: "paused", next: ["b"] });
  });

  it("does not take a value of another shape for the channel's", async () => {
    const before = marked(loose({ n: channel.value<unknown>("text") }), "a", "b")
      .edge(START, "a")
      .edge("a", "b")
      .edge("b", END)
      .compile();
    const after = marked(loose({ n: channel.list<string>() }), "a", "b")
      .edge(START, "a")
      .edge("a", "b")
      .edge("b", END)
      .compile();
    const session = open(after, await paused(before), { onGraphChange: "warn" });
    expect((await expectCode(() => session.resume().result, "invalid_state")).facts["channel"]).toBe("n");
  });
});

it("a restored value that its schema transforms is in the next record, and is no new version", async () => {
  const trimming = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (value: unknown) => ({ value: typeof value === "string" ? value.trim() : value }),
    },
  } as const;
  const graph = (text: unknown): LooseGraph =>
    loose({ text })
      .node("a", async (_state, { interrupt }) => void (await interrupt("?")))
      .edge(START, "a")
      .edge("a", END)
      .compile();
  const checkpointer = memoryCheckpointer();
  await createRunner(graph(channel.value("")), { checkpointer }).invoke({ text: " a " }, { sessionId: "s" });
  const session = open(graph(channel.value("").with({ schema: trimming })), checkpointer);
  const { state, versions } = await session.resume({ answer: 1 }).result;
  expect([state["text"], versions["text"]]).toEqual(["a", 1]);
  expect(await session.state()).toMatchObject({ status: "completed", state: { text: "a" }, versions: { text: 1 }, updatedChannels: [] });
  const fork = await session.fork();
  expect((await fork.state()).state["text"]).toBe("a");
});

it("a restored value that its channel's schema refuses is `invalid_state`, with its channel", async () => {
  let accepts = true;
  const validate = (value: unknown): unknown => (accepts ? { value } : { issues: [{ message: "no longer" }] });
  const schema = { "~standard": { version: 1, vendor: "test", validate } } as const;
  const graph = marked(loose({ n: channel.value<unknown>(1).with({ schema }) }), "a", "b")
    .edge(START, "a")
    .edge("a", "b")
    .edge("b", END)
    .compile();
  const session = open(graph, await paused(graph));
  accepts = false;
  const error = await expectCode(() => session.resume().result, "invalid_state");
  expect(error.facts["channel"]).toBe("n");
  accepts = true;
  expect((await session.resume().result).status).toBe("completed");
});

describe("what a migration or a laxer rule leaves alone", () => {
  it.each([{ pauseAfter: ["a"] }, { pauseEachStep: true }])("is a pause by %o, when only values are written", async (options) => {
    const checkpointer = memoryCheckpointer();
    await createRunner(chain("a", "b").compile(), { checkpointer, ...options }).invoke({}, { sessionId: "s" });
    const onGraphChange = (_before: unknown, { state }: { state: object }) => ({ state, next: ["c"] });
    const session = open(chain("a", "c").compile(), checkpointer, { onGraphChange });
    const { interrupts: before } = await session.state();
    expect(before).toHaveLength(1);
    expect(await session.update({ log: ["x"] })).toMatchObject({ status: "paused", next: ["c"], interrupts: before });
    expect((await session.resume().result).state["log"]).toEqual(["a@1", "x", "c@2"]);
  });
});

it("a migration cannot name a node that only a send can reach", async () => {
  const graph = loose({}, { inputs: { w: input<string>() } })
    .node("b", (_state, { send, goto }: Parameters<Handler>[1]) => goto([send("w", "x")]), { jumps: ["w"] })
    .node("w", () => ({}))
    .edge(START, "b")
    .edge("w", END)
    .compile();
  const checkpointer = await paused();
  for (const next of [["w"], ["b", "w"]]) {
    const onGraphChange = (_before: unknown, { state }: { state: object }) => ({ state, next });
    const error = await expectCode(() => open(graph, checkpointer, { onGraphChange }).resume().result, "graph_changed");
    expect(error.message).toContain("only a send can reach");
  }
});
