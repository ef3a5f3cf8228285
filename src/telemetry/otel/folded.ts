/** Work without a span of its own, as the detail wants it or because the SDK threw: it belongs to the nearest span above. */
import { context, type Context, type HrTime, type Span } from "@opentelemetry/api";
import type * as port from "../instrumentation.ts";
import { spanAttributes } from "../names.ts";
import { startNode } from "./node-span.ts";
import type { Detail, ParentHandle } from "./span-handle.ts";
import { secondsBetween, spanTime } from "./time.ts";
import type { TraceLine } from "./trace-line.ts";

export type ScheduleFailure = NonNullable<Parameters<port.ScheduleTrace["end"]>[0]>;

/** The facts of a failed schedule: on its span, or on the nearest one. At most 20 nodes are named. */
export function setScheduleFailure(handle: ParentHandle, failure: ScheduleFailure): void {
  const versions = Object.entries(failure.versions).map(([channel, version]) => `${channel}=${version}`);
  handle.set(spanAttributes.failedNode.key, failure.node);
  handle.set(spanAttributes.frontierNodes.key, failure.frontierNodes.slice(0, 20));
  handle.set(spanAttributes.channelVersions.key, versions);
}

class Folded implements port.SpanIds {
  readonly traceId: string;
  readonly spanId: string;
  protected readonly owner: ParentHandle;
  // Phases are told as durations at detail "superstep" only.
  readonly #start: HrTime | undefined;

  constructor(owner: ParentHandle, timed: boolean) {
    this.traceId = owner.traceId;
    this.spanId = owner.spanId;
    this.owner = owner;
    this.#start = timed ? spanTime() : undefined;
  }

  protected tell(durationKey: string): void {
    if (this.#start !== undefined) this.owner.addDuration(durationKey, secondsBetween(this.#start, spanTime()));
  }
}

class FoldedSchedule extends Folded implements port.ScheduleTrace {
  node(name: string, attempt: number, queueDuration: number, retryDelay: number | undefined): port.NodeTrace {
    return startNode(this.owner, name, attempt, queueDuration, retryDelay);
  }

  end(failure?: ScheduleFailure): void {
    this.tell(spanAttributes.scheduleDuration.key);
    if (failure !== undefined) setScheduleFailure(this.owner, failure);
  }
}

class FoldedBarrier extends Folded implements port.BarrierTrace {
  end(): void {
    this.tell(spanAttributes.barrierDuration.key);
  }
}

class FoldedFrontier extends Folded implements port.FrontierTrace {
  event(name: string, data: Readonly<Record<string, unknown>>): void {
    this.owner.event(name, data);
  }

  end(): void {
    this.tell(spanAttributes.frontierDuration.key);
  }
}

class FoldedCheckpoint extends Folded implements port.CheckpointTrace {
  end({ outcome }: { readonly outcome: string }): void {
    this.tell(spanAttributes.checkpointDuration.key);
    if (outcome !== "saved") this.owner.set(spanAttributes.checkpointOutcome.key, outcome);
  }
}

const timed = (owner: ParentHandle): boolean => owner.scope.detail === "superstep";

export const foldSchedule = (owner: ParentHandle): port.ScheduleTrace => new FoldedSchedule(owner, timed(owner));
export const foldBarrier = (owner: ParentHandle): port.BarrierTrace => new FoldedBarrier(owner, timed(owner));
export const foldFrontier = (owner: ParentHandle): port.FrontierTrace => new FoldedFrontier(owner, timed(owner));
export const foldCheckpoint = (owner: ParentHandle): port.CheckpointTrace => new FoldedCheckpoint(owner, timed(owner));

class FoldedSuperstep extends Folded implements port.SuperstepTrace {
  schedule(): port.ScheduleTrace {
    return foldSchedule(this.owner);
  }
  barrier(): port.BarrierTrace {
    return foldBarrier(this.owner);
  }
  frontier(): port.FrontierTrace {
    return foldFrontier(this.owner);
  }
  checkpoint(): port.CheckpointTrace {
    return foldCheckpoint(this.owner);
  }
  end(): void {}
}

export const foldSuperstep = (owner: ParentHandle): port.SuperstepTrace => new FoldedSuperstep(owner, false);

/** Every handle of an invocation that is not recorded, in one object: its context reaches the nodes' code, and nothing else is done. */
export class UnrecordedInvocation
  implements port.InvocationTrace, port.SuperstepTrace, port.ScheduleTrace, port.NodeTrace, port.FrontierTrace
{
  readonly traceId: string;
  readonly spanId: string;
  readonly #context: Context;
  readonly #line: TraceLine;
  // Spans that each would have made. They count: a trace is full as soon whether or not it is sampled, and the next is decided anew.
  readonly #attempt: number;
  readonly #phase: number;

  constructor(span: Span, unrecorded: Context, line: TraceLine, detail: Detail, isLoaded: boolean) {
    const { traceId, spanId } = span.spanContext();
    this.traceId = traceId;
    this.spanId = spanId;
    this.#context = unrecorded;
    this.#line = line;
    this.#attempt = detail === "invocation" ? 0 : 1;
    this.#phase = detail === "phase" ? 1 : 0;
    if (isLoaded) line.spans += this.#attempt;
  }

  get stored(): port.StoredTrace {
    return this.#line.stored;
  }

  superstep(): this {
    this.#line.spans += this.#attempt;
    return this;
  }
  schedule(): this {
    return this.#phaseOf();
  }
  node(): this {
    this.#line.spans += this.#attempt;
    return this;
  }
  barrier(): this {
    return this.#phaseOf();
  }
  frontier(): this {
    return this.#phaseOf();
  }
  checkpoint(): this {
    return this.#phaseOf();
  }
  run<T>(call: () => T): T {
    return context.with(this.#context, call);
  }
  event(): void {}
  end(): void {}

  #phaseOf(): this {
    this.#line.spans += this.#phase;
    return this;
  }
}
