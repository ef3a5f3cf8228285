/** The exporters of the SDK, each with a connection that can be watched and closed. */
import { OTLPLogExporter } from "@opentelemetry/exporter-logs-otlp-http";
import { OTLPLogExporter as ProtobufLogExporter } from "@opentelemetry/exporter-logs-otlp-proto";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-http";
import { OTLPMetricExporter as ProtobufMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtobufTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import {
  type ISerializer,
  JsonLogsSerializer,
  JsonMetricsSerializer,
  JsonTraceSerializer,
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
} from "@opentelemetry/otlp-transformer";
import type { ReadableLogRecord } from "@opentelemetry/sdk-logs";
import type { AggregationTemporalitySelector, MetricReaderOptions, ResourceMetrics } from "@opentelemetry/sdk-metrics";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { Complain, Signal } from "./complaint.ts";
import { Connection } from "./connection.ts";
import type { Destination } from "./delivery.ts";
import { collectorUrl, protocolOf, tlsFiles } from "./environment.ts";
import { type Answer, type AnyExporter, collectorDestination } from "./exporters.ts";
import type { Settings } from "./options.ts";

interface MetricExporter extends AnyExporter<ResourceMetrics> {
  selectAggregationTemporality: AggregationTemporalitySelector;
}

interface ExporterOptions {
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly httpAgentOptions: Connection["agent"];
}

interface Kind<Exporter, Batch> {
  readonly make: (options: ExporterOptions) => Exporter;
  readonly serializer: Pick<ISerializer<Batch, Answer>, "deserializeResponse">;
}

function connect<Batch, Exporter extends AnyExporter<Batch>>(
  signal: Signal,
  { endpoint, headers }: Settings,
  complain: Complain,
  kinds: Readonly<Record<ReturnType<typeof protocolOf>, Kind<Exporter, Batch>>>,
): { readonly exporter: Exporter; readonly destination: Destination<Batch> } {
  const url = collectorUrl(signal, endpoint, complain);
  const connection = new Connection(tlsFiles(signal, complain));
  const { make, serializer } = kinds[protocolOf(signal, complain)];
  const exporter = make({ url: url.href, headers: { ...headers }, httpAgentOptions: connection.agent });
  const decode = (body: Uint8Array): Answer => serializer.deserializeResponse(body);
  return { exporter, destination: collectorDestination(signal, url, exporter, connection, decode) };
}

export function traceCollector(settings: Settings, complain: Complain): Destination<ReadableSpan[]> {
  return connect<ReadableSpan[], AnyExporter<ReadableSpan[]>>("traces", settings, complain, {
    "http/json": { make: (options) => new OTLPTraceExporter(options), serializer: JsonTraceSerializer },
    "http/protobuf": { make: (options) => new ProtobufTraceExporter(options), serializer: ProtobufTraceSerializer },
  }).destination;
}

export function logCollector(settings: Settings, complain: Complain): Destination<ReadableLogRecord[]> {
  return connect<ReadableLogRecord[], AnyExporter<ReadableLogRecord[]>>("logs", settings, complain, {
    "http/json": { make: (options) => new OTLPLogExporter(options), serializer: JsonLogsSerializer },
    "http/protobuf": { make: (options) => new ProtobufLogExporter(options), serializer: ProtobufLogsSerializer },
  }).destination;
}

/** With what the exporter asks of its reader: the temporality that `OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE` says. */
export function metricCollector(
  settings: Settings,
  complain: Complain,
): {
  readonly destination: Destination<ResourceMetrics>;
  readonly reader: MetricReaderOptions;
} {
  const { exporter, destination } = connect<ResourceMetrics, MetricExporter>("metrics", settings, complain, {
    "http/json": { make: (options) => new OTLPMetricExporter(options), serializer: JsonMetricsSerializer },
    "http/protobuf": { make: (options) => new ProtobufMetricExporter(options), serializer: ProtobufMetricsSerializer },
  });
  return { destination, reader: { aggregationTemporalitySelector: (type) => exporter.selectAggregationTemporality(type) } };
}
