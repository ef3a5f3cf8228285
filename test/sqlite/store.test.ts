/** The SQLite store alone. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { channel, createRunner, END, graph, START } from "spanloom";
import { sqliteCheckpointer } from "spanloom/sqlite";

it("runs", async () => {
  const folder = mkdtempSync(join(tmpdir(), "spanloom-"));
  const store = sqliteCheckpointer(join(folder, "x.db"));
  const g = graph({ name: "g", channels: { log: channel.list<number>(), n: channel.value(0) } })
    .node("a", ({ n }) => ({ log: [n], n: n + 1 }))
    .edge(START, "a")
    .branch("a", { a: "a", end: END }, ({ n }) => (n < 500 ? "a" : "end"))
    .compile();
  const runner = createRunner(g, { checkpointer: store });
  const { state } = await runner.invoke({}, { sessionId: "s" });
  expect(state.n).toBe(500);
  const snapshots = [];
  for await (const snapshot of runner.session("s").history()) snapshots.push(snapshot);
  expect(snapshots.map(({ state: { log } }) => log.length)).toEqual(Array.from({ length: 501 }, (_i, i) => 500 - i));
  const infos = [];
  for await (const info of runner.sessions()) infos.push(info);
  expect(infos).toMatchObject([{ sessionId: "s", step: 500, status: "completed" }]);
  expect(await store.prune({ keep: 7 })).toBe(494);
  expect((await runner.session("s").state()).state.log.length).toBe(500);
  await store.close();
  rmSync(folder, { recursive: true });
});
