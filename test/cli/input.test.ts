/** Where input comes from, and every way it can be wrong. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { checkComplete, readInput } from "../../src/cli/input.ts";
import type { PlannedChannel } from "../../src/graph/plan.ts";

const folder = mkdtempSync(join(tmpdir(), "spanloom-input-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, content: string): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

async function* chunks(...parts: readonly (string | Uint8Array)[]) {
  yield* parts;
}

test.each<[string, string | undefined, readonly (string | Uint8Array)[], unknown]>([
  ["nothing", undefined, [], {}],
  ["JSON", '{"a":1}', [], { a: 1 }],
  ["JSON after a space", ' {"a":1}', [], { a: 1 }],
  ["a file", file("ok.json", '\uFEFF{"b":[2]}'), [], { b: [2] }],
  ["standard input", "-", ['{"c":', '"é"}'], { c: "é" }],
  ["a character cut in two", "-", [Buffer.from('{"c":"é"}').subarray(0, 7), Buffer.from('{"c":"é"}').subarray(7)], { c: "é" }],
])("reads %s", async (_name, given, stdin, expected) => {
  expect(await readInput(given, chunks(...stdin))).toEqual(expected);
});

describe("refuses", () => {
  test.each<[string, string, string, RegExp]>([
    ["a list", "[1]", "input_not_an_object", /from --input is a list/],
    ["a text", '"a"', "input_not_an_object", /is a string/],
    ["bad JSON", "{oops", "input_not_json", /from --input is not valid JSON/],
    ["a bad file", file("bad.json", "oops"), "input_not_json", /bad\.json is not valid JSON/],
    ["null in a file", file("null.json", "null"), "input_not_an_object", /is null/],
    ["a missing file", join(folder, "none.json"), "input_unreadable", /no such file\. JSON .* begins with/],
    ["a folder", folder, "input_unreadable", /it is a folder/],
    ["empty standard input", "-", "input_not_json", /standard input is not valid JSON: it is empty/],
  ])("%s", async (_name, given, code, message) => {
    await expect(readInput(given, chunks())).rejects.toMatchObject({ code, exitCode: 2, message: expect.stringMatching(message) });
  });
});

test("every channel without a value is named at once", () => {
  const channel = (name: string, seeded: boolean): PlannedChannel => ({
    index: 0,
    name,
    kind: "value",
    seeded,
    initial: undefined,
    concurrent: "error",
    schema: undefined,
    reduce: undefined,
  });
  const plan = { name: "research", channels: [channel("question", false), channel("depth", true), channel("user", false)] };
  expect(() => checkComplete(plan, { depth: 1 })).toThrow(
    /graph "research" lacks "question", "user".*--input '{ "question": …, "user": … }'/,
  );
  expect(() => checkComplete(plan, { question: "", user: null })).not.toThrow();
});
