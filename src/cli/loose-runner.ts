/** What a run is asked for, and the runner that is made for it: of a graph whose types are unknown here. */
import { resolve } from "node:path";
import type { AnyEvent, Interrupt } from "../events/event.ts";
import type { EventSink } from "../events/sink.ts";
import { createRunner, jsonlSink } from "../index.ts";
import type { Values } from "../support/types.ts";
import type { StorageOptions } from "./database.ts";
import { invocationSink } from "./home.ts";
import type { LoadedGraph } from "./load-graph.ts";
import { rememberingStore, type RunStore, type Storage } from "./storage.ts";

/** What `run` begins with. */
export interface Beginning {
  readonly kind: "run";
  readonly input: Values;
  readonly sessionId: string | undefined;
  readonly onExisting: "error" | "next" | "resume" | undefined;
}

/** What `resume` goes on with. */
export interface Continuation {
  readonly kind: "resume";
  readonly sessionId: string;
  readonly answers: Answers;
}

export type Answers = { readonly answer?: unknown } | { readonly answers: Values };

export interface RunRequest {
  readonly loaded: LoadedGraph;
  readonly call: Beginning | Continuation;
  readonly storage: Storage;
  /** Where it is, as it was said. */
  readonly given: StorageOptions;
  readonly pauseBefore: readonly string[];
  readonly maxSteps: number | undefined;
  readonly concurrency: number | undefined;
  readonly onGraphChange: "compatible" | "error" | "warn" | undefined;
  /** A path, "none", or `undefined` for a file of the invocation's own under `home`. */
  readonly events: string | undefined;
  /** Sends the trace to a collector; its base URL, or `undefined` for that of the environment. */
  readonly otlp: { readonly endpoint: string | undefined } | undefined;
  readonly quiet: boolean;
}

interface Result {
  readonly status: "completed" | "paused" | "cancelled";
  readonly state: unknown;
  readonly steps: number;
  readonly step: number;
  readonly versions: Readonly<Record<string, number>>;
  readonly interrupts: readonly Interrupt[];
}

export interface LooseRun extends AsyncIterable<AnyEvent> {
  readonly sessionId: string;
  readonly invocationId: string;
  readonly result: Promise<Result>;
  cancel(reason?: unknown): void;
}

export interface LooseRunner {
  stream(input: Values, options: { readonly sessionId?: string; readonly onExisting?: "error" | "next" | "resume" }): LooseRun;
  session(sessionId: string): { resume(options: Answers): LooseRun };
  health(): { readonly sinks: readonly { readonly lastError?: string }[] };
  drain(): Promise<void>;
  close(): Promise<{ readonly lostEvents: number }>;
}

/** A runner, and where it keeps sessions. */
export interface MadeRunner extends RunStore {
  readonly runner: LooseRunner;
}

/** A runner whose only sink, if it has one, is the event log. */
export function makeRunner({ loaded, storage, ...request }: RunRequest): MadeRunner {
  const sinks: EventSink[] = [];
  if (request.events === undefined) sinks.push(invocationSink(request.given.home, jsonlSink));
  else if (request.events !== "none") sinks.push(jsonlSink(resolve(request.events)));
  const kept = rememberingStore(storage, { module: loaded.path, export: loaded.name });
  const options = {
    sinks,
    checkpointer: kept.store,
    ...(loaded.services === undefined ? {} : { services: loaded.services }),
    ...(request.pauseBefore.length === 0 ? {} : { pauseBefore: request.pauseBefore }),
    ...(request.maxSteps === undefined ? {} : { maxSteps: request.maxSteps }),
    ...(request.concurrency === undefined ? {} : { concurrency: request.concurrency }),
    ...(request.onGraphChange === undefined ? {} : { onGraphChange: request.onGraphChange }),
  };
  // A graph from a file has no types at compile time: the runner itself checks what it is given.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const untyped = createRunner as unknown as (graph: unknown, options: object) => LooseRunner;
  return { runner: untyped(loaded.graph, options), ...kept };
}

/** Starts what was asked for. */
export function begin(runner: LooseRunner, call: RunRequest["call"]): LooseRun {
  if (call.kind === "resume") return runner.session(call.sessionId).resume(call.answers);
  const { input, sessionId, onExisting } = call;
  return runner.stream(input, {
    ...(sessionId === undefined ? {} : { sessionId }),
    ...(onExisting === undefined ? {} : { onExisting }),
  });
}
