/** Ties the three signals to where they go: a collector, a file, the console, several of them, or nowhere. */
import { JsonLogsSerializer, JsonMetricsSerializer, JsonTraceSerializer } from "@opentelemetry/otlp-transformer";
import type { Resource } from "@opentelemetry/resources";
import { ConsoleLogRecordExporter } from "@opentelemetry/sdk-logs";
import { ConsoleMetricExporter, type MetricReaderOptions, type ResourceMetrics } from "@opentelemetry/sdk-metrics";
import { ConsoleSpanExporter } from "@opentelemetry/sdk-trace";
import { logCollector, metricCollector, traceCollector } from "./collector.ts";
import { type Complain, complainOnce, complainOnceOfEach, type Signal } from "./complaint.ts";
import type { Flushable } from "./deadline.ts";
import { Courier, type Destination } from "./delivery.ts";
import { exportersOf, metricTimes, queueSettings } from "./environment.ts";
import { plainDestination } from "./exporters.ts";
import { fileDestination, pathOf } from "./file.ts";
import { IntervalReader } from "./metric-reader.ts";
import type { Settings } from "./options.ts";
import { Outbox } from "./outbox.ts";
import { LogPost, SpanPost } from "./processors.ts";

export interface Pipelines {
  readonly spans: SpanPost;
  readonly logs: LogPost;
  readonly readers: readonly IntervalReader[];
  readonly all: readonly Flushable[];
}

/** Each of them made only where it is wanted. A file stands in for the collector unless an endpoint is given too. */
function placesFor<Place>(
  signal: Signal,
  { endpoint, file }: Settings,
  complain: Complain,
  make: { readonly collector: () => Place; readonly file: (path: string) => Place; readonly console: () => Place },
): readonly Place[] {
  const files = file === undefined ? [] : [make.file(pathOf(file, signal))];
  if (file !== undefined && endpoint === undefined) return files;
  return [...files, ...exportersOf(signal, complain).map((name) => (name === "otlp" ? make.collector() : make.console()))];
}

function outboxesFor<Item>(
  signal: "traces" | "logs",
  destinations: readonly Destination<Item[]>[],
  ready: Promise<void> | undefined,
): Outbox<Item>[] {
  const settings = queueSettings(signal);
  return destinations.map((destination) => {
    const complain: Complain = complainOnce();
    const full = (): void =>
      complain(`the queue of ${signal} is full (${settings.capacity}); what finds no place there is dropped and counted.`);
    return new Outbox(new Courier(destination, complain, settings.giveUpAfter), settings, full, ready);
  });
}

function readersFor(settings: Settings, complain: Complain, ready: Promise<void> | undefined): IntervalReader[] {
  const { interval, giveUpAfter } = metricTimes(settings.metricInterval);
  type Place = { readonly destination: Destination<ResourceMetrics>; readonly reader: MetricReaderOptions };
  const places = placesFor<Place>("metrics", settings, complain, {
    collector: () => metricCollector(settings, complain),
    file: (path) => ({ destination: fileDestination("metrics", path, JsonMetricsSerializer), reader: {} }),
    console: () => ({ destination: plainDestination("metrics", new ConsoleMetricExporter()), reader: {} }),
  });
  return places.map(
    ({ destination, reader }) => new IntervalReader(new Courier(destination, complainOnce(), giveUpAfter), interval, ready, reader),
  );
}

export function createPipelines(settings: Settings, resource: Resource): Pipelines {
  const complain = complainOnceOfEach();
  const ready = resource.asyncAttributesPending === true ? resource.waitForAsyncAttributes?.() : undefined;
  const traces = placesFor("traces", settings, complain, {
    collector: () => traceCollector(settings, complain),
    file: (path) => fileDestination("traces", path, JsonTraceSerializer),
    console: () => plainDestination("traces", new ConsoleSpanExporter()),
  });
  const records = placesFor("logs", settings, complain, {
    collector: () => logCollector(settings, complain),
    file: (path) => fileDestination("logs", path, JsonLogsSerializer),
    console: () => plainDestination("logs", new ConsoleLogRecordExporter()),
  });
  const spans = outboxesFor("traces", traces, ready);
  const logs = outboxesFor("logs", records, ready);
  const readers = readersFor(settings, complain, ready);
  return { spans: new SpanPost(spans), logs: new LogPost(logs), readers, all: [...spans, ...logs, ...readers] };
}
