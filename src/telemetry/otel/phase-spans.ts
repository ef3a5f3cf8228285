/** The spans of the four phases, with the attributes of each. */
import type { Span } from "@opentelemetry/api";
import type * as port from "../instrumentation.ts";
import { spanAttributes, spans } from "../names.ts";
import { foldBarrier, foldCheckpoint, foldFrontier, foldSchedule, type ScheduleFailure, setScheduleFailure } from "./folded.ts";
import { startNode } from "./node-span.ts";
import { ParentHandle, SpanHandle, startSpan } from "./span-handle.ts";
import { spanTime } from "./time.ts";

const stepKey = spanAttributes.step.key;

class ScheduleSpan extends ParentHandle implements port.ScheduleTrace {
  node(name: string, attempt: number, queueDuration: number, retryDelay: number | undefined): port.NodeTrace {
    return startNode(this, name, attempt, queueDuration, retryDelay);
  }

  end(failure?: ScheduleFailure): void {
    const time = spanTime();
    if (failure !== undefined) setScheduleFailure(this, failure);
    this.close(time, failure);
  }
}

class BarrierSpan extends SpanHandle implements port.BarrierTrace {
  end(end: Parameters<port.BarrierTrace["end"]>[0]): void {
    const time = spanTime();
    this.set(spanAttributes.ranNodesLength.key, end.ranNodes);
    this.set(spanAttributes.errorsInPartials.key, end.errorsInPartials);
    this.set(spanAttributes.updatedChannels.key, end.updatedChannels.slice());
    this.close(time, end.failure);
  }
}

class FrontierSpan extends SpanHandle implements port.FrontierTrace {
  end(end: Parameters<port.FrontierTrace["end"]>[0]): void {
    const time = spanTime();
    this.set(spanAttributes.commandsCount.key, end.commands);
    this.set(spanAttributes.conditionalEdgesEvaluated.key, end.conditionalEdges);
    this.set(spanAttributes.nextFrontierLength.key, end.nextFrontier);
    this.close(time, end.failure);
  }
}

class CheckpointSpan extends SpanHandle implements port.CheckpointTrace {
  end(end: Parameters<port.CheckpointTrace["end"]>[0]): void {
    const time = spanTime();
    this.set(spanAttributes.checkpointSize.key, end.size);
    this.set(spanAttributes.checkpointOutcome.key, end.outcome);
    this.close(time, end.failure);
  }
}

/** A phase's span below its parent, unless the detail wants none or the SDK threw. */
function phaseSpan(parent: ParentHandle, name: string): Span | undefined {
  return parent.scope.detail === "phase" ? startSpan(parent.scope, name, parent.context) : undefined;
}

export function startSchedule(parent: ParentHandle, step: number, frontierLength: number): port.ScheduleTrace {
  const span = phaseSpan(parent, spans.schedule.name);
  if (span === undefined) return foldSchedule(parent);
  const handle = new ScheduleSpan(parent.scope, span, parent.context);
  handle.set(stepKey, step);
  handle.set(spanAttributes.frontierLength.key, frontierLength);
  return handle;
}

export function startBarrier(parent: ParentHandle, step: number): port.BarrierTrace {
  const span = phaseSpan(parent, spans.barrier.name);
  if (span === undefined) return foldBarrier(parent);
  const handle = new BarrierSpan(parent.scope, span);
  handle.set(stepKey, step);
  return handle;
}

export function startFrontier(parent: ParentHandle, step: number): port.FrontierTrace {
  const span = phaseSpan(parent, spans.frontier.name);
  if (span === undefined) return foldFrontier(parent);
  const handle = new FrontierSpan(parent.scope, span);
  handle.set(stepKey, step);
  return handle;
}

export function startCheckpoint(parent: ParentHandle, step: number, backend: string, mode: port.Durability): port.CheckpointTrace {
  const span = phaseSpan(parent, spans.checkpoint.name);
  if (span === undefined) return foldCheckpoint(parent);
  const handle = new CheckpointSpan(parent.scope, span);
  handle.set(stepKey, step);
  handle.set(spanAttributes.checkpointBackend.key, backend);
  handle.set(spanAttributes.checkpointMode.key, mode);
  return handle;
}
