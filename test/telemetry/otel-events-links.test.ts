/** What an invocation is told about itself besides spans: span events, and the traces of invocations before it. */
import { context, ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { manualClock } from "spanloom/testing";
import { recorder, start } from "./support.ts";

beforeAll(() => void context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()));
afterAll(() => context.disable());

describe("span events", () => {
  const cyclic: Record<string, unknown> = {};
  cyclic["self"] = cyclic;
  const error = { name: "TypeError", message: "m", code: "c", cause: { name: "Error", message: "inner" } };
  const cases: readonly [name: string, data: Record<string, unknown>, expected: object | undefined][] = [
    [
      "node.retrying",
      { delay: 250, error },
      { "spanloom.node.retry.delay": 0.25, "error.type": "TypeError", "error.code": "c", "error.message": "m" },
    ],
    ["node.failed", { error: { name: "E" }, final: true }, { "error.type": "E", "spanloom.final": true }],
    [
      "interrupt.requested",
      { id: "i", node: "ask", step: 2, kind: "interrupt", payload: "who?" },
      { "spanloom.id": "i", "spanloom.node.name": "ask", "spanloom.step": 2, "spanloom.kind": "interrupt" },
    ],
    [
      "node.log",
      {
        level: "warn",
        message: "slow",
        fields: { ms: 3, tags: ["a"], who: { id: 1n }, user: { id: 1 }, big: 2n, cyclic, no: undefined, cause: new RangeError("r") },
      },
      {
        "spanloom.level": "warn",
        "spanloom.message": "slow",
        "spanloom.fields.ms": 3,
        "spanloom.fields.tags": ["a"],
        "spanloom.fields.user": '{"id":1}',
        "spanloom.fields.big": "2",
        "spanloom.fields.cause": "RangeError: r",
      },
    ],
    ["node.log", { level: "error", message: "bad", fields: {} }, { "spanloom.level": "error", "spanloom.message": "bad" }],
    ["node.log", { level: "info", message: "fine", fields: {} }, undefined],
    ["node.log", { level: "debug", message: "fine", fields: {} }, undefined],
  ];

  test.each(cases)("%s %#", (name, data, expected) => {
    const { provider, spans } = recorder();
    start({ tracerProvider: provider }).event(name, data);
    expect(spans[0]?.events.map((event) => [event.name, event.attributes])).toEqual(expected === undefined ? [] : [[name, expected]]);
  });
});

function linksOf(more: object) {
  const { provider, spans } = recorder();
  const invocation = start({ tracerProvider: provider, traceMode: "linked", clock: manualClock(7) }, more);
  const links = spans[0]?.links.map(({ attributes, context: { traceId, traceFlags } }) => {
    return `${String(attributes?.["spanloom.link.type"])} ${traceId[0]}${traceFlags}`;
  });
  return { links, stored: invocation.stored, own: `00-${invocation.traceId}-${invocation.spanId}-01`, span: spans[0] };
}

describe("the trace that is stored", () => {
  const one = `00-${"1".repeat(32)}-${"1".repeat(16)}-01`;
  const two = `00-${"2".repeat(32)}-${"2".repeat(16)}-00`;
  const first = { spans: 1, time: 7 };
  test("first invocation: no links, its own origin", () => {
    const { links, stored, own } = linksOf({});
    expect({ links, stored }).toEqual({ links: [], stored: { traceparent: own, origin: own, ...first } });
  });

  test("a resume links to the one before and to the first, and keeps the first", () => {
    const { links, stored, own } = linksOf({ kind: "resume", stored: { traceparent: two, origin: one } });
    expect({ links, stored }).toEqual({ links: ["resumed_from 20", "origin 11"], stored: { traceparent: own, origin: one, ...first } });
  });

  test("a fork links to what it was forked from, and is its own origin", () => {
    const { links, stored, own } = linksOf({ forked: true, stored: { traceparent: two, origin: one } });
    expect({ links, stored }).toEqual({ links: ["forked_from 20"], stored: { traceparent: own, origin: own, ...first } });
  });

  test("trace state travels along: in links, from the caller, and with a trace that is gone on with", () => {
    const stored = { traceparent: one, tracestate: "v=1", origin: one, spans: 1, time: 0 };
    const { span, stored: kept } = linksOf({ stored });
    expect(span?.links[0]?.context.traceState?.serialize()).toBe("v=1");
    expect(kept.tracestate).toBeUndefined();
    const { provider } = recorder();
    const parent = trace.setSpan(ROOT_CONTEXT, trace.wrapSpanContext({ ...span!.links[0]!.context }));
    expect(context.with(parent, () => start({ tracerProvider: provider })).stored.tracestate).toBe("v=1");
    expect(start({ tracerProvider: provider, traceMode: "continued" }, { stored }).stored.tracestate).toBe("v=1");
  });

  test("is plain data, made anew each time, as of that moment", async () => {
    const clock = manualClock(7);
    const invocation = start({ tracerProvider: recorder().provider, clock });
    const { stored } = invocation;
    expect(JSON.parse(JSON.stringify(stored))).toStrictEqual(stored);
    await clock.advance(5);
    invocation.superstep(1);
    expect(stored).toMatchObject({ spans: 1, time: 7 });
    expect(invocation.stored).toStrictEqual({ ...stored, spans: 2, time: 12 });
  });
});
