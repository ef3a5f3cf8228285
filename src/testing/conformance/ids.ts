/** Ids: which are refused, and that all others are told apart to the last bit. */
import { append, delta, record, set, Writer, written } from "./fixtures.ts";
import type { Theme, Trial } from "./harness.ts";
import { all } from "./reading.ts";
import { writes } from "./saving.ts";

/** NUL ends a text in many stores, and half a surrogate pair is no text in any. */
const refusedIds = ["", "\0", "a\0b", "\0a", "a\0", "\ud800", "a\ud800", "\udc00b", "\udc00\ud800", "😀\ud83d"];

/** Pairs and families that a store might take for one another, or for something else than a text. */
const quoted = ["'", '"', "`", "\\", "\\\\", "''", "'; DROP TABLE sessions; --", "$1", "?", ":id", "%", "_", "*", "[a]", "a%", "a_"];
const spaced = ["a", " a", "a ", "  a", "\ta", "a\n", "\na", "a\r\n", "a b", "\u00a0a", "\u200ba", "\ufeffa", "\u2028"];
const folded = ["A", "é", "e\u0301", "É", "ß", "SS", "ss", "İ", "i", "ı", "ﬀ", "ff", "Å", "\u212b", "日本", "😀", "👩‍👩‍👧", "\ufffd", "\uffff"];
const named = ["0", "00", "1", "-1", "1e3", "null", "undefined", "true", "NaN", "__proto__", "constructor", "a/b", "../a", ".", "{}", "[]"];
const long = ["k".repeat(1_024), `${"k".repeat(1_023)}l`, "😀".repeat(256), "é".repeat(512)];
const goodIds = [...quoted, ...spaced, ...folded, ...named, ...long, "\u0001\u001f\u007f\u0080"];

async function refusedSave(
  trial: Trial,
  ids: { readonly sessionId: string; readonly checkpointId: string },
  option: string,
): Promise<void> {
  const fence = { checkpointId: ids.sessionId === "s" ? "s-run.1" : undefined, epoch: 1 };
  const save = (): unknown => trial.store.save(fence, record({ parentId: fence.checkpointId, ...ids }), delta({}, [append("lost")]));
  trial.equal((await trial.refused("RunnerError invalid_option", save)).facts["option"], option);
}

export const ids: Theme = {
  "a session id that is empty, holds NUL or is not well formed is refused, and nothing is stored": async (trial) => {
    for (const sessionId of refusedIds) await refusedSave(trial, { sessionId, checkpointId: "a" }, "sessionId");
    trial.equal(await all(trial.store.list()), []);
    const writer = await written(trial, 2);
    await trial.keeps(writer);
  },

  "a checkpoint id that is empty, holds NUL or is not well formed is refused, and nothing is stored": async (trial) => {
    const writer = await written(trial, 2);
    await trial.unchangedBy(async () => {
      for (const checkpointId of refusedIds) {
        await refusedSave(trial, { sessionId: "s", checkpointId }, "checkpointId");
        await refusedSave(trial, { sessionId: "new", checkpointId }, "checkpointId");
      }
    });
    await writer.save([append("on")]);
    await trial.keeps(writer);
  },

  "an id that is refused finds nothing, also where a store would read it as another": async (trial) => {
    const writers = await Promise.all(["\ufffd", "a\ufffd", "a", "s"].map((id) => written(trial, 2, id)));
    const odd = new Writer(trial, "odd");
    await odd.save([], { checkpointId: "\ufffd" });
    await odd.save([], { checkpointId: "a" });
    for (const id of refusedIds) {
      trial.equal([await trial.store.load(id), await trial.history(id), await trial.store.load("odd", id)], [undefined, [], undefined]);
      await trial.refused("CheckpointError checkpoint_not_found", () => trial.history("odd", { before: id }));
      await trial.conflict(...writes(trial, id, { checkpointId: `${id.toWellFormed()}-run.1`, epoch: 1 }).slice(1));
      await trial.conflict(...writes(trial, "odd", { checkpointId: id, epoch: 1 }));
      trial.equal([await trial.store.delete(id), await trial.store.prune({ keep: 1, sessionId: id })], [false, 0]);
    }
    await trial.keeps(odd, ...writers);
  },

  "every other session id is one of its own": async (trial) => {
    const writers = goodIds.map((sessionId) => new Writer(trial, sessionId));
    for (const [index, writer] of writers.entries()) await writer.save([set("log", [index])], { checkpointId: "first" });
    for (const writer of writers) await writer.save([append(writer.sessionId)], { checkpointId: "second" });
    await trial.keeps(...writers);
    trial.equal((await all(trial.store.list())).map(({ sessionId }) => sessionId).toSorted(), goodIds.toSorted());
    for (const [index, writer] of writers.entries()) if (index % 3 === 0) await writer.amend({ time: 2_000, status: "paused", epoch: 2 });
    await trial.holds(...writers);
    const deleted = writers.filter((_writer, index) => index % 2 === 0);
    for (const { sessionId } of deleted) trial.equal(await trial.store.delete(sessionId), true);
    for (const { sessionId } of deleted) trial.equal(await trial.store.load(sessionId), undefined);
    await trial.keeps(...writers.filter((writer) => !deleted.includes(writer)));
  },

  "every other checkpoint id is one of its own": async (trial) => {
    const writer = new Writer(trial);
    for (const [index, checkpointId] of goodIds.entries())
      await writer.save([index === 0 ? set("log", []) : append(index)], { checkpointId });
    await trial.keeps(writer);
    for (const [index, before] of goodIds.entries()) trial.equal((await trial.history("s", { before })).length, index);
  },

  "checkpoints are found by their ids, whatever numbers these end with": async (trial) => {
    const writer = new Writer(trial);
    const numbers = [
      ".3",
      "run.1",
      "run.0",
      "other.1",
      "run.2",
      "2",
      "run.02",
      "run.5",
      "run.6.1",
      "run.99999999999999999999",
      "run.-1",
      "run.1e1",
    ];
    for (const [index, checkpointId] of numbers.entries())
      await writer.save([index === 0 ? set("log", []) : append(index)], { checkpointId });
    await trial.keeps(writer);
    trial.equal(await trial.store.prune({ keep: 7 }), writer.pruned(7));
    await trial.keeps(writer);
    trial.equal(await Promise.all(numbers.slice(0, 5).map(async (id) => trial.store.load("s", id))), Array(5).fill(undefined));
  },

  "sessions may have checkpoints of the same ids": async (trial) => {
    const writers = ["a", "b", "c"].map((sessionId) => new Writer(trial, sessionId));
    for (let step = 0; step < 5; step += 1) {
      for (const writer of writers) {
        await writer.save([step === 0 ? set("log", []) : append(`${writer.sessionId}${step}`)], { checkpointId: `run.${step}` });
      }
    }
    await trial.keeps(...writers);
    await trial.store.delete("b");
    await trial.keeps(...writers.filter(({ sessionId }) => sessionId !== "b"));
  },
};
