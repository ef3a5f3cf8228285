/** Fifty thousand commits: every one is counted, and nothing grows with them. */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { daysAgo, fillRepository, lines, type Step } from "./repository.ts";
import { measure } from "./run.ts";

const commits = 50_000;
/** Nothing here depends on speed: this ends what hangs. */
const bound = 300_000;

function* manyCommits(): Generator<Step> {
  for (let index = 0; index < commits; index += 1) {
    const cold = (index * 7_919) % 400;
    const write = {
      [`src/area${cold % 20}/file${cold}.ts`]: `version ${index}\n${lines(cold % 30)}`,
      [`hot/file${index % 3}.ts`]: `version ${index}\n`,
    };
    yield { author: `Person ${(index * 31) % 40}`, at: daysAgo(2_000 - index / 25), write };
  }
}

const child = promisify(execFile);

describe("a long history", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "repo-health-"));
    await fillRepository(folder, manyCommits());
  }, bound);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it(
    "is read whole, and its state stays small",
    async () => {
      const { state, events, report } = await measure(folder, { files: 4 });
      expect(state.origin?.commits).toBe(commits);
      expect(state.hotSpots.slice(0, 4).map(({ path }) => path)).toEqual(
        expect.arrayContaining(["hot/file0.ts", "hot/file1.ts", "hot/file2.ts"]),
      );
      expect(state.hotSpots.reduce((sum, { changes }) => sum + changes, 0)).toBe(commits + 125);
      expect(state.history).toMatchObject({ people: 40, files: { known: 403 } });
      expect(report).toContain("50,000 commits in 5 years");
      expect(JSON.stringify(state).length).toBeLessThan(50_000);
      expect(events.filter(({ type }) => type === "progress")).toHaveLength(11);
    },
    bound,
  );

  it(
    "is read in memory that would not hold its commits",
    async () => {
      const read = (...args: readonly string[]) =>
        child(process.execPath, ["--max-old-space-size=16", join(import.meta.dirname, "tally-history.ts"), folder, ...args]);
      expect(JSON.parse((await read()).stdout)).toEqual({ commits, hot: 3, kept: 0 });
      await expect(read("keep")).rejects.toThrow(/heap/i);
    },
    bound,
  );
});
