/** A session whose graph has changed since it was stored. */
import { describe, expect, it } from "vitest";
import { channel, type Checkpointer, createRunner, END, memoryCheckpointer, RunnerError, START } from "spanloom";
import { all, chain, expectCode, loose, type LooseGraph, marked } from "./support.ts";

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
    const other = chain("a", "c").compile();
    const result = await open(other, await paused(), { onGraphChange: "warn" }).resume().result;
    expect(result).toMatchObject({ status: "completed", state: { log: ["a@1"] } });
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

  it("that names a node that is none is refused", async () => {
    const migrate = () => ({ state: {}, next: ["nowhere"] });
    await expectCode(
      async () => open(chain("a", "c").compile(), await paused(), { onGraphChange: migrate }).resume().result,
      "graph_changed",
    );
  });
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
