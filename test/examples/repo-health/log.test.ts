/** The history, from what the real git writes and from what it could write. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openGit } from "../../../examples/repo-health/git/git.ts";
import { type Commit, logArguments, readLog } from "../../../examples/repo-health/git/log.ts";
import { collect, daysAgo, git as run, lines, makeRepository, signal, type Step, streamed, today } from "./repository.ts";

const read = async (folder: string): Promise<readonly Commit[]> =>
  collect(readLog(openGit().pieces(folder, logArguments("main"), { signal })));

const readSteps = async (...steps: readonly Step[]): Promise<readonly Commit[]> => read(await makeRepository(steps));

describe("the real log", () => {
  it("gives commits newest first, with their authors, times and lines", async () => {
    const commits = await readSteps(
      { author: "Ann", at: daysAgo(2), write: { a: lines(3) } },
      { author: "Bea Ö.", at: daysAgo(1), write: { a: lines(2), b: lines(1) } },
    );
    expect(commits).toEqual([
      {
        time: daysAgo(1),
        author: "Bea Ö.",
        parents: 1,
        changes: [
          { path: "a", from: undefined, added: 0, deleted: 1 },
          { path: "b", from: undefined, added: 1, deleted: 0 },
        ],
      },
      { time: daysAgo(2), author: "Ann", parents: 0, changes: [{ path: "a", from: undefined, added: 3, deleted: 0 }] },
    ]);
  });

  it.each(["a b.txt", "grün/日本.ts", 'say "hi".md', "two\nlines\n", "\ttab", "\u0001begins like a commit", "-1", ":!x", "a\\b"])(
    "gives the name %j as it is, also when it is renamed to",
    async (name) => {
      const [renamed, written] = await readSteps({ write: { [name]: lines(9) } }, { rename: [[name, `new ${name}`]] });
      expect(written?.changes.map(({ path }) => path)).toEqual([name]);
      expect(renamed?.changes).toEqual([{ path: `new ${name}`, from: name, added: 0, deleted: 0 }]);
    },
  );

  it("says nothing of lines for a binary file", async () => {
    const [commit] = await readSteps({ write: { logo: Buffer.from([0, 1, 2, 0]) } });
    expect(commit?.changes).toEqual([{ path: "logo", from: undefined, added: undefined, deleted: undefined }]);
  });

  it("knows merges and empty commits, which change nothing", async () => {
    const commits = await readSteps(
      { at: daysAgo(4), write: { a: "1" } },
      { at: daysAgo(3), branch: "side", from: "main", write: { b: "1" } },
      { at: daysAgo(2) },
      { at: daysAgo(1), merge: "side", write: { b: "1" } },
    );
    expect(commits.map(({ parents, changes }) => [parents, changes.length])).toEqual([
      [2, 0],
      [1, 0],
      [1, 1],
      [0, 1],
    ]);
  });

  it("is not changed by the user's settings", async () => {
    const folder = await makeRepository([{ write: { ä: lines(9) } }, { rename: [["ä", "b"]] }]);
    const before = await read(folder);
    const settings = {
      "diff.renames": "false",
      "color.ui": "always",
      "core.quotePath": "true",
      "diff.external": "false",
      "log.date": "human",
    };
    for (const [key, value] of Object.entries(settings)) await run(folder, "config", key, value);
    expect(await read(folder)).toEqual(before);
  });
});

const name = fc.string({ unit: "binary", minLength: 1 }).filter((text) => !text.includes("\0") && !text.startsWith("\u0001"));
const amount = fc.option(fc.nat(), { nil: undefined });
const change = fc.record({ path: name, from: fc.option(name, { nil: undefined }), added: amount, deleted: amount });
const author = name.map((text) => text.replaceAll("\n", "").trim()).filter((text) => text !== "");
const commit: fc.Arbitrary<Commit> = fc.record({
  time: fc.nat().map((seconds) => seconds * 1_000),
  author,
  parents: fc.nat({ max: 3 }),
  changes: fc.array(change, { maxLength: 4 }),
});

/** A commit as git writes it, in pieces. */
function piecesOf({ time, author: by, parents, changes }: Commit): readonly string[] {
  const hashes = Array.from({ length: parents }, () => "0123456789").join(" ");
  const numstat = changes.flatMap(({ path, from, added, deleted }, index) => {
    const head = `${index === 0 ? "\n" : ""}${added ?? "-"}\t${deleted ?? "-"}\t`;
    return from === undefined ? [`${head}${path}`] : [head, from, path];
  });
  return [`\u0001${time / 1_000}`, by, hashes, ...numstat];
}

describe("any log", () => {
  it("is read the same however it is cut into batches", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(commit), fc.array(fc.nat({ max: 7 })), async (commits, cuts) => {
        const pieces = commits.flatMap(piecesOf);
        const batches: (readonly string[])[] = [];
        for (const cut of cuts) batches.push(pieces.splice(0, cut));
        batches.push(pieces);
        expect(await collect(readLog(streamed(batches)))).toEqual(commits);
      }),
    );
  });

  it("may be cut off, or hold what is not understood", async () => {
    expect(await collect(readLog(streamed([[]])))).toEqual([]);
    expect(await collect(readLog(streamed([["1\t2\tno commit yet", "\u00015"]])))).toEqual([
      { time: 5_000, author: "(no name)", parents: 0, changes: [] },
    ]);
    const [odd] = await collect(readLog(streamed([["\u00015", "Ann", "", "what?", "\n1\t2\ta"]])));
    expect(odd?.changes).toEqual([{ path: "a", from: undefined, added: 1, deleted: 2 }]);
  });

  it("is dated by nothing but its numbers", () => {
    expect(logArguments("abc", ["--no-merges"], ["x"]).slice(-4)).toEqual(["--no-merges", "abc", "--", "x"]);
    expect(today).toBe(1_781_524_800_000);
  });
});
