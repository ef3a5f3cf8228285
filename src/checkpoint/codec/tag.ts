/** Values of the state as JSON: what JSON has no word for is tagged. */
import { types } from "node:util";
import { StateError } from "../../errors/errors.ts";
import { errorClass } from "../../support/value/error.ts";
import { show } from "../../support/show.ts";
import { bytesOf } from "./typed-array.ts";

/** The only key of a tagged value; data that has it is tagged itself. */
export const tagKey = "~";

/** What the tag's list begins with. The names are part of the format: they never change. */
export type TagKind = "undefined" | "number" | "bigint" | "object" | "bare" | "date" | "map" | "set" | "array" | "error";

const tagged = (kind: TagKind, parts: readonly unknown[]): object => ({ [tagKey]: [kind, ...parts] });

/** JSON that stands for the value, or the value itself when it is JSON already. Throws `StateError` `unserializable_value` for what is not kept. */
export function tag(value: unknown): unknown {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0) ? value : tagged("number", [Object.is(value, -0) ? "-0" : String(value)]);
    case "object":
      return value === null ? null : tagObject(value);
    case "undefined":
      return tagged("undefined", []);
    case "bigint":
      return tagged("bigint", [String(value)]);
    default:
      return refuse(value);
  }
}

/* The runtime has checked its values before; a caller of its own may not have. */
function refuse(value: unknown): never {
  throw new StateError("unserializable_value", { path: "value", what: `it is ${show(value)}` });
}

function tagObject(value: object): unknown {
  if (Array.isArray(value)) return tagArray(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype) return tagRecord(value as Readonly<Record<string, unknown>>);
  if (prototype === null) return tagged("bare", partsOf(value as Readonly<Record<string, unknown>>));
  return tagLive(value);
}

/** Copies from the first part on that is not JSON itself. */
function tagArray(source: readonly unknown[]): readonly unknown[] {
  let copy: unknown[] | undefined;
  for (let index = 0; index < source.length; index += 1) {
    const item = source[index];
    const written = tag(item);
    if (copy !== undefined) copy.push(written);
    else if (written !== item) copy = [...source.slice(0, index), written];
  }
  return copy ?? source;
}

function tagRecord(source: Readonly<Record<string, unknown>>): unknown {
  if (Object.hasOwn(source, tagKey)) return tagged("object", partsOf(source));
  let copy: Record<string, unknown> | undefined;
  for (const key of Object.keys(source)) {
    const part = source[key];
    const written = tag(part);
    if (written === part) continue;
    // Spreading defines properties, and what is there is only assigned to: a key `__proto__` stays data.
    copy ??= { ...source };
    copy[key] = written;
  }
  return copy ?? source;
}

const partsOf = (source: Readonly<Record<string, unknown>>): readonly unknown[] =>
  Object.keys(source).flatMap((key) => [key, tag(source[key])]);

function tagLive(value: object): unknown {
  if (types.isDate(value)) return tagged("date", [Number.isNaN(value.getTime()) ? null : value.getTime()]);
  if (types.isMap(value))
    return tagged(
      "map",
      Array.from(value).flatMap(([key, part]) => [tag(key), tag(part)]),
    );
  if (types.isSet(value)) return tagged("set", Array.from(value, tag));
  if (types.isTypedArray(value)) return tagged("array", [value[Symbol.toStringTag], bytesOf(value).toString("base64")]);
  if (types.isNativeError(value) || value instanceof Error) return tagError(value);
  return refuse(value);
}

/** Its own properties, each with whether it is enumerable. */
function tagError(error: Error): unknown {
  const parts = Object.getOwnPropertyNames(error).map((name) => [
    name,
    Object.prototype.propertyIsEnumerable.call(error, name),
    tag(Reflect.get(error, name)),
  ]);
  return tagged("error", [errorClass(error), ...parts]);
}
