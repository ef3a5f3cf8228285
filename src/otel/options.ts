/** Checks what `startTelemetry` is given: what is wrong is said at once, never when the first span is sent. */
import { validateHeaderName, validateHeaderValue } from "node:http";
import { resolve } from "node:path";
import type { Sampler } from "@opentelemetry/sdk-trace";
import { RunnerError } from "../errors/errors.ts";
import { parseDuration } from "../support/duration.ts";
import type { Duration } from "../support/types.ts";

export interface TelemetryOptions {
  /** `service.name` of everything sent; wins over `OTEL_SERVICE_NAME`. */
  readonly serviceName: string;
  /** Base URL of a collector. Default `OTEL_EXPORTER_OTLP_ENDPOINT`, else http://localhost:4318. */
  readonly endpoint?: string;
  /** Sent with every request, over those of `OTEL_EXPORTER_OTLP_HEADERS` by name. */
  readonly headers?: Readonly<Record<string, string>>;
  /** OTLP-JSON lines instead of a collector (or beside it, with `endpoint`); Jaeger's page opens the file. */
  readonly file?: string;
  /** A `Sampler` of the SDK. Default: what `OTEL_TRACES_SAMPLER` says, else every trace. */
  readonly sampler?: unknown;
  /** How often metrics are sent. Default `OTEL_METRIC_EXPORT_INTERVAL`, else 60 s. */
  readonly metricInterval?: Duration;
  /** Resource attributes, over those of `OTEL_RESOURCE_ATTRIBUTES` by key. */
  readonly resource?: Readonly<Record<string, string>>;
  /** Flush on SIGINT and SIGTERM too, bounded, then let the signal act. Default false: a listener changes how a process dies. */
  readonly signals?: boolean;
}

/** Options with nothing left to doubt. */
export interface Settings {
  readonly serviceName: string;
  readonly endpoint: URL | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** Absolute. */
  readonly file: string | undefined;
  readonly sampler: Sampler | undefined;
  /** Milliseconds. */
  readonly metricInterval: number | undefined;
  readonly resource: Readonly<Record<string, string>>;
  readonly signals: boolean;
}

export function invalidOption(option: string, reason: string, cause?: unknown): RunnerError<"invalid_option"> {
  return new RunnerError("invalid_option", { option, reason }, cause === undefined ? {} : { cause });
}

function text(option: string, value: unknown): string {
  if (typeof value === "string" && value.trim() !== "") return value;
  throw invalidOption(option, "must be a text that is not empty");
}

/** The URL if it is one of http or https. Its text may hold credentials, so no message repeats it. */
export function httpUrl(value: string): URL | undefined {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  return url?.protocol === "http:" || url?.protocol === "https:" ? url : undefined;
}

function endpointOf(value: unknown): URL {
  const url = typeof value === "string" ? httpUrl(value) : undefined;
  if (url === undefined) throw invalidOption("endpoint", "must be an http or https URL, such as http://localhost:4318");
  return url;
}

function texts(option: string, value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalidOption(option, "must be an object of texts");
  const entries = Object.entries(value).map(([key, item]: [string, unknown]): [string, string] => {
    if (typeof item !== "string") throw invalidOption(`${option}.${key}`, "must be a text");
    return [key, item];
  });
  return Object.fromEntries(entries);
}

function headersOf(value: unknown): Readonly<Record<string, string>> {
  const headers = texts("headers", value);
  for (const [name, content] of Object.entries(headers)) {
    try {
      validateHeaderName(name);
      validateHeaderValue(name, content);
    } catch {
      throw invalidOption(`headers.${name}`, "must be a header that HTTP takes: a name without spaces, and a value without line breaks");
    }
  }
  return headers;
}

function isSampler(value: unknown): value is Sampler {
  return typeof value === "object" && value !== null && "shouldSample" in value && typeof value.shouldSample === "function";
}

function samplerOf(value: unknown): Sampler {
  if (isSampler(value)) return value;
  throw invalidOption("sampler", "must be a sampler of the OpenTelemetry SDK: an object with `shouldSample`");
}

function intervalOf(value: unknown): number {
  const milliseconds = parseDuration(value);
  if (milliseconds === undefined || milliseconds < 1) {
    throw invalidOption("metricInterval", 'must be a duration of at least 1 ms, such as 5000 or "10s"');
  }
  return milliseconds;
}

function flag(option: string, value: unknown): boolean {
  if (typeof value === "boolean") return value;
  throw invalidOption(option, "must be true or false");
}

/** Throws `RunnerError` `invalid_option`. */
export function checkOptions(options: TelemetryOptions): Settings {
  // A caller in JavaScript may hand over anything.
  const given: Partial<TelemetryOptions> | null | undefined = options;
  if (typeof given !== "object" || given === null) throw invalidOption("options", "must be an object with a `serviceName`");
  const { endpoint, headers, file, sampler, metricInterval, resource, signals } = given;
  return {
    serviceName: text("serviceName", given.serviceName),
    endpoint: endpoint === undefined ? undefined : endpointOf(endpoint),
    headers: headers === undefined ? {} : headersOf(headers),
    file: file === undefined ? undefined : resolve(text("file", file)),
    sampler: sampler === undefined ? undefined : samplerOf(sampler),
    metricInterval: metricInterval === undefined ? undefined : intervalOf(metricInterval),
    resource: resource === undefined ? {} : texts("resource", resource),
    signals: signals === undefined ? false : flag("signals", signals),
  };
}
