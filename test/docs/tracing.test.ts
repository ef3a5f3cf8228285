/** The tables of docs/tracing.md say what the registry of names says. */
import { expect, test } from "vitest";
import { textOf } from "./examples.ts";
import { tables, unpadded } from "./tracing-tables.ts";

test.each(Object.keys(tables))("the table of %s is the registry's", (name) => {
  const [, after = ""] = textOf("tracing.md").split(`<!-- table: ${name} -->\n\n`);
  const [found = ""] = after.split("\n\n");
  expect(unpadded(found)).toBe(unpadded(tables[name] ?? ""));
});
