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
  const ran = (step: number, entry = "a/0", once?: string): Note => ({
    kind: "ran",
    step,
    entry,
    key: `s/${step}/${entry}`,
    invocation: "i",
    ...(once === undefined ? {} : { once }),
  });
  const stored = (step: number, results: readonly string[] = [], once: readonly string[] = []): Note => ({
    kind: "stored",
    step,
    results,
    once,
  });
  const end: Note = { kind: "completed", inputs: 1, state: { n: 1 } };

  it.each<readonly [string, readonly Note[], string]>([
    ["a step that is done runs again", [ran(1), stored(1), ran(1), end], "step 1 is done"],
    ["an entry whose result was stored", [ran(1), stored(0, ["a/0"]), ran(1), stored(1), end], "was stored, and it ran again"],
    ["a sub-step whose result was stored", [stored(0, [], ["a/0 k"]), ran(1, "a/0", "k"), end], "once(k)"],
    ["another state at the end", [ran(1), stored(1), { ...end, state: { n: 2 } }], "the state is"],
    ["no end", [ran(1), stored(1)], "0 of 1 inputs"],
    ["an end that was none", [end, ran(2), stored(2), end], "after it was told as complete"],
    ["one key for two entries", [{ ...ran(1), key: "k" }, { ...ran(1, "b/0"), key: "k" }, end] as readonly Note[], "the key k"],
    ["a failure that no node made", [{ kind: "failed", code: "checkpoint_failed", message: "x" }, end], "checkpoint_failed"],
  ])("finds: %s", (_what, notes, sentence) => {
    expect(violations(notes, [end]).join("; ")).toContain(sentence);
  });

  it("finds nothing in tries that were not stored", () => {
    expect(violations([ran(1), ran(1), stored(0, ["a/0"]), ran(1, "b/0"), stored(1), ran(2), stored(2), end, end], [end])).toEqual([]);
  });
});
