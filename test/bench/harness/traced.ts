/** A real SDK whose spans go nowhere: batch processor, an exporter that only counts, and the context manager while a row is measured. */
import { context } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { BatchSpanProcessor, type ReadableSpan, type Sampler, type SpanExporter, TracerProvider } from "@opentelemetry/sdk-trace";

/** Counts what arrives, and keeps none of it. */
class CountingExporter implements SpanExporter {
  exported = 0;
  /** Called with every batch. */
  onBatch: ((spans: readonly ReadableSpan[]) => void) | undefined;

  export(...[spans, done]: Parameters<SpanExporter["export"]>): void {
    this.exported += spans.length;
    this.onBatch?.(spans);
    // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- SUCCESS: its enumeration is in a package that this one does not depend on
    done({ code: 0 });
  }

  shutdown(): Promise<void> {
    return Promise.resolve();
  }
}

export interface TracedSetup {
  readonly provider: TracerProvider;
  /** Hands every finished span to the exporter; rejects when fewer than so many have arrived since the last call: dropped spans cost less. */
  flush(atLeast: number): Promise<void>;
  /** Every span that ends while `run` does. */
  collect(run: () => Promise<void>): Promise<readonly ReadableSpan[]>;
  close(): Promise<void>;
}

/** The context manager is the process's own, so only one set-up may be open. */
export function openTracing(sampler?: Sampler): TracedSetup {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager());
  const exporter = new CountingExporter();
  // Wide enough for what one turn of the event loop can end: a superstep of 10 000 entries.
  const processor = new BatchSpanProcessor({ exporter, maxQueueSize: 65_536 });
  const provider = new TracerProvider({ spanProcessors: [processor], ...(sampler && { sampler }) });
  return {
    provider,
    async flush(atLeast) {
      await provider.forceFlush();
      const arrived = exporter.exported;
      exporter.exported = 0;
      if (arrived < atLeast) throw new Error(`${arrived} spans were exported where ${atLeast} are due: the figure would be too good.`);
    },
    async collect(run) {
      const spans: ReadableSpan[] = [];
      exporter.onBatch = (batch) => void spans.push(...batch);
      await run();
      await provider.forceFlush();
      exporter.onBatch = undefined;
      exporter.exported = 0;
      return spans;
    },
    async close() {
      await provider.shutdown();
      context.disable();
    },
  };
}
