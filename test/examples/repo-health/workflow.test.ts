/** The whole workflow, through a runner, on real repositories. */
import { execFileSync } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { openGit } from "../../../examples/repo-health/git/git.ts";
import { repoHealth } from "../../../examples/repo-health/repo-health.ts";
import { manualClock } from "../../../src/testing/manual-clock.ts";
import { daysAgo, git as run, lines, makeRepository, program, type Step, temporaryFolder } from "./repository.ts";
import { gitBehind, inputFor, measure, runnerWith } from "./run.ts";

const nested = (count: number): string =>
  Array.from({ length: count }, (_, index) => `${"  ".repeat(index % 10)}call(${index});\n`).join("");

/** A small team: Ann has gone, Bea and Cid are there; one file is renamed, one binary, one noise, one has an odd name. */
const team: readonly Step[] = [
  { author: "Ann", at: daysAgo(500), write: { "src/old name.ts": nested(600), "src/util.ts": lines(40), "package-lock.json": lines(900) } },
  { author: "Ann", at: daysAgo(450), rename: [["src/old name.ts", "src/engine.ts"]], write: { "logo.png": Buffer.from([137, 0, 1, 2]) } },
  { author: "Bea", at: daysAgo(400), branch: "old/idea", from: "main", write: { "idea.ts": "1\n" } },
  ...[90, 80, 70, 60].map((days): Step => ({
    author: "Bea",
    at: daysAgo(days),
    write: {
      "src/engine.ts": `${nested(600)}bea ${days}\n`,
      "test/rules.ts": lines(30, `${days}`),
      "package-lock.json": lines(900, `${days}`),
    },
  })),
  { author: "Cid", at: daysAgo(30), write: { 'docs/say "hi" | ü\n.md': lines(20), "logo.png": Buffer.from([137, 0, 3]) } },
  { author: "renovate[bot]", at: daysAgo(20), write: { "package.json": "{}\n" } },
  { author: "Cid", at: daysAgo(11), branch: "topic", from: "main", write: { "topic.ts": lines(3) } },
  { author: "Bea", at: daysAgo(10), merge: "topic", write: { "topic.ts": lines(3) } },
];

describe("a repository with a history", () => {
  it("is measured from its commits to the report", async () => {
    const { state, ran, report } = await measure(await makeRepository(team));
    expect(ran.filter((name) => name !== "file")).toEqual(["open", "history", "branches", "rank", "assess", "successors", "report"]);
    expect(ran.filter((name) => name === "file")).toHaveLength(state.hotSpots.length);
    expect(state.origin).toMatchObject({ branch: "main", shallow: false, commits: 10 });
    expect(state.history).toMatchObject({
      people: 3,
      merges: 1,
      active: expect.arrayContaining(["Bea", "Cid"]),
      files: { ignored: 1, orphaned: 3 },
    });
    const [first] = state.hotSpots;
    expect(first).toMatchObject({
      path: "src/engine.ts",
      formerPaths: ["src/old name.ts"],
      recentChanges: 4,
      changes: 6,
      lines: 601,
      maxDepth: 9,
    });
    expect(first?.lost).toBeCloseTo(600 / 601, 2);
    expect(first?.owners.map(({ name }) => name)).toEqual(["Ann", "Bea"]);
    expect(first?.companions).toEqual([{ path: "test/rules.ts", times: 4, share: 1 }]);
    expect(state.hotSpots.map(({ path }) => path)).toContain('docs/say "hi" | ü\n.md');
    expect(state.hotSpots.map(({ path }) => path)).not.toContain("logo.png");
    expect(state.branches).toMatchObject({
      total: 3,
      stale: 1,
      staleMerged: 0,
      oldest: [{ name: "old/idea", ahead: 1, behind: 8, merged: false }],
    });
    expect(state.successors[0]).toEqual({ path: "src/engine.ts", where: "file", people: [{ name: "Bea", commits: 4 }] });
    expect(state.measured).toEqual([]);
    expect(report).toMatch(/^# Repository health: /);
    await expect(report.replaceAll(state.origin?.name ?? "", "team")).toMatchFileSnapshot("team-report.txt");
  });

  it("gives the same numbers again, whatever the order in which the files were done", async () => {
    const folder = await makeRepository(team);
    const [first, second] = [await measure(folder), await measure(folder)];
    expect(second.state.hotSpots).toEqual(first.state.hotSpots);
    expect(second.report).toBe(first.report);
  });

  it("tells how far it is", async () => {
    const { events, state } = await measure(await makeRepository(team));
    const progress = events.flatMap((event) => (event.type === "progress" ? [event.data] : []));
    expect(progress.filter(({ stage }) => stage === "history").at(-1)).toEqual({ stage: "history", done: 10, total: 10 });
    const measured = events.flatMap((event) => (event.type === "measured" ? [event.data] : []));
    expect(measured.map(({ file }) => file).toSorted()).toEqual(state.hotSpots.map(({ path }) => path).toSorted());
    expect(measured.every(({ of }) => of === measured.length)).toBe(true);
  });

  it("asks for successors only when the score is bad", async () => {
    const healthy = await makeRepository(
      ["Ann", "Bea", "Cid", "Dan", "Eve", "Fay", "Gus"].flatMap((author, index): readonly Step[] => [
        { author, at: daysAgo(20 + index), write: { [`${author}.ts`]: lines(10) } },
        { author: `${author} Two`, at: daysAgo(10), write: { [`${author}.ts`]: `${lines(10)}${lines(10, "two")}` } },
      ]),
    );
    const { state, ran } = await measure(healthy);
    expect(state.health).toMatchObject({ verdict: "healthy" });
    expect(ran).not.toContain("successors");
    expect(ran.at(-1)).toBe("report");
  });

  it("takes what the input says: how many files, what is noise, which revision", async () => {
    const folder = await makeRepository(team);
    const few = await measure(folder, { files: 1, ignore: ["src/"] });
    expect(few.state.hotSpots.map(({ path }) => path)).toEqual(["test/rules.ts"]);
    expect(few.state.history?.files.ignored).toBe(3);
    const old = await measure(folder, { revision: "old/idea" });
    expect(old.state.origin).toMatchObject({ branch: "old/idea", commits: 3 });
  });

  it("is left as it was", async () => {
    const folder = await makeRepository(team);
    const before = [await run(folder, "show-ref"), await run(folder, "status", "--porcelain"), await readdir(join(folder, ".git"))];
    await measure(folder);
    expect([await run(folder, "show-ref"), await run(folder, "status", "--porcelain"), await readdir(join(folder, ".git"))]).toEqual(
      before,
    );
  });
});

describe("an unusual repository", () => {
  it("without a commit ends with a report that says so", async () => {
    const { state, ran, report } = await measure(await makeRepository([]));
    expect(ran).toEqual(["open", "report"]);
    expect(state.health).toBeUndefined();
    expect(report).toContain("There is no commit on `main` yet");
  });

  it("that is a shallow clone is measured, and its numbers are called partial", async () => {
    const shallow = join(await temporaryFolder(), "clone");
    await run(".", "clone", "--quiet", "--depth=4", `file://${await makeRepository(team)}`, shallow);
    const { state, report } = await measure(shallow);
    expect(state.origin).toMatchObject({ shallow: true });
    expect(state.errors.map(({ tags }) => tags)).toEqual([["partial"]]);
    expect(report).toContain("> **Partial numbers.**");
    expect(report).toContain("1. **Fetch the whole history (`git fetch --unshallow`) and measure again.**");
    // What was there when the history was cut off is nobody's work.
    expect(state.hotSpots.map(({ path }) => path)).not.toContain("src/engine.ts");
  });

  it("that is a shallow clone has no changes in the month in which it was cut off", async () => {
    const shallow = join(await temporaryFolder(), "clone");
    const steps = [100, 70, 10].map((days): Step => ({ at: daysAgo(days), write: { "a.ts": lines(days) } }));
    await run(".", "clone", "--quiet", "--depth=2", `file://${await makeRepository(steps)}`, shallow);
    const { state } = await measure(shallow);
    expect(state.hotSpots).toMatchObject([{ path: "a.ts", changes: 1, months: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1] }]);
  });

  it("of which only the newest commit is there has nothing to measure", async () => {
    const shallow = join(await temporaryFolder(), "clone");
    await run(".", "clone", "--quiet", "--depth=1", `file://${await makeRepository(team)}`, shallow);
    const { state, ran, report } = await measure(shallow);
    expect(state.health).toEqual({ score: null, verdict: "not measurable", signals: [] });
    // No file to look into: the reduce runs all the same.
    expect(ran).toEqual(["open", "history", "branches", "rank", "assess", "successors", "report"]);
    expect(report).toContain("**Not measurable:**");
  });

  it("that is bare, or whose HEAD is detached, or that has but one commit", async () => {
    const folder = await makeRepository(team);
    const bare = join(await temporaryFolder(), "team.git");
    await run(folder, "clone", "--quiet", "--bare", folder, bare);
    const whole = await measure(folder);
    const { state } = await measure(bare);
    expect(state.origin).toMatchObject({ root: bare, name: "team" });
    expect(state.hotSpots).toEqual(whole.state.hotSpots);

    await run(folder, "checkout", "--quiet", "--detach", "main~3");
    expect((await measure(folder)).report).toContain("no branch at `");

    const one = await measure(await makeRepository([{ author: "Ann", at: daysAgo(1), write: { "a.ts": lines(3) } }]));
    expect(one.state.hotSpots).toMatchObject([{ path: "a.ts", busFactor: 1 }]);
    expect(one.report).toContain("**Find a second maintainer.**");
  });

  it("with a name that is no UTF-8 loses that file alone", async () => {
    const more = 'M 100644 inline "caf\\351.txt"\ndata 2\na\n\n';
    const { state, report } = await measure(await makeRepository([{ at: daysAgo(3), write: { "a.ts": lines(3) }, more }]));
    expect(state.hotSpots.map(({ path }) => path)).toEqual(["a.ts"]);
    expect(state.unmeasured).toMatchObject([{ path: "caf\ufffd.txt" }]);
    expect(report).toContain("`caf\ufffd.txt` could not be looked into");
  });

  it("counts the changes of links and submodules, and looks into none of them", async () => {
    const more = (content: string) => `M 120000 inline link\ndata 1\n${content}\nM 160000 ${content.repeat(40)} module\n`;
    const folder = await makeRepository([
      { at: daysAgo(9), write: { "a.ts": lines(3), "b.bin": Buffer.from([0, 1]) }, more: more("a") },
      { at: daysAgo(8), more: more("b") },
    ]);
    const { state, report } = await measure(folder);
    expect(state.hotSpots.map(({ path }) => path)).toEqual(["a.ts"]);
    expect(state.history).toMatchObject({ changes: { all: 6, hot: 1 }, files: { known: 4, ignored: 0 } });
    expect(report).toContain("This one takes 17 % of all changes of files.");
  });

  it("whose default branch is old, and another branch is checked out, is told to delete neither", async () => {
    const folder = await makeRepository([
      { at: daysAgo(200), branch: "production", write: { a: "1" } },
      { at: daysAgo(150), branch: "beside", from: "production", write: { a: "2" } },
      { at: daysAgo(10), branch: "feature", from: "beside", write: { a: "3" } },
    ]);
    await run(folder, "symbolic-ref", "HEAD", "refs/heads/production");
    const clone = join(await temporaryFolder(), "clone");
    await run(folder, "clone", "--quiet", folder, clone);
    await run(clone, "worktree", "add", "--quiet", join(await temporaryFolder(), "tree"), "beside");
    await run(clone, "checkout", "--quiet", "feature");
    const { state, report } = await measure(clone);
    expect(state.branches).toEqual({ total: 3, stale: 0, staleMerged: 0, oldest: [] });
    expect(report).not.toContain("can go");
  });

  it("of binary files alone has no hot spot", async () => {
    const { state, report } = await measure(await makeRepository([{ at: daysAgo(3), write: { "a.png": Buffer.from([0, 1]) } }]));
    expect(state.hotSpots).toEqual([]);
    expect(report).toContain("No text file has changed.");
  });

  it("that nobody has touched for years is measured over its whole history", async () => {
    const { state, report } = await measure(await makeRepository([{ at: daysAgo(2_000), write: { "a.ts": lines(9) } }]));
    expect(state.history?.since).toBeNull();
    expect(state.hotSpots).toMatchObject([{ path: "a.ts", lost: 1, added: 9 }]);
    expect(report).toContain("in the whole history, as nothing changed lately");
  });
});

describe("what is no repository fails the run with a sentence", () => {
  it("when the folder is in none", async () => {
    const folder = await temporaryFolder();
    const failed = measure(folder);
    await expect(failed).rejects.toMatchObject({
      code: "scheduler",
      cause: { code: "not_a_repository", message: expect.stringContaining(folder) },
    });
  });

  it("when git is missing", async () => {
    const failed = measure(".", {}, openGit("/no/such/git"));
    await expect(failed).rejects.toMatchObject({ cause: { code: "git_missing", message: expect.stringContaining("Install git") } });
  });

  it("and is not tried again", async () => {
    const stream = runnerWith().stream(await inputFor(await temporaryFolder()));
    const attempts: (number | undefined)[] = [];
    for await (const event of stream) if (event.type === "node.failed") attempts.push(event.attempt);
    await expect(stream.result).rejects.toMatchObject({ code: "scheduler" });
    expect(attempts).toEqual([1]);
  });

  it.each([{ files: 0 }, { files: 1.5 }, { months: -1 }, { asOf: "someday" }, { repository: " " }, { reportPath: "" }, { ignore: [""] }])(
    "when the input is %j",
    async (more) => {
      await expect(runnerWith().invoke(await inputFor(".", more))).rejects.toMatchObject({ code: "invalid_input" });
    },
  );

  it("when the noise is not given as texts", async () => {
    // The compiler refuses it; an input from the command line is whatever somebody wrote.
    const ignore: readonly string[] = JSON.parse("[1]");
    const refused = runnerWith().invoke(await inputFor(".", { ignore }));
    await expect(refused).rejects.toMatchObject({ code: "invalid_input", message: expect.stringContaining("ignore") });
  });
});

describe("trouble on the way", () => {
  it("that passes is tried again", async () => {
    const mark = join(await temporaryFolder(), "failed once");
    const git = await gitBehind(
      `case "$*" in *ls-tree*) [ -e '${mark}' ] || { touch '${mark}'; echo fatal: repacking >&2; exit 128; };; esac`,
    );
    const { state, events } = await measure(await makeRepository(team), {}, git);
    expect(events.flatMap((event) => (event.type === "node.retrying" ? [event.node] : []))).toEqual(["history"]);
    expect(state.health?.score).toEqual(expect.any(Number));
  });

  it("with one file costs that file alone, and is told", async () => {
    const git = await gitBehind(`case "$*" in *blame*engine.ts) echo fatal: the blob is odd >&2; exit 128;; esac`);
    const { state, ran, report } = await measure(await makeRepository(team), {}, git);
    expect(ran.filter((name) => name === "unmeasured" || name === "rank")).toEqual(["unmeasured", "rank"]);
    expect(state.unmeasured).toMatchObject([{ path: "src/engine.ts", reason: expect.stringContaining("the blob is odd") }]);
    expect(state.hotSpots.map(({ path }) => path)).toContain("test/rules.ts");
    expect(report).toContain("- `src/engine.ts` could not be looked into:");
    expect(report).toContain("## Problems while measuring");
  });

  it("with every file leaves the rest of the report", async () => {
    const git = await gitBehind(`case "$*" in *blame*) echo fatal: no blame today >&2; exit 128;; esac`);
    const { state, report } = await measure(await makeRepository(team), {}, git);
    expect([state.hotSpots.length, state.unmeasured.length > 3]).toEqual([0, true]);
    expect(report).toContain("## Churn");
  });

  it("with a branch is told, and the branch listed without its distance", async () => {
    const git = await gitBehind(`case "$*" in *--left-right*) echo fatal: bad ref >&2; exit 128;; esac`);
    const { state } = await measure(await makeRepository(team), {}, git);
    expect(state.branches?.oldest).toMatchObject([{ name: "old/idea", ahead: null, behind: null }]);
    expect(state.errors).toMatchObject([{ node: "branches", tags: ["branch"], context: { ref: "refs/heads/old/idea" } }]);
  });

  it("with the folder of the report fails, and leaves nothing half-written", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "file"), "");
    const failed = measure(await makeRepository([]), { reportPath: join(folder, "file", "more", "report.md") });
    const message = expect.stringMatching(/cannot be written to .*report\.md: EEXIST.* Give another "reportPath"/);
    await expect(failed).rejects.toMatchObject({ code: "scheduler", cause: { message } });
    expect(await readdir(folder)).toEqual(["file"]);
  });

  it("with a report that is to be where a folder or a device is fails, and leaves both as they were", async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, "inner"));
    execFileSync("mkfifo", [join(folder, "pipe")]);
    const measured = await makeRepository([]);
    for (const name of ["inner", "pipe"]) {
      const message = expect.stringContaining(`${name}: it is a folder or a device. Give another "reportPath"`);
      await expect(measure(measured, { reportPath: join(folder, name) })).rejects.toMatchObject({ cause: { message } });
    }
    const left = await readdir(folder, { withFileTypes: true });
    expect(left.map((entry) => [entry.name, entry.isDirectory(), entry.isFIFO()])).toEqual([
      ["inner", true, false],
      ["pipe", false, true],
    ]);
  });

  it.runIf(process.platform === "linux")("with a folder in which none can be made fails, and does not try for ever", async () => {
    const failed = measure(await makeRepository([]), { reportPath: "/proc/no/folder/report.md" });
    const message = expect.stringMatching(/^The report cannot be written to \/proc\/no\/folder\/report\.md: /);
    await expect(failed).rejects.toMatchObject({ code: "scheduler", cause: { message } });
  });

  it("does not leave drafts beside a report", async () => {
    const input = await inputFor(await makeRepository(team));
    const { state } = await runnerWith().invoke(input);
    expect(await readdir(dirname(state.report ?? ""))).toEqual(["health.md"]);
    expect(state.report).toBe(input.reportPath);
  });
});

/** Hangs in the log, after it has said so and which process it is. */
async function hangingGit(): Promise<{ readonly git: ReturnType<typeof openGit>; readonly processes: () => Promise<readonly number[]> }> {
  const file = join(await temporaryFolder(), "processes");
  await writeFile(file, "");
  const path = await program(`case "$*" in *numstat*) echo $$ >> '${file}'; exec tail -f /dev/null;; esac\nexec git "$@"`);
  const processes = async () => (await readFile(file, "utf8")).split("\n").filter(Boolean).map(Number);
  return { git: openGit(path), processes };
}

function isAlive(process_: number): boolean {
  try {
    return process.kill(process_, 0);
  } catch {
    return false;
  }
}

/** A hang here is a failure: the test's time ends it. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await nextTurn();
}

describe("a git that hangs", () => {
  it("ends with the run that is cancelled", async () => {
    const { git, processes } = await hangingGit();
    const stream = runnerWith({ services: { git } }).stream(await inputFor(await makeRepository(team)));
    await until(async () => (await processes()).length === 1);
    stream.cancel("no longer wanted");
    expect((await stream.result).status).toBe("cancelled");
    await until(async () => !(await processes()).some(isAlive));
  });

  it("is given up after its idle time", async () => {
    const { git, processes } = await hangingGit();
    const clock = manualClock();
    const stream = runnerWith({ services: { git }, clock }).stream(await inputFor(await makeRepository(team)));
    // The branches' time is not to run out: the clock stands until they are read.
    for await (const event of stream) if (event.type === "node.completed" && event.node === "branches") break;
    await until(async () => (await processes()).length === 1);
    await clock.advance(60_000);
    await expect(stream.result).rejects.toMatchObject({ code: "scheduler", cause: { code: "node_timeout" } });
    await until(async () => !(await processes()).some(isAlive));
  });
});

describe("the graph", () => {
  it("is drawn with what it may do", () => {
    const { nodes, edges, branches } = repoHealth.describe();
    expect(nodes.map(({ name }) => name)).toEqual([
      "open",
      "history",
      "branches",
      "file",
      "unmeasured",
      "rank",
      "assess",
      "successors",
      "report",
    ]);
    expect(nodes.find(({ name }) => name === "file")).toMatchObject({ input: true, onError: "unmeasured" });
    expect(nodes.find(({ name }) => name === "rank")).toMatchObject({ defer: true });
    expect(edges).toContainEqual({ from: ["rank", "branches"], to: "assess" });
    expect(branches).toEqual([{ from: "assess", labels: { healthy: ["report"], otherwise: ["successors"] } }]);
  });
});
