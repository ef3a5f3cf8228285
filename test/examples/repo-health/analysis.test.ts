/** Sums, shares and judgements: the pure part, from made-up histories. */
import { describe, expect, it } from "vitest";
import { staleBranches } from "../../../examples/repo-health/analysis/branches.ts";
import { fileHistory } from "../../../examples/repo-health/analysis/companions.ts";
import { healthOf } from "../../../examples/repo-health/analysis/health.ts";
import { hotSpots, isOrphaned } from "../../../examples/repo-health/analysis/hot-spots.ts";
import { noiseFilter, usualNoise } from "../../../examples/repo-health/analysis/noise.ts";
import { fewestForHalf, isBot, ownershipOf } from "../../../examples/repo-health/analysis/people.ts";
import { shapeOf } from "../../../examples/repo-health/analysis/shape.ts";
import { hotFiles, summarise } from "../../../examples/repo-health/analysis/summary.ts";
import { count, createTally, type Tally } from "../../../examples/repo-health/analysis/tally.ts";
import { lastMonths, monthsBefore, monthsBetween } from "../../../examples/repo-health/analysis/time.ts";
import type { Change, Commit } from "../../../examples/repo-health/git/log.ts";
import { branches, history, measured, origin, spot } from "./facts.ts";
import { daysAgo, streamed, today } from "./repository.ts";

const change = (path: string, added = 1, from?: string): Change => ({ path, from, added, deleted: 0 });
const binary = (path: string): Change => ({ path, from: undefined, added: undefined, deleted: undefined });

function commit(author: string, days: number, changes: readonly Change[], parents = 1): Commit {
  return { author, time: daysAgo(days), parents, changes };
}

/** Of commits, newest first; every path but those left out is a file of 100 bytes. */
function tallied(commits: readonly Commit[], paths: readonly string[], shallow = false): Tally {
  const files = new Map(paths.map((path) => [path, { object: "0", bytes: 100, regular: true }]));
  const tally = createTally({ ...origin, shallow }, { files, isNoise: (path) => path === "noise", months: 12 });
  for (const one of commits) count(tally, one);
  return tally;
}

describe("the tally", () => {
  it("follows files through renames, also through several", () => {
    const commits = [
      commit("Ann", 1, [change("c", 1)]),
      commit("Ann", 2, [change("c", 0, "b")]),
      commit("Bea", 3, [change("b", 5)]),
      commit("Bea", 4, [change("b", 0, "a")]),
      commit("Bea", 5, [change("a", 7)]),
    ];
    const [file] = hotFiles(tallied(commits, ["c"]), 5);
    expect(file).toMatchObject({ path: "c", formerPaths: ["b", "a"], changes: 5, added: 13 });
  });

  it("gives a name that was used again to the file that has it today", () => {
    const commits = [commit("Ann", 1, [change("a", 2)]), commit("Ann", 2, [change("b", 0, "a")]), commit("Ann", 3, [change("a", 9)])];
    const files = hotFiles(tallied(commits, ["a", "b"]), 5);
    expect(files.map(({ path, changes, added }) => ({ path, changes, added }))).toEqual([
      { path: "b", changes: 2, added: 9 },
      { path: "a", changes: 1, added: 2 },
    ]);
  });

  it("counts merges as commits, and nobody's changes for where a shallow clone is cut off", () => {
    const commits = [
      commit("Ann", 1, [], 2),
      commit("Bea", 2, [change("a", 3)]),
      commit("Cid", 3, [change("a", 500), change("b", 500)], 0),
    ];
    expect(tallied(commits, ["a", "b"])).toMatchObject({ commits: 3, merges: 1 });
    expect(hotFiles(tallied(commits, ["a", "b"]), 5)).toHaveLength(2);
    expect(hotFiles(tallied(commits, ["a", "b"], true), 5)).toEqual([expect.objectContaining({ path: "a", changes: 1, added: 3 })]);
  });

  it("takes a date of the future for today", () => {
    const tally = tallied([commit("Ann", -400, [change("a")])], ["a"]);
    expect(tally.lastCommit).toBe(today);
    expect(tally.months.get("2026-06")?.commits).toBe(1);
  });

  it("splits the pace at 90 and at 180 days", () => {
    const tally = tallied(
      [commit("Ann", 89, [change("a", 1)]), commit("Ann", 90, [change("a", 10)]), commit("Ann", 180, [change("a", 100)])],
      ["a"],
    );
    expect(tally.pace).toEqual({ now: { commits: 1, lines: 1 }, before: { commits: 1, lines: 10 } });
  });

  it("leaves noise out, also of the sums", () => {
    const tally = tallied([commit("Ann", 1, [change("a", 2), change("noise", 900), change("deleted since", 3)])], ["a", "noise"]);
    expect([...tally.files.keys()]).toEqual(["a"]);
    expect(tally.pace.now.lines).toBe(5);
  });

  it("grows with files and people, not with commits", () => {
    const commits = Array.from({ length: 1_000 }, (_, index) => commit(`P${index % 3}`, index, [change("a"), change(`gone${index}`)]));
    const tally = tallied(commits, ["a"]);
    expect([tally.files.size, tally.people.size, tally.months.size]).toEqual([1, 3, 12]);
    expect(tally.files.get("a")?.authors.size).toBe(3);
  });
});

describe("the files to look into", () => {
  const commits = [
    commit("Ann", 10, [change("often"), change("once")]),
    commit("Ann", 20, [change("often")]),
    commit("Ann", 900, [change("old"), change("old2")]),
  ];
  const paths = ["often", "once", "old", "old2"];

  it("are the most changed in the period", () => {
    expect(hotFiles(tallied(commits, paths), 5).map(({ path }) => path)).toEqual(["often", "once"]);
    expect(hotFiles(tallied(commits, paths), 1).map(({ path }) => path)).toEqual(["often"]);
  });

  it("come from the whole history when nothing is recent", () => {
    const tally = tallied(commits.slice(2), paths);
    const files = hotFiles(tally, 5);
    expect(files.map(({ path }) => path)).toEqual(["old", "old2"]);
    expect(summarise(tally, files, 0)).toMatchObject({ since: null, changes: { all: 2, hot: 2 } });
  });

  it("are text, not empty, and not huge; what else changed counts all the same", () => {
    const files = new Map([
      ["logo", { object: "0", bytes: 10, regular: true }],
      ["empty", { object: "0", bytes: 0, regular: true }],
      ["huge", { object: "0", bytes: 3_000_000, regular: true }],
      ["link", { object: "0", bytes: 4, regular: false }],
    ]);
    const tally = createTally(origin, { files, isNoise: () => false, months: 12 });
    count(tally, commit("Ann", 1, [binary("logo"), change("empty"), change("huge"), change("link")]));
    expect(hotFiles(tally, 5)).toEqual([]);
    expect(summarise(tally, [], 0)).toMatchObject({ changes: { all: 4, hot: 0 }, files: { known: 4 } });
  });
});

describe("the summary", () => {
  it("says who is the main author of what, and who has gone", () => {
    const commits = [
      commit("Bea", 10, [change("a", 1), change("b", 50)]),
      commit("Ann", 300, [change("a", 90), change("c", 5)]),
      commit("ci[bot]", 400, [change("a", 999)]),
    ];
    const tally = tallied(commits, ["a", "b", "c"]);
    const summary = summarise(tally, hotFiles(tally, 1), 7);
    expect(summary).toMatchObject({
      people: 2,
      active: ["Bea"],
      busFactor: 1,
      files: { known: 3, ignored: 7, orphaned: 2 },
      contributors: [
        { name: "Ann", files: 2, commits: 1 },
        { name: "Bea", files: 1, commits: 1 },
      ],
    });
    expect(summary.orphans.map(({ path, owner, recentChanges }) => [path, owner, recentChanges])).toEqual([
      ["a", "Ann", 2],
      ["c", "Ann", 1],
    ]);
    expect(summary.orphans[0]?.share).toBeCloseTo(90 / 91);
  });

  it("calls those the main authors who added the most lines, however often others changed the file", () => {
    const often = [1, 2, 3, 4].map((days) => commit("Bea", days, [change("a", 1)]));
    const tally = tallied([...often, commit("Ann", 300, [change("a", 5)])], ["a"]);
    const { contributors, orphans } = summarise(tally, [], 0);
    expect(contributors.map(({ name, files }) => [name, files])).toEqual([
      ["Ann", 1],
      ["Bea", 0],
    ]);
    expect(orphans).toMatchObject([{ path: "a", owner: "Ann", share: 5 / 9 }]);
  });

  it("decides by changes where the lines are equal, or where there are none", () => {
    const commits = [
      commit("Bea", 300, [change("equal", 2), binary("logo")]),
      commit("Bea", 301, [change("equal", 2), binary("logo")]),
      commit("Ann", 302, [change("equal", 4), binary("logo"), change("renamed", 0)]),
    ];
    const { orphans } = summarise(tallied(commits, ["equal", "logo", "renamed"]), [], 0);
    expect(orphans.map(({ path, owner, share }) => [path, owner, share])).toEqual([
      ["logo", "Bea", 2 / 3],
      ["equal", "Bea", 1 / 2],
      ["renamed", "Ann", 1],
    ]);
  });

  it("keeps a bounded part of what there is", () => {
    const paths = Array.from({ length: 200 }, (_, index) => `f${index}`);
    const tally = tallied(
      paths.map((path, index) => commit(`P${index}`, 300, [change(path)])),
      paths,
    );
    const summary = summarise(tally, [], 0);
    expect([summary.orphans.length, summary.contributors.length, summary.months.length, summary.active.length]).toEqual([20, 10, 12, 0]);
    expect(summary.busFactor).toBe(101);
  });
});

describe("people", () => {
  it("are few or many", () => {
    expect(fewestForHalf(new Map())).toBeNull();
    expect(
      fewestForHalf(
        new Map([
          ["a", 51],
          ["b", 49],
        ]),
      ),
    ).toBe(1);
    expect(
      fewestForHalf(
        new Map([
          ["a", 50],
          ["b", 50],
        ]),
      ),
    ).toBe(2);
    expect(
      fewestForHalf(
        new Map([
          ["a", 30],
          ["b", 30],
          ["c", 20],
          ["d", 20],
        ]),
      ),
    ).toBe(2);
  });

  it("own the lines that they wrote; bots own none", () => {
    expect(
      ownershipOf(
        new Map([
          ["Bea", 25],
          ["Ann", 75],
          ["renovate[bot]", 900],
        ]),
        new Set(["Bea"]),
      ),
    ).toEqual({
      owners: [
        { name: "Ann", lines: 75, share: 0.75 },
        { name: "Bea", lines: 25, share: 0.25 },
      ],
      people: 2,
      busFactor: 1,
      lost: 0.75,
    });
    expect(ownershipOf(new Map(), new Set())).toEqual({ owners: [], people: 0, busFactor: null, lost: 0 });
  });

  it.each([
    ["dependabot[bot]", true],
    ["github-actions", true],
    ["Abbot", false],
    ["Dependable Dan", false],
  ])("%s is a bot: %s", (name, bot) => {
    expect(isBot(name)).toBe(bot);
  });
});

describe("noise", () => {
  it.each([
    ["package-lock.json", true],
    ["sub/folder/yarn.lock", true],
    ["src/lock.ts", false],
    ["a.min.js", true],
    ["vendor/x.c", true],
    ["src/vendor/x.c", true],
    ["src/vendors.c", false],
    ["gen/api.ts", true],
    ["docs/api.gen.ts", true],
    ["distance.ts", false],
  ])("%s: %s", (path, noise) => {
    expect(noiseFilter([...usualNoise, "gen/", "*.gen.ts"])(path)).toBe(noise);
  });
});

describe("shape", () => {
  it("counts lines as editors do", () => {
    expect([shapeOf("").lines, shapeOf("a").lines, shapeOf("a\n").lines, shapeOf("a\n\nb").lines]).toEqual([0, 1, 1, 3]);
  });

  it.each([
    ["tabs", "a\n\tb\n\t\tc\n"],
    ["four spaces", "a\n    b\n        c\n"],
    ["two spaces", "a\n  b\n    c\n"],
  ])("measures depth by %s", (_name, text) => {
    expect(shapeOf(text)).toEqual({ lines: 3, meanDepth: 1, maxDepth: 2 });
  });

  it("does not count blank lines as shallow", () => {
    expect(shapeOf("\tb\n\n\t\n\tc")).toEqual({ lines: 4, meanDepth: 1, maxDepth: 1 });
    expect(shapeOf("\n\n")).toMatchObject({ meanDepth: 0, maxDepth: 0 });
  });
});

describe("what changes together", () => {
  it("is what was in the same small commits, under any name of the file", async () => {
    const both = (days: number, path: string) => commit("Ann", days, [change(path), change("friend"), change(`once${days}`)]);
    const mass = commit("Ann", 5, [change("new"), change("other"), ...Array.from({ length: 30 }, (_, index) => change(`x${index}`))]);
    const commits = [both(1, "new"), both(40, "new"), mass, both(41, "old"), commit("Ann", 42, [], 2)];
    const found = await fileHistory(streamed(commits), { names: ["new", "old"], measuredAt: today, cutOff: false });
    expect(found.companions).toEqual([{ path: "friend", times: 3, share: 3 / 4 }]);
    expect(found.months.slice(-2)).toEqual([2, 2]);
    expect(found.months).toHaveLength(12);
  });

  it("does not count what was there when the history was cut off", async () => {
    const commits = [commit("Ann", 1, [change("a")]), commit("Ann", 40, [change("a")], 0)];
    const months = async (cutOff: boolean) => (await fileHistory(streamed(commits), { names: ["a"], measuredAt: today, cutOff })).months;
    expect((await months(false)).slice(-2)).toEqual([1, 1]);
    expect((await months(true)).slice(-2)).toEqual([0, 1]);
  });
});

describe("months", () => {
  it("are the last twelve, across the year", () => {
    expect(lastMonths(Date.parse("2026-02-28T23:59:59Z")).slice(0, 2)).toEqual(["2025-03", "2025-04"]);
    expect(lastMonths(Date.parse("2026-02-28T23:59:59Z")).at(-1)).toBe("2026-02");
    expect(lastMonths(Date.parse("2026-01-31T00:00:00Z"), 3)).toEqual(["2025-11", "2025-12", "2026-01"]);
  });

  it("are counted back to the same day", () => {
    expect(new Date(monthsBefore(Date.parse("2026-06-15T12:00:00Z"), 12)).toISOString()).toBe("2025-06-15T12:00:00.000Z");
  });

  it.each([
    ["2026-03-31", 1, "2026-02-28"],
    ["2024-03-31", 1, "2024-02-29"],
    ["2024-02-29", 12, "2023-02-28"],
    ["2026-01-31", 2, "2025-11-30"],
    ["2026-03-31", 12, "2025-03-31"],
    ["2026-01-15", 1, "2025-12-15"],
  ])("of which the earlier has no such day end with its last: %s less %i is %s", (from, months, to) => {
    expect(monthsBefore(Date.parse(`${from}T10:00:00Z`), months)).toBe(Date.parse(`${to}T10:00:00Z`));
  });

  it.each([
    ["2020-05-01", "2026-11-25", 78],
    ["2026-02-28", "2026-03-31", 1],
    ["2026-01-31", "2026-02-28", 0],
    ["2026-01-15", "2026-02-14", 0],
    ["2025-12-31", "2026-01-01", 0],
  ])("are counted whole between two days: from %s to %s %i", (from, to, months) => {
    expect(monthsBetween(Date.parse(from), Date.parse(to))).toBe(months);
  });
});

describe("hot spots", () => {
  it("are large and change often", () => {
    const files = [
      measured({ path: "small", recentChanges: 10, lines: 1 }),
      measured({ path: "both", recentChanges: 10, lines: 1023 }),
      measured({ path: "large", recentChanges: 1, lines: 1023 }),
    ];
    expect(hotSpots(files, true).map(({ path, heat }) => [path, heat])).toEqual([
      ["both", 100],
      ["large", 10],
      ["small", 10],
    ]);
  });

  it("are judged by the whole history when nothing is recent", () => {
    const files = [measured({ path: "a", changes: 1, recentChanges: 0 }), measured({ path: "b", changes: 4, recentChanges: 0 })];
    expect(hotSpots(files, false).map(({ path, heat }) => [path, heat])).toEqual([
      ["b", 100],
      ["a", 25],
    ]);
    expect(hotSpots([], true)).toEqual([]);
  });

  it("are orphaned when more than half of the lines are", () => {
    expect([0.5, 0.51].map((lost) => isOrphaned(spot({ lost })))).toEqual([false, true]);
  });
});

describe("stale branches", () => {
  const ref = (name: string, days: number) => ({ name, ref: `refs/heads/${name}`, lastCommit: daysAgo(days), author: "Ann", inUse: false });
  it("are old, and neither the measured one, nor in use, nor kept on purpose, nor a bot's", () => {
    const refs = [
      ref("topic", 90),
      ref("new", 89),
      ref("work", 300),
      ...["main", "release/1.2", "v2", "3.x", "stable"].map((name) => ref(name, 900)),
    ];
    const bot = { ...ref("renovate/x", 400), author: "renovate[bot]" };
    const inUse = { ...ref("production", 400), inUse: true };
    expect(staleBranches([...refs, bot, inUse], "work", today).map(({ name }) => name)).toEqual(["topic"]);
  });
});

describe("health", () => {
  it("is whole when nothing is wrong", () => {
    const good = healthOf(
      history({ busFactor: 4, files: { known: 10, ignored: 0, orphaned: 0 } }),
      [spot({ busFactor: 3, lines: 100 })],
      branches(),
    );
    expect(good).toMatchObject({ score: 100, verdict: "healthy" });
  });

  it("is nothing when everything is wrong", () => {
    const bad = healthOf(
      history({ busFactor: 1, files: { known: 10, ignored: 0, orphaned: 10 } }),
      [spot({ busFactor: 1, lines: 501 })],
      branches({ stale: 20, staleMerged: 5 }),
    );
    expect(bad).toMatchObject({ score: 0, verdict: "at risk" });
    expect(bad.signals.every(({ lost, of }) => lost === of)).toBe(true);
  });

  it("is in between, with a reason for every point", () => {
    const health = healthOf(
      history({ busFactor: 2, files: { known: 10, ignored: 0, orphaned: 3 } }),
      [spot({ busFactor: 1 }), spot({ busFactor: 2 })],
      branches(),
    );
    expect(health).toMatchObject({ score: 66, verdict: "needs attention" });
    expect(health.signals.map(({ lost }) => lost)).toEqual([12, 13, 9, 0, 0]);
  });

  it("cannot be known without a known author", () => {
    expect(healthOf(history({ busFactor: null, files: { known: 0, ignored: 0, orphaned: 0 } }), [], branches())).toEqual({
      score: null,
      verdict: "not measurable",
      signals: [],
    });
  });
});
