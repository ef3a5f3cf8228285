/** The floor of the traced rows: the six spans of a one-entry superstep, by hand, with the attributes that the runtime gives them. */
import { context, type Context, ROOT_CONTEXT, type Span, trace, type Tracer } from "@opentelemetry/api";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { spanAttributes as keys, spans as names } from "../../../src/telemetry/names.ts";

export interface BareRun {
  readonly tracer: Tracer;
  readonly sessionId: string;
  readonly node: string;
}

/* Attributes are set one by one: with this SDK that is a fifth faster than handing them to `startSpan`. */
function startSpan({ tracer, sessionId }: BareRun, name: string, parent: Context): Span {
  return tracer.startSpan(name, undefined, parent).setAttribute(keys.sessionId.key, sessionId);
}

function startPhase(run: BareRun, name: string, step: number, parent: Context): Span {
  return startSpan(run, name, parent).setAttribute(keys.step.key, step);
}

/** The attempt's span, still open, around a call of the node. */
export async function bareNode(run: BareRun, parent: Context, call: () => unknown): Promise<void> {
  const span = startSpan(run, `${names.node.name} ${run.node}`, parent)
    .setAttribute(keys.nodeName.key, run.node)
    .setAttribute(keys.nodeAttempt.key, 1)
    .setAttribute(keys.nodeQueueDuration.key, 0);
  await context.with(trace.setSpan(parent, span), call);
  span.setAttribute(keys.nodeWrites.key, []).end();
}

async function bareSchedule(run: BareRun, step: number, parent: Context, call: () => unknown): Promise<void> {
  const span = startPhase(run, names.schedule.name, step, parent).setAttribute(keys.frontierLength.key, 1);
  await bareNode(run, trace.setSpan(parent, span), call);
  span.end();
}

function bareBarrier(run: BareRun, step: number, parent: Context): void {
  startPhase(run, names.barrier.name, step, parent)
    .setAttribute(keys.ranNodesLength.key, 1)
    .setAttribute(keys.errorsInPartials.key, 0)
    .setAttribute(keys.updatedChannels.key, [])
    .end();
}

function bareFrontier(run: BareRun, step: number, parent: Context): void {
  startPhase(run, names.frontier.name, step, parent)
    .setAttribute(keys.commandsCount.key, 0)
    .setAttribute(keys.conditionalEdgesEvaluated.key, 1)
    .setAttribute(keys.nextFrontierLength.key, 1)
    .end();
}

function bareCheckpoint(run: BareRun, step: number, parent: Context): void {
  startPhase(run, names.checkpoint.name, step, parent)
    .setAttribute(keys.checkpointBackend.key, "memory")
    .setAttribute(keys.checkpointMode.key, "sync")
    .setAttribute(keys.checkpointSize.key, 400)
    .setAttribute(keys.checkpointOutcome.key, "saved")
    .end();
}

export async function bareSuperstep(run: BareRun, step: number, parent: Context, call: () => unknown): Promise<void> {
  const span = startPhase(run, names.superstep.name, step, parent);
  const inside = trace.setSpan(parent, span);
  await bareSchedule(run, step, inside, call);
  bareBarrier(run, step, inside);
  bareFrontier(run, step, inside);
  bareCheckpoint(run, step, inside);
  span.setAttribute(keys.ranNodesLength.key, 1).setAttribute(keys.skippedNodesLength.key, 0).end();
}

/** A root span with so many supersteps below it. */
export async function bareLoop(run: BareRun, supersteps: number, call: () => unknown): Promise<void> {
  const root = run.tracer.startSpan("bare");
  const parent = trace.setSpan(ROOT_CONTEXT, root);
  for (let step = 1; step <= supersteps; step += 1) {
    // oxlint-disable-next-line eslint/no-await-in-loop -- supersteps follow each other
    await bareSuperstep(run, step, parent, call);
  }
  root.end();
}

/** Which spans the first superstep among these has, and which attributes each: what must be equal for a floor to be one. */
export function shapeOfSuperstep(spans: readonly ReadableSpan[]): readonly string[] {
  const first = spans.find(({ name, attributes }) => name === names.superstep.name && attributes[keys.step.key] === 1);
  const shapes: string[] = [];
  const add = (span: ReadableSpan | undefined, depth: number): void => {
    if (span === undefined) return;
    shapes.push(`${"  ".repeat(depth)}${span.name}: ${Object.keys(span.attributes).toSorted().join(" ")}`);
    for (const child of spans) if (child.parentSpanContext?.spanId === span.spanContext().spanId) add(child, depth + 1);
  };
  add(first, 0);
  return shapes;
}
