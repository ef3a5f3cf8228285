/** What a schema makes of a value, and how what is wrong is said. */
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { validateWith } from "../../src/support/schema.ts";
import type { StandardSchema } from "../../src/support/types.ts";

const schemaOf = (validate: (value: unknown) => unknown): StandardSchema => ({ "~standard": { version: 1, vendor: "test", validate } });
const issue = (message: string, ...path: readonly unknown[]) => ({ message, path });
const person = z.object({ name: z.string(), tags: z.array(z.object({ id: z.number() })).default([]) });

describe("validateWith", () => {
  it("gives the schema's output", () => {
    expect(validateWith(person, { name: "Ada", other: 1 })).toEqual({ ok: true, value: { name: "Ada", tags: [] } });
    expect(validateWith(z.undefined(), undefined)).toEqual({ ok: true, value: undefined });
  });

  it.each([
    ["the whole value", person, 5, "", /object/],
    ["a part, by its path", person, { name: "Ada", tags: [{ id: 1 }, { id: "2" }] }, "tags[1].id", /number/],
    ["a key that is no identifier", z.record(z.string(), z.number()), { "a b": "x" }, '["a b"]', /number/],
    ["segments that are objects", schemaOf(() => ({ issues: [issue("no", { key: "a" }, { key: 0 })] })), 1, "a[0]", /^no$/],
    ["an issue without words", schemaOf(() => ({ issues: [{}] })), 1, "", /^is invalid$/],
    ["no issue at all", schemaOf(() => ({ issues: [] })), 1, "", /^is invalid$/],
    ["a schema that gives nothing", schemaOf(() => undefined), 1, "", /no result/],
    ["an asynchronous schema", schemaOf(async () => ({ value: 1 })), 1, "", /must be synchronous/],
    ["an asynchronous schema that rejects", schemaOf(() => Promise.reject(new Error("late"))), 1, "", /must be synchronous/],
    ["a schema with an asynchronous part", z.string().refine(async () => true), "x", "", /must be synchronous/],
    ["a schema that throws", schemaOf(() => { throw new TypeError("broken"); }), 1, "", /threw TypeError: broken/], // prettier-ignore
  ])("refuses %s", (_name, schema, value, path, message) => {
    const result = validateWith(schema, value);
    expect(result).toMatchObject({ ok: false, path });
    expect(result).toHaveProperty("message", expect.stringMatching(message));
  });

  it("says the first three issues, and how many more there are", () => {
    const issues = ["one", "two", "three", "four", "five"].map((message, index) => issue(message, index));
    const result = validateWith(schemaOf(() => ({ issues })), []); // prettier-ignore
    expect(result).toEqual({ ok: false, path: "[0]", message: "one; [1]: two; [2]: three; and 2 more" });
  });
});
