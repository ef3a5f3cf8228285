/** The examples of docs/otel.md do what the text says. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Collector, linesOf, namesOf, startCollector, temporaryFolder, tracesTo } from "./support.ts";

const text = readFileSync(new URL("../../docs/otel.md", import.meta.url), "utf8");
const examples = [...text.matchAll(/```ts\n(.*?)```/gs)].map((match) => match[1] ?? "");

/** The address that an import of an example leads to, from wherever the example lies. */
function addressOf(specifier: string): string {
  const own = /^spanloom(?:\/(.+))?$/.exec(specifier);
  return own === null ? import.meta.resolve(specifier) : new URL(`../../src/${own[1] ?? "index"}.ts`, import.meta.url).href;
}

async function run(example: string, collector: Collector): Promise<{ readonly folder: string; readonly output: string }> {
  const folder = temporaryFolder();
  const linked = example.replaceAll(/from "([^"]+)"/g, (_all, specifier: string) => `from ${JSON.stringify(addressOf(specifier))}`);
  writeFileSync(join(folder, "example.ts"), linked);
  const child = spawn(process.execPath, ["--no-warnings", "example.ts"], {
    cwd: folder,
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
  const [code] = (await once(child, "close")) as [number | null];
  expect(code).toBe(0);
  return { folder, output };
}

const spanNames = ["superstep", "schedule", "barrier", "frontier", "checkpoint"];

describe("docs/otel.md", () => {
  it("has three examples: a collector, a file, an SDK of one's own", () => {
    expect(examples).toHaveLength(3);
  });

  it("a collector gets the spans of the run", async () => {
    const collector = await startCollector();
    const { output } = await run(examples[0] ?? "", collector);
    expect(output).toBe("0 spans were lost.\n");
    expect(namesOf(tracesTo(collector))).toEqual(expect.arrayContaining(["invoke_workflow double", ...spanNames]));
  });

  it("the file holds the spans of the run", async () => {
    const collector = await startCollector();
    const { folder } = await run(examples[1] ?? "", collector);
    const file = join(folder, "traces", "run.otlp.jsonl");
    expect(namesOf(linesOf(file))).toEqual(expect.arrayContaining(["invoke_workflow hello", ...spanNames]));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(collector.requests).toEqual([]);
  });

  it("an SDK of one's own gets the spans of the run", async () => {
    const collector = await startCollector();
    await run(examples[2] ?? "", collector);
    expect(namesOf(tracesTo(collector))).toEqual(expect.arrayContaining(["invoke_workflow double", ...spanNames]));
  });
});
