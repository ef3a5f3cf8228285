/** `save`: compare-and-swap on the newest record and the session's owner. */
import { append, delta, once, result, set, Writer, written } from "./fixtures.ts";
import type { Fence } from "../../checkpoint/checkpointer.ts";
import type { Theme, Trial } from "./harness.ts";

/** A write of each kind, under one fence, by whom the fence says. */
export function writes(trial: Trial, sessionId: string, fence: Fence): readonly (() => unknown)[] {
  const { epoch } = fence;
  const record = new Writer(trial, sessionId).record({ checkpointId: "other", parentId: fence.checkpointId, epoch, step: 99, time: 9_000 });
  const added = { results: [result("other")], once: [once("other/0", "key", 1)] };
  return [
    () => trial.store.save(fence, record, delta({}, [set("note", "other")])),
    () => trial.store.amend(sessionId, fence, { time: 9_000, epoch, status: "failed", finished: true, results: [] }),
    () => trial.store.addResults(sessionId, fence, added),
  ];
}

export const saving: Theme = {
  "the first save makes the session, and says how much was written": async (trial) => {
    const writer = new Writer(trial);
    const { size } = await writer.save([set("log", [0])]);
    trial.equal(Number.isFinite(size) && size > 0, true);
    await trial.holds(writer);
  },

  "each save adds a record after the newest one": async (trial) => {
    const writer = await written(trial, 4);
    await writer.save([set("note", "last")], { status: "completed" });
    await trial.keeps(writer);
  },

  "a save that names another record than the newest is a conflict and changes nothing": async (trial) => {
    const writer = await written(trial, 3);
    const [record, made] = [writer.record(), writer.delta([append(9)])];
    await trial.unchangedBy(async () => {
      for (const checkpointId of ["s-run.0", "s-run.1", "s-run.3", "S-run.2", ""]) {
        await trial.conflict(() => trial.store.save({ checkpointId, epoch: 1 }, record, made));
      }
    });
    await writer.grow(1);
    await trial.holds(writer);
  },

  "a save with another epoch than the owner's is a conflict and changes nothing": async (trial) => {
    const writer = new Writer(trial);
    await writer.save([set("log", [0])], { epoch: 3 });
    await writer.grow(1);
    const { checkpointId } = writer.fence;
    await trial.unchangedBy(async () => {
      for (const epoch of [0, 1, 2, 4]) {
        const save = (record = writer.record({ epoch })) => trial.store.save({ checkpointId, epoch }, record, writer.delta([append(9)]));
        await trial.conflict(
          save,
          () => save(writer.record({ epoch: 3 })),
          () => save(writer.record({ epoch: 5 })),
        );
      }
    });
    await writer.grow(1);
    await trial.holds(writer);
  },

  "a save that names no record, though there is one, is a conflict and changes nothing": async (trial) => {
    const writer = await written(trial, 1);
    await trial.unchangedBy(async () => {
      for (const epoch of [0, 1, 2]) {
        const first = new Writer(trial).record({ checkpointId: "other", epoch: epoch + 1 });
        await trial.conflict(() => trial.store.save({ checkpointId: undefined, epoch }, first, writer.delta([set("note", "other")])));
      }
    });
  },

  "a save that names a record, though there is no session, is a conflict and makes none": async (trial) => {
    const other = await written(trial, 1, "other");
    const writer = new Writer(trial);
    await trial.unchangedBy(async () => {
      for (const fence of [other.fence, { checkpointId: "s-run.0", epoch: 0 }]) {
        await trial.conflict(() => trial.store.save(fence, writer.record(), writer.delta([set("log", [0])])));
      }
    });
    trial.equal(await trial.store.load("s"), undefined);
    await writer.save([set("log", [0])]);
    await trial.holds(writer);
  },

  "a save of a higher epoch than its fence's takes the session over, and the owner before is fenced off": async (trial) => {
    const writer = await written(trial, 2);
    await writer.save([append(2)], { epoch: 2 });
    await trial.holds(writer);
    const old = { ...writer.fence, epoch: 1 };
    await trial.unchangedBy(() => trial.conflict(...writes(trial, "s", old)));
    await writer.grow(1);
    await trial.holds(writer);
  },

  "the newest record never goes back": async (trial) => {
    const writer = await written(trial, 2);
    const late = { fence: writer.fence, record: writer.record({ checkpointId: "late" }), made: writer.delta([append("late")]) };
    await writer.grow(1);
    await trial.unchangedBy(() => trial.conflict(() => trial.store.save(late.fence, late.record, late.made)));
    await writer.grow(3);
    await trial.unchangedBy(() => trial.conflict(() => trial.store.save(late.fence, late.record, late.made)));
    await trial.reopen();
    await trial.unchangedBy(() => trial.conflict(() => trial.store.save(late.fence, late.record, late.made)));
    await trial.holds(writer);
  },

  "of many first saves at once exactly one wins": async (trial) => {
    const writer = new Writer(trial);
    const saves = Array.from({ length: 20 }, (_item, index) => {
      const [record, made] = [writer.record({ checkpointId: `first${index}` }), writer.delta([set("log", [index])])];
      return () => trial.store.save({ checkpointId: undefined, epoch: 0 }, record, made);
    });
    trial.equal(await trial.winners(saves), 1);
    const { record, state } = (await trial.store.load("s")) ?? {};
    trial.equal(`first${String(state?.["log"])}`, record?.checkpointId);
    trial.equal((await trial.historyIds("s")).length, 1);
  },

  "of many saves at once on one record exactly one wins, whoever made them": async (trial) => {
    const writer = await written(trial, 2);
    const saves = Array.from({ length: 20 }, (_item, index) => {
      const [record, made] = [writer.record({ checkpointId: `n${index}`, epoch: 1 + (index % 3) }), writer.delta([append(index + 10)])];
      return () => trial.store.save(writer.fence, record, made);
    });
    trial.equal(await trial.winners(saves), 1);
    const { record, state, ownerEpoch } = (await trial.store.load("s")) ?? {};
    const [index] = [Number(record?.checkpointId.slice(1))];
    trial.equal([state?.["log"], ownerEpoch, record?.epoch], [[0, 1, index + 10], 1 + (index % 3), 1 + (index % 3)]);
    trial.equal((await trial.historyIds("s")).slice(1), ["s-run.1", "s-run.0"]);
  },

  "of a save and a change of the owner at once exactly one is done": async (trial) => {
    for (const saveFirst of [true, false]) {
      const writer = new Writer(trial, `session ${saveFirst}`);
      await writer.save([set("log", [0])]);
      const { fence, sessionId } = writer;
      const [record, made] = [writer.record(), writer.delta([append(1)])];
      const save = () => trial.store.save(fence, record, made);
      const amend = () => trial.store.amend(sessionId, fence, { time: record.time, epoch: 2, status: "paused" });
      trial.equal(await trial.winners(saveFirst ? [save, amend] : [amend, save]), 1);
      const { ownerEpoch, state, record: newest } = (await trial.store.load(sessionId)) ?? {};
      const saved = { ownerEpoch: 1, state: [0, 1], status: "running" };
      trial.equal(
        { ownerEpoch, state: state?.["log"], status: newest?.status },
        ownerEpoch === 1 ? saved : { ownerEpoch: 2, state: [0], status: "paused" },
      );
    }
  },
};
