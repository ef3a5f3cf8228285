/** Three hundred kills in the usual suite; `npm run torture` does as many as it is told. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { violations } from "./checks.ts";
import { caseNames } from "./graphs.ts";
import { torture } from "./torture.ts";
import type { Note } from "./world.ts";

const kills = 300;

describe("sessions whose processes are killed", () => {
  it(
    "end as the uninterrupted ones do, run nothing again that was stored, and are told as complete when they are",
    { timeout: 600_000 },
    async () => {
      const folder = mkdtempSync(join(tmpdir(), "spanloom-torture-"));
      onTestFinished(() => rmSync(folder, { recursive: true }));
      const summary = await torture({ folder, names: caseNames, kills, seed: 7, lanes: 2, say: () => {} });
      expect(summary.violations).toEqual([]);
      expect(summary.kills).toBeGreaterThanOrEqual(kills);
      expect(summary.points.filter((point) => !summary.covered.includes(point))).toEqual([]);
    },
  );
});

describe("the journal's judge", () => {
  const session = "s";
  const ran = (step: number, entry = "a/0", once?: string): Note => {
    const key = `s/${step}/${entry}`;
    return { kind: "ran", session, step, entry, key, invocation: "i", ...(once === undefined ? {} : { once }) };
  };
  const stored = (step: number, results: readonly string[] = [], once: readonly string[] = [], epoch = 1): Note => {
    return { kind: "stored", session, epoch, step, results, once };
  };
  const begins = (by: "start" | "resume" | "next"): Note => ({ kind: "begins", session, by });
  const keyed = (entry: string, key: string): Note => ({ kind: "ran", session, step: 1, entry, key, invocation: "i" });
  const completed = (n: number): Note => ({ kind: "completed", session, inputs: 1, state: { n } });
  const end = completed(1);
  const forkRan: Note = { kind: "ran", session: "s/fork", step: 1, entry: "a/0", key: "s/1/a/0", invocation: "i" };
  const whole = [begins("start"), stored(0), ran(1), ran(1, "b/0", "k"), stored(1), end];

  it.each<readonly [string, readonly Note[], string]>([
    ["a step that is done runs again", [ran(1), stored(1), ran(1), end], "step 1 is done"],
    ["an entry whose result was stored", [ran(1), stored(0, ["a/0"]), ran(1), stored(1), end], "was stored, and it ran again"],
    ["a sub-step whose result was stored", [stored(0, [], ["a/0 k"]), ran(1, "a/0", "k"), end], "once(k)"],
    [
      "a sub-step whose result was given",
      [{ kind: "returned", session, step: 1, entry: "a/0", once: "k" }, ran(1, "a/0", "k"), end],
      "once(k)",
    ],
    ["another state at the end", [ran(1), stored(1), completed(2)], "the state is"],
    ["no end", [ran(1), stored(1)], "0 of 1 inputs"],
    ["an end that was none", [end, ran(2), stored(2), end], "after it was told as complete"],
    [
      "a run after an end, although another input follows",
      [end, begins("resume"), ran(2), begins("next")],
      "after it was told as complete",
    ],
    ["one key for two entries", [keyed("a/0", "k"), keyed("b/0", "k"), end], "the key k"],
    ["two keys for one entry", [keyed("a/0", "k"), keyed("a/0", "l"), end], "has the keys k and l"],
    ["a fork's key that is the origin's", [ran(1), end, forkRan], "is that of"],
    ["a failure that no node made", [{ kind: "failed", session, code: "checkpoint_failed", message: "x" }, end], "checkpoint_failed"],
    ["an entry that never ran", [stored(0), ran(1), stored(1), end], "1 b/0 k never ran"],
    ["an entry that should not have run", [...whole.slice(0, -1), ran(2), end], "2 a/0  ran, which does not run"],
    [
      "an invocation under an older one's epoch",
      [begins("start"), stored(0), begins("resume"), stored(0)],
      "by an invocation after epoch 1",
    ],
    ["an older owner's late write", [begins("start"), stored(0, [], [], 2), stored(0)], "in the middle of one"],
  ])("finds: %s", (_what, notes, sentence) => {
    expect(violations(notes, whole).join("; ")).toContain(sentence);
  });

  it("finds nothing in tries that were not stored", () => {
    const tries = [ran(1), ran(1), stored(0, ["a/0"]), ran(1, "b/0", "k"), begins("resume"), stored(0, ["a/0"], ["b/0 k"], 3)];
    const ends = [stored(1, [], [], 3), end, begins("resume"), stored(1, [], [], 4), end];
    expect(violations([begins("start"), stored(0), ...tries, ...ends], whole)).toEqual([]);
  });
});
