/** Options of what removes: one that is misspelt, or lacks its value, removes nothing. */
import { expect, it } from "vitest";
import { pruneOptions, removalOptions } from "../../src/checkpoint/options.ts";

const refusal = (option: string) => expect.objectContaining({ code: "invalid_option", facts: expect.objectContaining({ option }) });

it.each([
  [{ olderthan: "30d" }, "olderthan"],
  [{ olderThan: "30d", statuses: ["failed"] }, "statuses"],
  [{ olderThan: undefined }, "olderThan"],
  [{ olderThan: undefined, status: undefined }, "olderThan"],
])("whole sessions by %o", (options, option) => {
  expect(() => removalOptions(options as never)).toThrow(refusal(option));
});

it.each([
  [{ keep: 1, sessionid: "a" }, "sessionid"],
  [{ Keep: 1 }, "Keep"],
])("checkpoints by %o", (options, option) => {
  expect(() => pruneOptions(options as never)).toThrow(refusal(option));
});

it("what is left out, or undefined beside another, means all", () => {
  expect(removalOptions({})).toEqual({ age: undefined, statuses: undefined });
  expect(removalOptions({ olderThan: 5, status: undefined as never })).toEqual({ age: 5, statuses: undefined });
  expect(pruneOptions({ keep: 2, sessionId: undefined as never })).toEqual({ keep: 2, sessionId: undefined });
});
