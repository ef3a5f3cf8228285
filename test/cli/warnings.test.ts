/** What is said again at the end of a run: how often, and at most how much. */
import { expect, test } from "vitest";
import { noteWarning, noWarnings, warningTexts } from "../../src/cli/warnings.ts";
import type { AnyEvent, RuntimeEventData } from "../../src/events/event.ts";

const envelope = { epoch: 1, seq: 1, time: 1, graph: "g", sessionId: "s", invocationId: "i", node: "plan" };
const log = (level: RuntimeEventData["node.log"]["level"], message: string): AnyEvent => ({
  ...envelope,
  type: "node.log",
  data: { level, message, fields: {} },
});
const dropped = (count: number): AnyEvent => ({ ...envelope, type: "stream.dropped", data: { count } });

function textsOf(events: readonly AnyEvent[]): readonly string[] {
  const warnings = noWarnings();
  for (const event of events) noteWarning(warnings, event);
  return warningTexts(warnings);
}

test("what is no warning is not said again", () => {
  expect(textsOf([log("info", "a"), log("debug", "b"), { ...envelope, type: "warn", data: "the graph's own" }])).toEqual([]);
});

test("a warning that comes again is counted, and cannot colour", () => {
  expect(textsOf([log("warn", "\u001b[31mslow"), log("error", "slow"), log("warn", "\u001b[31mslow")])).toEqual([
    "plan warn slow × 2",
    "plan error slow",
  ]);
});

test("ten are said, and the others counted", () => {
  const texts = textsOf(Array.from({ length: 13 }, (_item, index) => log("warn", `w${index}`)));
  expect(texts).toHaveLength(11);
  expect(texts.at(-1)).toBe("… 3 more: every event is in the event log");
});

test("dropped events are added up", () => {
  expect(textsOf([dropped(3), dropped(4)])).toEqual(["7 events went by too fast to be followed here: warnings may be among them"]);
});
