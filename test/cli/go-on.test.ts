/** What is advised where a session cannot go on as it was asked to. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { cli, document, makeFolder, source, steps } from "./child.ts";

const index = JSON.stringify(join(source, "index.ts"));
/* A question whose answer has to be a number. */
const picky = `import { channel, END, graph, START } from ${index};
const validate = (value) => (typeof value === "number" ? { value } : { issues: [{ message: "must be a number" }] });
const schema = { "~standard": { version: 1, vendor: "test", validate } };
export default graph({ name: "picky", channels: { count: channel.value(0) } })
  .node("ask", async (_state, context) => ({ count: await context.interrupt("How many?", { schema }) }))
  .edge(START, "ask")
  .edge("ask", END)
  .compile();
`;

test("an answer that is refused leaves the question open, and says again how to answer it", async () => {
  const cwd = makeFolder({ "picky.mjs": picky });
  const advice = "\nAnswer it, and go on: spanloom resume demo --answer '<json>'\n";
  const begun = await cli(["run", "picky.mjs", "--session", "demo"], { cwd });
  expect(begun.stderr.endsWith(advice)).toBe(true);
  const { code, stderr } = await cli(["resume", "demo", "--answer", '"many"'], { cwd });
  expect(code).toBe(2);
  expect(stderr).toContain("must be a number. (invalid_input)");
  expect(stderr.endsWith(advice)).toBe(true);
  const forked = await cli(["fork", "demo", "--as", "other"], { cwd });
  expect(forked.stderr).toBe(advice.slice(1).replace("demo", "other"));
  expect((await cli(["resume", "demo", "--answer", "3"], { cwd })).code).toBe(0);
});

describe("a graph that has changed since", () => {
  const changed = async (change: (text: string) => string): Promise<string> => {
    const text = readFileSync(steps, "utf8").replace("../../../src/index.ts", join(source, "index.ts"));
    const cwd = makeFolder({ "steps.mts": text });
    await cli(["run", "steps.mts", "--session", "demo", "--pause-before", "two"], { cwd });
    writeFileSync(join(cwd, "steps.mts"), change(text));
    return cwd;
  };

  test("and lacks nothing goes on as compatible, which is advised", async () => {
    const cwd = await changed((text) => text.replace('channel.value("")', 'channel.value(""), more: channel.value(0)'));
    const { code, stderr } = await cli(["resume", "demo", "--on-graph-change", "error"], { cwd });
    expect(code).toBe(1);
    expect(stderr).toContain("Go on all the same with --on-graph-change compatible. (graph_changed)");
    expect((await cli(["resume", "demo", "--on-graph-change", "compatible"], { cwd })).code).toBe(0);
  });

  test("and lacks something goes on without it by warn, which is advised", async () => {
    const cwd = await changed((text) => text.replaceAll("hold:", "held:").replace("{ hold }", "{ held: hold }"));
    const { code, stderr } = await cli(["resume", "demo"], { cwd });
    expect(code).toBe(1);
    expect(stderr).toMatch(/: channel "hold" is gone\. Mend the graph, or go on .* --on-graph-change warn, .*\(graph_changed\)/);
    const resumed = await cli(["resume", "demo", "--on-graph-change", "warn"], { cwd });
    expect(resumed.code).toBe(0);
    expect(document(resumed.stdout)).toMatchObject({ log: ["one", "two", "three"] });
  });
});
