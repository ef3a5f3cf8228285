/** Names and options that `compile()` refuses. */
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { channel } from "../../src/graph/channel.ts";
import { event } from "../../src/graph/event-type.ts";
import { input } from "../../src/graph/input.ts";
import { services } from "../../src/graph/services.ts";
import { END, START } from "../../src/graph/names.ts";
import { codesOf, loose, looseGraph, planned, problemsOf, run, told, withNodes } from "./support.ts";

const empty = { name: "g", channels: {} };
const whole = (spec: unknown) => told(looseGraph(spec).edge(START, END));
const ofChannel = (made: unknown) => whole({ ...empty, channels: { it: made } });
const unreadable = Object.defineProperty({}, "value", {
  enumerable: true,
  get: () => {
    throw new Error("not for you");
  },
});
const ofNode = (options: unknown, name: unknown = "a") => told(loose().node(name, run, options).edge(START, name).edge(name, END));

describe("a graph's name and version", () => {
  it.each([
    ["", 'The graph name "" is empty.'],
    [undefined, 'The graph name "undefined" is not a string.'],
    [5, 'The graph name "5" is not a string.'],
    [{}, 'The graph name "an object" is not a string.'],
  ])("%j is no name", (name, sentence) => {
    expect(whole({ ...empty, name })).toEqual([`invalid_name: ${sentence}`]);
  });

  it.each([5, "", null, {}])("%j is no version", (version) => {
    expect(whole({ ...empty, version })).toEqual(['invalid_option: Option "version" of the graph must be a string that is not empty.']);
  });

  it("are kept as they are, and the version may be left out", () => {
    expect(
      looseGraph({ ...empty, version: "2.1" })
        .edge(START, END)
        .compile(),
    ).toMatchObject({ name: "g", version: "2.1" });
    expect(looseGraph(empty).edge(START, END).compile().version).toBeUndefined();
    expect(whole({ ...empty, version: undefined })).toEqual([]);
  });
});

describe("the graph's parts", () => {
  it.each([undefined, null, 5, [], "channels"])("%j is no record of channels", (channels) => {
    expect(whole({ name: "g", channels })).toEqual([
      'invalid_option: Option "channels" of the graph must be an object whose values are made by channel.value(), channel.list() ….',
    ]);
  });

  it.each([5, null, {}, { "~channel": null }, { "~channel": { kind: "queue" } }, channel])("%j is no channel", (made) => {
    expect(ofChannel(made)).toEqual([
      'invalid_option: Option "channels.it" of the graph must be made by channel.value(), channel.list() ….',
    ]);
  });

  it("refuses what stands in the place of events, inputs and services", () => {
    expect(whole({ ...empty, events: [], inputs: 5, services: "db" })).toEqual([
      'invalid_option: Option "services" of the graph must be made by services().',
      'invalid_option: Option "events" of the graph must be an object whose values are made by event().',
      'invalid_option: Option "inputs" of the graph must be an object whose values are made by input().',
    ]);
    expect(whole({ ...empty, events: { token: 5 }, services: services() })).toEqual([
      'invalid_option: Option "events.token" of the graph must be made by event().',
    ]);
  });

  it("tells of a misspelt option once", () => {
    expect(whole({ name: "g", chanels: { a: channel.value(1) } })).toEqual([
      'invalid_option: Option "chanels" of the graph does not exist; "channels" is the nearest.',
    ]);
    expect(whole({ ...empty, retries: 3 })).toEqual([
      'invalid_option: Option "retries" of the graph does not exist; there are name, version, channels, events, inputs, services.',
    ]);
    expect(whole({ ...empty, retries: undefined })).toEqual([]);
  });

  it.each([undefined, null, 5, "g", []])("graph(%j) is told, not thrown at", (spec) => {
    expect(codesOf(looseGraph(spec).edge(START, END))).toEqual(["invalid_name", "invalid_option"]);
  });
});

describe("channel and event names", () => {
  it("are not empty, no event's holds a dot, and no channel's is `errors`", () => {
    const channels = { "": channel.list(), errors: channel.list() };
    expect(whole({ name: "g", channels, events: { "": event(), "node.done": event(), ok: event() } })).toEqual([
      'invalid_name: The channel name "" is empty.',
      'invalid_name: The channel name "errors" is that of the built-in channel; choose another one.',
      'invalid_name: The event name "" is empty.',
      'invalid_name: The event name "node.done" holds a dot, which the runtime\'s own events have; write it without.',
    ]);
  });

  it("may be those of an object's prototype", () => {
    const channels = Object.fromEntries(["__proto__", "constructor", "toString"].map((name) => [name, channel.value(name)]));
    const plan = planned(loose({ channels }).edge(START, END));
    expect(plan.channels.map(({ name, initial }) => [name, initial])).toEqual([
      ["__proto__", "__proto__"],
      ["constructor", "constructor"],
      ["toString", "toString"],
      ["errors", []],
    ]);
  });
});

describe("a channel's options", () => {
  const wrong = (option: string, reason: string): readonly string[] => [`invalid_option: Option "${option}" of channel "it" ${reason}.`];
  const asUntyped = (made: unknown) => made as { readonly with: (options: unknown) => unknown };
  const schemaReason = "must be a Standard Schema, such as one of Zod, Valibot or ArkType";

  it.each([
    ["with", null, "must be given an object of options"],
    ["with", [], "must be given an object of options"],
    ["schema", { schema: { parse: run } }, schemaReason],
    ["schema", { schema: null }, schemaReason],
    ["concurrent", { concurrent: "first" }, 'must be "error" or "last"'],
    ["shema", { shema: z.string() }, 'does not exist; "schema" is the nearest'],
  ])("%s: %j", (option, options, reason) => {
    expect(ofChannel(asUntyped(channel.value("x")).with(options))).toEqual(wrong(option, reason));
  });

  it("of `reduce` include a function", () => {
    expect(ofChannel((channel.reduce as (initial: unknown) => unknown)(0))).toEqual(wrong("reduce", "must be a function"));
  });

  it.each([
    ["a list that is none", (channel.list as (initial: unknown) => unknown)("abc"), "must be a list"],
    ["a record that is a list", channel.merge([]), "must be a plain object"],
    ["a record that is a Map", channel.merge(new Map()), "must be a plain object"],
    ["a record that is none", (channel.merge as (initial: unknown) => unknown)(undefined), "must be a plain object"],
    ["what cannot be stored", channel.value({ client: { call: run } }), "cannot be stored: at .client.call it is a function"],
    ["what cannot be read", channel.value(unreadable), "cannot be stored: reading it threw an error"],
    [
      "what its schema refuses",
      channel.value("").with({ schema: z.string().min(1, "is too short") }),
      "is refused by its schema: is too short",
    ],
    [
      "what its schema refuses in a part",
      channel.list([{ n: "1" }]).with({ schema: z.array(z.object({ n: z.string().max(0, "is too long") })) }),
      "is refused by its schema: at [0].n: is too long",
    ],
    ["what an asynchronous schema judges", channel.value(1).with({ schema: z.number().refine(async () => true) }), undefined],
    [
      "what its schema turns into what cannot be stored",
      channel.value<unknown>(1).with({ schema: z.unknown().transform(() => run) }),
      "cannot be stored as its schema gives it: it is a function",
    ],
  ])("do not begin with %s", (_what, made, reason) => {
    if (reason === undefined)
      expect(ofChannel(made)).toEqual([expect.stringMatching(/^invalid_option: Option "initial" of channel "it" /)]);
    else expect(ofChannel(made)).toEqual(wrong("initial", reason));
  });

  it("are planned, with the schema's output as the initial value", () => {
    const schema = z.string().trim();
    const reduce = (total: number, more: number): number => total + more;
    const channels = {
      required: channel.value<string>().with({ schema }),
      trimmed: channel.value(" x ").with({ schema }).with({ concurrent: "last" }),
      absent: channel.optional<string>().with({ schema: z.string().optional() }),
      total: channel.reduce(1, reduce),
      items: channel.list([1]),
      limits: channel.merge({ a: 1 }),
      chat: channel.messages(),
    };
    const plan = planned(loose({ channels }).edge(START, END));
    const common = { schema: undefined, concurrent: "error", reduce: undefined, seeded: true };
    expect(plan.channels).toEqual([
      { ...common, index: 0, name: "required", kind: "value", seeded: false, initial: undefined, schema },
      { ...common, index: 1, name: "trimmed", kind: "value", initial: "x", schema, concurrent: "last" },
      { ...common, index: 2, name: "absent", kind: "optional", initial: undefined, schema: expect.anything() },
      { ...common, index: 3, name: "total", kind: "reduce", initial: 1, reduce },
      { ...common, index: 4, name: "items", kind: "list", initial: [1] },
      { ...common, index: 5, name: "limits", kind: "merge", initial: { a: 1 } },
      { ...common, index: 6, name: "chat", kind: "messages", initial: [] },
      { ...common, index: 7, name: "errors", kind: "list", initial: [] },
    ]);
    expect([...plan.channelIndex]).toEqual(plan.channels.map(({ name, index }) => [name, index]));
  });
});

describe("a node's name", () => {
  it.each([
    ["", "is empty"],
    [START, "is reserved; choose another one"],
    [END, "is reserved; choose another one"],
    [5, "is not a string"],
    [undefined, "is not a string"],
    [Symbol("a"), "is not a string"],
  ])("is not %j", (name, reason) => {
    const problems = problemsOf(loose().node(name, run).edge(START, END));
    expect(problems[0]).toEqual({
      code: "invalid_name",
      message: `The node name ${JSON.stringify(String(name))} ${reason}.`,
      nodes: [String(name)],
    });
  });

  it("that is empty is not reported again where it is used", () => {
    expect(ofNode({}, "")).toEqual(['invalid_name: The node name "" is empty.']);
  });

  it("is declared once: the second does not replace the first, and is told once", () => {
    const builder = withNodes("a", "a", "a").edge(START, "a").edge("a", END);
    expect(problemsOf(builder)).toEqual([
      { code: "duplicate_node", message: 'A node named "a" is declared twice. Give each node a name of its own.', nodes: ["a"] },
    ]);
  });

  it.each([undefined, null, 5, "run", {}])("goes with a function, which %j is not", (handler) => {
    const builder = loose().node("a", handler).edge(START, "a").edge("a", END);
    expect(problemsOf(builder)).toEqual([
      {
        code: "missing_handler",
        message: 'Node "a" has no function to run. Give it one, as the second argument of node().',
        nodes: ["a"],
      },
    ]);
  });
});

describe("a node's options", () => {
  const duration = 'must be milliseconds, or a number with a unit such as "250ms", "10s", "5m"';
  const count = "must be a whole number from 1 on";
  const zero = "must be more than 0: no attempt could finish in time";

  it.each([
    [null, "options", "must be an object"],
    [[], "options", "must be an object"],
    ["10s", "options", "must be an object"],
    [{ jumps: "b" }, "jumps", "must be a list of node names"],
    [{ jumps: [5] }, "jumps", "must be a list of node names: one of them is not a string"],
    [{ jumps: [START] }, "jumps", "names START, which nothing leads into"],
    [{ retry: 3 }, "retry", "must be an object such as { attempts: 3 }"],
    [{ retry: null }, "retry", "must be an object such as { attempts: 3 }"],
    [{ retry: {} }, "retry.attempts", "is missing: a whole number from 1 on, the first attempt included"],
    [{ retry: { attempt: 3 } }, "retry.attempt", 'does not exist; "attempts" is the nearest'],
    [{ retry: { attempts: 0 } }, "retry.attempts", count],
    [{ retry: { attempts: -1 } }, "retry.attempts", count],
    [{ retry: { attempts: 1.5 } }, "retry.attempts", count],
    [{ retry: { attempts: Number.NaN } }, "retry.attempts", count],
    [{ retry: { attempts: Infinity } }, "retry.attempts", count],
    [{ retry: { attempts: "3" } }, "retry.attempts", count],
    [{ retry: { attempts: 2, initialDelay: -1 } }, "retry.initialDelay", duration],
    [{ retry: { attempts: 2, initialDelay: "1 s" } }, "retry.initialDelay", duration],
    [{ retry: { attempts: 2, maxDelay: null } }, "retry.maxDelay", duration],
    [{ retry: { attempts: 2, factor: 0.5 } }, "retry.factor", "must be a number from 1 on"],
    [{ retry: { attempts: 2, factor: Number.NaN } }, "retry.factor", "must be a number from 1 on"],
    [{ retry: { attempts: 2, jitter: "full" } }, "retry.jitter", "must be true or false"],
    [{ retry: { attempts: 2, retryOn: ["ECONNRESET"] } }, "retry.retryOn", "must be a function"],
    [{ timeout: -5 }, "timeout", duration],
    [{ timeout: "10 seconds" }, "timeout", duration],
    [{ timeout: 0 }, "timeout", zero],
    [{ idleTimeout: Infinity }, "idleTimeout", duration],
    [{ idleTimeout: "0s" }, "idleTimeout", zero],
    [{ concurrency: 0 }, "concurrency", count],
    [{ concurrency: "4" }, "concurrency", count],
    [{ gate: true }, "gate", 'must be "always" or "on-change"'],
    [{ defer: 1 }, "defer", "must be true or false"],
    [{ onError: run }, "onError", "must be the name of a node, which handles the failure"],
    [{ onError: END }, "onError", "must be the name of a node, which handles the failure"],
    [{ timout: "1s" }, "timout", 'does not exist; "timeout" is the nearest'],
  ])("refuse %j", (options, option, reason) => {
    expect(ofNode(options)).toEqual([`invalid_option: Option "${option}" of node "a" ${reason}.`]);
  });

  it("name the node that they are wrong in", () => {
    const builder = loose().node("a", run, { defer: 1 }).edge(START, "a").edge("a", END);
    expect(problemsOf(builder)[0]?.nodes).toEqual(["a"]);
  });

  it("are planned, durations in milliseconds, with their defaults", () => {
    const retryOn = (): boolean => true;
    const retry = { attempts: 3, initialDelay: "1s", maxDelay: 5000, factor: 3, jitter: false, retryOn };
    const options = {
      retry,
      timeout: "2m",
      idleTimeout: 250,
      concurrency: 4,
      gate: "on-change",
      defer: true,
      onError: "b",
      jumps: [END, "b", END],
    };
    const builder = loose()
      .node("a", run, options)
      .node("b", run, { retry: { attempts: 1 } })
      .edge(START, "a")
      .edge("a", END)
      .edge("b", END);
    const [first, second] = planned(builder).nodes;
    expect(first).toMatchObject({
      index: 0,
      name: "a",
      run,
      retry: { attempts: 3, initialDelay: 1000, maxDelay: 5000, factor: 3, jitter: false, retryOn },
      timeout: 120_000,
      idleTimeout: 250,
      concurrency: 4,
      gated: true,
      defer: true,
      input: false,
      onError: 1,
    });
    expect([...(first?.jumps ?? [])]).toEqual([END, "b"]);
    expect(second).toMatchObject({
      retry: { attempts: 1, initialDelay: 500, maxDelay: 30_000, factor: 2, jitter: true, retryOn: undefined },
      timeout: undefined,
      idleTimeout: undefined,
      concurrency: undefined,
      gated: false,
      defer: false,
      onError: undefined,
    });
  });

  it("of `inputs` are kept", () => {
    const builder = loose({ inputs: { work: input<number>() }, events: { done: event() } })
      .node("plan", run, { jumps: ["work"] })
      .node("work", run)
      .edge(START, "plan")
      .edge(["work", "plan"], END);
    const plan = planned(builder);
    expect(plan.nodes.map((node) => node.input)).toEqual([false, true]);
    expect([...plan.events]).toEqual(["done"]);
  });
});
