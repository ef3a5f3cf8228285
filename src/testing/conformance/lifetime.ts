/** How much a store takes, that it may be closed, and that one which outlives its close holds what it held. */
import { append, delta, once, record, result, set, Writer, written } from "./fixtures.ts";
import { fullRecord } from "./loading.ts";
import type { Theme, Trial } from "./harness.ts";
import { everythingOf } from "./reading.ts";
import { writes } from "./saving.ts";

const bytes = 50_000_000;
/** Of a length that divides none of those that a store may write at once. */
const pattern = Uint8Array.from({ length: 251 }, (_item, index) => index);

/** A value of its size; the records before it and after it are as they were. */
async function large(trial: Trial, value: unknown): Promise<void> {
  const writer = await written(trial, 2);
  await writer.save([set("note", value)]);
  await writer.save([set("note", "small"), append(2)]);
  await trial.reopen();
  trial.loaded(await trial.history("s"), writer.history);
}

const most = 10_000;
const numbers = Array.from({ length: most }, (_item, index) => index);

async function longSession({ store }: Trial): Promise<void> {
  for (const step of numbers) {
    const parentId = step === 0 ? undefined : `run.${step - 1}`;
    const { changes, size } = delta({}, [step === 0 ? set("log", [0]) : append(step)], 10);
    const state = () => ({ log: Object.freeze(numbers.slice(0, step + 1)) });
    const saved = record({ sessionId: "s", checkpointId: `run.${step}`, parentId, step, time: step });
    await store.save({ checkpointId: parentId, epoch: 1 }, saved, { changes, size, state });
  }
}

/** Of the checkpoint of a step: the state, in short. */
async function stepIs(trial: Trial, step: number): Promise<void> {
  const { record: found, state } = (await trial.store.load("s", `run.${step}`)) ?? {};
  const log = state?.["log"] as readonly number[] | undefined;
  trial.equal(
    [found?.step, found?.parentId, log?.length, log?.[0], log?.at(-1)],
    [step, step === 0 ? undefined : `run.${step - 1}`, step + 1, 0, step],
  );
}

export const sizes: Theme = {
  "a text of 50 MB is kept": (trial) => large(trial, "0123456789".repeat(bytes / 10)),

  "binary data of 50 MB is kept": (trial) => large(trial, new Uint8Array(Buffer.alloc(bytes, pattern))),

  "a session of 10 000 checkpoints is read at any of them, page by page, and trimmed": async (trial) => {
    await longSession(trial);
    for (const step of [most - 1, 5_000, 1, 0]) await stepIs(trial, step);
    for (const end of [most - 1, 5_000, 300]) {
      const page = await trial.history("s", { before: `run.${end}`, limit: 300 });
      trial.equal(
        page.map(({ record: { step }, state }) => step - (state["log"] as readonly number[]).length),
        Array(300).fill(-1),
      );
      trial.equal([page[0]?.record.step, page.at(-1)?.record.step], [end - 1, end - 300]);
    }
    trial.equal(await trial.store.prune({ keep: 10 }), most - 10);
    await trial.reopen();
    trial.equal(
      (await trial.history("s")).map(({ record: { step } }) => step),
      numbers.slice(-10).toReversed(),
    );
    for (const step of [most - 1, most - 10]) await stepIs(trial, step);
  },
};

/** Sessions in every condition that a store knows. */
async function manySessions(trial: Trial): Promise<readonly Writer[]> {
  const [running, paused, pruned, owned, full] = [
    await written(trial, 40, "running"),
    await written(trial, 7, "paused"),
    await written(trial, 30, "pruned"),
    await written(trial, 3, "owned"),
    await written(trial, 2, "full"),
  ];
  await running.addResults({ results: [result("a"), result("b")], once: [once("a/0", "key", 1)] });
  await paused.amend({ time: 2_000, status: "paused", answers: new Map([["a", undefined]]), pausePassed: { step: 6, nodes: ["a"] } });
  await trial.store.prune({ keep: 12, sessionId: "pruned" });
  pruned.pruned(12);
  await owned.amend({ time: 2_001, epoch: 6 });
  await full.save([append("full")], fullRecord);
  await full.addResults({ results: [result("more")], once: [once("more/0", "key", new Map([[1, 2]]))] });
  await written(trial, 3, "deleted");
  await trial.store.delete("deleted");
  return [running, paused, pruned, owned, full];
}

const closing: Theme = {
  "a store may be closed again, and disposed of": async (trial) => {
    await written(trial, 2);
    await trial.store.close();
    await trial.store.close();
    await trial.store[Symbol.asyncDispose]();
  },

  "a store that was not used may be closed": (trial) => trial.store.close(),

  "a store has a short name": async (trial) => {
    const { backend } = trial.store;
    trial.equal(/^[a-z][a-z0-9-]{1,30}$/.test(backend), true);
    await trial.reopen();
    trial.equal(trial.store.backend, backend);
  },
};

const opening: Theme = {
  "a store that is opened again holds all that it held": async (trial) => {
    const writers = await manySessions(trial);
    const before = await everythingOf(trial.store);
    await trial.reopen();
    await trial.unchangedSince(before);
    await trial.holds(...writers);
    await trial.reopen();
    await trial.unchangedSince(before);
  },

  "a store that is opened again is written to as before, under the same fences": async (trial) => {
    const writers = await manySessions(trial);
    for (const writer of writers) {
      await trial.reopen();
      const before = writer.fence;
      await writer.save([append("again"), set("note", [writer.sessionId])]);
      await trial.conflict(...writes(trial, writer.sessionId, before));
      await writer.addResults({ results: [result("again")], once: [once("again/0", "key", 1)] });
      await writer.amend({ time: 3_000, epoch: writer.fence.epoch + 1, status: "running" });
      await writer.save([append("and again")]);
    }
    await trial.keeps(...writers);
  },

  "what was deleted is not there when a store is opened again": async (trial) => {
    const gone = await written(trial, 3);
    const { fence } = gone;
    await trial.store.delete("s");
    await trial.reopen();
    trial.equal([await trial.store.load("s"), await trial.history("s")], [undefined, []]);
    await trial.conflict(...writes(trial, "s", fence));
    const again = await written(trial, 2);
    await trial.keeps(again);
  },
};

/** Some of it is of stores alone that outlive their close. */
export const lifetime = (outlivesItsClose: boolean): Theme => (outlivesItsClose ? { ...closing, ...opening } : closing);
