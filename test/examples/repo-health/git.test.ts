/** Commands of the real git: what they give, how they fail, and that none outlives its reader. */
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { readBlame, blameArguments } from "../../../examples/repo-health/git/blame.ts";
import { GitError, errorOf, mayPass } from "../../../examples/repo-health/git/git-error.ts";
import { openGit } from "../../../examples/repo-health/git/git.ts";
import { identify } from "../../../examples/repo-health/git/identify.ts";
import { logArguments } from "../../../examples/repo-health/git/log.ts";
import { readRefs, refArguments } from "../../../examples/repo-health/git/refs.ts";
import { readTree, treeArguments } from "../../../examples/repo-health/git/tree.ts";
import { collect, daysAgo, git as run, lines, makeRepository, program, signal, streamed, temporaryFolder, today } from "./repository.ts";

const git = openGit();

async function all(batches: AsyncIterable<readonly string[]>): Promise<readonly string[]> {
  return (await collect(batches)).flat();
}

describe("a command", () => {
  it("gives its pieces, the last one too when nothing ends it", async () => {
    const fake = openGit(await program(String.raw`printf 'a\0b b\0\0c'`));
    expect(await all(fake.pieces(".", [], { signal }))).toEqual(["a", "b b", "", "c"]);
  });

  it("gives characters whole that lie across two reads of the pipe", async () => {
    // Of two bytes each, after one byte: a read ends within one of them, wherever it ends.
    const text = `x${"ü".repeat(100_000)}`;
    const folder = await makeRepository([{ write: { "a.txt": text } }]);
    expect(await git.text(folder, ["cat-file", "blob", "main:a.txt"], { signal })).toBe(text);
  });

  it("is told its arguments as they are, and no shell reads them", async () => {
    const fake = openGit(await program(String.raw`for argument; do printf '%s\0' "$argument"; done`));
    const given = ["log", "$(touch x); `y` *", 'a "b"', ""];
    expect((await all(fake.pieces("/a folder", given, { signal }))).slice(-4)).toEqual(given);
  });

  it("does not listen to the variables that git sets for its hooks", async () => {
    const folder = await makeRepository([{ write: { a: "1" } }]);
    vi.stubEnv("GIT_DIR", "/nowhere");
    vi.stubEnv("GIT_INDEX_FILE", "/nowhere/index");
    expect(await git.text(folder, ["rev-list", "--count", "main"], { signal })).toBe("1\n");
    vi.unstubAllEnvs();
  });

  it("ends when its reader leaves", async () => {
    const fake = openGit(await program("exec yes"));
    let read = 0;
    for await (const pieces of fake.pieces(".", [], { signal, separator: "\n" })) {
      read += pieces.length;
      break;
    }
    expect(read).toBeGreaterThan(0);
  });

  it("writes no further than it is read", async () => {
    const fake = openGit(await program("exec yes"));
    const batches = fake.pieces(".", [], { signal, separator: "\n" });
    const first = await batches.next();
    // A batch is what one read of the pipe brings, however much there is to come.
    expect(first.value.length).toBeLessThanOrEqual(65_536 / 2);
    await batches.return(undefined);
  });

  it("ends when its signal aborts, with the signal's reason", async () => {
    const fake = openGit(await program("echo begun; exec sleep 600"));
    const controller = new AbortController();
    const batches = fake.pieces(".", [], { signal: controller.signal, separator: "\n" });
    expect((await batches.next()).value).toEqual(["begun"]);
    const reason = new Error("enough");
    controller.abort(reason);
    await expect(batches.next()).rejects.toBe(reason);
  });

  it("does not begin once its signal has aborted", async () => {
    const reason = new Error("too late");
    await expect(openGit("/no/such/git").text(".", [], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

describe("a failure says what to do", () => {
  const identified = (repository: string, revision = "HEAD") => identify(git, { repository, revision }, today, { signal });

  it("when git is missing", async () => {
    const failure = openGit("/no/such/git").text(".", ["log"], { signal });
    await expect(failure).rejects.toMatchObject({ name: "GitError", code: "git_missing", message: expect.stringContaining("Install git") });
  });

  it("when git cannot be started for another reason", async () => {
    const path = join(await temporaryFolder(), "git");
    await writeFile(path, "no program");
    const failure = openGit(path).text(".", ["log"], { signal });
    await expect(failure).rejects.toMatchObject({ code: "command_failed", message: expect.stringContaining("EACCES") });
  });

  it("when the folder is in no repository", async () => {
    const folder = await temporaryFolder();
    const failure = identified(folder);
    await expect(failure).rejects.toMatchObject({
      code: "not_a_repository",
      message: expect.stringMatching(/not in a git repository.*--input/),
    });
    await expect(failure).rejects.toThrow(folder);
  });

  it("when there is a repository that git cannot read", async () => {
    const folder = await makeRepository([{ write: { "a/b.txt": "1" } }]);
    await run(folder, "reset", "--hard", "--quiet");
    // To git the same as a folder that may not be entered, which nothing is for root.
    await rm(join(folder, ".git/objects"), { recursive: true });
    const message = expect.stringMatching(/\.git is there, but git cannot read it.*may not.*damaged/);
    await expect(identified(join(folder, "a"))).rejects.toMatchObject({ code: "unreadable", message });
    await expect(identified(folder)).rejects.toThrow(join(folder, ".git"));
  });

  it("when there is no such folder, or it is a file", async () => {
    await expect(identified("/no/such/folder")).rejects.toMatchObject({ code: "no_such_folder" });
    await expect(identified(import.meta.filename)).rejects.toMatchObject({ code: "no_such_folder" });
  });

  it("when the revision is none, also one that looks like an option", async () => {
    const folder = await makeRepository([{ write: { a: "1" } }]);
    await expect(identified(folder, "nope")).rejects.toMatchObject({
      code: "unknown_revision",
      message: expect.stringContaining('"nope"'),
    });
    await expect(identified(folder, "--all")).rejects.toMatchObject({ code: "unknown_revision" });
  });

  it("when the commit is damaged", async () => {
    const folder = await makeRepository([{ write: { a: "1" } }]);
    await writeFile(join(folder, ".git/refs/heads/main"), `${"1".repeat(40)}\n`);
    await expect(identified(folder)).rejects.toMatchObject({ code: "command_failed", message: expect.stringContaining("git fsck") });
  });

  it("when the folder belongs to somebody else", () => {
    const stderr = "fatal: detected dubious ownership in repository at '/r'\n";
    const error = errorOf({ folder: "/r", command: "log", code: 128, stderr });
    expect(error).toMatchObject({ code: "not_trusted", message: expect.stringContaining("git config --global --add safe.directory '/r'") });
  });

  it("with git's own last words for anything else", async () => {
    const fake = openGit(await program("echo warning: x >&2; echo fatal: the object is odd >&2; exit 128"));
    const message = "git log ended with exit code 128 in .: fatal: the object is odd";
    await expect(fake.text(".", ["log"], { signal })).rejects.toMatchObject({ code: "command_failed", message });
  });

  it("with what to do when an object is missing or damaged", async () => {
    const folder = await makeRepository([{ write: { a: "1" } }, { write: { a: "2" } }]);
    const object = await run(folder, "rev-parse", "main~1:a");
    await rm(join(folder, ".git/objects", object.slice(0, 2), object.slice(2)));
    const failure = all(git.pieces(folder, logArguments("main"), { signal }));
    await expect(failure).rejects.toMatchObject({
      code: "command_failed",
      message: expect.stringContaining(`${object}. See what git fsck says`),
    });
  });

  it("when it was killed", async () => {
    const fake = openGit(await program("kill -9 $$"));
    await expect(fake.text(".", ["log"], { signal })).rejects.toThrow("git log was killed in .");
  });

  it("and only what may pass is tried again", () => {
    expect(mayPass(new GitError("command_failed", "x"))).toBe(true);
    expect(mayPass(new Error("anything else"))).toBe(false);
    expect(mayPass(new GitError("not_a_repository", "x"))).toBe(false);
    expect(mayPass(new GitError("git_missing", "x"))).toBe(false);
  });
});

describe("a repository is identified", () => {
  const identified = (repository: string, revision = "HEAD") => identify(git, { repository, revision }, today, { signal });

  it("from any folder in it", async () => {
    const folder = await makeRepository([{ write: { "a/b.txt": "1" } }]);
    await run(folder, "reset", "--hard", "--quiet");
    const commit = await run(folder, "rev-parse", "HEAD");
    const origin = await identified(join(folder, "a"));
    expect(origin).toEqual({
      root: folder,
      name: folder.split("/").at(-1),
      commit,
      branch: "main",
      shallow: false,
      commits: 1,
      measuredAt: today,
    });
  });

  it("when it is empty", async () => {
    const folder = await makeRepository([]);
    expect(await identified(folder)).toMatchObject({ commit: null, branch: "main", commits: 0 });
  });

  it("when HEAD is detached", async () => {
    const folder = await makeRepository([{ write: { a: "1" } }, { write: { a: "2" } }]);
    await run(folder, "checkout", "--quiet", "--detach", "main~1");
    expect(await identified(folder)).toMatchObject({ branch: null, commits: 1 });
  });

  it("when it is bare", async () => {
    const folder = await makeRepository([{ write: { a: "1" } }]);
    const bare = join(await temporaryFolder(), "project.git");
    await run(folder, "clone", "--quiet", "--bare", folder, bare);
    expect(await identified(bare)).toMatchObject({ root: bare, name: "project", branch: "main", commits: 1 });
  });

  it("when it is a shallow clone", async () => {
    const folder = await makeRepository([{ write: { a: "1" } }, { write: { a: "2" } }, { write: { a: "3" } }]);
    const shallow = join(await temporaryFolder(), "clone");
    await run(folder, "clone", "--quiet", "--depth=2", `file://${folder}`, shallow);
    expect(await identified(shallow)).toMatchObject({ shallow: true, commits: 2, name: "clone" });
  });

  it("by a branch, a tag or a commit", async () => {
    const folder = await makeRepository([
      { write: { a: "1" } },
      { write: { a: "2" } },
      { branch: "other", from: "main", write: { a: "3" } },
    ]);
    await run(folder, "tag", "v1", "main~1");
    expect(await identified(folder, "other")).toMatchObject({ branch: "other", commits: 3 });
    expect(await identified(folder, "v1")).toMatchObject({ commits: 1 });
    expect(await identified(folder, await run(folder, "rev-parse", "main"))).toMatchObject({ branch: null, commits: 2 });
  });
});

describe("files, lines and branches are read", () => {
  it("with any name and their sizes; links and submodules are told apart", async () => {
    const names = ["a b.txt", "grün/ß.ts", 'say "hi".md', "two\nlines", ":(glob)*.c", "tab\there"];
    const folder = await makeRepository([{ write: Object.fromEntries(names.map((name) => [name, "four"])) }]);
    const tree = await readTree(git.pieces(folder, treeArguments("main"), { signal }));
    expect([...tree.keys()].toSorted()).toEqual(names.toSorted());
    expect([...tree.values()].every(({ bytes, regular }) => bytes === 4 && regular)).toBe(true);
    const link = ["120000 blob 1234abcd       3\tlink", "160000 commit 1234abcd       -\tmodule"];
    expect(Object.fromEntries(await readTree(streamed([link])))).toEqual({
      link: { object: "1234abcd", bytes: 3, regular: false },
      module: { object: "1234abcd", bytes: 0, regular: false },
    });
  });

  it("with the author of each line, as .mailmap has it", async () => {
    const first = lines(6, "a");
    const folder = await makeRepository([
      { author: "ann at home", write: { 'odd "name"\n.txt': first, ".mailmap": "Ann <ann@example.org> <ann.at.home@example.org>\n" } },
      { author: "Bea", write: { 'odd "name"\n.txt': `${first}${lines(3, "b")}` } },
    ]);
    await run(folder, "reset", "--hard", "--quiet");
    const output = git.pieces(folder, blameArguments("main", 'odd "name"\n.txt'), { signal, separator: "\n" });
    expect(Object.fromEntries(await readBlame(output, false))).toEqual({ Ann: 6, Bea: 3 });
  });

  it("without lines from before a shallow clone", async () => {
    const folder = await makeRepository([
      { author: "Ann", write: { a: lines(5) } },
      { author: "Bea", write: { a: `${lines(5)}more\n` } },
      { author: "Cid", write: { a: `${lines(5)}more\nand more\n` } },
    ]);
    const shallow = join(await temporaryFolder(), "clone");
    await run(folder, "clone", "--quiet", "--depth=2", `file://${folder}`, shallow);
    const output = git.pieces(shallow, blameArguments("HEAD", "a"), { signal, separator: "\n" });
    expect(Object.fromEntries(await readBlame(output, true))).toEqual({ Cid: 1 });
  });

  it("with one entry for a branch and its remote copies, oldest first", async () => {
    const folder = await makeRepository([
      { at: daysAgo(9), write: { a: "1" } },
      { at: daysAgo(200), branch: "old", from: "main", author: "Bea", write: { a: "2" } },
    ]);
    const clone = join(await temporaryFolder(), "clone");
    await run(folder, "clone", "--quiet", folder, clone);
    const refs = readRefs(await git.text(clone, refArguments(), { signal }));
    expect(refs.map(({ name, ref, author }) => ({ name, ref, author }))).toEqual([
      { name: "old", ref: "refs/remotes/origin/old", author: "Bea" },
      { name: "main", ref: "refs/heads/main", author: "Ann" },
    ]);
    expect(refs[0]?.lastCommit).toBe(daysAgo(200));
  });

  it("with those in use: a remote's default branch under any local name, and what a worktree has checked out", async () => {
    const folder = await makeRepository([
      { branch: "production", write: { a: "1" } },
      ...["feature", "wanted", "idle"].map((branch) => ({ branch, from: "production" })),
    ]);
    await run(folder, "symbolic-ref", "HEAD", "refs/heads/production");
    const inUse = async (where: string) =>
      readRefs(await git.text(where, refArguments(), { signal })).flatMap((ref) => (ref.inUse ? [ref.name] : []));
    const bare = join(await temporaryFolder(), "bare.git");
    await run(folder, "clone", "--quiet", "--bare", folder, bare);
    expect(await inUse(bare)).toEqual(["production"]);

    const clone = join(await temporaryFolder(), "clone");
    await run(folder, "clone", "--quiet", "--branch=feature", folder, clone);
    await run(clone, "branch", "--quiet", "--track", "live", "origin/production");
    await run(clone, "worktree", "add", "--quiet", join(await temporaryFolder(), "tree"), "wanted");
    expect(await inUse(clone)).toEqual(["feature", "live", "production", "wanted"]);
  });
});
