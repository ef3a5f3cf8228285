/** The registry holds what it promises. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { attributePrefix, scope, spanAttributes, spanEvents, spans } from "../../src/telemetry/names.ts";

function versionIn(path: string): unknown {
  const read: unknown = JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));
  return typeof read === "object" && read !== null && "version" in read ? read.version : undefined;
}

test("the scope's version is the package's, its schema that of the conventions installed", () => {
  expect(scope.version).toBe(versionIn("../../package.json"));
  const conventions = versionIn("../../node_modules/@opentelemetry/semantic-conventions/package.json");
  expect(scope.schemaUrl).toBe(`https://opentelemetry.io/schemas/${String(conventions)}`);
});

test("keys are unique and, but for the error's, under the prefix", () => {
  const keys = Object.values(spanAttributes).map(({ key }) => key);
  expect(new Set(keys).size).toBe(keys.length);
  expect(keys.filter((key) => !key.startsWith(attributePrefix))).toEqual(["error.type", "error.code", "error.message"]);
});

test("every entry says what it is, in one sentence", () => {
  const sentences = [...Object.values(spans), ...Object.values(spanAttributes)].map(({ about }) => about);
  for (const sentence of [...sentences, ...Object.values(spanEvents)]) expect(sentence).toMatch(/^[A-Z].*[.…]$/);
});
