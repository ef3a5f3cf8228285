/** The types of declaring a graph: names, edges, branches, and what follows from them. */
import { describe, expectTypeOf, test } from "vitest";
import { graph, type GraphBuilder, type NodeOf } from "../../src/graph/builder.ts";
import { channel, replace, type ErrorRecord, type Message, type StateOf } from "../../src/graph/channel.ts";
import { event } from "../../src/graph/event-type.ts";
import type { GraphInput, GraphState, Types } from "../../src/graph/graph.ts";
import { input } from "../../src/graph/input.ts";
import { END, START } from "../../src/graph/names.ts";
import { services } from "../../src/graph/services.ts";
import type { GraphTypeError } from "../../src/graph/type-error.ts";

const base = graph({
  name: "types",
  channels: {
    topic: channel.value<string>(),
    hits: channel.list<number>(),
    total: channel.reduce(0, (total, more: number) => total + more),
    mode: channel.value<"fast" | "slow">("fast"),
    note: channel.optional<string>(),
    limits: channel.merge<{ perDay?: number; perHour?: number }>({}),
    chat: channel.messages(),
  },
  events: { token: event<{ text: string }>(), tick: event() },
  inputs: { fetch: input<{ url: string }>() },
  services: services<{ find(id: string): string }>(),
});
const named = base
  .node("a", () => ({ hits: [1] }))
  .node("b", () => {})
  .node("fetch", () => {});

describe("names", () => {
  test("are known to edges and branches, in the order of declaration", () => {
    expectTypeOf(named.edge(START, "a")).toEqualTypeOf(named);
    expectTypeOf(named.edge("a", ["b", END]).edge(["a", "b"], END)).toEqualTypeOf(named);
    expectTypeOf(named.branch("a", { more: ["a", "b"], done: END }, () => ["more", "done"])).toEqualTypeOf(named);
    expectTypeOf(named.branch(START, { on: "a" }, () => [])).toEqualTypeOf(named);
    // @ts-expect-error an unknown target
    named.edge("a", "c");
    // @ts-expect-error an unknown source
    named.edge("c", "a");
    // @ts-expect-error END is no source
    named.edge(END, "a");
    // @ts-expect-error START is no target
    named.edge("a", START);
    // @ts-expect-error reached by send alone
    named.edge("a", "fetch");
    // @ts-expect-error reached by send alone, also by a label
    named.branch("a", { on: "fetch" }, () => "on");
    // @ts-expect-error an unknown target of a label
    named.branch("a", { on: "c" }, () => "on");
    // @ts-expect-error an unknown label
    named.branch("a", { on: "b" }, () => "off");
    // @ts-expect-error declared later
    base.edge(START, "a").node("a", () => {});
  });

  test("are declared once, and not reserved: the sentence is the parameter's type", () => {
    expectTypeOf<Parameters<typeof named.node<"a", void>>[0]>().toEqualTypeOf<"a" & GraphTypeError<'a node named "a" exists already'>>();
    expectTypeOf<Parameters<typeof named.node<"end", void>>[0]>().toEqualTypeOf<
      "end" & GraphTypeError<'"end" is reserved: name the node otherwise'>
    >();
    expectTypeOf<Parameters<typeof named.node<"c", void>>[0]>().toEqualTypeOf<"c">();
  });

  test("of jumps and handlers may come later, and must have come by compile()", () => {
    const early = base.node("fetch", () => {}).node("a", () => {}, { jumps: ["late", END], onError: "rescue" });
    expectTypeOf<ThisParameterType<typeof early.compile>>().toEqualTypeOf<
      GraphTypeError<'no node is named "late"' | 'no node is named "rescue"'>
    >();
    const late = early.node("late", () => {}).node("rescue", () => {});
    expectTypeOf<ThisParameterType<typeof late.compile>>().toEqualTypeOf(late);
    expectTypeOf<ThisParameterType<typeof base.compile>>().toEqualTypeOf<GraphTypeError<'no node is named "fetch"'>>();
  });

  test("that are computed are not checked before compile()", () => {
    const names: readonly string[] = ["x", "y"];
    let builder: GraphBuilder<{}, {}, {}, undefined, string, string> = graph({ name: "computed", channels: {} });
    for (const name of names) builder = builder.node(name, () => {}, { jumps: [END] }).edge(START, name);
    expectTypeOf(builder.compile()).toHaveProperty("fingerprint");
  });
});

describe("a graph's types", () => {
  const compiled = named.edge(START, "a").edge("a", END).compile();

  test("are found again from the graph", () => {
    expectTypeOf<Types<typeof compiled>["names"]>().toEqualTypeOf<"a" | "b" | "fetch">();
    expectTypeOf<Types<typeof compiled>["services"]>().toEqualTypeOf<{ find(id: string): string }>();
    const plain = graph({ name: "plain", channels: {} }).edge(START, END).compile();
    expectTypeOf<Types<typeof plain>["services"]>().toEqualTypeOf<undefined>();
  });

  test("give its state", () => {
    type State = GraphState<typeof compiled>;
    expectTypeOf<State["topic"]>().toEqualTypeOf<string>();
    expectTypeOf<State["hits"]>().toEqualTypeOf<readonly number[]>();
    expectTypeOf<State["total"]>().toEqualTypeOf<number>();
    expectTypeOf<State["mode"]>().toEqualTypeOf<"fast" | "slow">();
    expectTypeOf<State["note"]>().toEqualTypeOf<string | undefined>();
    expectTypeOf<State["limits"]>().toEqualTypeOf<{ perDay?: number; perHour?: number }>();
    expectTypeOf<State["chat"]>().toEqualTypeOf<readonly Message[]>();
    expectTypeOf<State["errors"]>().toEqualTypeOf<readonly ErrorRecord[]>();
  });

  test("give its input: what has no initial value is required", () => {
    type Input = GraphInput<typeof compiled>;
    expectTypeOf<{ topic: string }>().toExtend<Input>();
    expectTypeOf<{ topic: string; hits: number[]; note: undefined; limits: { perDay: null } }>().toExtend<Input>();
    expectTypeOf<{ hits: number[] }>().not.toExtend<Input>();
    expectTypeOf<{ topic: undefined }>().not.toExtend<Input>();
    expectTypeOf<{ topic: string; hits: string[] }>().not.toExtend<Input>();
  });
});

describe("NodeOf", () => {
  test("types a node in a file of its own", () => {
    const read: NodeOf<typeof base, "read"> = async ({ topic }, { emit, node }) => {
      expectTypeOf(node).toEqualTypeOf<"read">();
      emit("token", { text: topic });
      return { hits: [topic.length] };
    };
    expectTypeOf(base.node("read", read)).toEqualTypeOf(base.node("read", () => {}));
    // @ts-expect-error a wrong value
    const wrong: NodeOf<typeof base> = async () => ({ hits: ["1"] });
    // @ts-expect-error no channel at all
    const stray: NodeOf<typeof base> = async () => ({ hist: [1] });
    expectTypeOf(wrong).toEqualTypeOf(stray);
  });

  test("knows its jumps, and its input by its name", () => {
    const leave: NodeOf<typeof base, "leave", "fetch" | typeof END> = (_state, { goto, send }) => goto([END, send("fetch", { url: "" })]);
    expectTypeOf(base.node("leave", leave, { jumps: ["fetch", END] })).toHaveProperty("compile");
    // @ts-expect-error its jumps are to be listed where it is added
    base.node("leave", leave);
    const fetch: NodeOf<typeof base, "fetch"> = (_state, context) => expectTypeOf(context.input).toEqualTypeOf<{ url: string }>() && {};
    expectTypeOf(base.node("fetch", fetch)).toHaveProperty("compile");
    expectTypeOf<Parameters<NodeOf<typeof base>>[0]["hits"]>().toEqualTypeOf<readonly number[]>();
  });
});

describe("replace", () => {
  test("takes the channel's value, not its update", () => {
    base.node("x", () => ({ hits: replace([1]), total: replace(3), note: replace(undefined), limits: replace({ perDay: 1 }) }));
    base.node("x", (_state, { goto }) => goto(END, { hits: replace([1, 2]) }), { jumps: [END] });
    // @ts-expect-error one item is no list
    base.node("x", () => ({ hits: replace(1) }));
    // @ts-expect-error a required channel cannot be cleared
    base.node("x", () => ({ topic: replace(undefined) }));
    // @ts-expect-error `null` deletes a key in an update; in a value it is none
    base.node("x", () => ({ limits: replace({ perDay: null }) }));
    expectTypeOf(replace(1)).toEqualTypeOf<{ readonly "~replace": number } & ReturnType<typeof replace<number>>>();
  });

  test("of a state gives back its own type", () => {
    expectTypeOf<StateOf<{ list: ReturnType<typeof channel.list<string>> }>["list"]>().toEqualTypeOf<readonly string[]>();
  });
});
