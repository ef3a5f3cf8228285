/** The files that the durable rows write and look into. */
import { existsSync, statSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { itemOf, openLog } from "../bench/cases/log.ts";
import { fileBytes, openRaw, openRawLog, openScratch } from "../bench/harness/scratch.ts";
import { openStore, recordBytes, usualRecordBytes } from "../bench/harness/store.ts";

describe("a scratch folder", () => {
  it("is gone with all that is in it", () => {
    const scratch = openScratch();
    openRaw(scratch.path("a.db")).close();
    expect(existsSync(scratch.path("a.db"))).toBe(true);
    scratch.remove();
    expect(existsSync(scratch.path("a.db"))).toBe(false);
  });
});

describe("a raw log", () => {
  it("inserts one text of so many bytes at a time, or many at once, and the file holds them when its bytes are told", () => {
    const scratch = openScratch();
    const path = scratch.path("raw.db");
    const log = openRawLog(path, 5000);
    log.insert();
    log.insertAll(9);
    const before = statSync(path).size;
    expect(fileBytes(path)).toBeGreaterThan(Math.max(before, 50_000));
    const database = openRaw(path);
    expect(database.prepare("SELECT count(*) AS count, sum(length(data)) AS bytes FROM log").get()).toEqual({ count: 10, bytes: 50_000 });
    database.close();
    log.close();
    scratch.remove();
  });
});

describe("a store", () => {
  it("tells the bytes of each record, and of one of a session that ran on", async () => {
    const store = openStore();
    const log = openLog(store.checkpointer);
    await log.run("session", 3, (turn) => [itemOf(turn)]);
    const bytes = store.look(recordBytes);
    // The creation, and three steps.
    expect(bytes).toHaveLength(4);
    expect(store.look(usualRecordBytes)).toBe(bytes[2]);
    await log.close();
    await store.close();
    expect(existsSync(store.scratch.path("sessions.db"))).toBe(false);
  });

  it("refuses to tell what a record takes before there is one", async () => {
    const store = openStore();
    const log = openLog(store.checkpointer);
    await log.run("session", 1, () => []);
    expect(() => store.look(usualRecordBytes)).toThrow("No session has run yet.");
    await log.close();
    await store.close();
  });

  it("appends items of a hundred bytes", () => {
    expect([0, 9999].map((turn) => Buffer.byteLength(JSON.stringify(itemOf(turn))))).toEqual([100, 100]);
  });
});
