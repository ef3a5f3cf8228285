/** `context.once`, and the idempotency key: what one entry does once, however often it is tried. */
import { describe, expect, it } from "vitest";
import { channel, createRunner, END, graph, input, memoryCheckpointer, START } from "spanloom";
import { manualClock } from "spanloom/testing";
import { type Context, collect, type Handler, countingClock, eventsOf, gate, never, refused, settle, side, solo } from "./support.ts";

describe("context.once", () => {
  it("runs once per entry: a retry gets the stored result", async () => {
    let calls = 0;
    const compiled = solo(
      async (_state, { attempt, once }) => {
        const value = await once("charge", () => (calls += 1));
        if (attempt < 3) throw new Error("x");
        return { n: value };
      },
      { retry: { attempts: 3, initialDelay: 0 } },
    );
    expect((await createRunner(compiled).invoke({})).state.n).toBe(1);
    expect(calls).toBe(1);
  });

  it("is stored before it returns: a runner elsewhere has the result, although the node never ended", async () => {
    const checkpointer = memoryCheckpointer();
    let calls = 0;
    let stuck = true;
    const reached = gate();
    const compiled = solo(async (_state, { once }) => {
      const value = await once("k", () => Promise.resolve((calls += 1)));
      reached.resolve();
      if (stuck) await never();
      return { n: value };
    });
    const dead = createRunner(compiled, { checkpointer }).stream({}, { sessionId: "s" });
    await reached.promise;
    stuck = false;
    const { state } = await createRunner(compiled, { checkpointer }).session("s").resume().result;
    expect([state.n, calls]).toEqual([1, 1]);
    dead.cancel();
  });

  it("stores any storable value, `undefined` and falsy ones too, and hands it out frozen or as a copy", async () => {
    const values = [undefined, null, false, 0, "", { deep: [1, new Date(5)] }, new Map([["k", 1]])];
    for (const value of values) {
      const seen: unknown[] = [];
      let calls = 0;
      const compiled = solo(
        async (_state, { attempt, once }) => {
          seen.push(
            await once("k", () => {
              calls += 1;
              return value;
            }),
          );
          if (attempt === 1) throw new Error("again");
        },
        { retry: { attempts: 2, initialDelay: 0 } },
      );
      await createRunner(compiled).invoke({});
      expect(seen).toEqual([value, value]);
      expect(calls).toBe(1);
    }
  });

  it("refuses a value that cannot be stored, which fails the node and is not retried", async () => {
    let tries = 0;
    const compiled = solo(
      async (_state, { once }) => {
        tries += 1;
        await once("k", () => ({ client: () => {} }));
      },
      { retry: { attempts: 3, initialDelay: 0 } },
    );
    const error = await refused(() => createRunner(compiled).invoke({}), "scheduler");
    expect(error.cause).toMatchObject({ code: "unserializable_value" });
    expect(tries).toBe(1);
  });

  it("that fails is not stored: the next try runs it again", async () => {
    let calls = 0;
    const compiled = solo(
      async (_state, { once }) => ({
        n: await once("k", () => {
          if ((calls += 1) === 1) throw new Error("flaky");
          return calls;
        }),
      }),
      { retry: { attempts: 2, initialDelay: 0 } },
    );
    expect((await createRunner(compiled).invoke({})).state.n).toBe(2);
  });

  it("is shared by calls of one key at once", async () => {
    let calls = 0;
    const compiled = solo(async (_state, { once }) => {
      const run = async (): Promise<number> => {
        calls += 1;
        await settle(1);
        return calls;
      };
      const [first, second] = await Promise.all([once("k", run), once("k", run)]);
      return { n: first * 10 + second };
    });
    expect((await createRunner(compiled).invoke({})).state.n).toBe(11);
    expect(calls).toBe(1);
  });

  it("is of its entry: siblings, sent items and later steps each run their own", async () => {
    const calls: string[] = [];
    const compiled = graph({ name: "g", channels: { n: channel.value(0) }, inputs: { work: input<number>() } })
      .node("plan", ({ n }, { goto, send }) => goto([send("work", 1), send("work", 2)], { n: n + 1 }), { jumps: ["work"] })
      .node("work", async (_state, { once, step, input: item }) => {
        await once("k", () => calls.push(`${step}/${item}`));
      })
      .edge(START, "plan")
      .branch("work", { again: "plan", done: END }, ({ n }) => (n < 2 ? "again" : "done"))
      .compile();
    await createRunner(compiled, { concurrency: 1 }).invoke({});
    expect(calls).toEqual(["2/1", "2/2", "4/1", "4/2"]);
  });

  it("keys are their own, however they look", async () => {
    const compiled = solo(async (_state, { once }) => {
      const keys = ["a", "a/0", " ", "__proto__", "constructor", "1"];
      const values = [];
      for (const key of keys) values.push(await once(key, () => `value of ${key}`));
      for (const key of keys) values.push(await once(key, () => "another"));
      return { log: values };
    });
    const { state } = await createRunner(compiled).invoke({});
    expect(state.log.slice(6)).toEqual(state.log.slice(0, 6));
    expect(new Set(state.log).size).toBe(6);
  });

  it("refuses a key that is no text or an empty one, which is not retried", async () => {
    for (const key of ["", undefined, null, 3, {}, ["k"]]) {
      const tried: number[] = [];
      const compiled = solo(
        async (_state, { once, attempt }) => {
          tried.push(attempt);
          await once(key as never, () => tried.push(-1));
        },
        { retry: { attempts: 3, initialDelay: 0 } },
      );
      const error = await refused(() => createRunner(compiled).invoke({}), "scheduler");
      expect(error.cause, JSON.stringify(key)).toMatchObject({ code: "invalid_option", facts: { option: "key" } });
      expect(tried).toEqual([1]);
    }
  });

  it("that fails and that nobody awaits is no unhandled rejection", async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on("unhandledRejection", note);
    const compiled = solo(async (_state, { once }) => {
      void once("k", () => {
        throw new Error("x");
      });
      void once("l", () => Promise.reject(new Error("x")));
      void once("", () => 1);
      await settle();
    });
    expect((await createRunner(compiled).invoke({})).status).toBe("completed");
    await settle();
    process.off("unhandledRejection", note);
    expect(unhandled).toEqual([]);
  });

  it("survives a failure and a resume, and a cancellation too", async () => {
    let calls = 0;
    let broken = true;
    const runner = createRunner(
      solo(async (_state, { once, signal }) => {
        const value = await once("k", () => (calls += 1));
        if (broken) await new Promise((_resolve, reject) => signal.addEventListener("abort", reject));
        return { n: value };
      }),
    );
    const run = runner.stream({}, { sessionId: "s" });
    await settle();
    run.cancel();
    await run.result;
    broken = false;
    expect((await runner.session("s").resume().result).state.n).toBe(1);
    expect(calls).toBe(1);
  });

  it("of an attempt that is over never becomes a result of a later step", async () => {
    const clock = countingClock();
    const checkpointer = memoryCheckpointer();
    const hold = gate<string>();
    const got: unknown[] = [];
    let broken = true;
    const compiled = graph({ name: "g", channels: { n: channel.value(0) } })
      .node(
        "a",
        async ({ n }, { step, attempt, once }) => {
          if (step === 1 && attempt === 1) await once("k", () => hold.promise);
          if (step === 2) {
            if (broken) await never();
            got.push(await once("k", () => "step 2"));
          }
          return { n: n + 1 };
        },
        { timeout: 100, retry: { attempts: 2, initialDelay: 0 } },
      )
      .edge(START, "a")
      .branch("a", { again: "a", done: END }, ({ n }) => (n < 2 ? "again" : "done"))
      .compile();
    const dead = createRunner(compiled, { checkpointer, clock }).stream({}, { sessionId: "s" });
    const streamed = collect(dead);
    await clock.advance(100);
    hold.resolve("step 1, late");
    await settle();
    broken = false;
    // The process dies here, and another goes on.
    await createRunner(compiled, { checkpointer }).session("s").resume().result;
    expect(got).toEqual(["step 2"]);
    dead.cancel();
    await clock.advance(10_000);
    expect((await streamed).result?.status).not.toBe("completed");
  });

  it("of an attempt that is over is stored no more: the run takes no harm", async () => {
    const clock = countingClock();
    const hold = gate<string>();
    const compiled = graph({ name: "g", channels: { n: channel.value(0) } })
      .node(
        "a",
        async ({ n }, { step, attempt, once }) => {
          if (step === 1 && attempt === 1) await once("k", () => hold.promise);
          if (step === 2) {
            hold.resolve("late");
            await settle();
          }
          return { n: n + 1 };
        },
        { timeout: 100, retry: { attempts: 2, initialDelay: 0 } },
      )
      .edge(START, "a")
      .branch("a", { again: "a", done: END }, ({ n }) => (n < 2 ? "again" : "done"))
      .compile();
    const streamed = collect(createRunner(compiled, { checkpointer: memoryCheckpointer(), clock }).stream({}));
    await clock.advance(100);
    const { events, result } = await streamed;
    expect(result?.status).toBe("completed");
    expect(eventsOf(events, "checkpoint.failed")).toEqual([]);
  });

  it("works without autosave, for the tries of one run", async () => {
    let calls = 0;
    const compiled = solo(
      async (_state, { attempt, once }) => {
        const value = await once("k", () => (calls += 1));
        if (attempt === 1) throw new Error("x");
        return { n: value };
      },
      { retry: { attempts: 2, initialDelay: 0 } },
    );
    expect((await createRunner(compiled, { autosave: false }).invoke({})).state.n).toBe(1);
    expect(calls).toBe(1);
  });
});

describe("context.idempotencyKey", () => {
  it("is equal on every try of an entry: retries, a resume, and a runner elsewhere", async () => {
    const keys: string[] = [];
    let broken = true;
    const compiled = solo(
      (_state, { idempotencyKey }) => {
        keys.push(idempotencyKey);
        if (broken) throw new Error("x");
      },
      { retry: { attempts: 2, initialDelay: 0 } },
    );
    const checkpointer = memoryCheckpointer();
    await refused(() => createRunner(compiled, { checkpointer }).invoke({}, { sessionId: "s" }), "scheduler");
    broken = false;
    await createRunner(compiled, { checkpointer }).session("s").resume().result;
    expect(keys).toHaveLength(3);
    expect(new Set(keys).size).toBe(1);
  });

  it("is no other session's or node's, whatever slashes their names hold", async () => {
    const keys: string[] = [];
    const note = (_state: unknown, { idempotencyKey }: { readonly idempotencyKey: string }): void => void keys.push(idempotencyKey);
    const compiled = graph({ name: "g", channels: {} })
      .node("2/x", note)
      .node("x", note)
      .edge(START, "2/x")
      .edge("2/x", "x")
      .edge("x", END)
      .compile();
    const runner = createRunner(compiled);
    for (const sessionId of ["s", "s/1", "s%2F1"]) await runner.invoke({}, { sessionId });
    expect(new Set(keys).size).toBe(6);
  });

  it("differs between siblings, whatever their names", async () => {
    const keys: string[] = [];
    const note = (_state: unknown, context: object): void => void keys.push((context as Context).idempotencyKey);
    await createRunner(side({ a: note, "a/0": note, "1": note, "1/a": note })).invoke({});
    expect(new Set(keys).size).toBe(4);
  });

  it("differs between sent items, even equal ones, and between supersteps", async () => {
    const keys: string[] = [];
    const compiled = graph({ name: "g", channels: { n: channel.value(0) }, inputs: { work: input<number>() } })
      .node("plan", ({ n }, { goto, send }) => goto([send("work", 1), send("work", 1)], { n: n + 1 }), { jumps: ["work"] })
      .node("work", (_state, { idempotencyKey }) => void keys.push(idempotencyKey))
      .edge(START, "plan")
      .branch("work", { again: "plan", done: END }, ({ n }) => (n < 2 ? "again" : "done"))
      .compile();
    await createRunner(compiled).invoke({});
    expect(keys).toHaveLength(4);
    expect(new Set(keys).size).toBe(4);
  });

  it("differs in a fork", async () => {
    const keys: string[] = [];
    let broken = true;
    const runner = createRunner(
      solo((_state, { idempotencyKey }) => {
        keys.push(idempotencyKey);
        if (broken) throw new Error("x");
      }),
    );
    await refused(() => runner.invoke({}, { sessionId: "s" }), "scheduler");
    const fork = await runner.session("s").fork();
    broken = false;
    await fork.resume().result;
    expect(new Set(keys).size).toBe(2);
  });
});

describe("a sub-step of an attempt that was over its time", () => {
  /** Two attempts are over their time. */
  const outlast = async (clock: ReturnType<typeof manualClock>): Promise<void> => {
    for (let attempt = 1; attempt < 3; attempt += 1) {
      await settle();
      await clock.advance(50);
    }
  };

  it("is run again by the next attempt: it may never end", async () => {
    const calls: number[] = [];
    const clock = manualClock();
    const compiled = solo(
      async (_state, { attempt, once }) => {
        const value = await once("k", async () => {
          calls.push(attempt);
          if (attempt < 3) await never();
          return attempt;
        });
        return { n: value };
      },
      { timeout: 50, retry: { attempts: 3, initialDelay: 0 } },
    );
    const running = createRunner(compiled, { clock }).invoke({});
    await outlast(clock);
    expect((await running).state.n).toBe(3);
    expect(calls).toEqual([1, 2, 3]);
  });

  it("fails nobody when it ends by its signal, and what it gives late is not kept", async () => {
    const calls: number[] = [];
    const clock = manualClock();
    const late = gate();
    const compiled = solo(
      async (_state, { attempt, once, signal }) => {
        const value = await once("k", async () => {
          calls.push(attempt);
          if (attempt === 1)
            await new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
          if (attempt === 2) await late.promise;
          return attempt;
        });
        if (attempt === 3) {
          late.resolve();
          await settle();
        }
        return { n: value };
      },
      { timeout: 50, retry: { attempts: 3, initialDelay: 0 } },
    );
    const checkpointer = memoryCheckpointer();
    const running = createRunner(compiled, { clock, checkpointer }).invoke({});
    await outlast(clock);
    expect((await running).state.n).toBe(3);
    expect(calls).toEqual([1, 2, 3]);
  });

  it("of one that failed is shared with the next, as its result would be", async () => {
    let calls = 0;
    const done = gate();
    const compiled = solo(
      async (_state, { attempt, once }) => {
        const charged = once("k", async () => {
          calls += 1;
          await done.promise;
          return calls;
        });
        if (attempt === 1) throw new Error("another thing failed meanwhile");
        done.resolve();
        return { n: await charged };
      },
      { retry: { attempts: 2, initialDelay: 0 } },
    );
    expect((await createRunner(compiled).invoke({})).state.n).toBe(1);
    expect(calls).toBe(1);
  });
});

it("a sub-step that ends in the grace of a cancelled attempt is kept, whether or not the node waited for it", async () => {
  for (const waits of [true, false]) {
    let calls = 0;
    const reached = gate();
    const done = gate();
    const sibling = gate();
    const charging: Handler = async (_state, { once, signal }) => {
      const charged = once("k", async () => {
        calls += 1;
        reached.resolve();
        await done.promise;
        return calls;
      });
      const aborted = new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
      aborted.catch(() => {});
      return { n: Number(await (waits ? charged : Promise.race([charged, aborted]))) };
    };
    const compiled = side({ charging, waiting: () => sibling.promise });
    const checkpointer = memoryCheckpointer();
    const run = createRunner(compiled, { checkpointer }).stream({}, { sessionId: "s" });
    await reached.promise;
    run.cancel();
    await settle();
    done.resolve();
    await settle();
    sibling.resolve();
    expect(await run.result).toMatchObject({ status: "cancelled" });
    const { state } = await createRunner(compiled, { checkpointer }).session("s").resume().result;
    expect([state.n, calls]).toEqual([1, 1]);
  }
});
