/** Which export of a module is run, and what is said when none can be. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { loadGraph, locateModule, pickGraph } from "../../src/cli/load-graph.ts";
import type { Plan } from "../../src/graph/plan.ts";

const folder = mkdtempSync(join(tmpdir(), "spanloom-load-"));
afterAll(() => rmSync(folder, { recursive: true }));
const module = (name: string, content: string): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

const plan: Plan = {
  name: "g",
  version: undefined,
  fingerprint: "f",
  channels: [],
  channelIndex: new Map(),
  events: new Set(),
  nodes: [],
  nodeIndex: new Map(),
  joins: [],
  entry: { edges: [], branches: [] },
};
/** Stands for the brand of a compiled graph. */
const recognise = (value: unknown): Plan | undefined => (typeof value === "object" && value !== null && "ours" in value ? plan : undefined);

const ours = { ours: 1 };
const other = { ours: 2 };
const call = (): void => {};
const builder = { node: call, edge: call, compile: call };
const foreign = { describe: call, toMermaid: call, toDot: call };

test.each<[string, Readonly<Record<string, unknown>>, string | undefined, string]>([
  ["the default", { default: ours, other }, undefined, "default"],
  ["the named one", { default: ours, other }, "other", "other"],
  ["the only one", { helper: 1, research: ours }, undefined, "research"],
  ["one exported twice", { a: ours, b: ours }, undefined, "a"],
  ["the only one of a module whose default is something else", { default: { research: ours }, research: ours }, undefined, "research"],
])("picks %s", (_name, exported, name, expected) => {
  expect(pickGraph(exported, "m.ts", name, recognise)).toMatchObject({ name: expected, plan });
});

test.each<[string, Readonly<Record<string, unknown>>, string | undefined, string, string]>([
  ["several", { a: ours, b: other }, undefined, "not_a_graph", 'm.ts exports several graphs: "a", "b". Choose one with --export.'],
  ["none", { a: 1 }, undefined, "not_a_graph", "m.ts exports no compiled graph. Export the result of graph(…).….compile()."],
  [
    "a builder",
    { a: 1, b: builder },
    undefined,
    "not_a_graph",
    'm.ts exports "b", which is a graph that is still being built. End it with .compile().',
  ],
  [
    "a named builder",
    { b: builder },
    "b",
    "not_a_graph",
    'm.ts exports "b", which is a graph that is still being built. End it with .compile().',
  ],
  ["something else", { a: 1 }, "a", "not_a_graph", 'm.ts exports "a", which is no compiled graph.'],
  [
    "a misspelt name",
    { research: ours, default: other },
    "reserch",
    "export_not_found",
    'm.ts has no export "reserch". Did you mean "research"?',
  ],
  ["an unlike name", { research: ours, chat: other }, "x", "export_not_found", 'm.ts has no export "x". Known: "research", "chat".'],
  ["no graph to suggest", { a: 1 }, "x", "export_not_found", 'm.ts has no export "x". It exports no compiled graph.'],
])("refuses %s", (_name, exported, name, code, message) => {
  const pick = (): unknown => pickGraph(exported, "m.ts", name, recognise);
  expect(pick).toThrow(expect.objectContaining({ code, message, exitCode: 2 }));
});

test.each([undefined, "default"])("says that a graph is of another copy of the package (%s)", (name) => {
  expect(() => pickGraph({ default: foreign }, "m.ts", name, recognise)).toThrow(/another copy of spanloom.*npx spanloom/);
});

describe("locating", () => {
  module("flow.ts", "");
  mkdirSync(join(folder, "sub"));
  test.each([
    ["flow", 'Did you mean "flow.ts"?'],
    ["fluw.ts", 'Did you mean "flow.ts"?'],
    ["nowhere/flow.ts", "There is no folder"],
    ["sub", "It is a folder"],
  ])("%s: %s", (name, message) => {
    expect(() => locateModule(join(folder, name))).toThrow(
      expect.objectContaining({ code: "module_not_found", message: expect.stringContaining(message) }),
    );
  });
});

describe("importing", () => {
  test.each([
    ["a value", "export const services = { user: 'ada' };"],
    ["a function", "export const services = () => ({ user: 'ada' });"],
    ["an async function", "export async function services() { return { user: 'ada' }; }"],
  ])("takes services from %s", async (name, source) => {
    const path = module(`${name.replaceAll(" ", "-")}.mjs`, `export default { ours: 1 };\n${source}`);
    expect(await loadGraph(path, undefined, recognise)).toMatchObject({ path, services: { user: "ada" } });
  });

  test.each([
    ["throws.mjs", "throw new Error('no key')", "import_failed", /throws\.mjs could not be imported: no key/],
    ["syntax.mjs", "export default {", "import_failed", /syntax\.mjs could not be imported: /],
    ["dependency.mjs", "import 'not-installed-anywhere'", "import_failed", /not-installed-anywhere/],
    ["services.mjs", "export default { ours: 1 }; export const services = () => { throw new Error('no db') }", "services_failed", /no db/],
  ])("%s ends with 1", async (name, source, code, message) => {
    const loaded = loadGraph(module(name, source), undefined, recognise);
    await expect(loaded).rejects.toMatchObject({ code, exitCode: 1, message: expect.stringMatching(message) });
  });

  test("a graph that does not compile speaks for itself", async () => {
    const errors = new URL("../../src/errors/errors.ts", import.meta.url);
    const path = module("invalid.mjs", `import { GraphError } from ${JSON.stringify(errors.href)}; throw new GraphError("g", []);`);
    await expect(loadGraph(path, undefined, recognise)).rejects.toMatchObject({ name: "GraphError", code: "invalid_graph" });
  });
});
