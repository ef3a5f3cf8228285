/** Starts and ends telemetry: one at a time in a process. */
import { getBooleanFromEnv } from "@opentelemetry/core";
import { parseDuration } from "../support/duration.ts";
import type { Duration } from "../support/types.ts";
import { complainOnce } from "./complaint.ts";
import { Deadline, type Flushable } from "./deadline.ts";
import { watchExit } from "./exit.ts";
import { prepareFile } from "./file.ts";
import { checkOptions, invalidOption, type Settings, type TelemetryOptions } from "./options.ts";
import { createPipelines, type Pipelines } from "./pipelines.ts";
import { register } from "./registration.ts";
import { resourceOf } from "./resource.ts";

export interface Telemetry extends AsyncDisposable {
  /** Sends what is there; resolves once it has arrived or after 2 s, which is then told on standard error; never throws. */
  flush(): Promise<void>;
  /**
   * Sends what is there and ends all: afterwards nothing holds the process. Bounded by `timeout` (2 s by default); never throws; harmless
   * when called again. Says how many spans and log records were made and have not arrived.
   */
  shutdown(options?: { readonly timeout?: Duration }): Promise<{ readonly lostSpans: number; readonly lostEvents: number }>;
}

interface Losses {
  readonly lostSpans: number;
  readonly lostEvents: number;
}

/** Milliseconds. */
const defaultTimeout = 2000;

/** Resolves when they are empty, or after so many milliseconds. */
async function drain(all: readonly Flushable[], milliseconds: number): Promise<void> {
  const deadline = new Deadline(milliseconds);
  await Promise.all(all.map((each) => each.drained(deadline)));
  deadline.clear();
}

let running: string | undefined;

class RunningTelemetry implements Telemetry {
  readonly #pipelines: Pipelines;
  readonly #unregister: () => Promise<void>;
  readonly #unwatch: () => void;
  #ended: Promise<Losses> | undefined;

  constructor(settings: Settings) {
    const resource = resourceOf(settings);
    this.#pipelines = createPipelines(settings, resource);
    const { spans, logs, readers, all } = this.#pipelines;
    const { taken, unregister } = register({
      autoDetectResources: false,
      resource,
      ...(settings.sampler === undefined ? {} : { sampler: settings.sampler }),
      spanProcessors: spans.goesNowhere ? [] : [spans],
      logRecordProcessors: logs.goesNowhere ? [] : [logs],
      metricReaders: [...readers],
    });
    this.#unregister = unregister;
    if (taken) complainOnce()("another OpenTelemetry SDK is registered already: spans go there, not where startTelemetry says.");
    const flushNow = (): void => {
      spans.drainNow();
      logs.drainNow();
    };
    const flush = (): Promise<void> => this.#flush(all.filter(({ isGivenUp }) => !isGivenUp));
    this.#unwatch = watchExit({ flush, flushNow, created: () => spans.created + logs.created }, settings.signals);
  }

  flush(): Promise<void> {
    return this.#flush(this.#pipelines.all);
  }

  shutdown(options?: { readonly timeout?: Duration }): Promise<Losses> {
    this.#ended ??= this.#end(parseDuration(options?.timeout) ?? defaultTimeout);
    return this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  async #flush(all: readonly Flushable[]): Promise<void> {
    await (this.#ended ?? drain(all, defaultTimeout));
  }

  async #end(timeout: number): Promise<Losses> {
    await drain(this.#pipelines.all, timeout);
    // Ends the processors and readers, which closes what they deliver to.
    await this.#unregister();
    this.#unwatch();
    running = undefined;
    const { spans, logs } = this.#pipelines;
    return { lostSpans: spans.lost, lostEvents: logs.lost };
  }
}

const disabled: Telemetry = {
  flush: () => Promise.resolve(),
  shutdown: () => Promise.resolve({ lostSpans: 0, lostEvents: 0 }),
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

/**
 * Starts the OpenTelemetry SDK: traces, metrics and logs over OTLP/HTTP, or into a file. `OTEL_*` variables are honoured; options win over
 * them. One at a time: `shutdown` before the next. Throws `RunnerError` `invalid_option`.
 */
export function startTelemetry(options: TelemetryOptions): Telemetry {
  const settings = checkOptions(options);
  if (running !== undefined) {
    throw invalidOption("serviceName", `is given again while telemetry runs as ${JSON.stringify(running)}: shut that down first`);
  }
  if (getBooleanFromEnv("OTEL_SDK_DISABLED")) return disabled;
  if (settings.file !== undefined) prepareFile(settings.file);
  const telemetry = new RunningTelemetry(settings);
  running = settings.serviceName;
  return telemetry;
}
