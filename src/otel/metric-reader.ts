/** Collects all metrics at an interval and delivers them: never two at a time, and with no timer that holds the process. */
import { MetricReader, type MetricReaderOptions, type ResourceMetrics } from "@opentelemetry/sdk-metrics";
import type { Courier } from "./delivery.ts";

export class IntervalReader extends MetricReader {
  readonly #courier: Courier<ResourceMetrics>;
  readonly #interval: number;
  readonly #ready: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #delivery: Promise<void> | undefined;
  #closed = false;

  /** `interval` in milliseconds. Sends nothing before `ready`. */
  constructor(courier: Courier<ResourceMetrics>, interval: number, ready: Promise<void> | undefined, options: MetricReaderOptions) {
    super(options);
    this.#courier = courier;
    this.#interval = interval;
    this.#ready = ready;
  }

  /** Stops at once; what is under way is given up. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#courier.close();
  }

  protected override onInitialized(): void {
    this.#timer = setInterval(() => void this.#deliverUnlessBusy(), this.#interval).unref();
  }

  protected override async onForceFlush(): Promise<void> {
    const relax = this.#courier.hurry();
    await this.#delivery;
    await this.#deliverUnlessBusy();
    relax();
  }

  protected override onShutdown(): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  async #deliverUnlessBusy(): Promise<void> {
    if (this.#closed) return;
    // Collecting rejects only once all is over.
    this.#delivery ??= this.#deliver()
      .catch(() => undefined)
      .finally(() => {
        this.#delivery = undefined;
      });
    await this.#delivery;
  }

  async #deliver(): Promise<void> {
    await this.#ready;
    const { resourceMetrics } = await this.collect();
    if (resourceMetrics.scopeMetrics.length > 0) await this.#courier.deliver(resourceMetrics, 1);
  }
}
