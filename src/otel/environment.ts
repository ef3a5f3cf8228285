/** The `OTEL_*` variables that are read here, because the SDK reads them only for parts that it makes by itself. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { getNumberFromEnv, getStringFromEnv, getStringListFromEnv } from "@opentelemetry/core";
import type { Complain, Signal } from "./complaint.ts";
import { longestDelay } from "../support/clock.ts";
import { httpUrl } from "./options.ts";

export type Protocol = "http/json" | "http/protobuf";
export type Exporter = "otlp" | "console";

/** The first of the variables that is set, the signal's own before the common one. */
function otlp(signal: Signal, name: string): { readonly name: string; readonly value: string } | undefined {
  for (const variable of [`OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_${name}`, `OTEL_EXPORTER_OTLP_${name}`]) {
    const value = getStringFromEnv(variable);
    if (value !== undefined) return { name: variable, value };
  }
  return undefined;
}

/** Where a signal goes, by `OTEL_<SIGNAL>_EXPORTER`: OTLP unless it says otherwise. */
export function exportersOf(signal: Signal, complain: Complain): readonly Exporter[] {
  const variable = `OTEL_${signal.toUpperCase()}_EXPORTER`;
  const names = new Set(getStringListFromEnv(variable) ?? []);
  if (names.size === 0) return ["otlp"];
  if (names.has("none")) return [];
  return [...names].flatMap((name): Exporter[] => {
    if (name === "otlp" || name === "console") return [name];
    complain(`${variable} takes otlp, console or none; for anything else, set up an SDK of your own.`);
    return [];
  });
}

/** JSON unless `OTEL_EXPORTER_OTLP_PROTOCOL` says otherwise. */
export function protocolOf(signal: Signal, complain: Complain): Protocol {
  const set = otlp(signal, "PROTOCOL");
  if (set === undefined || set.value === "http/json") return "http/json";
  if (set.value !== "http/protobuf") complain(`${set.name} takes http/json or http/protobuf; http/protobuf is used.`);
  return "http/protobuf";
}

function withPath(base: URL, signal: Signal): URL {
  const url = new URL(base);
  url.pathname = `${base.pathname.replace(/\/+$/, "")}/v1/${signal}`;
  return url;
}

/** The address that a signal is sent to: `endpoint`, else the signal's own variable as it is, else the common one's base, else this machine. */
export function collectorUrl(signal: Signal, endpoint: URL | undefined, complain: Complain): URL {
  if (endpoint !== undefined) return withPath(endpoint, signal);
  const set = otlp(signal, "ENDPOINT");
  const url = set === undefined ? undefined : httpUrl(set.value);
  if (set !== undefined && url === undefined) complain(`${set.name} is no http or https URL; http://localhost:4318 is used.`);
  if (set !== undefined && url !== undefined && set.name !== "OTEL_EXPORTER_OTLP_ENDPOINT") return url;
  return withPath(url ?? new URL("http://localhost:4318"), signal);
}

export interface TlsFiles {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/** The certificates that the variables name. */
export function tlsFiles(signal: Signal, complain: Complain): TlsFiles {
  const read = (name: string): Buffer | undefined => {
    const set = otlp(signal, name);
    if (set === undefined) return undefined;
    try {
      return readFileSync(resolve(set.value));
    } catch {
      complain(`the file that ${set.name} names cannot be read; it is not used.`);
      return undefined;
    }
  };
  const ca = read("CERTIFICATE");
  const cert = read("CLIENT_CERTIFICATE");
  const key = read("CLIENT_KEY");
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
}

function positive(variable: string): number | undefined {
  const value = getNumberFromEnv(variable);
  return value !== undefined && value > 0 ? value : undefined;
}

export interface QueueSettings {
  /** How many items wait at most; more are dropped and counted. */
  readonly capacity: number;
  readonly batchSize: number;
  /** Milliseconds that an item waits at most for its batch to fill. */
  readonly delay: number;
  /** Milliseconds after which a batch that cannot be delivered is dropped; meanwhile others wait behind it. */
  readonly giveUpAfter: number;
}

/* The SDK's own defaults lose a burst: a queue of 2048, and batches that are all sent at once. */
const burst: QueueSettings = { capacity: 32_768, batchSize: 512, delay: 1000, giveUpAfter: Number.POSITIVE_INFINITY };

/** `OTEL_BSP_*` for traces, `OTEL_BLRP_*` for logs. */
export function queueSettings(signal: "traces" | "logs"): QueueSettings {
  const prefix = signal === "traces" ? "OTEL_BSP" : "OTEL_BLRP";
  const capacity = Math.ceil(positive(`${prefix}_MAX_QUEUE_SIZE`) ?? burst.capacity);
  return {
    capacity,
    batchSize: Math.min(capacity, Math.ceil(positive(`${prefix}_MAX_EXPORT_BATCH_SIZE`) ?? burst.batchSize)),
    delay: Math.min(longestDelay, positive(`${prefix}_SCHEDULE_DELAY`) ?? burst.delay),
    giveUpAfter: positive(`${prefix}_EXPORT_TIMEOUT`) ?? burst.giveUpAfter,
  };
}

/** Milliseconds between two exports of metrics, and after which one that cannot be delivered is given up. */
export function metricTimes(interval: number | undefined): { readonly interval: number; readonly giveUpAfter: number } {
  const every = Math.min(longestDelay, interval ?? positive("OTEL_METRIC_EXPORT_INTERVAL") ?? 60_000);
  return { interval: every, giveUpAfter: Math.min(every, positive("OTEL_METRIC_EXPORT_TIMEOUT") ?? 30_000) };
}
