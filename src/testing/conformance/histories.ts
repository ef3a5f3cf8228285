/** `history`: what it gives, in which order, and how it bears being left or written to meanwhile. */
import { append, set, Writer, written } from "./fixtures.ts";
import type { Theme } from "./harness.ts";

const count = 25;

export const histories: Theme = {
  "history is newest first, each with the state that it stood for": async (trial) => {
    const writer = await written(trial, count);
    await written(trial, 3, "other");
    trial.loaded(await trial.history("s"), writer.history);
    const states = (await trial.history("s")).map(({ state }) => (state["log"] as readonly number[]).length);
    trial.equal(
      states,
      Array.from({ length: count }, (_item, index) => count - index),
    );
    await trial.keeps(writer);
  },

  "history is as long as it is asked to be": async (trial) => {
    const writer = await written(trial, count);
    for (const limit of [0, 1, 7, count - 1, count, count + 1, Number.POSITIVE_INFINITY]) {
      trial.loaded(await trial.history("s", { limit }), writer.history.slice(0, limit));
    }
  },

  "history goes on from the record before another": async (trial) => {
    const writer = await written(trial, count);
    for (const [index, { record }] of writer.history.entries()) {
      const found = await trial.history("s", { before: record.checkpointId });
      trial.loaded(found, writer.history.slice(index + 1));
    }
  },

  "history can be read page by page": async (trial) => {
    const writer = await written(trial, count);
    const pages: number[] = [];
    let [last] = await trial.history("s", { limit: 1 });
    const found = last === undefined ? [] : [last];
    while (last !== undefined && pages.length < count) {
      const page = await trial.history("s", { limit: 7, before: last.record.checkpointId });
      pages.push(page.length);
      found.push(...page);
      last = page.at(-1);
    }
    trial.equal(pages, [7, 7, 7, 3, 0]);
    trial.loaded(found, writer.history);
  },

  "history before a record that is not there is refused": async (trial) => {
    await written(trial, 3);
    await written(trial, 5, "other");
    for (const before of ["s-run.3", "other-run.1", "S-RUN.1", "", "s-run.1 "]) {
      await trial.refused("CheckpointError checkpoint_not_found", () => trial.history("s", { before }));
    }
  },

  "history of a session that is not there is empty": async (trial) => {
    await written(trial, 3, "other");
    trial.equal(await trial.history("s"), []);
    trial.equal(await trial.history("s", { limit: 2 }), []);
  },

  "history that is read while others write gives each record that was there once, and none out of order": async (trial) => {
    const writer = await written(trial, count);
    const expected = writer.history;
    const found: string[] = [];
    for await (const { record } of trial.store.history("s")) {
      found.push(record.checkpointId);
      if (found.length % 5 === 0) await writer.save([append("meanwhile")]);
    }
    trial.equal(
      found,
      expected.map(({ record }) => record.checkpointId),
    );
    await trial.keeps(writer);
  },

  "history may be left before its end, and read by two at once": async (trial) => {
    const writer = await written(trial, count);
    for await (const { record } of trial.store.history("s")) if (record.step < count - 3) break;
    await writer.save([append("after")]);
    const [first, second] = await Promise.all([trial.history("s", { limit: 9 }), trial.history("s")]);
    trial.loaded(first, writer.history.slice(0, 9));
    trial.loaded(second, writer.history);
  },

  "the order is that of the saves, whatever times and ids say": async (trial) => {
    const writer = new Writer(trial);
    const names = ["z", "a", "M", "0", "s-run.7", "s-run.1"];
    for (const [index, checkpointId] of names.entries())
      await writer.save([set("note", index)], { checkpointId, time: 1_000 - index, step: 0 });
    trial.equal(
      (await trial.history("s")).map(({ record }) => record.checkpointId),
      names.toReversed(),
    );
    await trial.keeps(writer);
  },

  "history of six hundred records is whole": async (trial) => {
    const writer = await written(trial, 600);
    trial.loaded(await trial.history("s"), writer.history);
    await trial.reopen();
    trial.loaded(await trial.history("s", { before: "s-run.500", limit: 300 }), writer.history.slice(100, 400));
    trial.loaded(await trial.history("s"), writer.history);
  },
};
