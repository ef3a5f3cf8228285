/** `list`: what it tells of each session, in which order, and what the filters choose. */
import type { SessionFilter, SessionInfo } from "../../checkpoint/checkpointer.ts";
import { sessionStatuses } from "../../events/event.ts";
import { append, result, Writer, written } from "./fixtures.ts";
import type { Theme, Trial } from "./harness.ts";
import { all } from "./reading.ts";
import { writes } from "./saving.ts";

/** Sessions of two graphs, with each status that is searched for, the last one written last. */
async function several(trial: Trial): Promise<void> {
  const session = async (id: string, time: number, more: object): Promise<void> =>
    void (await new Writer(trial, id).save([], { time, ...more }));
  await session("first", 1_000, { status: "paused" });
  await session("second", 2_000, { status: "completed", graph: "other", fingerprint: "f2", step: 7 });
  await session("third", 3_000, { status: "paused", graph: "other", fingerprint: "f2" });
  await session("fourth", 4_000, { status: "running" });
  await session("fifth", 5_000, { status: "paused", graph: "other", fingerprint: "f3" });
}

const ids = async ({ store }: Trial, filter?: SessionFilter): Promise<readonly string[]> =>
  (await all(store.list(filter))).map(({ sessionId }) => sessionId);

/** Every combination. */
const filters: readonly SessionFilter[] = [undefined, "g", "other", "none", ""].flatMap((graph) =>
  [undefined, ...sessionStatuses].flatMap((status) =>
    [undefined, 0, 1, 2, 100].map((limit) => ({
      ...(graph === undefined ? {} : { graph }),
      ...(status === undefined ? {} : { status }),
      ...(limit === undefined ? {} : { limit }),
    })),
  ),
);

export const lists: Theme = {
  "an empty store lists nothing": async (trial) => {
    trial.equal(await ids(trial), []);
    trial.equal(await ids(trial, { graph: "g", status: "running", limit: 3 }), []);
  },

  "the list is in the order of the last writes, the latest first": async (trial) => {
    await several(trial);
    trial.equal(await ids(trial), ["fifth", "fourth", "third", "second", "first"]);
    const fence = { checkpointId: "second-run.0", epoch: 1 };
    await trial.store.amend("second", fence, { time: 6_000 });
    const writer = await written(trial, 1, "sixth");
    await writer.save([], { time: 5_500 });
    trial.equal(await ids(trial), ["second", "sixth", "fifth", "fourth", "third", "first"]);
    // The clock of whoever wrote last may be behind.
    await writer.save([], { time: 3_500.5 });
    await trial.reopen();
    trial.equal(await ids(trial), ["second", "fifth", "fourth", "sixth", "third", "first"]);
  },

  "the list tells of each session what its newest record says": async (trial) => {
    const writer = await written(trial, 2);
    const summary: SessionInfo = {
      sessionId: "s",
      graph: "g",
      fingerprint: "f1",
      status: "running",
      step: 1,
      createdAt: 1_000,
      updatedAt: 1_001,
    };
    trial.equal(await all(trial.store.list()), [summary]);
    await writer.amend({ time: 2_000.5, status: "paused" });
    trial.equal(await all(trial.store.list()), [{ ...summary, status: "paused", updatedAt: 2_000.5 }]);
    await writer.save([], { time: 3_000, step: 5, status: "running", graph: "renamed", fingerprint: "f9" });
    await writer.addResults({ results: [result("a")] });
    const renamed = { ...summary, graph: "renamed", fingerprint: "f9", step: 5, updatedAt: 3_000 };
    trial.equal(await all(trial.store.list()), [renamed]);
    await writer.save([], { time: 4_000, step: 5, status: "completed", graph: "renamed", fingerprint: "f9" });
    await trial.reopen();
    trial.equal(await all(trial.store.list()), [{ ...renamed, status: "completed", updatedAt: 4_000 }]);
    trial.equal(
      [await ids(trial, { graph: "g" }), await ids(trial, { status: "paused" }), await ids(trial, { graph: "renamed" })],
      [[], [], ["s"]],
    );
  },

  "the list is by graph, by status and as long as it is asked to be, and by all of them": async (trial) => {
    await several(trial);
    await new Writer(trial, "odd").save([], { graph: 'it\'s a "graph" _%\\', time: 10 });
    trial.equal(await ids(trial, { graph: "g" }), ["fourth", "first"]);
    trial.equal(await ids(trial, { graph: "G" }), []);
    trial.equal(await ids(trial, { graph: 'it\'s a "graph" _%\\' }), ["odd"]);
    trial.equal(await ids(trial, { status: "paused" }), ["fifth", "third", "first"]);
    trial.equal(await ids(trial, { status: "running" }), ["fourth", "odd"]);
    trial.equal(await ids(trial, { status: "idle" }), []);
    trial.equal(await ids(trial, { limit: 2 }), ["fifth", "fourth"]);
    trial.equal(await ids(trial, { limit: 100 }), ["fifth", "fourth", "third", "second", "first", "odd"]);
    trial.equal(await ids(trial, { limit: Number.POSITIVE_INFINITY, status: "paused" }), ["fifth", "third", "first"]);
    trial.equal(await ids(trial, { graph: "other", status: "paused" }), ["fifth", "third"]);
    trial.equal(await ids(trial, { graph: "other", limit: 2 }), ["fifth", "third"]);
    trial.equal(await ids(trial, { graph: "other", status: "paused", limit: 1 }), ["fifth"]);
    trial.equal(await ids(trial, { graph: "g", status: "completed" }), []);
  },

  "the list may be left before its end": async (trial) => {
    await several(trial);
    for await (const { sessionId } of trial.store.list()) if (sessionId === "fourth") break;
    const writer = await written(trial, 2, "after");
    await trial.keeps(writer);
  },

  "filters of every kind together choose what each of them chooses": async (trial) => {
    const writers = sessionStatuses.flatMap((status) => ["g", "other"].map((graph) => new Writer(trial, `${graph} ${status}`)));
    for (const [index, writer] of writers.entries()) {
      const [graph = "", status] = writer.sessionId.split(" ");
      // Another order than that of their making.
      await writer.save([], { graph, status: status as SessionInfo["status"], time: 1_000 + ((index * 5) % 12) });
    }
    const summaries = writers.map(({ summary }) => summary).toSorted((left, right) => right.updatedAt - left.updatedAt);
    for (const filter of filters) {
      const { graph, status, limit } = filter;
      const chosen = summaries.filter((each) => (graph ?? each.graph) === each.graph && (status ?? each.status) === each.status);
      trial.equal(await all(trial.store.list(filter)), chosen.slice(0, limit));
    }
  },

  "a session that runs is listed as it is now, at each of its records": async (trial) => {
    const writer = await written(trial, 2);
    for (let step = 2; step < 12; step += 1) {
      await writer.save([append(step)]);
      trial.equal(await all(trial.store.list()), [writer.summary]);
    }
    await trial.keeps(writer);
  },

  "a write that is refused moves no session": async (trial) => {
    await written(trial, 3, "a");
    await written(trial, 4, "b");
    await trial.conflict(...writes(trial, "a", { checkpointId: "a-run.0", epoch: 1 }));
    trial.equal(await ids(trial), ["b", "a"]);
  },

  "hundreds of sessions are all listed, once each": async (trial) => {
    const names = Array.from({ length: 700 }, (_item, index) => `session ${index}`);
    for (const [index, sessionId] of names.entries()) {
      await new Writer(trial, sessionId).save([], { time: 1_000 + index, status: index % 3 === 0 ? "running" : "completed" });
    }
    trial.equal(await ids(trial), names.toReversed());
    trial.equal(await ids(trial, { limit: 300 }), names.toReversed().slice(0, 300));
  },
};
