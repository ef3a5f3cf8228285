/** Collects all metrics at an interval and delivers them: never two at a time, and with no timer that holds the process. */
import { MetricReader, type MetricReaderOptions, type ResourceMetrics } from "@opentelemetry/sdk-metrics";
import type { Deadline, Flushable } from "./deadline.ts";
import type { Courier } from "./delivery.ts";

export class IntervalReader extends MetricReader implements Flushable {
  readonly #courier: Courier<ResourceMetrics>;
  readonly #interval: number;
  readonly #ready: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #delivery: Promise<void> | undefined;
  /** The delivery that was waited for in vain. */
  #givenUp: Promise<void> | undefined;
  #sending = false;
  #closed = false;

  /** `interval` in milliseconds. Sends nothing before `ready`. */
  constructor(courier: Courier<ResourceMetrics>, interval: number, ready: Promise<void> | undefined, options: MetricReaderOptions) {
    super(options);
    this.#courier = courier;
    this.#interval = interval;
    this.#ready = ready;
  }

  get isGivenUp(): boolean {
    return this.#delivery !== undefined && this.#delivery === this.#givenUp;
  }

  async drained(deadline?: Deadline): Promise<void> {
    const relax = this.#courier.hurry();
    const done = this.#deliverAnew();
    const inTime = await (deadline?.wait(done) ?? done.then(() => true));
    relax();
    if (inTime || deadline === undefined) return;
    this.#givenUp = this.#delivery;
    // Before that, there may be nothing to send.
    if (this.#sending) this.#courier.tellLate(deadline.milliseconds);
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

  protected override onForceFlush(): Promise<void> {
    return this.drained();
  }

  protected override onShutdown(): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  /* What is under way does not hold what was counted since. */
  async #deliverAnew(): Promise<void> {
    await this.#delivery;
    await this.#deliverUnlessBusy();
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
    if (resourceMetrics.scopeMetrics.length === 0) return;
    this.#sending = true;
    await this.#courier.deliver(resourceMetrics, 1);
    this.#sending = false;
  }
}
