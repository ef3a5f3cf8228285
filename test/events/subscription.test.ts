import { describe, expect, it } from "vitest";
import { EventLog } from "../../src/events/subscription.ts";
import { custom, envelope, settle } from "./support.ts";

type Seen = number | { readonly missed: number; readonly seq: number };

function logOf(count: number, capacity?: number): EventLog {
  const log = new EventLog(capacity);
  for (let seq = 1; seq <= count; seq += 1) log.push(custom(seq));
  return log;
}

const show = (event: { seq: number; type: string; data: unknown }): Seen =>
  event.type === "stream.dropped" ? { missed: (event.data as { count: number }).count, seq: event.seq } : event.seq;

async function readAll(log: EventLog): Promise<Seen[]> {
  const seen: Seen[] = [];
  for await (const event of log) seen.push(show(event));
  return seen;
}

describe("EventLog", () => {
  it.each<[string, number, number | undefined, readonly Seen[]]>([
    ["nothing", 0, undefined, []],
    ["less than it keeps", 3, 4, [1, 2, 3]],
    ["just what it keeps", 4, 4, [1, 2, 3, 4]],
    ["more than it keeps", 6, 4, [{ missed: 2, seq: 2 }, 3, 4, 5, 6]],
    ["many times what it keeps", 11, 3, [{ missed: 8, seq: 8 }, 9, 10, 11]],
    ["a single place", 5, 1, [{ missed: 4, seq: 4 }, 5]],
  ])("gives a late reader %s, and ends", async (_what, count, capacity, expected) => {
    const log = logOf(count, capacity);
    log.end();
    expect(await readAll(log)).toEqual(expected);
    expect(await readAll(log)).toEqual(expected);
  });

  it("keeps 10 000 events by default", async () => {
    const log = logOf(10_001);
    log.end();
    const seen = await readAll(log);
    expect(seen).toHaveLength(10_001);
    expect(seen[0]).toEqual({ missed: 1, seq: 1 });
  });

  it("gives every reader all events, as they come", async () => {
    const log = logOf(1);
    const readers = [readAll(log), readAll(log)];
    await settle();
    log.push(custom(2));
    await settle();
    log.push(custom(3));
    log.end();
    expect(await Promise.all(readers)).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
  });

  it("tells a reader that falls behind what it missed, in its place, while others miss nothing", async () => {
    const log = logOf(1, 2);
    const slow = log[Symbol.asyncIterator]();
    expect((await slow.next()).value).toMatchObject({ seq: 1 });
    const quick = readAll(log);
    for (const seq of [2, 3, 4]) {
      log.push(custom(seq));
      await settle();
    }
    const dropped = (await slow.next()).value;
    expect(dropped).toEqual({ ...envelope(2), node: "n", time: 30, type: "stream.dropped", data: { count: 1 } });
    expect(Object.isFrozen(dropped)).toBe(true);
    expect((await slow.next()).value).toMatchObject({ seq: 3 });
    log.end();
    expect(await quick).toEqual([1, 2, 3, 4]);
  });

  it("answers several calls of next in order", async () => {
    const log = logOf(0);
    const reader = log[Symbol.asyncIterator]();
    const asked = [reader.next(), reader.next(), reader.next()];
    log.push(custom(1));
    log.push(custom(2));
    log.end();
    expect(await Promise.all(asked)).toMatchObject([{ value: { seq: 1 } }, { value: { seq: 2 } }, { done: true, value: undefined }]);
  });

  it("lets a reader leave, also while it waits, and goes on for the others", async () => {
    const log = logOf(2);
    for await (const event of log) {
      expect(event.seq).toBe(1);
      break;
    }
    const reader = log[Symbol.asyncIterator]();
    await reader.next();
    await reader.next();
    const waiting = reader.next();
    expect(await reader.return?.()).toEqual({ done: true, value: undefined });
    expect(await waiting).toEqual({ done: true, value: undefined });
    log.push(custom(3));
    expect(await reader.next()).toEqual({ done: true, value: undefined });
    log.end();
    expect(await readAll(log)).toEqual([1, 2, 3]);
  });

  it("ignores what is pushed after the end", async () => {
    const log = logOf(1);
    log.end();
    log.push(custom(2));
    expect(log.ended).toBe(true);
    expect(await readAll(log)).toEqual([1]);
  });
});
