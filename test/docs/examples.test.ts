/** Every example of docs/ compiles, runs as it stands there, and prints what its comments say, nothing else. */
import { describe, expect, it } from "vitest";
import { type Example, examplesOf, headingsOf, makeWorkspace, pages, printed, promised } from "./examples.ts";

/** Their examples leave something to look at: each has a test beside this one, which runs them. */
const runElsewhere = ["cli.md", "otel.md"];
/** Most of their examples are there to be read: they print nothing. */
const silent = ["graphs.md"];

const examples = pages.flatMap(examplesOf);
const workspace = makeWorkspace(examples);

const sectionsOf = (found: readonly Example[]): readonly string[] => found.map(({ heading }) => heading);

it("the compiler has nothing to say of any example", async () => {
  expect(await workspace.compile()).toBe("");
});

describe.concurrent.each(pages.filter((page) => !runElsewhere.includes(page)))("docs/%s", (page) => {
  it.each(examplesOf(page))("prints what it says: $heading ($place)", async (example) => {
    const { stdout, stderr } = await workspace.run(example);
    const promises = promised(example);
    expect({ stdout: printed(stdout, promises), stderr }).toEqual({ stdout: promises, stderr: "" });
    if (!silent.includes(page)) expect(promises).not.toEqual([]);
  });
});

describe("the pages that have examples", () => {
  it("are these, at least", () => {
    const known = ["cli.md", "errors.md", "graphs.md", "otel.md", "running.md", "sessions.md", "state.md", "tracing.md"];
    const durable = ["durability.md", "pausing.md", "sqlite.md", "storage.md", "time-travel.md", "writing-a-store.md"];
    expect(pages).toEqual(expect.arrayContaining([...known, ...durable]));
  });

  it("graphs.md has more than seven, one of which shows the problems of a graph", () => {
    const found = examplesOf("graphs.md");
    expect(found.length).toBeGreaterThan(7);
    expect(found.flatMap(promised).join("\n")).toContain("invalid_option Option");
  });

  it("running.md has one in every section, or more", () => {
    expect([...new Set(sectionsOf(examplesOf("running.md")))]).toEqual(headingsOf("running.md"));
  });

  it("sessions.md has one in every section", () => {
    expect(sectionsOf(examplesOf("sessions.md"))).toEqual(headingsOf("sessions.md"));
  });

  it("state.md has one in every section but the last", () => {
    expect(sectionsOf(examplesOf("state.md"))).toEqual(headingsOf("state.md").slice(0, -1));
  });
});
