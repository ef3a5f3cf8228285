/** What the compiler prints for a wrong graph ends in a sentence that says what is wrong. */
import { beforeAll, describe, expect, it } from "vitest";
import { compile } from "./compiler.ts";

const base = `
import { channel, END, event, graph, input, replace, services, START, type GraphInput, type NodeOf } from "./spanloom.ts";
const base = graph({
  name: "g",
  channels: {
    topic: channel.value<string>(),
    hits: channel.list<number>(),
    mode: channel.value<"fast" | "slow">("fast"),
    limits: channel.merge<{ perDay?: number }>({}),
  },
  events: { token: event<{ text: string }>(), tick: event() },
  inputs: { fetch: input<{ url: string }>() },
  services: services<{ find(id: string): string }>(),
});
const named = base.node("a", () => ({ hits: [1] })).node("b", () => {}).node("fetch", () => {});
export const used = [END, START, replace, named];
export type Used = NodeOf<typeof base> | GraphInput<ReturnType<typeof named.compile>>;
`;

const edgeSource = "edges and branches lead from START, or from nodes that were added before";
const edgeTarget = "edges and branches lead to END, or to nodes that were added before and take no input";
const jump = "a command leads only to what the node's `jumps` list, and to a node of `inputs` only by send()";
const sendTarget = "send() leads only to a node of `inputs` that the node's `jumps` list";
const takesNumbers = 'channel \\"hits\\" takes values of another type", readonly number[] | Replace<readonly number[]>>';
const label = "a branch returns labels of its own";

/** Each wrong line, with what must be printed for it and for nothing else. */
const wrong: readonly (readonly [what: string, line: string, sentence: string])[] = [
  ["an edge to an unknown node", `named.edge("a", "c");`, edgeTarget],
  ["one of several targets", `named.edge("a", ["b", "c"]);`, edgeTarget],
  ["an edge into START", `named.edge("a", START);`, edgeTarget],
  ["an edge into a node that takes an input", `named.edge("a", "fetch");`, edgeTarget],
  ["an edge from an unknown node", `named.edge("c", "a");`, edgeSource],
  ["one source of a join", `named.edge(["a", "c"], "b");`, edgeSource],
  ["an edge out of END", `named.edge(END, "a");`, edgeSource],
  ["a branch of an unknown node", `named.branch("c", { on: "a" }, () => "on");`, edgeSource],
  ["a label that leads to an unknown node", `named.branch("a", { on: "c" }, () => "on");`, edgeTarget],
  ["a label that leads to a node that takes an input", `named.branch("a", { on: ["b", "fetch"] }, () => "on");`, edgeTarget],
  ["a wrong branch label", `named.branch("a", { on: "b" }, () => "off");`, label],
  ["one of several labels", `named.branch("a", { on: "b", done: END }, () => ["on", "off"]);`, label],
  ["a duplicate name", `named.node("a", () => {});`, 'a node named \\"a\\" exists already'],
  ["a reserved name", `named.node("start", () => {});`, '\\"start\\" is reserved: name the node otherwise'],
  ["an unknown channel", `base.node("x", () => ({ hist: [1] }));`, '\\"hist\\" is not a channel of this graph'],
  [
    "an unknown channel beside a known one",
    `base.node("x", async () => ({ hits: [1], hist: 2 }));`,
    '\\"hist\\" is not a channel of this graph',
  ],
  [
    "an unknown channel in one of two returns",
    `base.node("x", ({ topic }) => { if (topic === "") return { hits: [1] }; return { hist: 2 }; });`,
    '\\"hist\\" is not a channel of this graph',
  ],
  ["`errors`, which only the runtime writes", `base.node("x", () => ({ errors: [] }));`, '\\"errors\\" is not a channel of this graph'],
  [
    "an update of any keys",
    `base.node("x", (): Record<string, number> => ({ hits: 1 }));`,
    "an update names its channels; this one may hold any key",
  ],
  ["a wrong update", `base.node("x", () => ({ hits: ["1"] }));`, takesNumbers],
  ["a wrong update of an async node", `base.node("x", async () => ({ hits: ["1"] }));`, takesNumbers],
  [
    "a wrong literal",
    `base.node("x", async () => ({ mode: "medium" }));`,
    `channel \\"mode\\" takes values of another type", "fast" | "slow" | Replace<"fast" | "slow">>`,
  ],
  ["a replacement by another type", `base.node("x", () => ({ hits: replace("none") }));`, takesNumbers],
  ["a list", `base.node("x", () => [1]);`, "a node returns an update, a command, or nothing"],
  [
    "a wrong update of a merge channel",
    `base.node("x", async () => ({ limits: { perMonth: 1 } }));`,
    'channel \\"limits\\" takes values of another type',
  ],
  ["a result that is no update", `base.node("x", () => "done");`, "Type 'string' is not assignable to type"],
  [
    "an unknown channel in the update of a command",
    `base.node("x", (_state, { goto }) => goto(END, { hist: 1 }), { jumps: [END] });`,
    '\\"hist\\" is not a channel of this graph',
  ],
  ["a wrong update of a command", `base.node("x", (_state, { also }) => also(END, { hits: ["1"] }), { jumps: [END] });`, takesNumbers],
  ["an undeclared jump", `base.node("x", (_state, { goto }) => goto("y"), { jumps: [END] });`, jump],
  ["one of several jumps", `base.node("x", (_state, { goto }) => goto([END, "y"]), { jumps: [END] });`, jump],
  ["a jump of a node without any", `base.node("x", (_state, { goto }) => goto(END));`, jump],
  ["a jump to a node that takes an input", `base.node("x", (_state, { goto }) => goto("fetch"), { jumps: ["fetch"] });`, jump],
  ["a send to a node that takes none", `base.node("x", (_state, { goto, send }) => goto(send("b", 1)), { jumps: ["b"] });`, sendTarget],
  ["a send that `jumps` does not list", `base.node("x", (_state, { send }) => void send("fetch", { url: "" }));`, sendTarget],
  [
    "a wrong item",
    `base.node("x", (_state, { goto, send }) => goto(send("fetch", { url: 1 })), { jumps: ["fetch"] });`,
    "Type 'number' is not assignable to type 'string'",
  ],
  ["a jump to a node that never came", `named.node("x", () => {}, { jumps: ["later"] }).compile();`, 'no node is named \\"later\\"'],
  ["a handler that never came", `named.node("x", () => {}, { onError: "later" }).compile();`, 'no node is named \\"later\\"'],
  ["an input of a node that never came", `base.node("x", () => {}).compile();`, 'no node is named \\"fetch\\"'],
  ["an unknown event", `base.node("x", (_state, { emit }) => emit("tokn"));`, "the graph declares no such event"],
  ["a wrong payload", `base.node("x", (_state, { emit }) => emit("token", { txt: "" }));`, "Did you mean to write 'text'?"],
  ["a missing payload", `base.node("x", (_state, { emit }) => emit("token"));`, "Expected 2 arguments, but got 1"],
  ["an unknown service", `base.node("x", (_state, { services }) => void services.fnd("1"));`, "Did you mean 'find'?"],
  ["an unknown channel of the state", `base.node("x", (state) => void state.topc);`, "Did you mean 'topic'?"],
  [
    "a write into the state",
    `base.node("x", (state) => void (state.topic = ""));`,
    "Cannot assign to 'topic' because it is a read-only property",
  ],
  ["a misspelt option", `base.node("x", () => {}, { timout: "1s" });`, "Did you mean to write 'timeout'?"],
  ["a duration of no known unit", `base.node("x", () => {}, { timeout: "1 second" });`, `'"1 second"' is not assignable to type 'Duration`],
  ["what is no channel", `graph({ name: "x", channels: { a: 5 } });`, "Type 'number' is not assignable to type 'AnyChannel'"],
  [
    "a node of its own file with a wrong update",
    `({ run: async () => ({ hits: ["1"] }) }) satisfies { run: NodeOf<typeof base> };`,
    "Type 'string' is not assignable to type 'number'",
  ],
  ["a missing input", `({}) satisfies GraphInput<ReturnType<typeof named.compile>>;`, "Property 'topic' is missing in type '{}'"],
  ["an unknown input", `({ topic: "", hist: 1 }) satisfies GraphInput<ReturnType<typeof named.compile>>;`, "'hist' does not exist in type"],
];

const file = (index: number): string => `case${index}.ts`;

describe("the compiler says", () => {
  let printed: ReadonlyMap<string, readonly string[]>;

  beforeAll(() => {
    const sources = wrong.map(([, line], index) => [file(index), `${base}${line}\n`]);
    printed = Map.groupBy(compile(Object.fromEntries(sources)).split(/\n(?! )/), (text) => text.slice(0, text.indexOf("(")));
  });

  it.each(wrong.map(([what, , sentence], index) => [what, sentence, index] as const))("for %s: %s", (_what, sentence, index) => {
    const errors = printed.get(file(index)) ?? [];
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain(sentence);
  });

  it("nothing of what is right", () => {
    expect(compile({ "right.ts": base })).toBe("");
  });
});
