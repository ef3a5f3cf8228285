import { expect, it } from "vitest";
import type { AnyEvent, Interrupt } from "../../src/events/event.ts";
import { memorySink } from "../../src/events/sinks/memory.ts";
import { custom, isSinkEvent, reject, runtime, sinkOf, startBus } from "./support.ts";

const interrupt: Interrupt = { id: "i1", node: "ask", step: 2, kind: "interrupt", payload: { card: "4111" } };
const error = { name: "TypeError", message: "secret", code: "E1", cause: { name: "Error", message: "secret too" } };
const hidden = { name: "TypeError", message: "", code: "E1", cause: { name: "Error", message: "" } };
const { payload: _payload, ...shown } = interrupt;

const withPayload = [runtime("interrupt.requested", interrupt), runtime("invocation.paused", { interrupts: [interrupt] })];
const withError = [
  runtime("invocation.failed", { code: "scheduler", error }),
  runtime("node.failed", { error, final: true }),
  runtime("node.retrying", { delay: 5, error }),
  runtime("checkpoint.failed", { error }),
];
const others = [custom(1, { error: { message: "mine" }, payload: 1 }), runtime("node.started", {})];

async function seenBy(events: readonly AnyEvent[], options: { payloads?: boolean; errorMessages?: boolean }) {
  const sinks = [memorySink(), memorySink()] as const;
  const { bus } = startBus(sinks, options);
  for (const event of events) bus.publish(event);
  await bus.flush();
  return sinks.map((sink) => sink.events);
}

it("gives sinks the very events when nothing is to be left out", async () => {
  const events = [...withPayload, ...withError, ...others];
  for (const seen of await seenBy(events, { payloads: true })) events.forEach((event, index) => expect(seen[index]).toBe(event));
});

it("leaves payloads out unless they are wanted, in one copy for all sinks", async () => {
  const [first = [], second = []] = await seenBy([...withPayload, ...others], {});
  expect(first.map((event) => event.data)).toStrictEqual([shown, { interrupts: [shown] }, ...others.map((event) => event.data)]);
  expect(first[0]).toStrictEqual({ ...withPayload[0], data: shown });
  first.forEach((event, index) => expect(second[index]).toBe(event));
  expect(Object.isFrozen(first[0]) && Object.isFrozen(first[0]?.data)).toBe(true);
});

it("hides error messages when told to", async () => {
  const [seen = []] = await seenBy([...withError, ...others], { errorMessages: false });
  expect(seen.map((event) => event.data)).toEqual([
    ...withError.map((event) => ({ ...event.data, error: hidden })),
    ...others.map((event) => event.data),
  ]);
});

it("hides those of sinks from the other sinks too", async () => {
  const good = memorySink();
  const { bus, clock } = startBus([sinkOf("bad", {}, reject), good], { errorMessages: false });
  bus.publish(custom(1));
  await clock.advance(1000);
  expect(good.events.find(isSinkEvent)?.data).toEqual({ sink: "bad", error: { name: "Error", message: "" } });
});
