/** What of an event's data a span event shows: flat, and never a payload. */
import { attributePrefix, spanAttributes } from "../names.ts";

/** What every backend draws. */
export type SpanValue = string | number | boolean | string[];

type Attributes = Record<string, SpanValue>;
type Values = Readonly<Record<string, unknown>>;

const isValues = (value: unknown): value is Values => typeof value === "object" && value !== null;

/** A primitive as it is; a list of strings too; `undefined` for all else. */
function simple(value: unknown): SpanValue | undefined {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  return Array.isArray(value) && value.every((item) => typeof item === "string") ? value : undefined;
}

/** What a user logged: JSON where it is no primitive, an error by its name and, unless they are turned off, its message. */
function fieldOf(value: unknown, errorMessages: boolean): SpanValue | undefined {
  if (value instanceof Error) return errorMessages ? `${value.name}: ${value.message}` : value.name;
  if (typeof value === "bigint") return value.toString();
  const plain = simple(value);
  if (plain !== undefined || !isValues(value)) return plain;
  try {
    return JSON.stringify(value);
  } catch {
    // A cycle, or what JSON has no word for.
    return undefined;
  }
}

function addError(to: Attributes, error: Values, errorMessages: boolean): void {
  if (typeof error["name"] === "string") to[spanAttributes.errorType.key] = error["name"];
  if (typeof error["code"] === "string") to[spanAttributes.errorCode.key] = error["code"];
  if (errorMessages && typeof error["message"] === "string") to[spanAttributes.errorMessage.key] = error["message"];
}

function addFields(to: Attributes, fields: Values, errorMessages: boolean): void {
  for (const [key, field] of Object.entries(fields)) {
    const value = fieldOf(field, errorMessages);
    if (value !== undefined) to[`${attributePrefix}fields.${key}`] = value;
  }
}

/** Keys of the data that spans have a name for already. */
const known: Readonly<Record<string, string>> = { node: spanAttributes.nodeName.key, attempt: spanAttributes.nodeAttempt.key };

/** The attributes of a span event. Milliseconds of the bus become seconds. */
export function eventAttributes(data: Values, errorMessages: boolean): Attributes {
  const to: Attributes = {};
  for (const [key, value] of Object.entries(data)) {
    if (key === "payload") continue;
    if (key === "error" && isValues(value)) addError(to, value, errorMessages);
    else if (key === "fields" && isValues(value)) addFields(to, value, errorMessages);
    else if (key === "delay" && typeof value === "number") to[spanAttributes.nodeRetryDelay.key] = value / 1000;
    else {
      const plain = simple(value);
      if (plain !== undefined) to[known[key] ?? attributePrefix + key] = plain;
    }
  }
  return to;
}
