/** What the README shows is what the repository holds, and it runs. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { spanAttributes, spans } from "../../src/telemetry/names.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));
const fromSource = fileURLToPath(new URL("from-source.ts", import.meta.url));

const readme = await readFile(join(root, "README.md"), "utf8");
const example = await readFile(join(root, "examples/research/research.ts"), "utf8");

describe("the README", () => {
  it("shows the example as it is in examples/research", () => {
    const shown = readme
      .split("```ts\n")
      .slice(1)
      .map((block) => block.split("```")[0]);
    expect(shown).toContain(example);
  });

  it("names, for each phase, attributes that its span carries", () => {
    for (const phase of ["schedule", "barrier", "frontier", "checkpoint"] as const) {
      const row = readme.split("\n").find((line) => line.startsWith(`| **${spans[phase].name}**`)) ?? "";
      const named = [...row.matchAll(/`(spanloom\.[a-z_.]+)`/g)].map((match) => match[1]);
      const carried = Object.values(spanAttributes)
        .filter(({ on }) => on.includes(phase))
        .map(({ key }) => key as string);
      expect(named.length, phase).toBeGreaterThan(0);
      expect(carried, phase).toEqual(expect.arrayContaining(named));
    }
  });

  it("links to files that exist", async () => {
    const links = [...readme.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map((match) => match[1] ?? "");
    expect(links.length).toBeGreaterThan(3);
    for (const link of links) await expect(stat(join(root, link)), link).resolves.toBeDefined();
  });
});

describe("the example", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "research-"));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it("runs: answers on the second try, and leaves its events and its trace", async () => {
    const { stdout, stderr } = await run(process.execPath, ["--import", fromSource, join(root, "examples/research/research.ts")], {
      cwd: folder,
    });
    expect(stderr).toBe("");
    expect(stdout.split("\n").at(-2)).toMatch(/^completed: 4 sources, \d+ tokens$/);
    const events = (await readFile(join(folder, "research.events.jsonl"), "utf8"))
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { readonly type: string });
    expect(events.filter(({ type }) => type === "token")).toHaveLength(18);
    expect(events.at(-1)?.type).toBe("invocation.completed");
    const trace = await readFile(join(folder, "research.otlp.jsonl"), "utf8");
    expect(trace).toContain('"execute_node web"');
  });
});
