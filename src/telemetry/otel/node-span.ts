/** One attempt of a node, traced: the only place where a span is made active. */
import { context, type Context, type HrTime, type Span } from "@opentelemetry/api";
import type { NodeTrace, SpanFailure, SpanIds } from "../instrumentation.ts";
import { spanAttributes, spans } from "../names.ts";
import { withSpan } from "./linked-context.ts";
import { type ParentHandle, SpanHandle, startSpan } from "./span-handle.ts";
import { spanTime } from "./time.ts";

class NodeSpan extends SpanHandle implements NodeTrace {
  readonly #outer: Context;

  constructor(parent: ParentHandle, span: Span) {
    super(parent.scope, span);
    this.#outer = parent.context;
  }

  run<T>(call: () => T): T {
    return context.with(withSpan(this.#outer, this.span), call);
  }

  end(end: { readonly writes?: readonly string[] | undefined; readonly failure?: SpanFailure | undefined }): void {
    const time: HrTime = spanTime();
    this.set(spanAttributes.nodeWrites.key, end.writes?.slice());
    this.close(time, end.failure);
  }
}

/** An attempt without a span of its own: what it does belongs to the nearest span above, and says whose it is. */
class FoldedNode implements NodeTrace, SpanIds {
  readonly traceId: string;
  readonly spanId: string;
  readonly #owner: ParentHandle;
  readonly #name: string;
  readonly #attempt: number;

  constructor(owner: ParentHandle, name: string, attempt: number) {
    this.traceId = owner.traceId;
    this.spanId = owner.spanId;
    this.#owner = owner;
    this.#name = name;
    this.#attempt = attempt;
  }

  run<T>(call: () => T): T {
    return context.with(this.#owner.context, call);
  }

  event(name: string, data: Readonly<Record<string, unknown>>): void {
    this.#owner.event(name, { node: this.#name, attempt: this.#attempt, ...data });
  }

  end(): void {}
}

/** Starts an attempt below `parent`, which is the schedule's span or, where that is none, the nearest one above. */
export function startNode(parent: ParentHandle, name: string, attempt: number, queued: number, delay: number | undefined): NodeTrace {
  const { scope } = parent;
  const span = scope.detail === "invocation" ? undefined : startSpan(scope, `${spans.node.name} ${name}`, parent.context);
  if (span === undefined) return new FoldedNode(parent, name, attempt);
  const node = new NodeSpan(parent, span);
  node.set(spanAttributes.nodeName.key, name);
  node.set(spanAttributes.nodeAttempt.key, attempt);
  node.set(spanAttributes.nodeQueueDuration.key, queued / 1000);
  node.set(spanAttributes.nodeRetryDelay.key, delay === undefined ? undefined : delay / 1000);
  return node;
}
