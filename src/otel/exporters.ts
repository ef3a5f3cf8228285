/** The SDK's exporters, as places to deliver to. */
import { ROOT_CONTEXT, context } from "@opentelemetry/api";
import { type ExportResult, ExportResultCode, suppressTracing } from "@opentelemetry/core";
import { reasonOf, shownUrl } from "./complaint.ts";
import type { Connection, Exchange } from "./connection.ts";
import type { Destination, Outcome } from "./delivery.ts";

/** What all of the SDK's exporters have in common. */
export interface AnyExporter<Batch> {
  export(batch: Batch, done: (result: ExportResult) => void): void;
}

// An application's own instrumentation of HTTP must not make spans of sending spans.
const quiet = suppressTracing(ROOT_CONTEXT);

function exportTo<Batch>(exporter: AnyExporter<Batch>, batch: Batch): Promise<ExportResult> {
  return new Promise((resolve) => {
    try {
      context.with(quiet, () => exporter.export(batch, resolve));
    } catch (error) {
      resolve({ code: ExportResultCode.FAILED, error: error instanceof Error ? error : new Error(String(error)) });
    }
  });
}

/** A place that either takes a batch or does not. */
export function plainDestination<Batch>(what: string, exporter: AnyExporter<Batch>): Destination<Batch> {
  return {
    send: async (batch) => {
      const { code, error } = await exportTo(exporter, batch);
      return code === ExportResultCode.SUCCESS
        ? { kind: "taken", rejected: 0 }
        : { kind: "refused", reason: `${what}: ${reasonOf(error)}` };
    },
    close: () => {},
  };
}

/** What may be tried again, as the protocol has it. */
const passing: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** Milliseconds of a `Retry-After`, which is in seconds or a date. */
function waitOf(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const wait = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(wait) ? Math.max(0, wait) : undefined;
}

/** The three signals' answers, which differ in the name of the count. */
export interface Answer {
  readonly partialSuccess?: {
    readonly rejectedSpans?: number | string;
    readonly rejectedDataPoints?: number | string;
    readonly rejectedLogRecords?: number | string;
    readonly errorMessage?: string;
  };
}

function taken(shown: string, answer: Answer | null | undefined): Outcome {
  const { rejectedSpans, rejectedDataPoints, rejectedLogRecords, errorMessage } = answer?.partialSuccess ?? {};
  // Numbers of 64 bits are texts in JSON.
  const rejected = Number(rejectedSpans ?? rejectedDataPoints ?? rejectedLogRecords ?? 0) || 0;
  if (rejected === 0 && (errorMessage === undefined || errorMessage === "")) return { kind: "taken", rejected };
  return {
    kind: "taken",
    rejected,
    note: `${shown} rejected ${rejected} of a batch: ${errorMessage?.slice(0, 200) || "no reason given"}.`,
  };
}

function failed(what: string, { sent, status, retryAfter }: Exchange, error: Error | undefined): Outcome {
  if (status === undefined) {
    const reason = `${what}: ${reasonOf(error)}. Until it works they wait in a queue; what finds no place there is dropped and counted.`;
    // What could not even be encoded will not be better later.
    return sent ? { kind: "unavailable", reason } : { kind: "refused", reason: `${what}: ${reasonOf(error)}.` };
  }
  const reason = `${what}: it answered ${status}.`;
  if (!passing.has(status)) return { kind: "refused", reason };
  const wait = waitOf(retryAfter);
  return { kind: "unavailable", reason, ...(wait === undefined ? {} : { wait }) };
}

/** A collector, behind an exporter that uses `connection`. `decode` reads its answers. */
export function collectorDestination<Batch>(
  signal: string,
  url: URL,
  exporter: AnyExporter<Batch>,
  connection: Connection,
  decode: (body: Uint8Array) => Answer | null | undefined,
): Destination<Batch> {
  const shown = shownUrl(url);
  const failure = `${signal} cannot be sent to ${shown}`;
  const readAnswer = (body: readonly Buffer[]): Answer | null | undefined => {
    try {
      return decode(Buffer.concat(body));
    } catch {
      return undefined;
    }
  };
  return {
    failure,
    send: async (batch) => {
      const exchange = connection.begin();
      const { code, error } = await exportTo(exporter, batch);
      if (code === ExportResultCode.SUCCESS) return taken(shown, readAnswer(exchange.body));
      return failed(failure, exchange, error);
    },
    close: () => connection.close(),
  };
}
