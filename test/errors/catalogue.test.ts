/** The catalogue of errors and docs/errors.md say the same, and every sentence can be made. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { exitOfMistakes } from "../../src/cli/exit-codes.ts";
import { catalogue, type CodeOf, type FactsOf, type Family } from "../../src/errors/catalogue.ts";
import { CheckpointError, GraphError, graphProblem, NodeError, RunnerError, SpanloomError, StateError } from "../../src/errors/errors.ts";

/* Facts of every code, optional ones included. A reason is as its callers give it: a part of the sentence, or a sentence at its end. */
const samples: { readonly [F in Family]: { readonly [C in CodeOf<F>]: Required<FactsOf<F, C>> } } = {
  graph: {
    invalid_name: { what: "event", name: "a.b", reason: "holds a dot" },
    invalid_option: { where: 'node "a"', option: "timeout", reason: "must be positive" },
    invalid_branch: { from: "a", reason: "has no labels" },
    invalid_edge: { from: ["START", "a"], to: ["b"], reason: "joins START" },
    duplicate_node: { node: "a" },
    duplicate_edge: { from: ["a", "b"], to: "c" },
    unknown_node: { node: "b", places: ["an edge"], hint: ' Did you mean "a"?' },
    missing_handler: { node: "a" },
    missing_input: { node: "a", places: ["an edge"] },
    no_entry: {},
    unreachable_node: { node: "a" },
    no_exit: { node: "a" },
    endless_cycle: { nodes: ["a", "b"] },
  },
  runner: {
    scheduler: { node: "a", nodes: ["a"], step: 1, reason: "It broke." },
    barrier: { step: 1, channel: "total", reason: "It broke." },
    frontier: { step: 1, node: "a", reason: "It broke." },
    max_steps: { maxSteps: 10, step: 10, sessionId: "s" },
    invalid_option: { option: "maxSteps", reason: "must be positive" },
    invalid_input: { reason: "It broke." },
    session_busy: { sessionId: "s" },
    session_exists: { sessionId: "s" },
    session_not_found: { sessionId: "s" },
    session_pending: { sessionId: "s", status: "paused" },
    session_finished: { sessionId: "s" },
    interrupt_not_found: { ids: ["x"], open: ["a"] },
    wrong_graph: { sessionId: "s", graph: "a", expected: "b" },
    graph_changed: { sessionId: "s", changes: ['node "a" is gone'] },
    checkpoint_failed: { sessionId: "s", step: 1, reason: "It broke." },
    cancelled: { sessionId: "s", reason: "It was enough." },
    closed: {},
  },
  state: {
    unknown_channel: { channel: "totl", node: "a", hint: ' Did you mean "total"?' },
    concurrent_write: { channel: "total", nodes: ["a", "b"], step: 1 },
    invalid_update: { channel: "total", reason: "it is no list", path: "total" },
    invalid_state: { channel: "total", reason: "it is no number", path: "total" },
    unserializable_value: { path: "total.client", what: "it is a function", channel: "total" },
    reducer_failed: { channel: "total", reason: "threw an error" },
  },
  node: {
    node_timeout: { node: "a", timeout: 10, kind: "idleTimeout", attempt: 1 },
    unknown_target: { node: "a", target: "b", reason: 'left for "b", which does not exist.' },
    missing_handler: { node: "a" },
  },
  checkpoint: {
    checkpoint_conflict: { sessionId: "s", checkpointId: "c", epoch: 2 },
    checkpoint_not_found: { sessionId: "s", checkpointId: "c" },
    checkpoint_corrupt: { sessionId: "s", checkpointId: "c", reason: "its check sum is wrong" },
    checkpointer_unavailable: { backend: "sqlite", reason: "the folder does not exist" },
    schema_too_new: { backend: "sqlite", found: 3, known: 2 },
  },
};

const families = Object.keys(samples) as Family[];
const all = families.flatMap((family) => {
  const made = samples[family] as Readonly<Record<string, object>>;
  return Object.keys(catalogue[family]).map((code) => ({ family, code, facts: made[code] ?? {} }));
});

const sentenceOf = (family: Family, code: string, facts: object): string =>
  // The table above ties codes to their facts; a code that is looked up by name does not.
  (catalogue[family] as unknown as Readonly<Record<string, (facts: object) => string>>)[code]?.(facts) ?? "";

const text = readFileSync(new URL("../../docs/errors.md", import.meta.url), "utf8");
const sections = new Map(
  text
    .split(/^## /m)
    .slice(1)
    .map((section) => [section.split("\n")[0] ?? "", section.split(/^# /m)[0] ?? ""]),
);
const headings = [...text.matchAll(/^## (.*)$/gm)].map((match) => match[1]);

describe("the catalogue", () => {
  it.each(all)("$family.$code makes a sentence", ({ family, code, facts }) => {
    const sentence = sentenceOf(family, code, facts);
    expect(sentence).toMatch(/^["A-Z`].*[^.][.?]$/s);
    expect(sentence).not.toMatch(/undefined|\[object|NaN|\.\./);
  });

  it.each<[string, Family, string, object, string]>([
    ["several interrupts open", "runner", "interrupt_not_found", { ids: [], open: ["a", "b"] }, 'Open: "a", "b". Use'],
    ["none open", "runner", "interrupt_not_found", { ids: ["x"], open: [] }, "Open: none."],
    ["a timeout", "node", "node_timeout", { node: "a", timeout: 10, kind: "timeout", attempt: 1 }, "within 10 ms"],
    ["an update as a whole", "state", "invalid_update", { reason: "it is no object" }, "The update was refused: it is no object."],
    ["an edge from nothing", "graph", "invalid_edge", { from: [], to: [], reason: "is empty" }, "from nothing to nothing is empty."],
  ])("has a sentence of its own for %s", (_name, family, code, facts, part) => {
    expect(sentenceOf(family, code, facts)).toContain(part);
  });
});

describe("docs/errors.md", () => {
  it("has one heading for every code, and none besides", () => {
    const codes = new Set([...all.map(({ code }) => code), "invalid_graph"]);
    expect(new Set(headings)).toEqual(codes);
    expect(headings).toHaveLength(codes.size);
  });

  it("groups them by class, in the order of the catalogue", () => {
    const classes = [...text.matchAll(/^# (.*)$/gm)].map((match) => match[1]);
    expect(classes).toEqual(["Errors", "GraphError", "RunnerError", "StateError", "NodeError", "CheckpointError", "CommandError"]);
    expect(headings).toEqual([...new Set(["invalid_graph", ...all.map(({ code }) => code)])]);
  });

  it("lists every mistake that the command line finds, with its exit code", () => {
    const rows = [...text.matchAll(/^\| `(\w+)` +\| (\d) +\|/gm)].map(([, code, exit]) => [code, Number(exit)]);
    expect(rows).toEqual(Object.entries(exitOfMistakes));
  });

  // The problems of a GraphError have no facts of their own.
  it.each(all.filter(({ family }) => family !== "graph"))("names the facts of $code", ({ code, facts }) => {
    const named = /^Facts: (.*)\.$/m.exec(sections.get(code) ?? "")?.[1] ?? "";
    expect([...named.matchAll(/`(\w+)`/g)].map((match) => match[1])).toEqual(Object.keys(facts));
  });
});

describe("an error", () => {
  it("has its code, its facts, its class's name and its cause", () => {
    const cause = new Error("why");
    const error = new StateError("unserializable_value", { path: "a", what: "it is a function" }, { cause });
    expect(error).toMatchObject({
      name: "StateError",
      code: "unserializable_value",
      facts: { path: "a", what: "it is a function" },
      cause,
    });
    expect(Object.keys(error)).toEqual(["code", "facts"]);
  });

  it("is told apart by its code, also when another copy of the package made it", () => {
    const error = new RunnerError("closed", {});
    expect(SpanloomError.is(error)).toBe(true);
    expect(SpanloomError.is(error, "closed")).toBe(true);
    expect(SpanloomError.is(error, "cancelled")).toBe(false);
    expect(SpanloomError.is(new Error("closed"))).toBe(false);
    const foreign = Object.defineProperty(Object.assign(new Error("x"), { code: "closed" }), Symbol.for("spanloom.error"), { value: true });
    expect(SpanloomError.is(foreign, "closed")).toBe(true);
  });

  it("of a graph lists every problem", () => {
    const problems = [graphProblem("no_entry", {}, []), graphProblem("no_exit", { node: "a" }, ["a"])];
    const error = new GraphError("orders", problems);
    expect(error).toMatchObject({ code: "invalid_graph", problems, facts: { graph: "orders", problems } });
    expect(error.message).toMatch(/^Graph "orders" has 2 problems:\n {2}- Nothing .* \(no_entry\)\n {2}- END .* \(no_exit\)$/);
    expect(new GraphError("orders", problems.slice(1)).message).toContain("has 1 problem:");
  });

  it.each([
    new NodeError("missing_handler", { node: "a" }),
    new CheckpointError("schema_too_new", { backend: "sqlite", found: 2, known: 1 }),
  ])("is an Error: $name", (error) => {
    expect(error).toBeInstanceOf(Error);
    expect(String(error)).toBe(`${error.name}: ${error.message}`);
  });
});
