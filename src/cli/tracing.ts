/** Where a run's trace goes: into a file, or to a collector with a copy beside it to draw the waterfall from. */
import { startTelemetry, type Telemetry } from "../otel.ts";
import { shownUrl } from "../otel/complaint.ts";
import { collectorUrl, exportersOf } from "../otel/environment.ts";
import { httpUrl } from "../otel/options.ts";
import { draftTrace, scratchTrace, type TraceDraft } from "./home.ts";
import type { RunRequest } from "./loose-runner.ts";

export interface Tracing {
  readonly telemetry: Telemetry;
  /** Absent where spans are sent and no copy can be kept. */
  readonly draft: TraceDraft | undefined;
  /** The collector's address for traces, without credentials. */
  readonly collector: string | undefined;
}

const variable = (name: string): string | undefined => process.env[name]?.trim() || undefined;

/** The address that all signals have in common. Where one has its own, or the variable holds no address, there is none. */
function commonEndpoint(given: string | undefined): string | undefined {
  if (given !== undefined) return given;
  const signals = ["TRACES", "METRICS", "LOGS"];
  if (signals.some((signal) => variable(`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`) !== undefined)) return undefined;
  const common = variable("OTEL_EXPORTER_OTLP_ENDPOINT") ?? "http://localhost:4318";
  return httpUrl(common) === undefined ? undefined : common;
}

/* Telemetry itself complains of variables that are wrong. */
const silently = (): void => {};

function collectorOf({ endpoint }: NonNullable<RunRequest["otlp"]>): string | undefined {
  if (!exportersOf("traces", silently).includes("otlp")) return undefined;
  return shownUrl(collectorUrl("traces", endpoint === undefined ? undefined : new URL(endpoint), silently));
}

/** Starts telemetry. Throws `CommandError` `home_unusable`. */
export function startTracing({ otlp, loaded, given: { home } }: RunRequest): Tracing {
  const serviceName = process.env["OTEL_SERVICE_NAME"] ?? loaded.plan.name;
  const endpoint = otlp === undefined ? undefined : commonEndpoint(otlp.endpoint);
  // A file without an endpoint would stand in for the collector.
  const draft = otlp === undefined ? draftTrace(home) : endpoint === undefined ? undefined : scratchTrace();
  if (draft !== undefined) process.once("exit", () => draft.discard());
  const telemetry = startTelemetry({
    serviceName,
    ...(draft === undefined ? {} : { file: draft.file }),
    ...(endpoint === undefined ? {} : { endpoint }),
  });
  return { telemetry, draft, collector: otlp === undefined ? undefined : collectorOf(otlp) };
}
