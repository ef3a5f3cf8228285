/** Stored traces that are not what was stored: no resume fails, and what can be used is used. */
import { context } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { StoredTrace } from "../../src/telemetry/instrumentation.ts";
import { forged, modes, scene } from "./continuity-support.ts";

beforeAll(() => void context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()));
afterAll(() => context.disable());

type Forge = (real: StoredTrace) => unknown;
type Case = readonly [name: string, forge: Forge];

const both =
  (change: (text: string) => unknown): Forge =>
  (real) => ({
    ...real,
    traceparent: change(real.traceparent),
    origin: change(real.origin),
  });
const parts = (change: (parts: string[]) => readonly unknown[]) => both((text) => change(text.split("-")).join("-"));

const asIfNone: readonly Case[] = [
  ["undefined", () => undefined],
  ["null", () => null],
  ["a number", () => 5],
  ["a text", (real) => real.traceparent],
  ["a list", (real) => [real]],
  ["an empty object", () => ({})],
  ["numbers", both(() => 5)],
  ["objects", both((text) => ({ text }))],
  ["lists of the texts", both((text) => [text])],
  ["empty texts", both(() => "")],
  ["spaces around it", both((text) => ` ${text} `)],
  ["a line break after it", both((text) => `${text}\n`)],
  ["cut", both((text) => text.slice(0, 40))],
  ["cut by one digit", both((text) => text.slice(0, -1))],
  ["one digit more", both((text) => `${text}0`)],
  ["more fields than version 00 has", both((text) => `${text}-00`)],
  ["capitals", parts(([version, , span, flags]) => [version, "A".repeat(32), span, flags])],
  ["no hexadecimal", parts(([version, , span, flags]) => [version, "g".repeat(32), span, flags])],
  ["a trace id of zeros", parts(([version, , span, flags]) => [version, "0".repeat(32), span, flags])],
  ["a span id of zeros", parts(([version, traceId, , flags]) => [version, traceId, "0".repeat(16), flags])],
  ["version ff", parts(([, ...rest]) => ["ff", ...rest])],
  ["no version", parts(([, ...rest]) => rest)],
];

const asUsual: readonly Case[] = [
  ["a later version", parts(([, ...rest]) => ["01", ...rest])],
  ["a later version with more fields", parts(([, ...rest]) => ["fe", ...rest, "what", "ever"])],
  ["flags of a later version", parts(([version, traceId, span]) => [version, traceId, span, "ff"])],
  ["trace state that is none", (real) => ({ ...real, tracestate: "=,;===,\n" })],
  ["trace state that is no text", (real) => ({ ...real, tracestate: { vendor: "x" } })],
  ["trace state without an end", (real) => ({ ...real, tracestate: `v=${"x".repeat(100_000)}` })],
  ["more than there should be", (real) => ({ ...real, more: { constructor: 5 } })],
];

/** Of what JSON has, and of what it has not. */
const oddNumbers: readonly (readonly [name: string, value: unknown])[] = [
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
  ["1e308", 1e308],
  ["-1e308", -1e308],
  ["a text", "7"],
  ["null", null],
  ["a bigint", 7n],
  ["an object", {}],
  ["nothing", undefined],
];

const inDoubt: readonly Case[] = [
  ...oddNumbers.map(([name, spans]): Case => [`a span count of ${name}`, (real) => ({ ...real, spans })]),
  ...[-1, 1.5, Number.MAX_SAFE_INTEGER, 2 ** 53].map((spans): Case => [`a span count of ${spans}`, (real) => ({ ...real, spans })]),
  ...oddNumbers.map(([name, time]): Case => [`a time of ${name}`, (real) => ({ ...real, time })]),
];

/** The lines of a start and a resume between which the stored trace was changed, and what the resume stored. */
async function resumed(mode: (typeof modes)[number], forge: Forge) {
  const { runner, store, lines, stored, spans } = scene();
  await runner(mode).invoke({}, { sessionId: "s" });
  const checkpointer = forged(store, (real) => forge(real as StoredTrace));
  const result = await runner(mode, { checkpointer }).session("s").resume().result;
  expect(result.status).toBe("completed");
  return { lines: lines(), stored: await stored(), own: spans.findLast(({ name }) => name.startsWith("invoke"))?.spanContext() };
}

describe.each(modes)("%s", (mode) => {
  test.each(asIfNone)("as if there was none: %s", async (_name, forge) => {
    const { lines, stored, own } = await resumed(mode, forge);
    expect(lines).toEqual(["A", "B"]);
    const traceparent = `00-${own?.traceId}-${own?.spanId}-01`;
    expect(stored).toMatchObject({ traceparent, origin: traceparent });
  });

  test.each(asUsual)("as usual: %s", async (_name, forge) => {
    const { lines, stored } = await resumed(mode, forge);
    expect(lines).toEqual(["A", `${mode === "linked" ? "B" : "A < 0"}: resumed_from 0, origin 0`]);
    expect(stored).not.toHaveProperty("tracestate");
  });

  test.each(inDoubt)("linked to, and continued where that was asked for: %s", async (_name, forge) => {
    const { lines, stored } = await resumed(mode, forge);
    expect(lines).toEqual(["A", `${mode === "continued" ? "A < 0" : "B"}: resumed_from 0, origin 0`]);
    expect(stored?.spans).toSatisfy(Number.isFinite);
    expect(stored?.spans).toBeGreaterThan(0);
  });

  test("only the origin is garbage", async () => {
    const { lines } = await resumed(mode, (real) => ({ ...real, origin: "00-1-2-3" }));
    expect(lines).toEqual(["A", `${mode === "linked" ? "B" : "A < 0"}: resumed_from 0`]);
  });

  test("only the invocation before is garbage", async () => {
    const { lines } = await resumed(mode, (real) => ({ ...real, traceparent: "00-1-2-3" }));
    expect(lines).toEqual(["A", "B: origin 0"]);
  });

  test("a fork of garbage", async () => {
    const { runner, store, lines } = scene();
    await runner(mode).invoke({}, { sessionId: "s" });
    const checkpointer = forged(store, () => ({ traceparent: ["x"], origin: 5, spans: "many", time: {} }));
    const made = runner(mode, { checkpointer });
    const fork = await made.session("s").fork({ sessionId: "f" });
    await fork.resume().result;
    expect(lines()).toEqual(["A", "B"]);
  });

  test("an object that throws when it is looked at leaves the invocation without a trace", async () => {
    const { runner, store, lines } = scene();
    await runner(mode).invoke({}, { sessionId: "s" });
    const checkpointer = forged(store, () => ({
      get traceparent() {
        throw new Error("no");
      },
    }));
    await runner(mode, { checkpointer }).session("s").resume().result;
    expect(lines()).toEqual(["A"]);
  });
});
