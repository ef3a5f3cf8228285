/** Imports point down: every file of the source keeps to its layer, and loads only the packages that are meant for it. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { importsOf, placeOf, problemsOf } from "./layers.ts";

const root = new URL("../../src/", import.meta.url);
const files = readdirSync(root, { recursive: true, encoding: "utf8" })
  .map((path) => path.replaceAll("\\", "/"))
  .filter((path) => path.endsWith(".ts"));

describe("the layers", () => {
  it("hold for every file", () => {
    const problems = files.flatMap((path) => problemsOf(path, readFileSync(new URL(path, root), "utf8")));
    expect(files.length).toBeGreaterThan(20);
    expect(problems).toEqual([]);
  });

  it.each([
    ["support/value.ts", "../errors/errors.ts", true],
    ["support/value.ts", "../graph/plan.ts", false],
    ["graph/plan.ts", "../support/types.ts", true],
    ["graph/plan.ts", "../events/event.ts", false],
    ["graph/plan.ts", "@opentelemetry/api", false],
    ["events/event.ts", "../graph/event-type.ts", true],
    ["events/bus.ts", "./sinks/jsonl.ts", false],
    ["checkpoint/checkpointer.ts", "../events/event.ts", true],
    ["telemetry/names.ts", "../engine/barrier.ts", false],
    ["engine/barrier.ts", "../checkpoint/checkpointer.ts", true],
    ["engine/barrier.ts", "../runtime/runner.ts", false],
    ["engine/schedule.ts", "../events/sinks/jsonl.ts", false],
    ["runtime/runner.ts", "../engine/barrier.ts", true],
    ["runtime/runner.ts", "../checkpoint/memory/memory.ts", false],
    ["runtime/runner.ts", "../create-runner.ts", false],
    ["events/sinks/jsonl.ts", "../sink.ts", true],
    ["events/sinks/jsonl.ts", "../../runtime/runner.ts", false],
    ["events/sinks/jsonl.ts", "../../engine/barrier.ts", false],
    ["events/sinks/jsonl.ts", "../../checkpoint/checkpointer.ts", false],
    ["checkpoint/sqlite/open.ts", "../codec.ts", true],
    ["checkpoint/sqlite/open.ts", "../memory/memory.ts", false],
    ["checkpoint/sqlite/open.ts", "../../events/event.ts", true],
    ["checkpoint/sqlite/open.ts", "node:sqlite", true],
    ["checkpoint/memory/memory.ts", "node:sqlite", false],
    ["checkpoint/postgres/pool.ts", "pg", true],
    ["sqlite.ts", "node:sqlite", false],
    ["telemetry/otel/spans.ts", "@opentelemetry/api", true],
    ["telemetry/otel/spans.ts", "@opentelemetry/sdk-trace", false],
    ["telemetry/instrumentation.ts", "@opentelemetry/api", false],
    ["otel/start.ts", "@opentelemetry/sdk-trace", true],
    ["testing.ts", "@opentelemetry/sdk-trace", true],
    ["otel.ts", "./otel/start.ts", true],
    ["index.ts", "./create-runner.ts", true],
    ["create-runner.ts", "./index.ts", false],
    ["create-runner.ts", "./telemetry/otel/spans.ts", true],
    ["testing.ts", "./otel/start.ts", false],
    ["cli/main.ts", "../otel.ts", true],
    ["cli/main.ts", "@opentelemetry/api", false],
    ["errors/errors.ts", "../strange/file.ts", false],
  ])("%s importing %s: %s", (path, specifier, allowed) => {
    expect(problemsOf(path, `import { x } from "${specifier}";`)).toHaveLength(allowed ? 0 : 1);
  });

  it("have a place for every file", () => {
    expect(placeOf("strange/file.ts")).toBeUndefined();
    expect(placeOf("checkpoint/memory.ts")).toEqual({ layer: "adapter", name: "checkpoint/memory" });
    expect(problemsOf("strange.ts", "")).toEqual(["strange.ts is in no layer."]);
  });
});

describe("imports are found", () => {
  it.each([
    ["of values", 'import { a } from "./a.ts";'],
    ["of types", 'import type { A } from "./a.ts";'],
    ["over several lines", 'import {\n  a,\n  type B,\n} from "./a.ts";'],
    ["for their effect", 'import "./a.ts";'],
    ["exported again", 'export { a } from "./a.ts";\nexport const b = 1;'],
    ["all exported again", 'export type * from "./a.ts";'],
    ["when needed", 'const a = await import("./a.ts");'],
    ["in a type", 'type A = import("./a.ts").A;'],
  ])("%s", (_name, text) => {
    expect(importsOf(text)).toEqual(["./a.ts"]);
  });

  it("but not in comments and texts", () => {
    const text =
      ' * import { a } from "./a.ts";\n// import "./a.ts";\n// import("./a.ts")\nexport const from = 1;\nconst text = `from "./a.ts"`;';
    expect(importsOf(text)).toEqual([]);
  });
});
