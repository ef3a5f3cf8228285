/** Channels that carry a Standard Schema: what it judges, when, and that its output becomes the value. */
import { channel, memoryCheckpointer, replace, type StandardSchema } from "spanloom";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { causeOf, finalState, oneStep, parallel, refusal, rejection, runnerOf, sequence } from "./support.ts";

/** A schema of our own, that notes what it was given. */
function watching(judge: (value: never) => unknown): { readonly schema: StandardSchema<never>; readonly given: unknown[] } {
  const given: unknown[] = [];
  const validate = (value: unknown): unknown => (given.push(value), judge(value as never));
  return { schema: { "~standard": { version: 1, vendor: "test", validate } }, given };
}

const people = z.array(z.object({ name: z.string().trim().min(1), tags: z.array(z.string()).default([]) }));

describe("a schema on a channel", () => {
  it("refuses a bad value of every kind of channel, with channel, path and the node in the facts", async () => {
    const cases: readonly (readonly [unknown, unknown, string])[] = [
      [channel.value<unknown>({ n: 1 }).with({ schema: z.object({ n: z.number() }) as never }), { n: "x" }, "c.n"],
      [channel.optional<unknown>().with({ schema: z.object({ deep: z.array(z.string()) }) as never }), { deep: ["a", 1] }, "c.deep[1]"],
      [channel.list<unknown>().with({ schema: z.array(z.number()) as never }), [1, "x"], "c[1]"],
      [channel.merge<object>({ a: 1 }).with({ schema: z.object({ a: z.number() }) as never }), { a: "x" }, "c.a"],
      [
        channel.messages().with({ schema: z.array(z.object({ content: z.string() }).loose()) as never }),
        [{ role: "user", content: 5 }],
        "c[0].content",
      ],
    ];
    for (const [declared, update, path] of cases) {
      const error = await refusal("scheduler", () => finalState({ c: declared }, [() => ({ c: update })]));
      expect(error.facts).toMatchObject({ node: "n1", step: 1 });
      const cause = causeOf(error, "invalid_update");
      expect(cause.facts).toMatchObject({ channel: "c", node: "n1", path });
      expect(cause.message).toContain(path);
    }
  });

  it("judges a reduced value at the barrier, which names the channel", async () => {
    const total = channel.reduce(0, (sum, add: number) => sum + add).with({ schema: z.number().max(10) });
    expect(await finalState({ total }, [() => ({ total: 10 })])).toMatchObject({ total: 10 });
    const error = await refusal("barrier", () => finalState({ total }, [() => ({ total: 11 })]));
    expect(error.facts["channel"]).toBe("total");
    expect(causeOf(error, "invalid_update").facts).toMatchObject({ channel: "total", path: "total" });
  });

  it("judges the folded value, not each write: two that are fine alone may be refused together", async () => {
    const short = channel.list<number>().with({ schema: z.array(z.number()).max(2) });
    const write = () => ({ short: [1, 2] });
    expect((await runnerOf(parallel({ short }, { a: write })).invoke({})).state["short"]).toEqual([1, 2]);
    const error = await refusal("barrier", () => runnerOf(parallel({ short }, { a: write, b: write })).invoke({}));
    causeOf(error, "invalid_update");
  });

  it("judges a whole merge value: a key that must stay cannot be deleted", async () => {
    const settings = channel.merge<object>({ a: 1 }).with({ schema: z.object({ a: z.number(), b: z.number().optional() }) as never });
    expect(await finalState({ settings }, [() => ({ settings: { b: 2 } })])).toMatchObject({ settings: { a: 1, b: 2 } });
    causeOf(await refusal("scheduler", () => finalState({ settings }, [() => ({ settings: { a: null } })])), "invalid_update");
  });

  it("makes the value its output: trimmed, with defaults, stripped of unknown keys", async () => {
    const value = channel.value<unknown>().with({ schema: z.object({ name: z.string().trim(), n: z.number().default(7) }) as never });
    const state = await finalState({ value }, [() => ({ value: { name: " b ", other: true } })], { value: { name: " a " } });
    expect(state["value"]).toStrictEqual({ name: "b", n: 7 });
    const list = channel.list<unknown>().with({ schema: people });
    const listed = await finalState({ list }, [() => ({ list: [{ name: " x " }] }), () => ({ list: [{ name: "y" }] })], {
      list: [{ name: "w" }],
    });
    expect(listed["list"]).toStrictEqual(["w", "x", "y"].map((name) => ({ name, tags: [] })));
  });

  it("stores the output, so that a restored state is the running one", async () => {
    const compiled = sequence({ list: channel.list<unknown>().with({ schema: people }) }, [
      () => ({ list: [{ name: " first " }] }),
      () => ({ list: [{ name: "second" }] }),
    ]);
    const session = runnerOf(compiled, { checkpointer: memoryCheckpointer() }).session("s");
    const running = (await session.start({ list: [{ name: "input " }] }).result).state["list"];
    expect(running).toStrictEqual(["input", "first", "second"].map((name) => ({ name, tags: [] })));
    expect((await session.state()).state["list"]).toStrictEqual(running);
  });

  it("runs once for a write of a value, also when two entries wrote it", async () => {
    const marked = watching((value: string) => ({ value: `${value}!` }));
    const shouted = channel.value("").with({ schema: z.string() }).with({ schema: marked.schema, concurrent: "last" });
    marked.given.length = 0;
    const compiled = parallel({ shouted }, { a: () => ({ shouted: "a" }), b: () => ({ shouted: "b" }) });
    marked.given.length = 0;
    expect((await runnerOf(compiled).invoke({})).state["shouted"]).toBe("b!");
    expect(marked.given).toEqual(["a", "b"]);
  });

  it("runs once for a replace of a channel that folds", async () => {
    const { schema } = watching((value: readonly string[]) => ({ value: value.map((each) => `${each}!`) }));
    const list = channel.list<string>().with({ schema });
    expect(await finalState({ list }, [() => ({ list: replace(["a"]) })])).toMatchObject({ list: ["a!"] });
  });

  it("does not judge the absence of an optional channel", async () => {
    const note = channel.optional<string>().with({ schema: z.string() });
    expect((await finalState({ note }, [() => ({ note: replace(undefined) })], { note: "x" }))["note"]).toBeUndefined();
    expect((await finalState({ note }, [() => ({})]))["note"]).toBeUndefined();
  });

  it("cannot change the state through a Map that it is given, and refuse it then", async () => {
    const { schema } = watching((value: readonly Map<string, number>[]) => {
      if (value.length < 2) return { value };
      for (const map of value) map.clear();
      return { issues: [{ message: "is too long" }] };
    });
    const maps = channel.list<Map<string, number>>().with({ schema });
    const session = runnerOf(parallel({ maps }, { n: () => ({ maps: [new Map()] }) })).session("s");
    await session.create({ maps: [new Map([["kept", 1]])] });
    await refusal("scheduler", () => session.runStep());
    expect((await session.state()).state["maps"]).toEqual([new Map([["kept", 1]])]);
  });

  it("that is asynchronous, throws, or gives nonsense refuses the update, and nothing hangs", async () => {
    const wrong: readonly ((value: never) => unknown)[] = [
      () => Promise.resolve({ value: 1 }),
      () => Promise.reject(new Error("late")),
      () => {
        throw new TypeError("broken schema");
      },
      () => undefined,
      () => ({ issues: [] }),
    ];
    for (const judge of wrong) {
      const value = channel.optional<never>().with({ schema: watching(judge).schema });
      causeOf(await refusal("scheduler", () => finalState({ value }, [() => ({ value: 1 })])), "invalid_update");
      causeOf(await refusal("invalid_input", () => finalState({ value }, [], { value: 1 })), "invalid_update");
    }
  });

  it("whose output cannot be stored is refused with its path", async () => {
    const value = channel.optional<never>().with({ schema: watching(() => ({ value: { run: () => 1 } })).schema });
    const error = await rejection(() => finalState({ value }, [() => ({ value: 1 })]));
    expect(causeOf(error as Error, "unserializable_value").facts["path"]).toBe("value.run");
  });

  it("is not asked again by a retry: a refused update is final", async () => {
    let runs = 0;
    const compiled = parallel({ n: channel.value(0).with({ schema: z.number() }) }, { a: () => ((runs += 1), { n: "x" }) });
    await refusal("scheduler", () => runnerOf(compiled).invoke({}));
    expect(runs).toBe(1);
  });
});

describe("a restored value", () => {
  const withSchema = (schema: StandardSchema<never> | undefined) =>
    parallel(
      { c: schema === undefined ? channel.value<unknown>() : channel.value<never>().with({ schema }) },
      { n: (state) => ({ c: state.c }) },
    );

  async function stored(c: unknown) {
    const checkpointer = memoryCheckpointer();
    await runnerOf(withSchema(undefined), { checkpointer }).session("s").create({ c });
    return checkpointer;
  }

  it("that its schema refuses is invalid_state with the path; the session can still be read", async () => {
    const checkpointer = await stored({ n: "x" });
    const session = runnerOf(withSchema(z.object({ n: z.number() }) as never), { checkpointer }).session("s");
    const error = (await rejection(() => session.resume().result)) as Error;
    const found = [error, error.cause].find((each) => (each as { code?: string }).code === "invalid_state");
    expect(found).toMatchObject({ name: "StateError", facts: { channel: "c", path: "c.n" } });
    expect((await session.state()).state).toMatchObject({ c: { n: "x" } });
  });

  it("becomes its schema's output, for the nodes that run next, and without a rise of its version", async () => {
    const checkpointer = await stored({ n: 1 });
    const seen: unknown[] = [];
    const schema = z.object({ n: z.number(), added: z.string().default("new") }) as never;
    const compiled = parallel({ c: channel.value<never>().with({ schema }) }, { n: (state) => void seen.push(state.c) });
    const { state, versions } = await runnerOf(compiled, { checkpointer }).session("s").resume().result;
    expect(seen).toStrictEqual([{ n: 1, added: "new" }]);
    expect(state["c"]).toStrictEqual({ n: 1, added: "new" });
    expect(versions["c"]).toBe(1);
  });
});

describe("with()", () => {
  it("keeps the earlier options, for every kind, and leaves the channel that it was called on alone", async () => {
    const text = channel.value("");
    const both = text.with({ concurrent: "last" }).with({ schema: z.string() });
    const write = (c: unknown) => parallel({ c }, { a: () => ({ c: "a" }), b: () => ({ c: "b" }) });
    expect((await runnerOf(write(both)).invoke({})).state["c"]).toBe("b");
    await refusal("barrier", () => runnerOf(write(text)).invoke({}));
    await refusal("scheduler", () => oneStep(parallel({ c: both }, { a: () => ({ c: 1 }) })));
  });
});
