/** `--db`: where sessions are, and a file that cannot hold them. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { asks, cli, document, endings, makeFolder, steps } from "./child.ts";

test("elsewhere: every command finds it there, also by another way to its path, and says where", async () => {
  const cwd = makeFolder();
  const there = ["--db", "data/runs.db"];
  const begun = await cli(["run", asks, "--session", "demo", ...there], { cwd });
  expect(begun.code).toBe(3);
  expect(begun.stderr).toMatch(/^Answer them, and go on: spanloom resume demo --answers '.*' --db data\/runs\.db$/m);
  expect(existsSync(join(cwd, ".spanloom/sessions.db"))).toBe(false);
  expect((await cli(["show", "demo"], { cwd })).code).toBe(2);
  expect((await cli(["show", "demo", ...there], { cwd })).code).toBe(0);
  const { code } = await cli(["resume", "demo", "--db", join(cwd, "data/runs.db"), "--answers", '{"left":1}'], { cwd });
  expect(code).toBe(3);
});

test("none: in memory, which says that it ends, and nothing of it is kept", async () => {
  const cwd = makeFolder();
  const { code, stdout, stderr } = await cli(["run", asks, "--db", "none", "--json"], { cwd });
  expect(code).toBe(3);
  expect(document(stdout)).toMatchObject({ status: "paused" });
  expect(stderr).toMatch(/^The session was in memory only: it ends with this process\. Without --db none it is kept\.$/m);
  expect(readdirSync(join(cwd, ".spanloom"))).toEqual(["events", "traces"]);
  for (const command of [["sessions"], ["prune", "--keep", "1"], ["show", "x"], ["resume", "x"]]) {
    const refused = await cli([...command, "--db", "none"], { cwd });
    expect({ code: refused.code, stdout: refused.stdout }).toEqual({ code: 2, stdout: "" });
    expect(refused.stderr).toMatch(/^✗ With --db none no session is stored: .*\(nothing_stored\)\n$/);
  }
});

function newerThanThis(path: string): void {
  const database = new DatabaseSync(path);
  database.exec("PRAGMA user_version = 99");
  database.close();
}

function anotherProgramsOwn(path: string): void {
  const database = new DatabaseSync(path);
  database.exec("CREATE TABLE books (title TEXT)");
  database.close();
}

test.each<[string, (cwd: string) => void, RegExp]>([
  ["text", () => {}, /runs\.db: file is not a database\. Mend that/],
  [
    "of a newer version",
    (cwd) => newerThanThis(join(cwd, "runs.db")),
    /runs\.db: The sqlite store has schema 99; .* Upgrade spanloom\. Mend/,
  ],
  ["of another program", (cwd) => anotherProgramsOwn(join(cwd, "runs.db")), /runs\.db: the file holds another application's tables\./],
])("a file that holds no sessions, %s: one sentence, before any node runs", async (kind, make, sentence) => {
  const cwd = makeFolder(
    kind === "text" ? { "runs.db": "This is a text, and a long one, so that no header is found in it.\n".repeat(20) } : {},
  );
  make(cwd);
  for (const command of [["run", endings, "--input", '{"ending":"fail"}'], ["resume", "demo"], ["sessions"], ["delete", "demo"]]) {
    const { code, stdout, stderr } = await cli([...command, "--db", "runs.db"], { cwd });
    expect(stderr).toMatch(/^✗ Sessions cannot be kept in .* \(database_unusable\)\n$/);
    expect(stderr).toMatch(sentence);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  }
});

test.each(["folder", "file/runs.db", "/proc/nowhere/runs.db"])("a path that there can be no file at: %s", async (path) => {
  const cwd = makeFolder({ "folder/file": "", file: "" });
  const { code, stdout, stderr } = await cli(["run", steps, "--json", "--db", path], { cwd });
  expect(stderr).toMatch(/^✗ Sessions cannot be kept in .* \(database_unusable\)\n$/);
  expect(code).toBe(2);
  expect(document(stdout)).toMatchObject({ status: "failed", invocationId: null, error: { code: "database_unusable" } });
});

test.each(["mysql://localhost/runs", ":memory:", "POSTGRESQL://localhost/runs"])("what is no file is refused: %s", async (database) => {
  const cwd = makeFolder();
  for (const command of [["run", steps], ["sessions"]]) {
    const { code, stdout, stderr } = await cli([...command, "--db", database], { cwd });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("(database_unsupported)\n");
  }
});

test("a run whose first save failed has made no session, and nobody is told to go on with it", async () => {
  const cwd = makeFolder();
  expect((await cli(["run", steps, "--quiet"], { cwd })).code).toBe(0);
  const database = new DatabaseSync(join(cwd, ".spanloom/sessions.db"));
  database.exec("BEGIN IMMEDIATE");
  const { code, stderr } = await cli(["run", steps, "--session", "locked"], { cwd });
  database.exec("ROLLBACK");
  database.close();
  expect(code).toBe(1);
  expect(stderr).toContain("another process has had it locked");
  expect(stderr).not.toContain("Go on");
});
