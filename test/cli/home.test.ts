/** What is left on disk, and that nothing is left half-written. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { draftTrace, invocationSink } from "../../src/cli/home.ts";
import type { AnyEvent } from "../../src/events/event.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "spanloom-home-"));
});
afterEach(() => rmSync(home, { recursive: true }));
const visible = (folder: string): readonly string[] => readdirSync(join(home, folder)).filter((name) => !name.startsWith("."));

test("a trace gets its name when it is complete, and brings nothing else along", async () => {
  const draft = draftTrace(home);
  writeFileSync(draft.file, "spans\n");
  writeFileSync(draft.file.replace(".jsonl", ".metrics.jsonl"), "metrics\n");
  expect(visible("traces")).toEqual([]);
  expect(await draft.read()).toBe("spans\n");
  const path = draft.publish("0199-a/../b");
  expect(path).toBe(join(home, "traces", "0199-a%2F..%2Fb.otlp.jsonl"));
  expect(readFileSync(path ?? "", "utf8")).toBe("spans\n");
  draft.discard();
  expect(readdirSync(join(home, "traces"))).toEqual(["0199-a%2F..%2Fb.otlp.jsonl"]);
  expect(statSync(join(home, "traces")).mode & 0o077).toBe(0);
});

test("a trace that is given up, or that nothing was written to, leaves nothing", async () => {
  const abandoned = draftTrace(home);
  writeFileSync(abandoned.file, "half");
  abandoned.discard();
  const empty = draftTrace(home);
  expect(await empty.read()).toBe("");
  expect(empty.publish("i1")).toBeUndefined();
  expect(readdirSync(join(home, "traces"))).toEqual([]);
});

test("a home that cannot be one is wrong usage", () => {
  const file = join(home, "file");
  writeFileSync(file, "");
  const sink = (): unknown => invocationSink(file, () => expect.fail("opened"));
  expect(() => draftTrace(file)).toThrow(expect.objectContaining({ code: "home_unusable", exitCode: 2 }));
  expect(sink).toThrow(/Name another folder with --home/);
});

test("the event log opens when the first event tells the invocation, and loses nothing", async () => {
  const opened: string[] = [];
  const written: AnyEvent[] = [];
  const closed: string[] = [];
  const sink = invocationSink(home, (path) => {
    opened.push(path);
    return { name: "inner", write: (events) => void written.push(...events), close: () => void closed.push(path) };
  });
  await sink.close?.();
  const own: AnyEvent = { type: "sink.recovered", seq: 1, time: 0, graph: "g", data: { sink: "x" } };
  const event: AnyEvent = { epoch: 1, seq: 1, time: 0, graph: "g", sessionId: "s", invocationId: "i1", type: "tick", data: 1 };
  const { signal } = new AbortController();
  await sink.write([own], signal);
  expect(opened).toEqual([]);
  await sink.write([event], signal);
  await sink.write([event], signal);
  await sink.close?.();
  const path = join(home, "events", "i1.jsonl");
  expect({ opened, closed, written }).toEqual({ opened: [path], closed: [path], written: [own, event, event] });
});
