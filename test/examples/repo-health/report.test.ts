/** What the report says, and that names which others chose do nothing in it. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { code, plain, table } from "../../../examples/repo-health/report/markdown.ts";
import { recommend } from "../../../examples/repo-health/report/recommend.ts";
import { emptyReport, fullReport } from "../../../examples/repo-health/report/report.ts";
import { counted, percent, span, sparkline } from "../../../examples/repo-health/report/words.ts";
import { branches, history, origin, spot } from "./facts.ts";
import { daysAgo, today } from "./repository.ts";

describe("names in Markdown", () => {
  it.each([
    ["a.ts", "`a.ts`"],
    ["a b.ts", "`a b.ts`"],
    ["two\nlines", "`two\\nlines`"],
    ["a`b", "``a`b``"],
    ["`a``", "``` `a`` ```"],
    ["a|b", "<code>a&#124;b</code>"],
    ["a\\|`<b>`", "<code>a&#92;&#124;&#96;&#60;b&#62;&#96;</code>"],
    ["a\u0007b\u202ec", "`a\\u0007b\\u202ec`"],
    ["日本/ü.ts", "`日本/ü.ts`"],
  ])("%j as code: %s", (name, text) => {
    expect(code(name)).toBe(text);
  });

  it("are plain text elsewhere", () => {
    expect(plain("<img src=x> & [a](b) *c* _d_ `e` | #f")).toBe("&#60;img src=x&#62; &#38; \\[a\\](b) \\*c\\* \\_d\\_ \\`e\\` &#124; \\#f");
    expect(plain("two\nlines")).toBe(String.raw`two\\nlines`);
  });

  it("never break a table, whatever they hold", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (file, person) => {
        const text = table(["File", "Person"], [[code(file), plain(person)]]);
        expect(text.split(/[\n\r\u2028\u2029]/)).toHaveLength(3);
        expect(text.split("\n")[2]?.split("|")).toHaveLength(4);
        expect(plain(person)).not.toContain("<");
      }),
    );
  });
});

describe("words", () => {
  it("are for people", () => {
    expect([counted(1, "file"), counted(2_000, "file"), counted(0, "branch", "branches")]).toEqual(["1 file", "2,000 files", "0 branches"]);
    expect([0, 1, 59, 62, 365, 729, 1_100].map((days) => span(daysAgo(days), today))).toEqual([
      "less than a day",
      "1 day",
      "59 days",
      "2 months",
      "12 months",
      "23 months",
      "3 years",
    ]);
    expect(sparkline([0, 1, 8, 4])).toBe("·▁█▄");
    expect(sparkline([0, 0])).toBe("··");
    expect(percent(199)).toBe("19,900 %");
  });

  it("never round a span of time up", () => {
    const asOf = Date.parse("2026-11-25");
    const spans = ["2020-05-01", "2020-06-01", "2019-11-25", "2019-11-26", "2024-11-26"].map((from) => span(Date.parse(from), asOf));
    expect(spans).toEqual(["6 years", "6 years", "7 years", "6 years", "23 months"]);
  });
});

describe("recommendations", () => {
  const nothing = { origin, history: history(), spots: [], branches: branches(), successors: [] };

  it("are none when there is nothing to do", () => {
    expect(recommend({ ...nothing, spots: [spot({ busFactor: 2 })] })).toEqual([]);
  });

  it("name the file, the owner, the numbers and who could help", () => {
    const [first] = recommend({
      ...nothing,
      spots: [
        spot({
          path: "src/core.ts",
          lost: 1,
          heat: 90,
          lines: 812,
          recentChanges: 41,
          owners: [{ name: "Ann", lines: 764, share: 0.94 }],
        }),
      ],
      successors: [
        {
          path: "src/core.ts",
          where: "file",
          people: [
            { name: "Bea", commits: 6 },
            { name: "Cid", commits: 1 },
          ],
        },
      ],
    });
    expect(first).toEqual({
      what: "Find a new owner for `src/core.ts`",
      why: "100 % of its 812 lines were written by people who have committed nothing for half a year or longer; it changed 41 times since 2025-06-15. Ann wrote 94 %. Others who lately worked on it: Bea (6 commits), Cid (1 commit).",
      urgency: 94,
    });
  });

  it("say what to split, and into how deep a file one looks", () => {
    const companions = [{ path: "src/b.ts", times: 9, share: 0.6 }];
    const [first] = recommend({ ...nothing, spots: [spot({ heat: 100, busFactor: 2, lines: 2_140, maxDepth: 9, companions })] });
    expect(first?.what).toBe("Split `src/a.ts`");
    expect(first?.why).toBe(
      "2,140 lines, nested up to 9 levels deep; it changed 10 times since 2025-06-15. `src/b.ts` changed along in 60 % of the commits.",
    );
  });

  it("put files that one person knows into one", () => {
    const spots = ["a", "b", "c", "d", "e"].map((path, index) => spot({ path, heat: 50 - index }));
    const found = recommend({ ...nothing, spots });
    expect(found).toHaveLength(1);
    expect(found[0]?.what).toBe("Bring a second person into 5 hot spots that one person knows, `a` first");
    expect(found[0]?.why).toContain("Then `b` (Bea wrote 60 %), `c` (Bea wrote 60 %), `d` (Bea wrote 60 %).");
    expect(recommend({ ...nothing, spots: spots.slice(0, 1) })[0]?.what).toBe("Bring a second person into `a`");
  });

  it("tell of a hidden tie once, and not of a file and its test", () => {
    const tie = (path: string) => [{ path, times: 8, share: 0.8 }];
    const spots = [
      spot({ path: "x/a.ts", busFactor: 2, companions: tie("y/b.ts") }),
      spot({ path: "y/b.ts", busFactor: 2, companions: tie("x/a.ts") }),
      spot({ path: "src/c.ts", busFactor: 2, companions: tie("test/c.test.ts") }),
      spot({ path: "lib/d.py", busFactor: 2, companions: tie("tests/test_d.py") }),
    ];
    expect(recommend({ ...nothing, spots }).map(({ what }) => what)).toEqual(["Look at what ties `x/a.ts` to `y/b.ts`"]);
  });

  it("think of people, of branches and of what is missing", () => {
    const branch = { author: "Cid", lastCommit: daysAgo(200), merged: false };
    const found = recommend({
      origin: { ...origin, shallow: true },
      history: history({
        busFactor: 1,
        files: { known: 10, ignored: 0, orphaned: 4 },
        orphans: [
          { path: "old.ts", owner: "Ann", share: 1, ownerLastSeen: daysAgo(400), recentChanges: 2 },
          { path: "still.ts", owner: "Ann", share: 1, ownerLastSeen: daysAgo(400), recentChanges: 0 },
        ],
      }),
      spots: [],
      branches: branches({
        stale: 3,
        staleMerged: 2,
        oldest: [
          { ...branch, name: "uncounted", ahead: null, behind: null },
          { ...branch, name: "topic", ahead: 43, behind: 300 },
        ],
      }),
      successors: [],
    });
    expect(found.map(({ what }) => what)).toEqual([
      "Fetch the whole history (`git fetch --unshallow`) and measure again",
      "Spread what Bea knows",
      "Name owners for files that outlived their authors",
      "Decide on the branch `topic`",
      "Decide on the branch `uncounted`",
      "Delete 2 merged branches",
    ]);
    expect(found[2]?.why).toBe("People who have gone are the main authors of 4 files (40 %). Others still change `old.ts` (Ann).");
    expect(found[3]?.why).toContain("43 commits not merged, 300 behind");
  });

  it("do not ask the only person to share with nobody", () => {
    const alone = history({ people: 1, busFactor: 1 });
    expect(recommend({ ...nothing, history: alone, spots: [spot()] }).map(({ what }) => what)).toEqual(["Find a second maintainer"]);
  });

  it("do not ask to learn from somebody who has gone", () => {
    const gary = { name: "Gary", commits: 5, files: 6, lastCommit: Date.parse("2020-05-01") };
    const gone = { busFactor: 1, contributors: [gary], files: { known: 6, ignored: 0, orphaned: 6 } };
    expect(recommend({ ...nothing, history: history(gone) })).toEqual([
      {
        what: "Find owners for what Gary knew",
        why: "Gary is the main author of 6 of 6 files, and has committed nothing since 2020-05-01: what Gary knew has no owner now.",
        urgency: 55,
      },
    ]);
    expect(recommend({ ...nothing, history: history({ ...gone, people: 1, active: [] }) })).toMatchObject([
      {
        what: "Find a new maintainer",
        why: "Everything was written by Gary, the main author of 6 of 6 files, who has committed nothing since 2020-05-01: it has no owner now.",
      },
    ]);
  });

  it("are eight at most", () => {
    const open = Array.from({ length: 9 }, (_, index) => ({
      name: `b${index}`,
      author: "Ann",
      lastCommit: daysAgo(100),
      merged: false,
      ahead: 1,
      behind: 1,
    }));
    const spots = Array.from({ length: 9 }, (_, index) => spot({ path: `f${index}`, lost: index % 2, heat: 60, lines: 600 }));
    expect(
      recommend({ ...nothing, history: history({ busFactor: 1 }), spots, branches: branches({ oldest: open, stale: 9 }) }),
    ).toHaveLength(8);
  });
});

describe("the report", () => {
  const input = {
    origin,
    history: history(),
    spots: [spot()],
    branches: branches(),
    successors: [],
    health: { score: 66, verdict: "needs attention", signals: [{ name: "Bus factor", finding: "Few.", lost: 12, of: 20 }] },
    recommendations: [],
    unmeasured: [],
    errors: [],
  } as const;

  it("has every section, and no empty one", () => {
    const headings = [...fullReport(input).matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
    expect(headings).toEqual([
      "What to do first",
      "Score",
      "Hot spots",
      "Who knows what",
      "Churn",
      "Knowledge loss",
      "Branches",
      "How this was measured",
    ]);
  });

  it("says so when its numbers are partial, and what went wrong", () => {
    const error = {
      when: 0,
      scope: "node",
      node: "file",
      step: 3,
      error: { name: "GitError", message: "git blame | failed" },
      tags: [],
      context: {},
    } as const;
    const text = fullReport({
      ...input,
      origin: { ...origin, shallow: true },
      unmeasured: [{ path: "x\ny", reason: "odd <b>" }],
      errors: [error],
    });
    expect(text).toContain(
      "> **Partial numbers.** This is a shallow clone: only the newest 100 commits can be seen. Run `git fetch --unshallow`",
    );
    expect(text).toContain("- `x\\ny` could not be looked into: odd &#60;b&#62;");
    expect(text).toContain("## Problems while measuring\n\n- `file`: git blame &#124; failed");
  });

  it("speaks of one hot spot as of one", () => {
    expect(fullReport(input)).toContain("This one takes 40 % of all changes of files.");
    expect(fullReport({ ...input, spots: [spot(), spot({ path: "b" })] })).toContain("These 2 take 40 % of all changes of files.");
  });

  it("claims nothing when nothing could be measured", () => {
    const unknown = history({ busFactor: null, files: { known: 0, ignored: 0, orphaned: 0 }, contributors: [] });
    const text = fullReport({ ...input, history: unknown, spots: [], health: { score: null, verdict: "not measurable", signals: [] } });
    expect(text).toContain("**Not measurable:**");
    expect(text).toContain("No text file has changed.");
    expect(text).not.toMatch(/NaN|undefined|Infinity/);
  });

  it("of an empty repository says what is missing", () => {
    expect(emptyReport({ ...origin, commit: null })).toBe(
      "# Repository health: r\n\nThere is no commit on `main` yet: nothing to measure. Commit something, or name a branch that has commits as `revision`.\n",
    );
  });
});
