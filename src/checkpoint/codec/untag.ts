/** JSON as it was stored back to values. No class is ever looked up by a stored name: each is one of a fixed few. */
import { emptyError } from "../../support/value/error.ts";
import { type TagKind, tagKey } from "./tag.ts";
import { typedArrayOf } from "./typed-array.ts";

/** What was stored is not what this version writes. Its message continues "cannot be read: ". */
export class FormatError extends Error {
  override readonly name = "FormatError";
}

function fail(reason: string): never {
  throw new FormatError(reason);
}

/** Changes the tree, which nobody else holds. Throws `FormatError`. */
export function untag(tree: unknown): unknown {
  if (typeof tree !== "object" || tree === null) return tree;
  if (Array.isArray(tree)) {
    for (let index = 0; index < tree.length; index += 1) tree[index] = untag(tree[index]);
    return tree;
  }
  // Parsing defines properties: a key `__proto__` is one of its own, and assigning to it sets no prototype.
  const record = tree as Record<string, unknown>;
  if (Object.hasOwn(record, tagKey)) return untagged(record[tagKey]);
  for (const key of Object.keys(record)) {
    const part = record[key];
    if (typeof part === "object" && part !== null) record[key] = untag(part);
  }
  return record;
}

type Reader = (parts: readonly unknown[]) => unknown;

const readers: Readonly<Record<TagKind, Reader>> = {
  undefined: () => undefined,
  number: ([text]) => numbers.get(text) ?? fail("it holds a number that is none"),
  bigint: ([text]) => bigintOf(text),
  object: (parts) => recordOf({}, parts),
  bare: (parts) => recordOf(Object.create(null), parts),
  date: ([time]) => (time === null || typeof time === "number" ? new Date(time ?? Number.NaN) : fail("it holds a date that is none")),
  map: (parts) => mapOf(parts),
  set: (parts) => new Set(parts.map(untag)),
  array: ([name, text]) => arrayOf(name, text),
  error: ([name, ...parts]) => errorOf(name, parts),
};

const numbers: ReadonlyMap<unknown, number> = new Map([
  ["-0", -0],
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
]);

function untagged(content: unknown): unknown {
  const [kind, ...parts]: readonly unknown[] = Array.isArray(content) ? content : fail("it holds a tag without content");
  if (typeof kind !== "string" || !Object.hasOwn(readers, kind)) fail(`it holds a value of the unknown kind ${JSON.stringify(kind)}`);
  // The name was looked up just now.
  return readers[kind as TagKind](parts);
}

function bigintOf(text: unknown): bigint {
  return typeof text === "string" && /^-?\d+$/.test(text) ? BigInt(text) : fail("it holds a bigint that is none");
}

function recordOf(record: object, parts: readonly unknown[]): object {
  for (let index = 0; index < parts.length; index += 2) {
    const key = parts[index];
    if (typeof key !== "string") fail("it holds an object with a key that is no text");
    Object.defineProperty(record, key, { value: untag(parts[index + 1]), writable: true, enumerable: true, configurable: true });
  }
  return record;
}

function mapOf(parts: readonly unknown[]): ReadonlyMap<unknown, unknown> {
  const map = new Map<unknown, unknown>();
  for (let index = 0; index < parts.length; index += 2) map.set(untag(parts[index]), untag(parts[index + 1]));
  return map;
}

function arrayOf(name: unknown, text: unknown): unknown {
  const known = typeof name === "string" && typeof text === "string";
  return (known ? typedArrayOf(name, Buffer.from(text, "base64")) : undefined) ?? fail("it holds a typed array of an unknown kind");
}

function errorOf(name: unknown, parts: readonly unknown[]): Error {
  const error = (typeof name === "string" ? emptyError(name) : undefined) ?? fail("it holds an error of an unknown kind");
  for (const part of parts) {
    const [key, enumerable, value]: readonly unknown[] = Array.isArray(part) ? part : [];
    if (typeof key !== "string" || typeof enumerable !== "boolean") fail("it holds an error with a part that is none");
    Object.defineProperty(error, key, { value: untag(value), writable: true, enumerable, configurable: true });
  }
  return error;
}
