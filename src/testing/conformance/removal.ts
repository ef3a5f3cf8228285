/** Forks, and the removal of sessions and of what is old in them: nothing else goes with it, and nothing that is gone comes back. */
import type { CheckpointRecord, StoredCheckpoint } from "../../checkpoint/checkpointer.ts";
import { append, once, result, set, Writer, written } from "./fixtures.ts";
import { type Theme, thrownBy, type Trial } from "./harness.ts";
import { all } from "./reading.ts";
import { writes } from "./saving.ts";

/** As the runtime begins a fork: the whole state is set, and the record is the origin's but for its identity. */
async function fork(trial: Trial, origin: StoredCheckpoint, sessionId: string): Promise<Writer> {
  const { record, state } = origin;
  const { checkpointId, sessionId: from } = record;
  const writer = new Writer(trial, sessionId);
  const changes = Object.entries(state).map(([channel, value]) => set(channel, value));
  const own = { sessionId, checkpointId: `${sessionId}-run.0`, parentId: checkpointId, epoch: 0, time: 5_000 };
  const first: CheckpointRecord = { ...record, ...own, forkedFrom: { sessionId: from, checkpointId } };
  await writer.save(changes, first);
  return writer;
}

async function loadedFrom({ store }: Trial, sessionId: string, checkpointId?: string): Promise<StoredCheckpoint> {
  const found = await store.load(sessionId, checkpointId);
  if (found === undefined) throw new TypeError(`There is no checkpoint ${checkpointId ?? ""} in session ${sessionId}.`);
  return found;
}

const forks: Theme = {
  "a fork has the origin's state and a history of its own, and each goes its way": async (trial) => {
    const origin = await written(trial, 5);
    await origin.addResults({ results: [result("due")], once: [once("due/0", "key", 1)] });
    const forked = await fork(trial, await loadedFrom(trial, "s"), "fork");
    const early = await fork(trial, await loadedFrom(trial, "s", "s-run.2"), "early");
    await trial.holds(origin, forked, early);
    trial.equal((await trial.store.load("fork"))?.ownerEpoch, 0);
    await forked.amend({ time: 6_000, epoch: 1, status: "running" });
    await forked.save([append("fork"), set("note", "fork")], { forkedFrom: { sessionId: "s", checkpointId: "s-run.4" } });
    await origin.save([append("origin"), set("note", "origin")]);
    await early.save([set("log", [])], { epoch: 1 });
    await trial.keeps(origin, forked, early);
  },

  "a fork of a fork stands by itself": async (trial) => {
    const origin = await written(trial, 3);
    const forked = await fork(trial, await loadedFrom(trial, "s"), "fork");
    await forked.save([append("fork")], { epoch: 1 });
    const again = await fork(trial, await loadedFrom(trial, "fork"), "again");
    await trial.store.delete("fork");
    await again.save([append("again")], { epoch: 1 });
    await trial.keeps(origin, again);
  },

  "a fork of an id that is taken is a conflict": async (trial) => {
    const origin = await written(trial, 3);
    const other = await written(trial, 2, "other");
    const found = await loadedFrom(trial, "s");
    await trial.unchangedBy(() => trial.conflict(() => fork(trial, found, "other")));
    await trial.keeps(origin, other);
  },

  "a fork is not hurt when its origin is trimmed or deleted": async (trial) => {
    const origin = await written(trial, 5);
    const forked = await fork(trial, await loadedFrom(trial, "s", "s-run.2"), "fork");
    trial.equal(await trial.store.prune({ keep: 1, sessionId: "s" }), origin.pruned(1));
    await trial.keeps(origin, forked);
    trial.equal(await trial.store.delete("s"), true);
    await trial.keeps(forked);
    await forked.save([append("on")], { epoch: 1 });
    await trial.keeps(forked);
  },

  "an origin is not hurt when its fork is trimmed or deleted": async (trial) => {
    const origin = await written(trial, 5);
    const forked = await fork(trial, await loadedFrom(trial, "s", "s-run.2"), "fork");
    await forked.save([append("fork")], { epoch: 1 });
    trial.equal(await trial.store.prune({ keep: 1, sessionId: "fork" }), forked.pruned(1));
    await trial.keeps(origin, forked);
    trial.equal(await trial.store.delete("fork"), true);
    await trial.keeps(origin);
  },
};

const deletion: Theme = {
  "a session is deleted whole, and says whether it was there": async (trial) => {
    await written(trial, 3);
    const others = await Promise.all(["S", "s ", "s-run", "t", "%"].map((id) => written(trial, 3, id)));
    await others[3]?.addResults({ results: [result("a")], once: [once("a/0", "key", 1)] });
    trial.equal([await trial.store.delete("nobody"), await trial.store.delete("s"), await trial.store.delete("s")], [false, true, false]);
    trial.equal(
      [await trial.store.load("s"), await trial.store.load("s", "s-run.1"), await trial.history("s")],
      [undefined, undefined, []],
    );
    await trial.keeps(...others);
    trial.equal((await all(trial.store.list())).length, others.length);
  },

  "the id of a deleted session can be begun again, with nothing of the one before": async (trial) => {
    const before = await written(trial, 5);
    await before.amend({ time: 2_000, epoch: 8 });
    await before.addResults({ results: [result("a")], once: [once("a/0", "key", 1)] });
    await trial.store.delete("s");
    const writer = await written(trial, 2);
    trial.equal([(await trial.store.load("s"))?.ownerEpoch, await trial.store.load("s", "s-run.4")], [1, undefined]);
    await trial.keeps(writer);
  },

  "the owner of a deleted session can write no more, neither before its id is begun again nor after": async (trial) => {
    const before = await written(trial, 5);
    const { fence } = before;
    await trial.store.delete("s");
    await trial.unchangedBy(() => trial.conflict(...writes(trial, "s", fence)));
    // Its records have the same ids, up to the parent that the old owner names.
    const writer = await written(trial, 3);
    await trial.unchangedBy(() => trial.conflict(...writes(trial, "s", fence)));
    await trial.keeps(writer);
  },
};

const trimming: Theme = {
  "pruning leaves the newest so many checkpoints of every session, with their states, and counts the others": async (trial) => {
    const [long, short, one] = [await written(trial, 30), await written(trial, 4, "short"), await written(trial, 1, "one")];
    await long.addResults({ results: [result("a")], once: [once("a/0", "key", 1)] });
    trial.equal(await trial.store.prune({ keep: 4 }), long.pruned(4));
    trial.equal([await trial.store.load("s", "s-run.25"), (await trial.store.load("s", "s-run.26"))?.record.step], [undefined, 26]);
    trial.equal((await trial.store.load("s"))?.createdAt, 1_000);
    await trial.keeps(long, short, one);
    await trial.refused("CheckpointError checkpoint_not_found", () => trial.history("s", { before: "s-run.25" }));
  },

  "pruning may be of one session": async (trial) => {
    const [one, other] = [await written(trial, 9), await written(trial, 9, "S")];
    trial.equal(await trial.store.prune({ keep: 2, sessionId: "s" }), one.pruned(2));
    trial.equal(await trial.store.prune({ keep: 2, sessionId: "nobody" }), 0);
    await trial.keeps(one, other);
  },

  "a pruned session goes on, and can be pruned again": async (trial) => {
    const writer = await written(trial, 10);
    for (const keep of [6, 6, 3, 50, 1, 1]) {
      trial.equal(await trial.store.prune({ keep }), writer.pruned(keep));
      await trial.holds(writer);
      await writer.save([append(`after ${keep}`), set("note", keep)]);
      await writer.amend({ time: 2_000 + keep, epoch: writer.fence.epoch + 1 });
    }
    await trial.keeps(writer);
  },

  "pruning refuses to keep less than one, or what is no number, and removes nothing": async (trial) => {
    await written(trial, 3);
    const wrong = [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "2", null, undefined].map((keep) => ({ keep }));
    const others = [undefined, null, 2, "all", {}, { keep: 1, sessionId: 3 }, { keep: 1, sessionId: null }];
    await trial.unchangedBy(async () => {
      for (const options of [...wrong, ...others]) await rejected(trial, () => trial.store.prune(options as never));
    });
  },
};

/** Sessions that were written before and after this moment: how long ago, in milliseconds, and the status. */
async function aged(trial: Trial): Promise<void> {
  const now = Date.now();
  const ages = { done: 60_000, failed: 60_000, idle: 60_000, running: 60_000, fresh: -60_000 };
  for (const [id, age] of Object.entries(ages)) {
    const status = ({ failed: "failed", idle: "idle", running: "running" } as const)[id] ?? "completed";
    const writer = new Writer(trial, id);
    await writer.save([set("log", [id])], { time: now - age, status: "running" });
    await writer.save([append(1)], { time: now - age, status });
  }
}

const left = async ({ store }: Trial): Promise<readonly string[]> => (await all(store.list())).map(({ sessionId }) => sessionId).toSorted();

const sessions: Theme = {
  "sessions are removed by status, by one or several": async (trial) => {
    await aged(trial);
    trial.equal(await trial.store.deleteSessions({ status: "paused" }), 0);
    trial.equal(await trial.store.deleteSessions({ status: [] }), 0);
    trial.equal(await trial.store.deleteSessions({ status: ["failed", "idle", "paused"] }), 2);
    trial.equal(await left(trial), ["done", "fresh", "running"]);
    trial.equal(await trial.store.deleteSessions({ status: "completed" }), 2);
    await trial.reopen();
    trial.equal([await left(trial), await trial.history("done"), await trial.store.load("failed")], [["running"], [], undefined]);
  },

  "sessions are removed by age, which counts from their last write to now": async (trial) => {
    await aged(trial);
    trial.equal(await trial.store.deleteSessions({ olderThan: "2h" }), 0);
    await trial.store.amend("idle", { checkpointId: "idle-run.1", epoch: 1 }, { time: Date.now() + 60_000 });
    trial.equal(await trial.store.deleteSessions({ olderThan: "30s", status: "completed" }), 1);
    trial.equal(await trial.store.deleteSessions({ olderThan: 30_000 }), 1);
    trial.equal(await left(trial), ["fresh", "idle", "running"]);
  },

  "sessions that run are never removed, and those that ran are": async (trial) => {
    await aged(trial);
    const writer = await written(trial, 3);
    trial.equal(await trial.store.deleteSessions({}), 4);
    trial.equal(await left(trial), ["running", "s"]);
    await writer.save([append("on")]);
    await trial.keeps(writer);
    await writer.amend({ time: 2_000, status: "cancelled" });
    trial.equal([await trial.store.deleteSessions({ status: "cancelled" }), await left(trial)], [1, ["running"]]);
    const again = await written(trial, 2);
    await trial.keeps(again);
  },

  "a removal refuses what it does not take, and removes nothing": async (trial) => {
    await aged(trial);
    const statuses = ["x", "running", null, 1, ["paused", "x"], ["completed", "running"]].map((status) => ({ status }));
    const ages = ["soon", null, -1, Number.NaN, {}].map((olderThan) => ({ olderThan }));
    await trial.unchangedBy(async () => {
      for (const options of [undefined, null, "all", ...statuses, ...ages]) {
        await rejected(trial, () => trial.store.deleteSessions(options as never));
      }
    });
  },
};

/** Not thrown while it is called: whoever does not wait yet would not catch it. */
async function rejected(trial: Trial, call: () => Promise<unknown>): Promise<void> {
  let promise: Promise<unknown> | undefined;
  trial.equal(await thrownBy(() => void (promise = call())), undefined);
  await trial.refused("RunnerError invalid_option", () => promise);
}

export const removal: Theme = { ...forks, ...deletion, ...trimming, ...sessions };
