/** Takes ended spans and log records from the SDK, and counts them: what was made and has not arrived is lost. */
import { TraceFlags } from "@opentelemetry/api";
import type { LogRecordProcessor, ReadableLogRecord } from "@opentelemetry/sdk-logs";
import type { ReadableSpan, SpanProcessor } from "@opentelemetry/sdk-trace";
import type { Outbox } from "./outbox.ts";

/** The same items for every outbox. */
class Post<Item> {
  readonly #outboxes: readonly Outbox<Item>[];
  #created = 0;
  #open = true;

  constructor(outboxes: readonly Outbox<Item>[]) {
    this.#outboxes = outboxes;
  }

  get goesNowhere(): boolean {
    return this.#outboxes.length === 0;
  }

  get created(): number {
    return this.#created;
  }

  /** Of those made before `shutdown`: how many have not arrived, at the place where the most are missing. */
  get lost(): number {
    return Math.max(0, ...this.#outboxes.map(({ acknowledged }) => this.#created - acknowledged));
  }

  async forceFlush(): Promise<void> {
    await Promise.all(this.#outboxes.map((outbox) => outbox.drained()));
  }

  drainNow(): void {
    for (const outbox of this.#outboxes) outbox.drainNow();
  }

  shutdown(): Promise<void> {
    this.#open = false;
    for (const outbox of this.#outboxes) outbox.close();
    return Promise.resolve();
  }

  protected count(): void {
    if (this.#open) this.#created += 1;
  }

  protected post(item: Item): void {
    for (const outbox of this.#outboxes) outbox.add(item);
  }
}

const isSampled = (span: { spanContext(): { traceFlags: number } }): boolean => (span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0;

/** A span that is not ended by the time of `shutdown` is lost, too. */
export class SpanPost extends Post<ReadableSpan> implements SpanProcessor {
  onStart(span: { spanContext(): { traceFlags: number } }): void {
    if (isSampled(span)) this.count();
  }

  onEnd(span: ReadableSpan): void {
    if (isSampled(span)) this.post(span);
  }
}

export class LogPost extends Post<ReadableLogRecord> implements LogRecordProcessor {
  onEmit(record: ReadableLogRecord): void {
    this.count();
    this.post(record);
  }
}
