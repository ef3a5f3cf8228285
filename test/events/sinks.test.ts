import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { encodeEvent } from "../../src/events/serialize.ts";
import type { EventSink } from "../../src/events/sink.ts";
import { jsonlSink } from "../../src/events/sinks/jsonl.ts";
import { memorySink } from "../../src/events/sinks/memory.ts";
import { custom, startBus } from "./support.ts";

const signal = new AbortController().signal;

describe("options", () => {
  const anything = (value: unknown): never => value as never;
  it.each<[string, () => EventSink]>([
    ["capacity", () => memorySink({ capacity: 0 })],
    ["capacity", () => jsonlSink("x", { capacity: 1.5 })],
    ["batch", () => memorySink({ batch: -1 })],
    ["policy", () => jsonlSink("x", { policy: anything("drop") })],
    ["timeout", () => jsonlSink("x", { timeout: anything("1 fortnight") })],
    ["timeout", () => memorySink({ timeout: 0 })],
    ["keep", () => memorySink({ keep: 0 })],
    ["path", () => jsonlSink("")],
    ["path", () => jsonlSink(anything(undefined))],
    ["options", () => jsonlSink("x", anything(null))],
  ])("refuses a bad %s at once", (option, make) => {
    expect(make).toThrow(
      expect.objectContaining({ name: "RunnerError", code: "invalid_option", facts: expect.objectContaining({ option }) }),
    );
  });

  it("blocks unless told otherwise", () => {
    expect(memorySink().queue).toEqual({ capacity: 1024, policy: "block", batch: 128, timeout: 10_000 });
    expect(jsonlSink("x", { policy: "drop-newest", timeout: "2s" }).queue).toMatchObject({ policy: "drop-newest", timeout: 2000 });
  });
});

describe("memorySink", () => {
  it("keeps the newest events, in order", () => {
    const sink = memorySink({ keep: 3 });
    for (let seq = 1; seq <= 20; seq += 1) {
      void sink.write([custom(seq)], signal);
      const first = Math.max(1, seq - 2);
      if (seq % 4 === 0 || seq < 4)
        expect(sink.events.map((event) => event.seq)).toEqual([first, first + 1, first + 2].filter((at) => at <= seq));
    }
    void sink.write(
      [21, 22, 23, 24, 25, 26, 27, 28].map((seq) => custom(seq)),
      signal,
    );
    expect(sink.events.map((event) => event.seq)).toEqual([26, 27, 28]);
  });
});

describe("jsonlSink", () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "spanloom-jsonl-"));
    path = join(folder, "events.jsonl");
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const line = (seq: number): string => `${encodeEvent(custom(seq))}\n`;
  const content = (): string => readFileSync(path, "utf8");
  const write = async (sink: EventSink, ...sequence: number[]): Promise<void> =>
    sink.write(
      sequence.map((seq) => custom(seq)),
      signal,
    );

  it("writes a line per event, through the bus, into folders that it makes, with mode 0600", async () => {
    path = join(folder, "deep", "down", "events.jsonl");
    const { bus } = startBus([jsonlSink(path, { batch: 2 })]);
    for (const seq of [1, 2, 3]) bus.publish(custom(seq));
    await bus.flush();
    expect(content()).toBe(line(1) + line(2) + line(3));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await bus.close(10_000)).toEqual({ lostEvents: 0 });
  });

  it("makes nothing until it is written to, and opens again after close", async () => {
    const sink = jsonlSink(path);
    await sink.close?.();
    expect(() => statSync(path)).toThrow("ENOENT");
    await write(sink, 1);
    await sink.close?.();
    await sink.close?.();
    await write(sink, 2);
    await sink.close?.();
    expect(content()).toBe(line(1) + line(2));
  });

  it.each([
    ["cuts a torn last line", line(1) + line(2).slice(0, -9), line(1)],
    ["cuts a torn only line", '{"type":"nod', ""],
    ["cuts one longer than what it reads at once", `${line(1)}{"type":"${"x".repeat(200_000)}`, line(1)],
    ["ends a line that lacks but its end", line(1) + line(2).trimEnd(), line(1) + line(2)],
    ["leaves whole lines as they are", line(1), line(1)],
    ["leaves an empty file as it is", "", ""],
  ])("%s that a crash left", async (_what, found, kept) => {
    writeFileSync(path, found);
    const sink = jsonlSink(path);
    await write(sink, 3);
    await sink.close?.();
    expect(content()).toBe(kept + line(3));
  });

  it.each([
    ["the file", () => rmSync(path)],
    ["the folder", () => rmSync(folder, { recursive: true })],
    [
      "the file, with another in its place",
      () => {
        writeFileSync(`${path}.held`, "");
        rmSync(path);
        writeFileSync(path, "");
      },
    ],
  ])("makes the file again when someone deletes %s", async (_what, remove) => {
    const sink = jsonlSink(path);
    await write(sink, 1);
    remove();
    await write(sink, 2);
    await sink.close?.();
    expect(content()).toBe(line(2));
  });

  it("goes on at the end when someone cuts the file", async () => {
    const sink = jsonlSink(path);
    await write(sink, 1, 2);
    writeFileSync(path, "");
    await write(sink, 3);
    await sink.close?.();
    expect(content()).toBe(line(3));
  });

  it("keeps the order of writes that overlap, and forgets one whose time is over before its turn", async () => {
    const sink = jsonlSink(path);
    const controller = new AbortController();
    const first = write(sink, 1);
    const second = sink.write([custom(2)], controller.signal);
    const third = write(sink, 3);
    const closed = sink.close?.();
    controller.abort(new Error("too late"));
    await expect(second).rejects.toThrow("too late");
    await Promise.all([first, third, closed]);
    expect(content()).toBe(line(1) + line(3));
    await expect(sink.write([custom(4)], controller.signal)).rejects.toThrow("too late");
  });

  it("refuses the batch before it writes anything of it, when an event cannot be encoded", async () => {
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    const { bus } = startBus([jsonlSink(path)]);
    for (const event of [custom(1), custom(2, cycle), custom(3)]) bus.publish(event);
    await bus.flush();
    expect(content()).toBe(line(1) + line(3));
    expect(bus.health()[0]).toMatchObject({ delivered: 2, dropped: 1, healthy: true });
    await bus.close(10_000);
  });

  it("fails the write when the path is a folder, and recovers when it no longer is", async () => {
    const sink = jsonlSink(folder);
    await expect(write(sink, 1)).rejects.toMatchObject({ code: "EISDIR" });
    rmSync(folder, { recursive: true });
    await write(sink, 2);
    await sink.close?.();
    expect(readFileSync(folder, "utf8")).toBe(line(2));
  });

  it.runIf(existsSync("/dev/full"))("survives a full disk: tried, dropped and counted", async () => {
    const { bus, clock } = startBus([jsonlSink("/dev/full"), memorySink()]);
    bus.publish(custom(1));
    await vi.waitFor(async () => {
      await clock.advance(300);
      expect(bus.health()[0]).toMatchObject({ healthy: false, dropped: 1, failures: 3, lastError: expect.stringContaining("ENOSPC") });
    });
    await bus.close(10_000);
  });
});
