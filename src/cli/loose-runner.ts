/** What a run is asked for, and the runner that is made for it: of a graph whose types are unknown here. */
import { resolve } from "node:path";
import type { Checkpointer, StoredCheckpoint } from "../checkpoint/checkpointer.ts";
import { boundedMemoryCheckpointer } from "../checkpoint/memory/memory-checkpointer.ts";
import type { AnyEvent, Interrupt } from "../events/event.ts";
import type { EventSink } from "../events/sink.ts";
import { createRunner, jsonlSink } from "../index.ts";
import { isThenable } from "../support/thenable.ts";
import type { Values } from "../support/types.ts";
import { invocationSink } from "./home.ts";
import type { LoadedGraph } from "./load-graph.ts";

export interface RunRequest {
  readonly loaded: LoadedGraph;
  readonly input: Values;
  readonly sessionId: string | undefined;
  readonly onExisting: "error" | "next" | "resume" | undefined;
  readonly pauseBefore: readonly string[];
  readonly maxSteps: number | undefined;
  readonly concurrency: number | undefined;
  readonly onGraphChange: "compatible" | "error" | "warn" | undefined;
  /** A path, "none", or `undefined` for a file of the invocation's own under `home`. */
  readonly events: string | undefined;
  readonly home: string;
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
  session(sessionId: string): { state(): Promise<Omit<Result, "status" | "steps">> };
  health(): { readonly sinks: readonly { readonly lastError?: string }[] };
  drain(): Promise<void>;
  close(): Promise<{ readonly lostEvents: number }>;
}

/** Records of the session that are kept: nobody but this process can read them, and each holds its state. */
const keptRecords = 128;

/** A runner whose only sink, if it has one, is the event log; and where it keeps sessions. */
export function makeRunner({ loaded, ...request }: RunRequest): { readonly runner: LooseRunner; readonly store: Checkpointer } {
  const sinks: EventSink[] = [];
  if (request.events === undefined) sinks.push(invocationSink(request.home, jsonlSink));
  else if (request.events !== "none") sinks.push(jsonlSink(resolve(request.events)));
  const store = boundedMemoryCheckpointer({ keep: keptRecords });
  const options = {
    sinks,
    checkpointer: store,
    ...(loaded.services === undefined ? {} : { services: loaded.services }),
    ...(request.pauseBefore.length === 0 ? {} : { pauseBefore: request.pauseBefore }),
    ...(request.maxSteps === undefined ? {} : { maxSteps: request.maxSteps }),
    ...(request.concurrency === undefined ? {} : { concurrency: request.concurrency }),
    ...(request.onGraphChange === undefined ? {} : { onGraphChange: request.onGraphChange }),
  };
  // A graph from a file has no types at compile time: the runner itself checks what it is given.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const untyped = createRunner as unknown as (graph: unknown, options: object) => LooseRunner;
  return { runner: untyped(loaded.graph, options), store };
}

/** The session as of its last barrier, if the store answers at once: who ends with the process cannot wait. */
export function lastBarrier(store: Checkpointer, sessionId: string): StoredCheckpoint | undefined {
  try {
    const found = store.load(sessionId);
    return isThenable(found) ? undefined : found;
  } catch {
    return undefined;
  }
}
