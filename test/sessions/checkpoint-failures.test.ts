/** Stores that fail: at once, later, and only sometimes. */
import { describe, expect, it } from "vitest";
import {
  CheckpointError,
  type Checkpointer,
  createRunner,
  END,
  memoryCheckpointer,
  RunnerError,
  START,
  type StoredCheckpoint,
} from "spanloom";
import { recordSpans } from "spanloom/testing";
import {
  all,
  chain,
  collect,
  expectCode,
  type Handler,
  held,
  loose,
  type LooseGraph,
  mark,
  marked,
  ofType,
  settle,
  typesOf,
  wrapped,
} from "./support.ts";

const full = new Error("disk full");
const throwing = (): never => {
  throw full;
};
const rejecting = async (): Promise<never> => {
  await Promise.resolve();
  throw full;
};
const ways = [
  ["throws", throwing],
  ["rejects", rejecting],
] as const;

const pair = (b: Handler = mark): LooseGraph =>
  marked(loose(), "a", "c").node("b", b).edge(START, "a").edge("a", ["b", "c"]).edge("b", END).edge("c", END).compile();

describe.each(ways)("a store that %s", (_name, fail) => {
  it("on creation fails the run with `checkpoint_failed` and its error as cause: no node runs", async () => {
    const ran: string[] = [];
    const graph = loose()
      .node("a", () => void ran.push("a"))
      .edge(START, "a")
      .edge("a", END)
      .compile();
    const store = wrapped((method) => (method === "save" ? fail() : undefined));
    const { events, error } = await collect(createRunner(graph, { checkpointer: store }).stream({}, { sessionId: "s" }));
    expect(error).toBeInstanceOf(RunnerError);
    expect(error).toMatchObject({ code: "checkpoint_failed", cause: full, facts: { sessionId: "s", step: 0 } });
    expect(ran).toEqual([]);
    expect(typesOf(events)).toEqual(["session.created", "invocation.started", "checkpoint.failed", "invocation.failed"]);
  });

  it("after a superstep fails the run, and a resume does that superstep again", async () => {
    let broken = true;
    const store = wrapped((method, call) => (method === "save" && call === 3 && broken ? fail() : undefined));
    const runner = createRunner(chain("a", "b", "c").compile(), { checkpointer: store });
    const { events, error } = await collect(runner.stream({}, { sessionId: "s" }));
    expect(error).toMatchObject({ code: "checkpoint_failed", cause: full, facts: { step: 2 } });
    expect(ofType(events, "checkpoint.failed").map(({ step, data }) => [step, data.error.message])).toEqual([[2, "disk full"]]);
    expect(ofType(events, "superstep.completed").map(({ step }) => step)).toEqual([1]);
    broken = false;
    expect((await runner.session("s").resume().result).state["log"]).toEqual(["a@1", "b@2", "c@3"]);
  });

  it("on a pause fails the run", async () => {
    const store = wrapped((method) => (method === "amend" ? fail() : undefined));
    const runner = createRunner(chain("a", "b").compile(), { checkpointer: store, pauseAfter: ["a"] });
    expect((await expectCode(() => runner.invoke({}), "checkpoint_failed")).cause).toBe(full);
  });

  it("on the results of entries fails the run, and tells it", async () => {
    const store = wrapped((method) => (method === "addResults" ? fail() : undefined));
    const { events, error } = await collect(createRunner(pair(), { checkpointer: store }).stream({}));
    expect(error).toMatchObject({ code: "checkpoint_failed", cause: full });
    expect(ofType(events, "checkpoint.failed").map(({ data }) => data.error.message)).toEqual(["disk full"]);
    expect(typesOf(events).at(-1)).toBe("invocation.failed");
  });

  it("on loading fails what needs it, and begins nothing", async () => {
    const store = wrapped((method) => (method === "load" ? fail() : undefined));
    const runner = createRunner(chain("a").compile(), { checkpointer: store });
    const { events, error } = await collect(runner.session("s").resume());
    const unavailable = { code: "checkpointer_unavailable", cause: full };
    expect([events, error]).toMatchObject([[], unavailable]);
    await expect(runner.session("s").state()).rejects.toMatchObject(unavailable);
    await expect(runner.session("s").start({}).result).rejects.toMatchObject(unavailable);
    await expect(runner.session("s").runStep()).rejects.toMatchObject(unavailable);
    expect(runner.health()).toMatchObject({ activeInvocations: 0 });
  });

  it("is warned of under `warn`: the run goes on, and the next record holds what this one could not", async () => {
    const store = wrapped((method, call) => (method === "save" && (call === 1 || call === 3) ? fail() : undefined));
    const runner = createRunner(chain("a", "b", "c").compile(), { checkpointer: store, onCheckpointError: "warn" });
    const { events, result } = await collect(runner.stream({ log: ["in"] }, { sessionId: "s" }));
    expect(result).toMatchObject({ status: "completed", state: { log: ["in", "a@1", "b@2", "c@3"] } });
    expect(typesOf(events).filter((type) => type.startsWith("checkpoint."))).toEqual([
      "checkpoint.failed",
      "checkpoint.saved",
      "checkpoint.failed",
      "checkpoint.saved",
    ]);
    const kept = await all(store.history("s"));
    expect(kept.map(({ record: { step }, state }) => [step, state["log"]])).toEqual([
      [3, ["in", "a@1", "b@2", "c@3"]],
      [1, ["in", "a@1"]],
    ]);
    expect(await runner.session("s").state()).toMatchObject({ status: "completed", step: 3 });
  });

  it("is warned of under `warn` also when it refuses the results of entries", async () => {
    const store = wrapped((method) => (method === "addResults" ? fail() : undefined));
    const runner = createRunner(pair(), { checkpointer: store, onCheckpointError: "warn" });
    const { events, result } = await collect(runner.stream({}));
    expect(result).toMatchObject({ status: "completed", state: { log: ["a@1", "b@2", "c@2"] } });
    expect(ofType(events, "checkpoint.failed")).not.toEqual([]);
  });
});

describe("under `warn`", () => {
  const failedSaves = (...calls: readonly number[]): Checkpointer =>
    wrapped((method, call) => (method === "save" && calls.includes(call) ? rejecting() : undefined));

  it("a pause after a record that could not be saved is stored with all of it: a resume elsewhere goes on from there", async () => {
    const store = failedSaves(2, 3);
    const graph = loose()
      .node("a", mark)
      .node("b", mark)
      .node("ask", async (_state, { interrupt, step }) => ({ log: [`${await interrupt("?")}@${step}`] }))
      .edge(START, "a")
      .edge("a", "b")
      .edge("b", "ask")
      .edge("ask", END)
      .compile();
    const options = { checkpointer: store, onCheckpointError: "warn" } as const;
    expect(await createRunner(graph, options).invoke({}, { sessionId: "s" })).toMatchObject({ status: "paused", step: 2 });
    const session = createRunner(graph, options).session("s");
    expect(await session.state()).toMatchObject({ status: "paused", step: 2, next: ["ask"], state: { log: ["a@1", "b@2"] } });
    expect((await session.resume({ answer: "yes" }).result).state["log"]).toEqual(["a@1", "b@2", "yes@3"]);
  });

  it("a failure after a creation that could not be saved is the node's own, and stored", async () => {
    const store = failedSaves(1);
    const cause = new Error("x");
    const graph = loose()
      .node("a", () => {
        throw cause;
      })
      .edge(START, "a")
      .edge("a", END)
      .compile();
    const runner = createRunner(graph, { checkpointer: store, onCheckpointError: "warn" });
    const error = await expectCode(() => runner.invoke({}, { sessionId: "s" }), "scheduler");
    expect(error.cause).toBe(cause);
    expect(await runner.session("s").state()).toMatchObject({ status: "failed", step: 0, next: ["a"] });
  });

  it("taking a session over that could not be told is told by the next save", async () => {
    let broken = false;
    const store = wrapped((method) => {
      if (method !== "amend" || !broken) return undefined;
      broken = false;
      return rejecting();
    });
    const session = createRunner(pair(), { checkpointer: store, onCheckpointError: "warn", pauseBefore: ["b"] }).session("s");
    await session.start({}).result;
    broken = true;
    expect(await session.resume().result).toMatchObject({ status: "completed", step: 2 });
    expect(await store.load("s")).toMatchObject({ ownerEpoch: 2, record: { status: "completed", epoch: 2 } });
  });

  it("results of a step whose predecessor could not be saved are not mixed with that one's", async () => {
    const store = failedSaves(2);
    const slow = held();
    const graph = marked(loose(), "a", "b")
      .node("c", slow.handler)
      .edge(START, ["a", "b"])
      .branch("a", { again: ["b", "c"], done: END }, ({ log }) => (log.length < 3 ? "again" : "done"))
      .edge(["b", "c"], END)
      .compile();
    const run = createRunner(graph, { checkpointer: store, onCheckpointError: "warn" }).stream({}, { sessionId: "s" });
    await slow.entered;
    await settle();
    // Killed here, the session goes on from its creation: b's result is that of step 1.
    const kept = (await store.load("s")) as StoredCheckpoint;
    const wrote = kept.record.results.filter(({ node }) => node === "b").flatMap(({ writes }) => writes.map(({ value }) => value));
    expect([kept.record.step, wrote]).toEqual([0, [["b@1"]]]);
    slow.open();
    await run.result;
  });

  it("a store that never works stops no run", async () => {
    const store = wrapped((method) => (method === "load" ? undefined : rejecting()));
    const runner = createRunner(pair(), { checkpointer: store, onCheckpointError: "warn", pauseAfter: ["a"] });
    expect(await runner.invoke({})).toMatchObject({ status: "paused", state: { log: ["a@1"] } });
  });

  it("a conflict ends the run all the same", async () => {
    const store = wrapped(() => undefined);
    const runner = createRunner(
      loose()
        .node("a", async () => {
          await createRunner(chain("a").compile(), { checkpointer: store, onGraphChange: "warn" }).session("s").resume().result;
        })
        .edge(START, "a")
        .edge("a", END)
        .compile(),
      { checkpointer: store, onCheckpointError: "warn" },
    );
    const error = await expectCode(() => runner.invoke({}, { sessionId: "s" }), "checkpoint_failed");
    expect(error.cause).toMatchObject({ code: "checkpoint_conflict" });
  });
});

describe("a durable sub-step that cannot be stored", () => {
  const store = () => wrapped((method) => (method === "addResults" ? rejecting() : undefined));
  const graph = (): LooseGraph =>
    loose()
      .node("a", async (_state, { once }) => ({ log: [await once("k", () => "v")] }), { retry: { attempts: 2, initialDelay: 0 } })
      .edge(START, "a")
      .edge("a", END)
      .compile();

  it("fails the run with `checkpoint_failed`, as any save does", async () => {
    const { events, error } = await collect(createRunner(graph(), { checkpointer: store() }).stream({}));
    expect(error).toMatchObject({ code: "checkpoint_failed", cause: full });
    expect(ofType(events, "checkpoint.failed")).not.toEqual([]);
  });

  it("is warned of under `warn`: its result is given all the same", async () => {
    const runner = createRunner(graph(), { checkpointer: store(), onCheckpointError: "warn" });
    expect((await runner.invoke({})).state["log"]).toEqual(["v"]);
  });
});

describe("a failed save", () => {
  it("is an event and an error of its span, whether it fails the run or not", async () => {
    for (const onCheckpointError of ["fail", "warn"] as const) {
      const store = wrapped((method, call) => (method === "save" && call === 2 ? throwing() : undefined));
      const runner = createRunner(chain("a").compile(), { checkpointer: store, onCheckpointError });
      const { result, spans } = await recordSpans(() => collect(runner.stream({})));
      expect(ofType(result.events, "checkpoint.failed")).toHaveLength(1);
      expect(spans.filter(({ name, status }) => name === "checkpoint" && status === "error")).toHaveLength(1);
    }
  });

  it("leaves no rejection unhandled and nothing running, whatever the store throws", async () => {
    for (const thrown of [undefined, null, "text", 7, { odd: true }]) {
      const store = wrapped((method) => (method === "save" ? Promise.reject(thrown) : undefined));
      const runner = createRunner(chain("a").compile(), { checkpointer: store });
      const error = await expectCode(() => runner.invoke({}), "checkpoint_failed");
      expect(error.cause).toBe(thrown);
      expect(runner.health().activeInvocations).toBe(0);
    }
    await settle();
  });
});

describe("an asynchronous store", () => {
  it("behaves as one that answers at once: through failures, pauses, resumes and forks", async () => {
    const slow = wrapped(() => settle(2));
    let broken = true;
    const graph = pair((state, context) => {
      if (broken) throw new Error("not yet");
      return mark(state, context);
    });
    const runner = createRunner(graph, { checkpointer: slow, pauseBefore: ["b"] });
    const session = runner.session("s");
    expect(await session.start({}).result).toMatchObject({ status: "paused", step: 1 });
    await expectCode(() => session.resume().result, "scheduler");
    broken = false;
    const fork = await session.fork({ sessionId: "t" });
    expect((await session.resume().result).state["log"]).toEqual(["a@1", "b@2", "c@2"]);
    expect((await fork.resume().result).state["log"]).toEqual(["a@1", "b@2", "c@2"]);
    expect((await all(session.history())).map(({ step, status }) => [step, status])).toEqual(
      [
        [2, "completed"],
        [1, "failed"],
        [0, "running"],
      ].map(([step, status]) => (step === 1 ? [1, expect.any(String)] : [step, status])),
    );
  });
});

describe("a store that cannot be read", () => {
  const boom = new Error("boom");
  const fails = (): never => {
    throw boom;
  };
  const calls: Readonly<Record<string, (store: Checkpointer) => Promise<unknown>>> = {
    invoke: (checkpointer) => createRunner(chain("a").compile(), { checkpointer }).invoke({}, { sessionId: "s" }),
    "invoke, next if it exists": (checkpointer) =>
      createRunner(chain("a").compile(), { checkpointer }).invoke({}, { sessionId: "s", onExisting: "next" }),
    "invoke, resumed if it exists": (checkpointer) =>
      createRunner(chain("a").compile(), { checkpointer }).invoke({}, { sessionId: "s", onExisting: "resume" }),
    resume: (checkpointer) => sessionOf(checkpointer).resume().result,
    next: (checkpointer) => sessionOf(checkpointer).next({}).result,
    create: (checkpointer) => sessionOf(checkpointer).create({}),
    runStep: (checkpointer) => sessionOf(checkpointer).runStep(),
    state: (checkpointer) => sessionOf(checkpointer).state(),
    at: (checkpointer) => sessionOf(checkpointer).at("x"),
    update: (checkpointer) => sessionOf(checkpointer).update({}),
    fork: (checkpointer) => sessionOf(checkpointer).fork(),
    finish: (checkpointer) => sessionOf(checkpointer).finish(),
    delete: (checkpointer) => sessionOf(checkpointer).delete(),
    history: (checkpointer) => all(sessionOf(checkpointer).history()),
    sessions: (checkpointer) => all(createRunner(chain("a").compile(), { checkpointer }).sessions()),
  };
  const sessionOf = (checkpointer: Checkpointer) => createRunner(chain("a").compile(), { checkpointer }).session("s");

  it.each(Object.keys(calls))("%s: `checkpointer_unavailable`, with the store's error as its cause", async (name) => {
    const inner = memoryCheckpointer();
    await sessionOf(inner).start({}).result;
    const listed = (): AsyncIterable<never> => ({ [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(boom) }) });
    const unreadable = { ...inner, load: fails, list: listed, history: listed };
    const unread = { ...inner, load: () => Promise.reject(boom), list: listed, history: listed };
    for (const store of [unreadable, unread]) {
      const error = await expectCode(() => calls[name]?.(store) ?? Promise.resolve(), "checkpointer_unavailable");
      expect(error).toBeInstanceOf(CheckpointError);
      expect([error.cause, error.facts["backend"]]).toEqual([boom, store.backend]);
    }
    const deaf = { ...inner, delete: fails, history: listed, save: fails };
    if (name === "delete" || name === "history")
      await expectCode(() => calls[name]?.(deaf) ?? Promise.resolve(), "checkpointer_unavailable");
    if (name === "fork") expect((await expectCode(() => sessionOf(deaf).fork(), "checkpoint_failed")).cause).toBe(boom);
  });

  it("and a typed error of it stays what it is", async () => {
    const corrupt = new CheckpointError("checkpoint_corrupt", { sessionId: "s", checkpointId: "x", reason: "its check sum is wrong" });
    const store = { ...memoryCheckpointer(), load: () => Promise.reject(corrupt) };
    await expect(sessionOf(store).state()).rejects.toBe(corrupt);
  });
});

describe("a `once` whose result cannot be stored", () => {
  const disk = new Error("disk");
  const refusing = (): Checkpointer =>
    wrapped((method) => {
      if (method === "addResults") throw disk;
    });
  const trying = (calls: string[]) =>
    loose()
      .node(
        "a",
        async (_state, { once, attempt }) => {
          calls.push(`try ${attempt}`);
          await once("k", () => calls.push("sub-step")).catch(async () => once("k", () => calls.push("sub-step, again")));
        },
        { retry: { attempts: 3, initialDelay: 0 }, onError: "handler" },
      )
      .node("handler", () => void calls.push("handler"))
      .edge(START, "a")
      .edge("a", END)
      .edge("handler", END)
      .compile();

  it("fails the run with `checkpoint_failed`: no retry, no other try of the sub-step, no handler", async () => {
    const calls: string[] = [];
    const compiled = trying(calls);
    const runner = createRunner(compiled, { checkpointer: refusing() });
    const { events, error } = await collect(runner.stream({}, { sessionId: "s" }));
    expect(error).toMatchObject({ code: "checkpoint_failed", cause: disk });
    expect(calls).toEqual(["try 1", "sub-step"]);
    expect(ofType(events, "node.retrying")).toEqual([]);
    expect(ofType(events, "node.failed").map(({ data }) => data.final)).toEqual([true]);
  });

  it("is warned of under `warn`, and the run goes on", async () => {
    const calls: string[] = [];
    const compiled = trying(calls);
    const runner = createRunner(compiled, { checkpointer: refusing(), onCheckpointError: "warn" });
    expect((await runner.invoke({})).status).toBe("completed");
    expect(calls).toEqual(["try 1", "sub-step"]);
  });
});

describe('`onCheckpointError: "warn"`, where no run goes on that could save later', () => {
  const failing = (): { readonly store: Checkpointer; broken: boolean } => {
    const state = {
      broken: false,
      store: wrapped((method) => {
        if (state.broken && method !== "load") throw full;
      }),
    };
    return state;
  };

  it("does not hold for `update` and `finish`: what they write would be lost", async () => {
    const told = failing();
    const runner = createRunner(chain("a", "b").compile(), {
      checkpointer: told.store,
      onCheckpointError: "warn",
      pauseAfter: ["a"],
    });
    const session = runner.session("s");
    await session.start({}).result;
    told.broken = true;
    await expectCode(() => session.update({ log: ["x"] }), "checkpoint_failed");
    await expectCode(() => session.finish(), "checkpoint_failed");
    told.broken = false;
    expect((await session.resume().result).state["log"]).toEqual(["a@1", "b@2"]);
  });

  it("shows a session that was created, and stores it with its first step", async () => {
    const told = failing();
    const session = createRunner(chain("a", "b").compile(), { checkpointer: told.store, onCheckpointError: "warn" }).session("s");
    told.broken = true;
    expect(await session.create({ log: ["in"] })).toMatchObject({ status: "idle", step: 0, next: ["a"], state: { log: ["in"] } });
    expect(await session.state()).toMatchObject({ status: "idle", next: ["a"] });
    await expectCode(() => session.start({}).result, "session_exists");
    told.broken = false;
    await session.runStep();
    expect(await session.state()).toMatchObject({ step: 1, state: { log: ["in", "a@1"] } });
  });
});

describe("a store that answers by what is no promise of the language's own", () => {
  it("is waited for, as its refusals are heard", async () => {
    const inner = memoryCheckpointer();
    let refusing = false;
    const lazily = (answer: () => unknown): PromiseLike<unknown> => ({
      // As query builders do, it begins when somebody waits.
      // oxlint-disable-next-line unicorn/no-thenable -- what is tested
      then: (resolve, reject) => (refusing ? Promise.reject(full) : Promise.resolve(answer())).then(resolve, reject),
    });
    const checkpointer = {
      ...inner,
      save: (...given: Parameters<Checkpointer["save"]>) => lazily(() => inner.save(...given)),
      amend: (...given: Parameters<Checkpointer["amend"]>) => lazily(() => inner.amend(...given)),
    } as Checkpointer;
    const session = createRunner(chain("a", "b").compile(), { checkpointer, pauseAfter: ["a"] }).session("s");
    await session.start({}).result;
    expect(await session.state()).toMatchObject({ status: "paused", step: 1 });
    refusing = true;
    await expectCode(() => session.resume().result, "checkpoint_failed");
  });
});

it("a store's own error fails a fork as `checkpoint_failed` too", async () => {
  let broken = false;
  const cause = new CheckpointError("checkpointer_unavailable", { backend: "theirs", reason: "gone" });
  const checkpointer = wrapped((method) => {
    if (broken && method === "save") throw cause;
  });
  const session = createRunner(chain("a").compile(), { checkpointer }).session("s");
  await session.start({}).result;
  broken = true;
  expect((await expectCode(() => session.fork(), "checkpoint_failed")).cause).toBe(cause);
});
