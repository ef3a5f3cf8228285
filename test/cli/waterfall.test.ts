/** The waterfall of fixed spans, line by line. */
import { describe, expect, test } from "vitest";
import { readSpans } from "../../src/cli/otlp-spans.ts";
import type { Paint } from "../../src/cli/terminal.ts";
import { waterfall } from "../../src/cli/waterfall.ts";

type Value = string | number;
interface Given {
  readonly id: string;
  readonly parent?: string;
  readonly name: string;
  /** Milliseconds from the beginning of the trace. */
  readonly at: number;
  readonly for: number;
  readonly failed?: boolean;
  readonly attributes?: Readonly<Record<string, Value>>;
}

const base = 1_764_000_000_000n * 1_000_000n;
const nanoseconds = (milliseconds: number): string => String(base + BigInt(Math.round(milliseconds * 1e6)));

/** As an exporter writes it. */
function otlp(...spans: readonly Given[]): string {
  const written = spans.map((span) => ({
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: span.id,
    parentSpanId: span.parent,
    name: span.name,
    kind: 1,
    startTimeUnixNano: nanoseconds(span.at),
    endTimeUnixNano: nanoseconds(span.at + span.for),
    attributes: Object.entries(span.attributes ?? {}).map(([key, value]) => ({
      key,
      value: typeof value === "string" ? { stringValue: value } : { intValue: value },
    })),
    status: { code: span.failed === true ? 2 : 0 },
  }));
  return `${JSON.stringify({ resourceSpans: [{ resource: { attributes: [] }, scopeSpans: [{ scope: { name: "spanloom" }, spans: written }] }] })}\n`;
}

const draw = (text: string, width = 80): string => `\n${waterfall(readSpans(text), { width }).join("\n")}\n`;

/** Ended spans come child first. */
const research = otlp(
  { id: "5", parent: "3", name: "execute_node web", at: 60, for: 140, attributes: { "spanloom.node.attempt": 2 } },
  {
    id: "4",
    parent: "3",
    name: "execute_node web",
    at: 10,
    for: 40,
    failed: true,
    attributes: { "spanloom.node.attempt": 1, "error.type": "FetchError" },
  },
  { id: "3", parent: "2", name: "schedule", at: 10, for: 190 },
  { id: "6", parent: "2", name: "barrier", at: 200, for: 0.05 },
  { id: "2", parent: "1", name: "superstep", at: 10, for: 195, attributes: { "spanloom.step": 1 } },
  { id: "7", parent: "1", name: "superstep", at: 210, for: 100, attributes: { "spanloom.step": 2 } },
  { id: "1", name: "invoke_workflow research", at: 0, for: 320, attributes: { "spanloom.invocation.outcome": "paused" } },
);

test("nests as in Jaeger, scales the bars, and marks attempts, failures, the pause and the slowest path", () => {
  expect(draw(research)).toBe(`
▸ invoke_workflow research ‖ paused     320 ms █████████████████████████████████
▸   superstep 1                         195 ms  ████████████████████
▸     schedule                          190 ms  ████████████████████
        execute_node web ✗ FetchError  40.0 ms  ████
▸       execute_node web (attempt 2)    140 ms       ██████████████
      barrier                          0.05 ms                     ▏
    superstep 2                         100 ms                      ██████████
`);
});

test("a narrow terminal cuts names, and then has no bars", () => {
  expect(draw(research, 50)).toBe(`
▸ invoke_workflow rese…   320 ms █████████████████
▸   superstep 1           195 ms ██████████
▸     schedule            190 ms ██████████
        execute_node w…  40.0 ms ██
▸       execute_node w…   140 ms    ███████
      barrier            0.05 ms           ▏
    superstep 2           100 ms            █████
`);
  expect(draw(research, 30)).toBe(`
▸ invoke_workflow re…   320 ms
▸   superstep 1         195 ms
▸     schedule          190 ms
        execute_node…  40.0 ms
▸       execute_node…   140 ms
      barrier          0.05 ms
    superstep 2         100 ms
`);
});

test.each([20, 30, 44, 50, 80, 200])("no line is wider than %d columns", (width) => {
  for (const line of waterfall(readSpans(research), { width })) expect(Array.from(line).length).toBeLessThanOrEqual(width);
});

describe("a wide fan-out", () => {
  const fetches = Array.from({ length: 200 }, (_item, index) => ({
    id: `f${index}`,
    parent: "1",
    name: `execute_node fetch`,
    at: index,
    for: index === 150 ? 50 : 1,
    failed: index === 170,
  }));
  const lines = waterfall(readSpans(otlp({ id: "1", name: "schedule", at: 0, for: 200 }, ...fetches)));

  test("shows twenty, the slowest and the failed among them, and counts the others", () => {
    expect(lines).toHaveLength(1 + 20 + 1);
    expect(lines.at(-1)).toBe("    … 180 more execute_node spans");
    expect(lines.filter((line) => line.includes("✗"))).toHaveLength(1);
    expect(lines.filter((line) => /^▸ +execute_node fetch +50\.0 ms/.test(line))).toHaveLength(1);
    expect(lines.filter((line) => line.startsWith("▸"))).toHaveLength(2);
  });
});

describe("a long run", () => {
  const steps = Array.from({ length: 100 }, (_item, index) => ({
    id: `s${index + 1}`,
    parent: "1",
    name: "superstep",
    at: index,
    for: index === 49 ? 3 : 1,
    attributes: { "spanloom.step": index + 1 },
  }));
  const checkpoint = { id: "c", parent: "1", name: "checkpoint", at: 101, for: 1 };
  const lines = (failed: boolean): readonly string[] =>
    waterfall(readSpans(otlp({ id: "1", name: "invoke_workflow loop", at: 0, for: 102, failed }, ...steps, checkpoint)));
  const shown = (failed: boolean): readonly number[] =>
    lines(failed).flatMap((line) => Array.from(line.matchAll(/superstep (\d+)/g), ([, step]) => Number(step)));
  const first = (count: number): readonly number[] => Array.from({ length: count }, (_item, index) => index + 1);

  test("that failed shows its last three supersteps, too", () => {
    expect(shown(true)).toEqual([...first(16), 50, 98, 99, 100]);
  });

  test("that did not shows the first and the slowest, and counts the others in words", () => {
    expect(shown(false)).toEqual([...first(19), 50]);
    expect(lines(false).slice(-2)).toEqual(["    … 80 more supersteps", "    … 1 more checkpoint"]);
  });
});

test("a span whose parent is elsewhere is a root, and several traces stand one after another", () => {
  const text = otlp({ id: "b", parent: "gone", name: "later", at: 10, for: 1 }) + otlp({ id: "a", name: "first", at: 0, for: 1 });
  expect(waterfall(readSpans(text)).map((line) => line.slice(2, 8).trim())).toEqual(["first", "later"]);
});

test("hostile names stay on their line, deep nesting keeps its names, and no time at all is drawn", () => {
  const deep = Array.from({ length: 5_000 }, (_item, index) => ({
    id: `d${index}`,
    ...(index === 0 ? {} : { parent: `d${index - 1}` }),
    name: `n\n\u001b[31m${index}`,
    at: 0,
    for: 0,
  }));
  const lines = waterfall(readSpans(otlp(...deep)), { width: 60 });
  expect(lines).toHaveLength(5_000);
  expect(lines.at(-1)).toMatch(/^▸ +n 4999 +0\.00 ms █+$/);
});

test("colours change nothing but colours", () => {
  const paint: Paint = (style, text) => `<${style}>${text}</>`;
  const painted = waterfall(readSpans(research), { paint, width: 80 }).map((line) => line.replace(/<\w*>|<\/>/g, ""));
  expect(painted).toEqual(waterfall(readSpans(research), { width: 80 }));
  expect(waterfall(readSpans(research), { paint })[3]).toContain("<red>");
});

test("lines that are no traces are passed over, and no spans are no lines", () => {
  const torn = `${research}{"resourceSpans":[{"scopeSp`;
  expect(readSpans(`\nnull\n[1]\n{"resourceSpans":3}\n${torn}`)).toHaveLength(7);
  expect(waterfall([])).toEqual([]);
});

test("values of every kind are read", () => {
  const attributes = [
    { key: "text", value: { stringValue: "a" } },
    { key: "int", value: { intValue: "7" } },
    { key: "double", value: { doubleValue: 0.5 } },
    { key: "flag", value: { boolValue: true } },
    { key: "list", value: { arrayValue: { values: [{ stringValue: "a" }, { stringValue: "b" }] } } },
    { key: "none" },
  ];
  const span = { name: "s", startTimeUnixNano: "1764000000000123456", endTimeUnixNano: "1764000000001123456", attributes, status: {} };
  const [read] = readSpans(JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }));
  expect(read?.attributes).toEqual({ text: "a", int: 7, double: 0.5, flag: true, list: ["a", "b"] });
  expect(read).toMatchObject({ failed: false, parentSpanId: "" });
  expect((read?.end ?? 0) - (read?.start ?? 0)).toBeCloseTo(1, 3);
});
