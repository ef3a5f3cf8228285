/** The trace around a run, and inside its nodes: the caller's span above, users' spans and their libraries' below. */
import { createServer, type IncomingHttpHeaders } from "node:http";
import { context, propagation, trace } from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { UndiciInstrumentation } from "@opentelemetry/instrumentation-undici";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { channel, createRunner, END, graph, input, memoryCheckpointer, START } from "spanloom";
import { manualClock, recordSpans, type RecordedSpan } from "spanloom/testing";
import { attribute, gate, ours } from "./run-support.ts";

const channels = { seen: channel.list<string>() };
const tracer = trace.getTracer("user");

const named = (spans: readonly RecordedSpan[], name: string): readonly RecordedSpan[] => spans.filter((span) => span.name === name);
const parentOf = (spans: readonly RecordedSpan[], name: string): string | undefined => {
  const [child] = named(spans, name);
  return spans.find(({ spanId }) => spanId === child?.parentId)?.name;
};

const simple = (run: () => unknown, options: object = {}) =>
  createRunner(
    graph({ name: "g", channels })
      .node("n", async () => {
        await run();
      })
      .edge(START, "n")
      .edge("n", END)
      .compile(),
    options,
  );
const noop = (): void => {};

describe("the caller's active span is the parent", () => {
  const calls: readonly [name: string, call: () => Promise<unknown>][] = [
    ["of invoke", () => simple(noop).invoke({})],
    ["of stream", () => simple(noop).stream({}).result],
    ["of a session's start", () => simple(noop).session("s").start({}).result],
    [
      "of steps by hand",
      async () => {
        const session = simple(noop).session("s");
        await session.create({});
        await session.runStep();
      },
    ],
  ];

  test.each(calls)("%s", async (_name, call) => {
    const { spans } = await recordSpans(() =>
      tracer.startActiveSpan("caller", async (span) => {
        await call();
        span.end();
      }),
    );
    expect(parentOf(spans, "invoke_workflow g")).toBe("caller");
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
  });

  test("of a resume, which keeps its links", async () => {
    const runner = simple(noop, { pauseBefore: ["n"], checkpointer: memoryCheckpointer() });
    const first = await recordSpans(() => runner.invoke({}, { sessionId: "s" }));
    const { spans } = await recordSpans(() =>
      tracer.startActiveSpan("caller", async (span) => {
        await runner.session("s").resume().result;
        span.end();
      }),
    );
    expect(parentOf(spans, "invoke_workflow g")).toBe("caller");
    const links = named(spans, "invoke_workflow g")[0]?.links.map(({ spanId, attributes }) => [spanId, attributes["spanloom.link.type"]]);
    expect(links).toEqual([
      [first.spans[0]?.spanId, "resumed_from"],
      [first.spans[0]?.spanId, "origin"],
    ]);
  });

  test("of the first that called, where a session is stepped by hand", async () => {
    const { spans } = await recordSpans(async () => {
      const session = simple(noop).session("s");
      await tracer.startActiveSpan("creator", async (span) => {
        await session.create({});
        span.end();
      });
      await tracer.startActiveSpan("stepper", async (span) => {
        await session.runStep();
        span.end();
      });
    });
    expect(parentOf(spans, "invoke_workflow g")).toBe("creator");
    expect(parentOf(spans, "superstep")).toBe("invoke_workflow g");
  });

  test("a graph run inside a node is a child of that node", async () => {
    const inner = simple(noop);
    const { spans } = await recordSpans(() => simple(() => inner.invoke({})).invoke({}));
    const [outer, nested] = named(spans, "invoke_workflow g");
    expect(nested?.parentId).toBe(named(spans, "execute_node n")[0]?.spanId);
    expect(nested?.traceId).toBe(outer?.traceId);
    expect(attribute(nested, "session.id")).not.toBe(attribute(outer, "session.id"));
  });

  test("it stays the caller's own active span after the call", async () => {
    await recordSpans(() =>
      tracer.startActiveSpan("caller", async (span) => {
        const run = simple(noop).stream({});
        expect(trace.getActiveSpan()).toBe(span);
        await run.result;
        expect(trace.getActiveSpan()).toBe(span);
        span.end();
      }),
    );
  });
});

describe("the node's span is active while its code runs", () => {
  test("after awaits, in timers and in concurrent entries: each entry's own", async () => {
    const both = gate();
    let arrived = 0;
    const wide = graph({ name: "g", channels, inputs: { work: input<string>() } })
      .node("plan", (_state, { goto, send }) => goto(["x", "y"].map((item) => send("work", item))), { jumps: ["work"] })
      .node("work", async (_state, { input: item }) => {
        arrived += 1;
        if (arrived === 2) both.resolve();
        await both.promise;
        await new Promise((resolve) => setImmediate(resolve));
        tracer.startSpan(`user ${item}`, { attributes: { active: trace.getActiveSpan()?.spanContext().spanId ?? "" } }).end();
      })
      .edge(START, "plan")
      .edge("work", END)
      .compile();
    const { spans } = await recordSpans(() => createRunner(wide).invoke({}));
    const nodes = named(spans, "execute_node work").map(({ spanId }) => spanId);
    const users = ["x", "y"].map((item) => named(spans, `user ${item}`)[0]);
    expect(users.map((span) => span?.parentId)).toEqual(nodes);
    expect(users.map((span) => span?.attributes["active"])).toEqual(nodes);
  });

  test("each attempt's own, and where it is asked whether to try again", async () => {
    let calls = 0;
    const retried = graph({ name: "g", channels })
      .node(
        "n",
        () => {
          calls += 1;
          tracer.startSpan(`user ${calls}`).end();
          if (calls === 1) throw new Error("once more");
        },
        { retry: { attempts: 2, retryOn: () => (tracer.startSpan("asked").end(), 0) } },
      )
      .edge(START, "n")
      .edge("n", END)
      .compile();
    const { spans } = await recordSpans(() => createRunner(retried).invoke({}));
    const attempts = named(spans, "execute_node n").map(({ spanId }) => spanId);
    expect([1, 2].map((call) => named(spans, `user ${call}`)[0]?.parentId)).toEqual(attempts);
    expect(named(spans, "asked").map(({ parentId }) => parentId)).toEqual(attempts.slice(0, 1));
  });

  test("a durable sub-step runs in it, too; a branch and a reducer in none of ours", async () => {
    const clock = manualClock();
    const active: Record<string, string | undefined> = {};
    const note = (where: string): void => void (active[where] = trace.getActiveSpan()?.spanContext().spanId);
    const mixed = graph({
      name: "g",
      channels: {
        sum: channel.reduce(0, (sum, more: number) => {
          note("reducer");
          return sum + more;
        }),
      },
    })
      .node("n", async (_state, { once }) => {
        note("node");
        await once("key", () => note("once"));
        return { sum: 1 };
      })
      .edge(START, "n")
      .branch("n", { done: END }, () => {
        note("branch");
        return "done";
      })
      .compile();
    const { spans } = await recordSpans(() => createRunner(mixed, { clock }).invoke({}));
    const node = named(spans, "execute_node n")[0]?.spanId;
    expect(active["node"]).toBe(node);
    expect(active["once"]).toBe(node);
    expect(active["branch"]).not.toBe(node);
    expect(active["reducer"]).not.toBe(node);
  });

  test("with the caller's baggage", async () => {
    const baggage = propagation.createBaggage({ tenant: { value: "t1" } });
    let seen: unknown;
    await recordSpans(() =>
      context.with(propagation.setBaggage(context.active(), baggage), () =>
        simple(() => {
          seen = propagation.getActiveBaggage()?.getEntry("tenant")?.value;
        }).invoke({}),
      ),
    );
    expect(seen).toBe("t1");
  });

  test("a user's span that outlives its node is whole, and moves no span of ours", async () => {
    const late = gate();
    const ended = gate();
    const { spans } = await recordSpans(async () => {
      await simple(() => {
        const span = tracer.startSpan("late");
        void late.promise.then(() => {
          span.end();
          ended.resolve();
        });
      }).invoke({});
      late.resolve();
      await ended.promise;
    });
    expect(parentOf(spans, "late")).toBe("execute_node n");
    expect(named(spans, "invoke_workflow g")[0]?.end).toBeLessThanOrEqual((named(spans, "late")[0]?.end ?? 0) + 1);
  });
});

describe("a real instrumentation library", () => {
  const requests: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    requests.push(request.headers);
    response.end("pong");
  });
  const instrumentation = new UndiciInstrumentation();
  let url: string;

  beforeAll(async () => {
    propagation.setGlobalPropagator(new W3CTraceContextPropagator());
    instrumentation.enable();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    url = typeof address === "object" && address !== null ? `http://127.0.0.1:${address.port}/ping` : "";
  });
  afterEach(() => void requests.splice(0));
  afterAll(async () => {
    instrumentation.disable();
    propagation.disable();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const fetching = graph({ name: "fetching", channels })
    .node("web", async () => ({ seen: [await (await fetch(url)).text()] }))
    .node("other", async () => ({ seen: [await (await fetch(url)).text()] }))
    .edge(START, ["web", "other"])
    .edge("web", END)
    .edge("other", END)
    .compile();

  test("its spans nest under the node, and the trace is carried to the server", async () => {
    const { spans, result } = await recordSpans(() => createRunner(fetching).invoke({}));
    expect(result.state.seen).toEqual(["pong", "pong"]);
    const [root] = spans;
    const clients = spans.filter((span) => !ours(span));
    expect(clients).toHaveLength(2);
    const parents = clients.map(({ parentId }) => spans.find(({ spanId }) => spanId === parentId));
    expect(new Set(parents.map((span) => span?.name))).toEqual(new Set(["execute_node other", "execute_node web"]));
    expect(new Set(requests.map(({ traceparent }) => traceparent))).toEqual(
      new Set(clients.map(({ spanId }) => `00-${root?.traceId}-${spanId}-01`)),
    );
    for (const [index, client] of clients.entries()) {
      // A user's spans are timed by the SDK, which may deviate by a millisecond.
      expect(client.start).toBeGreaterThanOrEqual((parents[index]?.start ?? 0) - 1);
      expect(client.end).toBeLessThanOrEqual((parents[index]?.end ?? 0) + 1);
    }
  });

  test("under the caller's trace where there is one", async () => {
    const { spans } = await recordSpans(() =>
      tracer.startActiveSpan("caller", async (span) => {
        await createRunner(fetching, { telemetry: { detail: "invocation" } }).invoke({});
        span.end();
      }),
    );
    const caller = named(spans, "caller")[0];
    expect(requests.map(({ traceparent }) => String(traceparent).split("-")[1])).toEqual([caller?.traceId, caller?.traceId]);
    const root = named(spans, "invoke_workflow fetching")[0];
    expect(spans.filter((span) => !ours(span) && span !== caller).map(({ parentId }) => parentId)).toEqual([root?.spanId, root?.spanId]);
  });
});
