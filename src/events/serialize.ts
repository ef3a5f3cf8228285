/** Errors and events as data: what is published of an error, and the one JSON form of an event. */
import { StateError } from "../errors/errors.ts";
import { isPlain } from "../support/plain.ts";
import type { AnyEvent, SerializedError } from "./event.ts";

/** Causes are followed so deep. */
const deepestCause = 8;

/** Reads a property of anything; getters and proxies that throw count as absent. */
function read(from: unknown, key: string): unknown {
  try {
    return typeof from === "object" && from !== null ? Reflect.get(from, key) : undefined;
  } catch {
    return undefined;
  }
}

/** What is said of a thrown value that has no message: its text if it is a primitive, else only its type, as it may hold anything. */
function sentenceOf(thrown: unknown): string {
  if (typeof thrown === "object" ? thrown !== null : typeof thrown === "function") return `a value of type ${typeof thrown} was thrown`;
  return String(thrown);
}

function messageOf(error: unknown, errors: readonly unknown[] | undefined): string {
  const message = read(error, "message");
  const text = typeof message === "string" ? message : sentenceOf(error);
  if (errors === undefined || text !== "") return text;
  return errors.length === 1 ? "1 error" : `${errors.length} errors`;
}

function serialize(error: unknown, messages: boolean, path: readonly unknown[]): SerializedError {
  const name = read(error, "name");
  const code = read(error, "code");
  const errors = error instanceof AggregateError ? error.errors : undefined;
  const cause = read(error, "cause") ?? errors?.[0];
  const followed = cause !== undefined && cause !== null && cause !== error && path.length < deepestCause && !path.includes(cause);
  return Object.freeze({
    name: typeof name === "string" && name !== "" ? name : "Error",
    message: messages ? messageOf(error, errors) : "",
    ...(typeof code === "string" ? { code } : {}),
    ...(followed ? { cause: serialize(cause, messages, [...path, error]) } : {}),
  });
}

/**
 * An error as frozen data, its causes up to eight deep and cycles cut. What was thrown and is no error gets the name "Error" and its text;
 * an AggregateError without a message says how many it holds and, without a cause of its own, gives the first as its cause. Messages are empty when
 * `messages` is false. Never throws.
 */
export function serializeError(error: unknown, messages = true): SerializedError {
  try {
    return serialize(error, messages, []);
  } catch {
    // A proxy that refuses even to say what it is.
    return Object.freeze({ name: "Error", message: messages ? "an unreadable value was thrown" : "" });
  }
}

/** The same with every message emptied. */
export function withoutMessages(error: SerializedError): SerializedError {
  return Object.freeze({ ...error, message: "", ...(error.cause === undefined ? {} : { cause: withoutMessages(error.cause) }) });
}

/** Whether JSON has no word of its own for something in it. */
function needsTags(value: unknown): boolean {
  if (typeof value === "number") return !Number.isFinite(value);
  if (typeof value !== "object" || value === null) return typeof value === "bigint";
  if (Array.isArray(value)) return value.some(needsTags);
  return !isPlain(value) || Object.values(value).some(needsTags);
}

function binary(value: ArrayBufferLike | ArrayBufferView): object {
  const bytes = ArrayBuffer.isView(value) ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : Buffer.from(value);
  return { "~binary": Object.prototype.toString.call(value).slice("[object ".length, -1), base64: bytes.toString("base64") };
}

function taggedObject(value: object): unknown {
  if (Array.isArray(value)) return value.map(tagged);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof Map) return { "~map": Array.from(value, ([key, item]) => [tagged(key), tagged(item)]) };
  if (value instanceof Set) return { "~set": Array.from(value, tagged) };
  if (value instanceof Error) return serializeError(value);
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return binary(value);
  // `fromEntries` defines keys, so that one named __proto__ stays data.
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, tagged(item)]));
}

function tagged(value: unknown): unknown {
  if (typeof value === "bigint") return { "~bigint": String(value) };
  if (typeof value === "number" && !Number.isFinite(value)) return { "~number": String(value) };
  return typeof value === "object" && value !== null ? taggedObject(value) : value;
}

/** Events are frozen, so that a line once made stays right; it goes when the event goes. */
const lines = new WeakMap<AnyEvent, string>();

/**
 * One line of JSON, without its line feed; made once per event. What JSON has no word for is written readably: dates as ISO text (`null` if
 * invalid), errors as `SerializedError`, and tagged `{"~bigint":"1"}`, `{"~number":"NaN"}`, `{"~map":[[key,value]]}`, `{"~set":[item]}`,
 * `{"~binary":"Uint8Array","base64":"…"}`. Throws `StateError` `unserializable_value` for a cycle, or what is too large for a string.
 */
export function encodeEvent(event: AnyEvent): string {
  const known = lines.get(event);
  if (known !== undefined) return known;
  try {
    const line = JSON.stringify(needsTags(event.data) ? { ...event, data: tagged(event.data) } : event);
    lines.set(event, line);
    return line;
  } catch (cause) {
    const what = cause instanceof RangeError ? "it is too deep or too large for JSON" : "it cannot be written as JSON";
    throw new StateError("unserializable_value", { path: "data", what }, { cause });
  }
}
