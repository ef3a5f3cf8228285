/** States as JSON that people and jq can read: what JSON has no word for is written in its plainest form. Never throws. */
import { serializeError } from "../events/serialize.ts";

function members(value: object, inside: readonly object[]): unknown {
  const inner = (item: unknown): unknown => convert(item, inside);
  if (Array.isArray(value)) return Array.from(value, inner);
  if (value instanceof Set) return Array.from(value, inner);
  if (value instanceof Map) {
    const entries = Array.from(value, ([key, item]): [unknown, unknown] => [inner(key), inner(item)]);
    // `fromEntries` defines keys, so that one named __proto__ stays data.
    return entries.every(([key]) => typeof key === "string") ? Object.fromEntries(entries) : entries;
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, inner(item)]));
}

function convert(value: unknown, inside: readonly object[]): unknown {
  if (typeof value === "bigint") return String(value);
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value === "function" || typeof value === "symbol") return `[${typeof value}]`;
  if (typeof value !== "object" || value === null) return value;
  if (inside.includes(value)) return "[cycle]";
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
  if (value instanceof Error) return convert({ ...serializeError(value) }, inside);
  if (value instanceof ArrayBuffer) return Array.from(new Uint8Array(value));
  if (value instanceof DataView) return Array.from(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  // Of the views only typed arrays are left, whose members are their elements.
  if (ArrayBuffer.isView(value)) return Object.values(value).map((item) => convert(item, inside));
  return members(value, [...inside, value]);
}

/**
 * A value that `JSON.stringify` takes: dates as ISO text, BigInt, NaN and infinities as text, a Set and a typed array as a list, a Map as an
 * object (as a list of pairs if a key is no text), errors with name, message, code and cause.
 */
export function readable(value: unknown): unknown {
  try {
    return convert(value, []);
  } catch {
    return "[unreadable]";
  }
}

const lineWidth = 100;

const keyOf = (key: string): string => `${JSON.stringify(key)}: `;

/** A part in one line; `undefined` when it does not fit into so many characters. */
function inline(value: unknown, room: number): string | undefined {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const parts: string[] = [];
  let left = room - 4;
  for (const [key, item] of Object.entries(value)) {
    const part = inline(item, left);
    if (part === undefined || part.length > left) return undefined;
    parts.push(Array.isArray(value) ? part : keyOf(key) + part);
    left -= (parts.at(-1) ?? "").length + 2;
    if (left < 0) return undefined;
  }
  if (parts.length === 0) return Array.isArray(value) ? "[]" : "{}";
  return Array.isArray(value) ? `[${parts.join(", ")}]` : `{ ${parts.join(", ")} }`;
}

function layOut(value: unknown, indent: string): string {
  const line = inline(value, lineWidth - indent.length);
  // A text that does not fit has no lines to be broken into.
  return line ?? (typeof value === "object" && value !== null ? expanded(value, indent) : JSON.stringify(value));
}

function expanded(value: object, indent: string): string {
  const deeper = `${indent}  `;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  const list = Array.isArray(value);
  const lines = entries.map(([key, item]) => `${deeper}${list ? "" : keyOf(key)}${layOut(item, deeper)}`);
  const [open, close] = list ? "[]" : "{}";
  return lines.length === 0 ? `${open}${close}` : `${open}\n${lines.join(",\n")}\n${indent}${close}`;
}

/** The same as indented text, `null` for `undefined`: a line for each member, and for each part that fits into one. */
export function readableJson(value: unknown): string {
  // What JSON leaves out or writes as `null` is so from here on.
  const plain: unknown = JSON.parse(JSON.stringify(readable(value) ?? null));
  return typeof plain === "object" && plain !== null ? expanded(plain, "") : JSON.stringify(plain);
}
