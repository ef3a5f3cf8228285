/** Reads spans from OTLP-JSON lines, as trace files hold them. */
import { isRecord } from "../support/plain.ts";

export type AttributeValue = string | number | boolean | readonly AttributeValue[];

/** What a waterfall needs of a span. Times in milliseconds since the epoch, with fractions. */
export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for a root. */
  readonly parentSpanId: string;
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly failed: boolean;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
}

type Json = Readonly<Record<string, unknown>>;
const list = (value: unknown): readonly Json[] => (Array.isArray(value) ? value.filter(isRecord) : []);
const text = (value: unknown): string => (typeof value === "string" ? value : "");

/** Nanoseconds do not fit a number: the whole milliseconds and the rest are taken apart before they are added. */
function milliseconds(nanoseconds: unknown): number {
  if (typeof nanoseconds === "number") return nanoseconds / 1e6;
  const digits = text(nanoseconds);
  if (!/^\d+$/.test(digits)) return 0;
  const value = BigInt(digits);
  return Number(value / 1_000_000n) + Number(value % 1_000_000n) / 1e6;
}

function attributeValue(value: unknown): AttributeValue | undefined {
  if (!isRecord(value)) return undefined;
  if (typeof value["stringValue"] === "string") return value["stringValue"];
  if (typeof value["boolValue"] === "boolean") return value["boolValue"];
  const number = value["intValue"] ?? value["doubleValue"];
  if (typeof number === "number" || typeof number === "string") return Number(number);
  const { arrayValue } = value;
  return isRecord(arrayValue) ? list(arrayValue["values"]).flatMap((item) => attributeValue(item) ?? []) : undefined;
}

function attributesOf(span: Json): Readonly<Record<string, AttributeValue>> {
  const entries = list(span["attributes"]).flatMap(({ key, value }): (readonly [string, AttributeValue])[] => {
    const known = attributeValue(value);
    return known === undefined ? [] : [[text(key), known]];
  });
  return Object.fromEntries(entries);
}

function spanOf(span: Json): OtlpSpan {
  const { status } = span;
  return {
    traceId: text(span["traceId"]),
    spanId: text(span["spanId"]),
    parentSpanId: text(span["parentSpanId"]),
    name: text(span["name"]),
    start: milliseconds(span["startTimeUnixNano"]),
    end: milliseconds(span["endTimeUnixNano"]),
    // STATUS_CODE_ERROR
    failed: isRecord(status) && (status["code"] === 2 || status["code"] === "STATUS_CODE_ERROR"),
    attributes: attributesOf(span),
  };
}

function parsed(line: string): Json {
  try {
    const value: unknown = JSON.parse(line);
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}

/** Every span in a trace file's text, in its order. Lines that are no traces object, such as a torn last one, are passed over. */
export function readSpans(content: string): readonly OtlpSpan[] {
  return content
    .split("\n")
    .flatMap((line) => list(parsed(line)["resourceSpans"]))
    .flatMap((resource) => list(resource["scopeSpans"]))
    .flatMap((scope) => list(scope["spans"]))
    .map(spanOf);
}
