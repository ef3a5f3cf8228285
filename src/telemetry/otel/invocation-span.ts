/** The spans that hold the phases: an invocation and its supersteps. */
import type { Context, Span } from "@opentelemetry/api";
import type * as port from "../instrumentation.ts";
import { spanAttributes, spans } from "../names.ts";
import { foldSuperstep } from "./folded.ts";
import { startBarrier, startCheckpoint, startFrontier, startSchedule } from "./phase-spans.ts";
import { ParentHandle, type Scope, SpanHandle, startSpan } from "./span-handle.ts";
import { spanTime, spanTimeOf } from "./time.ts";

class SuperstepSpan extends ParentHandle implements port.SuperstepTrace {
  schedule(step: number, frontierLength: number): port.ScheduleTrace {
    return startSchedule(this, step, frontierLength);
  }

  barrier(step: number): port.BarrierTrace {
    return startBarrier(this, step);
  }

  frontier(step: number): port.FrontierTrace {
    return startFrontier(this, step);
  }

  checkpoint(step: number, backend: string, mode: port.Durability): port.CheckpointTrace {
    return startCheckpoint(this, step, backend, mode);
  }

  end(end: Parameters<port.SuperstepTrace["end"]>[0]): void {
    const time = spanTime();
    this.set(spanAttributes.ranNodesLength.key, end.ranNodes);
    this.set(spanAttributes.skippedNodesLength.key, end.skippedNodes);
    this.close(time, end.failure);
  }
}

class LoadSpan extends SpanHandle {
  end(date: number): void {
    this.close(spanTimeOf(date), undefined);
  }
}

/** An invocation that is recorded. Its first attributes, those that samplers need, were given when the span was made. */
export class InvocationSpan extends ParentHandle implements port.InvocationTrace {
  // One object for all supersteps that have no span.
  #folded: port.SuperstepTrace | undefined;

  constructor(scope: Scope, span: Span, outer: Context, facts: port.InvocationFacts) {
    super(scope, span, outer);
    this.set(spanAttributes.graphVersion.key, facts.graphVersion);
    this.set(spanAttributes.graphFingerprint.key, facts.fingerprint);
    this.set(spanAttributes.invocationId.key, facts.invocationId);
    this.set(spanAttributes.invocationSegment.key, 1);
    this.set(spanAttributes.durability.key, facts.durability);
    if (facts.load !== undefined && scope.detail !== "invocation") this.#loaded(facts.load);
  }

  #loaded(load: NonNullable<port.InvocationFacts["load"]>): void {
    const span = startSpan(this.scope, spans.checkpointLoad.name, this.context, spanTimeOf(load.startTime));
    if (span === undefined) return;
    const handle = new LoadSpan(this.scope, span);
    handle.set(spanAttributes.checkpointBackend.key, load.backend);
    handle.set(spanAttributes.step.key, load.step);
    handle.set(spanAttributes.checkpointSize.key, load.size);
    handle.end(load.endTime);
  }

  get stored(): port.StoredTrace {
    return this.scope.line.stored;
  }

  superstep(step: number): port.SuperstepTrace {
    const { scope } = this;
    const span = scope.detail === "invocation" ? undefined : startSpan(scope, spans.superstep.name, this.context);
    if (span === undefined) return (this.#folded ??= foldSuperstep(this));
    const handle = new SuperstepSpan(scope, span, this.context);
    handle.set(spanAttributes.step.key, step);
    return handle;
  }

  checkpoint(step: number, backend: string, mode: port.Durability): port.CheckpointTrace {
    return startCheckpoint(this, step, backend, mode);
  }

  end(end: Parameters<port.InvocationTrace["end"]>[0]): void {
    const time = spanTime();
    this.set(spanAttributes.invocationOutcome.key, end.outcome);
    this.set(spanAttributes.superstepCount.key, end.supersteps);
    this.close(time, end.failure);
  }
}
