/** What is damaged, newer, or of another codec: a typed error that names session and checkpoint, and the way around it. */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { deflateSync, inflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { type Checkpointer, createRunner } from "spanloom";
import type { Codec } from "spanloom/sqlite";
import { all, counter, newFile, storeIn, withDatabase } from "./support.ts";

const steps = 6;

/** A completed session of `steps` supersteps, whose ids are given newest first. */
async function session(path: string, store: Checkpointer): Promise<readonly string[]> {
  const runner = createRunner(counter(steps), { checkpointer: store });
  await runner.invoke({}, { sessionId: "s" });
  return (await all(runner.session("s").history())).map(({ checkpointId }) => checkpointId);
}

/** Changes one column of the record of that step. */
const change = (path: string, step: number, sql: string): unknown =>
  withDatabase(path, (database) => database.prepare(`UPDATE checkpoints SET ${sql} WHERE step = ?`).run(step));

const corrupt = (checkpointId: string | undefined, reason?: string) => ({
  code: "checkpoint_corrupt",
  facts: { sessionId: "s", checkpointId, ...(reason === undefined ? {} : { reason: expect.stringContaining(reason) }) },
});

const load = async (path: string, codec?: Codec): Promise<unknown> => storeIn(path, codec === undefined ? {} : { codec }).load("s");

const damages: readonly (readonly [string, string, string])[] = [
  ["changed text", "record = replace(record, 'count', 'cOunt')", "check sum"],
  ["a changed state", "state = replace(state, '5', '6')", "check sum"],
  ["a cut record", "record = substr(record, 1, length(record) - 3)", "check sum"],
  ["a cut header", "state = substr(state, 1, 9)", "header"],
  ["an empty state", "state = ''", "header"],
  ["a number", "record = 7", "missing"],
  ["another step", "step = 600", "check sum"],
  ["another epoch", "epoch = 9", "check sum"],
  ["a record of another checkpoint", "record = (SELECT record FROM checkpoints WHERE step = 2)", "check sum"],
  ["no status", "status = 'odd'", "status"],
  ["a newer format", "record = '2' || substr(record, 2)", "upgrade"],
  ["another codec", "state = replace(state, ' json ', ' aes ')", 'codec "aes"'],
];

describe("a damaged newest record", () => {
  it.each(damages)("with %s is `checkpoint_corrupt`, and the one before opens on request", async (_what, sql, reason) => {
    const path = newFile();
    const [newest, before] = await session(path, storeIn(path));
    change(path, steps, sql);
    const runner = createRunner(counter(steps), { checkpointer: storeIn(path) });
    const held = runner.session("s");
    await expect(held.state()).rejects.toMatchObject(corrupt(newest, reason));
    await expect(held.resume().result).rejects.toMatchObject(corrupt(newest));
    expect((await held.at(before ?? "")).state.n).toBe(steps - 1);
    expect((await all(held.history({ before: newest ?? "" }))).length).toBe(steps);
    const fork = await held.fork({ checkpointId: before ?? "" });
    expect((await fork.resume().result).state.n).toBe(steps);
    expect((await all(runner.sessions())).map(({ sessionId }) => sessionId).toSorted()).toEqual([fork.id, "s"].toSorted());
    await held.delete();
    await expect(held.state()).rejects.toMatchObject({ code: "session_not_found" });
  });
});

describe("damage in the middle", () => {
  it("of a record costs that record alone: what it wrote is still there for those after it", async () => {
    const path = newFile();
    const ids = await session(path, storeIn(path));
    change(path, 3, "record = replace(record, 'count', 'cOunt')");
    const held = createRunner(counter(steps), { checkpointer: storeIn(path) }).session("s");
    expect((await held.state()).state.log).toEqual([0, 1, 2, 3, 4, 5]);
    const damaged = ids[steps - 3];
    await expect(held.at(damaged ?? "")).rejects.toMatchObject(corrupt(damaged));
    expect((await held.at(ids[steps - 2] ?? "")).state.n).toBe(2);
  });

  it("of what a record wrote costs those after it up to the next snapshot, and names the one that is damaged", async () => {
    const path = newFile();
    const ids = await session(path, storeIn(path));
    change(path, 3, "state = replace(state, 'append', 'set')");
    const held = createRunner(counter(steps), { checkpointer: storeIn(path) }).session("s");
    const damaged = ids[steps - 3];
    await expect(held.state()).rejects.toMatchObject(corrupt(damaged));
    expect((await held.at(ids[steps - 2] ?? "")).state.n).toBe(2);
  });

  it("a history gives what comes before the damage, and then says it", async () => {
    const path = newFile();
    const ids = await session(path, storeIn(path));
    change(path, 3, "record = replace(record, 'count', 'cOunt')");
    const seen: number[] = [];
    const reading = (async () => {
      for await (const { step } of createRunner(counter(steps), { checkpointer: storeIn(path) })
        .session("s")
        .history())
        seen.push(step);
    })();
    await expect(reading).rejects.toMatchObject(corrupt(ids[steps - 3]));
    expect(seen).toEqual([6, 5, 4]);
  });

  it("a prune that would need what is damaged removes nothing", async () => {
    const path = newFile();
    const store = storeIn(path);
    const ids = await session(path, store);
    change(path, 3, "state = replace(state, 'append', 'set')");
    await expect(store.prune({ keep: 2 })).rejects.toMatchObject(corrupt(ids[steps - 3]));
    expect(withDatabase(path, (database) => database.prepare("SELECT count(*) AS count FROM checkpoints").get())?.["count"]).toBe(
      steps + 1,
    );
  });

  it("a prune of all leaves the damaged one as it is, trims the others, and then says it", async () => {
    const path = newFile();
    const store = storeIn(path);
    const ids = await session(path, store);
    change(path, 3, "state = replace(state, 'append', 'set')");
    const runner = createRunner(counter(steps), { checkpointer: store });
    for (const sessionId of ["a", "z"]) await runner.invoke({}, { sessionId });
    await expect(store.prune({ keep: 2 })).rejects.toMatchObject(corrupt(ids[steps - 3]));
    const counts = await Promise.all(["a", "z"].map(async (sessionId) => (await all(runner.session(sessionId).history())).length));
    expect(counts).toEqual([2, 2]);
  });

  it("a lost graph, a lost snapshot", async () => {
    const path = newFile();
    const [newest] = await session(path, storeIn(path));
    withDatabase(path, (database) => database.exec("DELETE FROM checkpoints WHERE snapshot = 1"));
    await expect(load(path)).rejects.toMatchObject(corrupt(newest, "no snapshot"));
    withDatabase(path, (database) => database.exec("UPDATE checkpoints SET snapshot = 1; DELETE FROM graphs"));
    await expect(load(path)).rejects.toMatchObject(corrupt(newest, "missing"));
  });
});

const key = randomBytes(32);
const aes: Codec = {
  id: "aes-256-gcm",
  encode: (bytes) => {
    const nonce = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", key, nonce);
    return Buffer.concat([nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
  },
  decode: (bytes) => {
    const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, 12));
    decipher.setAuthTag(bytes.subarray(-16));
    return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]);
  },
};
const deflate: Codec = { id: "deflate", encode: (bytes) => deflateSync(bytes), decode: (bytes) => inflateSync(bytes) };

describe("a codec", () => {
  it.each([aes, deflate])("$id writes what it alone reads", async (codec) => {
    const path = newFile();
    const store = storeIn(path, { codec });
    const [newest] = await session(path, store);
    expect(
      (
        await createRunner(counter(steps), { checkpointer: storeIn(path, { codec }) })
          .session("s")
          .state()
      ).state.n,
    ).toBe(steps);
    await expect(load(path)).rejects.toMatchObject(corrupt(newest, codec.id));
    const other = { ...codec, id: "other" };
    await expect(load(path, other)).rejects.toMatchObject(corrupt(newest, codec.id));
    const broken = {
      ...codec,
      decode: () => {
        throw new Error("wrong key");
      },
    };
    await expect(load(path, broken)).rejects.toMatchObject(corrupt(newest, "wrong key"));
  });

  it("does not read what was written without one", async () => {
    const path = newFile();
    const [newest] = await session(path, storeIn(path));
    await expect(load(path, aes)).rejects.toMatchObject(corrupt(newest, "json"));
  });

  it("leaves no value readable in the file", async () => {
    const path = newFile();
    const store = storeIn(path, { codec: aes });
    const secret = "a secret that nobody may read";
    await store.save(
      { checkpointId: undefined, epoch: 1 },
      {
        ...(await recordOf()),
        next: [{ node: "count", ordinal: 0, sent: true, item: secret, failure: undefined }],
        answers: new Map([["1/count/0/#0", secret]]),
      },
      { changes: [], size: 0, state: () => ({ log: [secret] }) },
    );
    await store.addResults("x", { checkpointId: "x.0", epoch: 1 }, { results: [], once: [{ entry: "count/0", key: "k", value: secret }] });
    expect((await store.load("x"))?.state).toEqual({ log: [secret] });
    await store.close();
    expect(readFileSync(path).includes(secret)).toBe(false);
  });

  it("that gives no bytes fails the save", async () => {
    const store = storeIn(newFile(), { codec: { ...aes, encode: () => "text" as never } });
    await expect(createRunner(counter(1), { checkpointer: store }).invoke({})).rejects.toMatchObject({ code: "checkpoint_failed" });
  });
});

async function recordOf() {
  const store = storeIn(":memory:");
  await createRunner(counter(1), { checkpointer: store }).invoke({}, { sessionId: "x" });
  const stored = await store.load("x");
  if (stored === undefined) throw new Error("nothing was stored");
  return { ...stored.record, checkpointId: "x.0", parentId: undefined, status: "paused" as const };
}
