/** `spanloom run --otlp`: the trace goes to a collector, and not to a file. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readSpans } from "../../src/cli/otlp-spans.ts";
import { startCollector } from "../otel/support.ts";
import { cli, document, endings, makeFolder } from "./child.ts";

const well = ["run", endings, "--input", '{"ending":"well"}', "--json"];

test.each<[string, (endpoint: string) => { readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> }]>([
  ["--otlp-endpoint, which implies --otlp", (endpoint) => ({ args: ["--otlp-endpoint", endpoint], env: {} })],
  ["OTEL_EXPORTER_OTLP_ENDPOINT", (endpoint) => ({ args: ["--otlp"], env: { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } })],
])("to %s", async (_name, given) => {
  const collector = await startCollector();
  const cwd = makeFolder();
  const { args, env } = given(collector.endpoint);
  const { code, stdout, stderr } = await cli([...well, ...args], { cwd, env });
  expect(code).toBe(0);
  const printed = document(stdout);
  expect(printed).toMatchObject({ status: "completed", traceFile: null });
  const sent = collector.requests.filter(({ path }) => path === "/v1/traces").map(({ body }) => body.toString("utf8"));
  const spans = readSpans(sent.join("\n"));
  expect(spans.map(({ name }) => name)).toContain("invoke_workflow endings");
  expect(spans).toHaveLength(14);
  expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([printed["traceId"]]));
  expect(sent.join("")).toContain('"service.name"');
  expect(stderr).toContain(`Trace: ${String(printed["traceId"])}, sent to ${collector.endpoint}`);
  expect(existsSync(join(cwd, ".spanloom/traces"))).toBe(false);
});

test("without --otlp nothing is sent, whatever the environment says", async () => {
  const collector = await startCollector();
  const { stdout } = await cli(well, { cwd: makeFolder(), env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint } });
  expect(existsSync(String(document(stdout)["traceFile"]))).toBe(true);
  expect(collector.requests).toEqual([]);
});

test("a collector that is down: said, counted, and no failure of the run", async () => {
  const { code, stdout, stderr } = await cli([...well, "--otlp-endpoint", "http://127.0.0.1:9"], { cwd: makeFolder() });
  expect(code).toBe(0);
  expect(document(stdout)).toMatchObject({ status: "completed" });
  expect(stderr).toMatch(/^spanloom telemetry: .*127\.0\.0\.1:9/m);
  expect(stderr).toMatch(/^! 14 spans of the trace could not be delivered\.$/m);
});
