/** The examples of docs/otel.md send, or write, what the text says. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Collector, linesOf, namesOf, startCollector, temporaryFolder, tracesTo } from "../otel/support.ts";
import { examplesOf, makeWorkspace } from "./examples.ts";

const examples = examplesOf("otel.md");
const workspace = makeWorkspace(examples);

/** Prints, in a folder of its own, what is expected, and complains of nothing. */
async function run(index: number, collector: Collector, expected: string): Promise<string> {
  const example = examples[index];
  if (example === undefined) throw new Error(`docs/otel.md has no example ${index + 1}`);
  const cwd = temporaryFolder();
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" };
  expect(await workspace.run(example, { cwd, env })).toEqual({ stdout: expected, stderr: "" });
  return cwd;
}

const spanNames = ["superstep", "schedule", "barrier", "frontier", "checkpoint"];

describe("docs/otel.md", () => {
  it("has three examples: a collector, a file, an SDK of one's own", () => {
    expect(examples.map(({ heading }) => heading)).toEqual(["To a collector", "To a file", "With an SDK of your own"]);
  });

  it("a collector gets the spans of the run", async () => {
    const collector = await startCollector();
    await run(0, collector, "0 spans were lost.\n");
    expect(namesOf(tracesTo(collector))).toEqual(expect.arrayContaining(["invoke_workflow double", ...spanNames]));
  });

  it("the file holds the spans of the run", async () => {
    const collector = await startCollector();
    const file = join(await run(1, collector, ""), "traces", "run.otlp.jsonl");
    expect(namesOf(linesOf(file))).toEqual(expect.arrayContaining(["invoke_workflow hello", ...spanNames]));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(collector.requests).toEqual([]);
  });

  it("an SDK of one's own gets the spans of the run", async () => {
    const collector = await startCollector();
    await run(2, collector, "");
    expect(namesOf(tracesTo(collector))).toEqual(expect.arrayContaining(["invoke_workflow double", ...spanNames]));
  });
});
