/** What a node tells by itself: its graph's own events, and its log. */
import { describe, expect, it } from "vitest";
import { createRunner, END, event, isRuntimeEvent, memorySink, START } from "spanloom";
import { collect, gate, type Handler, held, loose, type LooseGraph, marked, ofType, typesOf } from "./support.ts";

const telling = (handler: Handler, options: Record<string, unknown> = {}): LooseGraph =>
  loose({}, { events: { token: event<unknown>(), ping: event() } })
    .node("a", handler, options)
    .edge(START, "a")
    .edge("a", END)
    .compile();

const own = (events: readonly { readonly type: string }[]) =>
  events.filter(({ type }) => type === "token" || type === "ping") as unknown as readonly (Record<string, unknown> & {
    readonly data: unknown;
  })[];

describe("emit", () => {
  it("publishes an event at its place: between the node's start and its end, with step, node and attempt", async () => {
    const { events } = await collect(
      createRunner(
        telling((_state, { emit }) => {
          emit("token", { text: "a" });
          emit("ping");
        }),
      ).stream({}, { sessionId: "s" }),
    );
    const types = typesOf(events);
    expect(types.slice(types.indexOf("node.started"), types.indexOf("node.completed") + 1)).toEqual([
      "node.started",
      "token",
      "ping",
      "node.completed",
    ]);
    expect(own(events)).toMatchObject([
      { type: "token", sessionId: "s", step: 1, node: "a", attempt: 1, epoch: 1, data: { text: "a" } },
      { type: "ping", node: "a" },
    ]);
    expect(own(events)[1]?.data).toBeUndefined();
    expect(events.filter((each) => !isRuntimeEvent(each)).map(({ type }) => type)).toEqual(["token", "ping"]);
  });

  it("clones its data: what the node changes afterwards is not seen, and no reader can change another's", async () => {
    const { events } = await collect(
      createRunner(
        telling((_state, { emit }) => {
          const data = { text: "before", list: [1] };
          emit("token", data);
          data.text = "after";
          data.list.push(2);
          expect(Object.isFrozen(data)).toBe(false);
        }),
      ).stream({}),
    );
    expect(own(events)[0]?.data).toEqual({ text: "before", list: [1] });
    const { data } = own(events)[0] as { readonly data: { readonly list: number[] } };
    expect(() => data.list.push(9)).toThrow(TypeError);
  });

  it("gives each reader and each sink copies of what is live in it, and so does `log`", async () => {
    const sinks = [memorySink(), memorySink()];
    const runner = createRunner(
      telling((_state, { emit, log }) => {
        emit("token", { map: new Map([["k", [1]]]), at: new Date(1), bytes: Uint8Array.of(1) });
        log.info("live", { set: new Set([1]) });
      }),
      { sinks, payloads: true },
    );
    const run = runner.stream({});
    await run.result;
    await runner.close();
    type Data = {
      readonly map: Map<string, unknown>;
      readonly at: Date;
      readonly bytes: Uint8Array;
      readonly fields: { readonly set: Set<number> };
    };
    const dataOf = (events: readonly { readonly type: string }[], type: string): Data =>
      events.flatMap((each) => (each.type === type ? [each as unknown as { readonly data: Data }] : []))[0]?.data as Data;
    const read = async (): Promise<readonly { readonly type: string }[]> => (await collect(run)).events;
    for (const events of [await read(), await read(), ...sinks.map((sink) => sink.events)]) {
      const token = dataOf(events, "token");
      const { fields } = dataOf(events, "node.log");
      expect([token, fields]).toEqual([{ map: new Map([["k", [1]]]), at: new Date(1), bytes: Uint8Array.of(1) }, { set: new Set([1]) }]);
      token.map.set("k", "spoilt");
      token.at.setTime(9);
      token.bytes[0] = 9;
      fields.set.add(9);
      expect(Object.isFrozen(token)).toBe(true);
    }
  });

  it("reads no data when nobody listens", async () => {
    let reads = 0;
    const handler: Handler = (_state, { emit }) =>
      emit("token", {
        get text() {
          reads += 1;
          return "x";
        },
      });
    await createRunner(telling(handler)).invoke({});
    expect(reads).toBe(0);
    await collect(createRunner(telling(handler)).stream({}));
    expect(reads).toBeGreaterThan(0);
  });

  it("never throws into a node, whatever it is given", async () => {
    class Client {
      readonly secret = 1;
    }
    const cycle: Record<string, unknown> = {};
    cycle["self"] = cycle;
    const hostile = {
      get boom(): never {
        throw new Error("boom");
      },
    };
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    const given = [
      () => {},
      Symbol("s"),
      cycle,
      new Client(),
      hostile,
      revoked.proxy,
      new WeakMap(),
      Number.NaN,
      10n,
      new Date(Number.NaN),
    ];
    const { events, result } = await collect(
      createRunner(
        telling((_state, { emit }) => {
          for (const data of given) emit("token", data);
          emit("tokn", 1);
          emit(7n);
          emit(Symbol("s"));
          emit();
        }),
      ).stream({}),
    );
    expect(result?.status).toBe("completed");
    expect(own(events)).toHaveLength(given.length);
    expect(own(events)[3]?.data, "the data of an instance").toEqual({ secret: 1 });
  });

  it("of an event that is not declared is said in a warning", async () => {
    const { events } = await collect(createRunner(telling((_state, { emit }) => emit("tokn", 1))).stream({}));
    expect(ofType(events, "node.log").map(({ data }) => [data.level, data.message.includes("tokn")])).toEqual([["warn", true]]);
  });

  it("after the attempt has ended is dropped: nothing is published, and nothing is thrown", async () => {
    const late = gate();
    let emitLater: (() => void) | undefined;
    const graph = loose({}, { events: { token: event<unknown>() } })
      .node("a", (_state, { emit, log }) => {
        emitLater = () => {
          emit("token", 1);
          log.info("late");
        };
      })
      .node("b", async () => {
        emitLater?.();
        late.open();
        await late.passed;
      })
      .edge(START, "a")
      .edge("a", "b")
      .edge("b", END)
      .compile();
    const { events, result } = await collect(createRunner(graph).stream({}));
    expect(result?.status).toBe("completed");
    expect([own(events), ofType(events, "node.log")]).toEqual([[], []]);
    expect(() => emitLater?.(), "also when the run is over").not.toThrow();
  });

  it("works when no reader is left", async () => {
    const slow = held();
    const graph = telling(async (state, context) => {
      await slow.handler(state, context);
      context.emit("token", 1);
    });
    const run = createRunner(graph).stream({});
    for await (const { type } of run) if (type === "node.started") break;
    slow.open();
    expect(await run.result).toMatchObject({ status: "completed" });
  });

  it("of a failed attempt stays told, with its attempt", async () => {
    const { events } = await collect(
      createRunner(
        telling(
          (_state, { emit, attempt }) => {
            emit("token", attempt);
            if (attempt === 1) throw new Error("once");
          },
          { retry: { attempts: 2, initialDelay: 0 } },
        ),
      ).stream({}),
    );
    expect(own(events).map(({ attempt, data }) => [attempt, data])).toEqual([
      [1, 1],
      [2, 2],
    ]);
  });

  it("reaches sinks as it was emitted", async () => {
    const sink = memorySink();
    const runner = createRunner(
      telling((_state, { emit }) => emit("token", { secret: "kept" })),
      { sinks: [sink] },
    );
    await runner.invoke({});
    await runner.close();
    expect(own(sink.events)).toMatchObject([{ data: { secret: "kept" } }]);
  });
});

describe("log", () => {
  it("is a `node.log` event with level, message and a copy of its fields", async () => {
    const { events } = await collect(
      createRunner(
        telling((_state, { log }) => {
          const fields = { n: 1 };
          log.debug("d");
          log.info("i", fields);
          fields.n = 2;
          log.warn("w", { when: new Date(5) });
          log.error("e", { cause: new Error("x").message });
        }),
      ).stream({}),
    );
    expect(ofType(events, "node.log").map(({ node, step, attempt, data }) => [node, step, attempt, data])).toEqual([
      ["a", 1, 1, { level: "debug", message: "d", fields: {} }],
      ["a", 1, 1, { level: "info", message: "i", fields: { n: 1 } }],
      ["a", 1, 1, { level: "warn", message: "w", fields: { when: new Date(5) } }],
      ["a", 1, 1, { level: "error", message: "e", fields: { cause: "x" } }],
    ]);
  });

  it("never throws into a node either", async () => {
    const { events, result } = await collect(
      createRunner(
        telling((_state, { log }) => {
          log.info("fields", () => {});
          log.info("fields", null);
          log.info("fields", { client: new WeakMap() });
          log.info(undefined);
          log.info(Symbol("s"));
          log.info(Object.create(null));
        }),
      ).stream({}),
    );
    expect(result?.status).toBe("completed");
    expect(ofType(events, "node.log")).toHaveLength(6);
  });

  it("of siblings is told apart by its node", async () => {
    const graph = marked(loose())
      .node("x", (_state, { log }) => log.info("from x"))
      .node("y", (_state, { log }) => log.info("from y"))
      .edge(START, ["x", "y"])
      .edge(["x", "y"], END)
      .compile();
    const { events } = await collect(createRunner(graph).stream({}));
    expect(ofType(events, "node.log").map(({ node, data }) => [node, data.message])).toEqual([
      ["x", "from x"],
      ["y", "from y"],
    ]);
  });
});
