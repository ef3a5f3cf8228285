/** What the inputs may be, as Standard Schemas: a library such as Zod or Valibot has ready ones. */
import type { StandardSchema } from "spanloom";

function schema<Value>(what: string, accepts: (value: unknown) => boolean): StandardSchema<Value> {
  const validate = (value: unknown) => (accepts(value) ? { value } : { issues: [{ message: `It must be ${what}.` }] });
  return { "~standard": { version: 1, vendor: "repo-health", validate } };
}

/** A whole number in a range. */
export const wholeNumber = (least: number, most: number): StandardSchema<number> =>
  schema(`a whole number from ${least} to ${most}`, (value) => Number.isInteger(value) && Number(value) >= least && Number(value) <= most);

/** Text that says something. */
export const text: StandardSchema<string> = schema("a text that is not empty", (value) => typeof value === "string" && value.trim() !== "");

/** Any number of them. */
export const texts: StandardSchema<readonly string[]> = schema(
  "a list of texts that are not empty",
  (value) => Array.isArray(value) && value.every((item) => typeof item === "string" && item.trim() !== ""),
);

/** A date as people write it, such as "2026-03-31", or nothing. */
export const optionalDate: StandardSchema<string | undefined> = schema(
  'a date such as "2026-03-31"',
  (value) => value === undefined || (typeof value === "string" && !Number.isNaN(Date.parse(value))),
);
