/** What is done to stored sessions from the command line: lists, pages, forks, and their end. No module is needed. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { asks, cli, document, endings, type Ended, makeFolder, start, steps } from "./child.ts";

/** A folder with a session "demo" of three steps and a paused one, "asked". */
async function withSessions(): Promise<string> {
  const cwd = makeFolder();
  expect((await cli(["run", steps, "--session", "demo", "--quiet"], { cwd })).code).toBe(0);
  expect((await cli(["run", asks, "--session", "asked", "--quiet"], { cwd })).code).toBe(3);
  return cwd;
}

type Listed = readonly Readonly<Record<string, unknown>>[];

function list({ stdout }: Ended): Listed {
  const value: unknown = JSON.parse(stdout);
  expect(Array.isArray(value)).toBe(true);
  // Looked at above.
  return value as Listed;
}

const idsOf = (sessions: Listed): readonly unknown[] => sessions.map(({ sessionId }) => sessionId);
const modulesIn = (cwd: string): readonly string[] => readdirSync(join(cwd, ".spanloom/sessions"));

const infoKeys = ["sessionId", "graph", "fingerprint", "status", "step", "createdAt", "updatedAt"];
const ownKeys = ["checkpointId", "parentId", "state", "next", "versions", "interrupts", "ranNodes", "updatedChannels"];
const snapshotKeys = [...infoKeys, ...ownKeys];

describe("sessions", () => {
  test("a table, the most recently written first; --json is exactly SessionInfo; filters", async () => {
    const cwd = await withSessions();
    const { code, stdout, stderr } = await cli(["sessions"], { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(
      /^SESSION +GRAPH +STATUS +STEP +UPDATED\nasked +asks +paused +0 +\S+ \S+Z\ndemo +steps +completed +3 +\S+ \S+Z\n$/,
    );
    const all = list(await cli(["sessions", "--json"], { cwd }));
    expect(all.map(Object.keys)).toEqual([infoKeys, infoKeys]);
    expect(idsOf(all)).toEqual(["asked", "demo"]);
    for (const [filter, ids] of [
      [["--status", "paused"], ["asked"]],
      [["--graph", "steps"], ["demo"]],
      [["--limit", "1"], ["asked"]],
      [["--graph", "none"], []],
    ] as const) {
      expect(idsOf(list(await cli(["sessions", "--json", ...filter], { cwd })))).toEqual(ids);
    }
  });

  test("where there is no database there is nothing, and none is made", async () => {
    const cwd = makeFolder();
    const none = `There is no file ${join(cwd, ".spanloom/sessions.db")}.\n`;
    expect(await cli(["sessions"], { cwd })).toEqual({ code: 0, stdout: "", stderr: none });
    expect((await cli(["sessions", "--json"], { cwd })).stdout).toBe("[]\n");
    expect((await cli(["prune", "--keep", "1"], { cwd })).stdout).toBe("removed 0 sessions, 0 checkpoints\n");
    for (const command of ["show", "fork", "delete", "resume"]) {
      const { code, stdout, stderr } = await cli([command, "demo"], { cwd });
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toMatch(/^✗ There is no session "demo" in .*\.spanloom\/sessions\.db\. .*\(session_not_found\)\n$/);
    }
    expect(existsSync(join(cwd, ".spanloom"))).toBe(false);
  });
});

describe("show", () => {
  test("a page for people, and exactly SessionSnapshot for programs", async () => {
    const cwd = await withSessions();
    const { code, stdout, stderr } = await cli(["show", "asked"], { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^session asked\ngraph {2}asks\nstatus {2}paused\nstep {2}0\n/);
    expect(stdout).toMatch(/^next {2}left, right\n\? left asks: "left\?" \(.*\)\n\? right asks: .*\nstate\n\{\n {2}"log": \[\],/m);
    const shown = document((await cli(["show", "asked", "--json"], { cwd })).stdout);
    expect(Object.keys(shown)).toEqual(snapshotKeys);
    expect(shown).toMatchObject({ status: "paused", parentId: null, next: ["left", "right"], state: { log: [] } });
  });

  test("--history newest first, --at one of them, --limit of them", async () => {
    const cwd = await withSessions();
    const history = list(await cli(["show", "demo", "--history", "--json"], { cwd }));
    expect(history.map(Object.keys)).toEqual([snapshotKeys, snapshotKeys, snapshotKeys, snapshotKeys]);
    expect(history.map(({ step }) => step)).toEqual([3, 2, 1, 0]);
    const at = String(history[2]?.["checkpointId"]);
    const shown = await cli(["show", "demo", "--at", at, "--json"], { cwd });
    expect(document(shown.stdout)).toEqual(history[2]);
    expect(list(await cli(["show", "demo", "--limit", "2", "--json"], { cwd }))).toEqual(history.slice(0, 2));
    const { stdout } = await cli(["show", "demo", "--history"], { cwd });
    expect(stdout.split("\n")[0]).toMatch(/^CHECKPOINT +STEP +STATUS +UPDATED +RAN +CHANGED$/);
    expect(stdout).toMatch(new RegExp(`^${at} +1 +running +.*Z +one +log$`, "m"));
    for (const option of [["--limit", "2"], ["--history"]]) {
      const { code, stderr } = await cli(["show", "demo", "--at", at, ...option], { cwd });
      expect({ code, stderr }).toEqual({
        code: 2,
        stderr: expect.stringMatching(`^error: .*'--at <.*' cannot be used with option '${option[0]}`),
      });
    }
    const none = await cli(["show", "demo", "--at", "none"], { cwd });
    expect(none.code).toBe(2);
    expect(none.stderr).toMatch(/^✗ Session "demo" has no checkpoint "none"\..*\(checkpoint_not_found\)\n$/);
  });
});

describe("fork", () => {
  test("gives the new id alone on standard output; the new session goes on by itself, with the same module", async () => {
    const cwd = await withSessions();
    const { code, stdout, stderr } = await cli(["fork", "asked"], { cwd });
    expect(code).toBe(0);
    const id = stdout.trimEnd();
    // As the paused run itself says it.
    expect(stderr).toMatch(
      new RegExp(`^Answer them, and go on: spanloom resume ${id} --answers '\\{"1/left/[^"]+":"…","1/right/[^"]+":"…"\\}'\n$`),
    );
    expect((await cli(["resume", id, "--answers", '{"left":1,"right":2}'], { cwd })).code).toBe(3);
    const before = document((await cli(["show", "asked", "--json"], { cwd })).stdout);
    expect(before).toMatchObject({ state: { log: [] }, interrupts: [{ node: "left" }, { node: "right" }] });
  });

  test("--at an older checkpoint, --as an id, which may not be taken", async () => {
    const cwd = await withSessions();
    const history = list(await cli(["show", "demo", "--history", "--json"], { cwd }));
    const at = String(history[2]?.["checkpointId"]);
    const forked = await cli(["fork", "demo", "--at", at, "--as", "it's"], { cwd });
    expect(forked.stdout).toBe("it's\n");
    const shown = document((await cli(["show", "it's", "--json"], { cwd })).stdout);
    expect(shown).toMatchObject({ status: "idle", step: 1, parentId: at, next: ["two"], state: { log: ["one"] } });
    expect(forked.stderr).toBe(`Go on: spanloom resume 'it'\\''s'\n`);
    const resumed = await cli(["resume", "it's", "--json"], { cwd });
    expect(document(resumed.stdout)).toMatchObject({ steps: 2, state: { log: ["one", "two", "three"] } });
    const taken = await cli(["fork", "demo", "--as", "it's"], { cwd });
    expect({ code: taken.code, stdout: taken.stdout }).toEqual({ code: 2, stdout: "" });
    expect(taken.stderr).toMatch(/^✗ Session "it's" exists already\. .*\(session_exists\)\n$/);
    expect((await cli(["fork", "demo", "--at", "none"], { cwd })).code).toBe(2);
  });
});

describe("a checkpoint that is damaged", () => {
  test("is told with the way out, which leads out", async () => {
    const cwd = await withSessions();
    const database = new DatabaseSync(join(cwd, ".spanloom/sessions.db"));
    database.exec(
      "UPDATE checkpoints SET record = 'x' WHERE id = (SELECT max(c.id) FROM checkpoints c JOIN sessions s ON s.key = c.id >> 28 WHERE s.id = 'demo')",
    );
    database.close();
    const wayOut = "See which checkpoints can be read: spanloom show demo --history\nGo on from one of them";
    for (const command of ["show", "fork", "resume"]) {
      const { code, stderr } = await cli([command, "demo"], { cwd });
      expect({ command, code }).toEqual({ command, code: 1 });
      expect(stderr).toContain("(checkpoint_corrupt)\n");
      expect(stderr).toContain(wayOut);
    }
    const history = await cli(["show", "demo", "--history", "--json"], { cwd });
    expect(history.code).toBe(0);
    expect(history.stderr).toMatch(/^! Checkpoint ".*\.3" of session "demo" cannot be read/);
    const [newest] = list(history);
    expect(newest).toMatchObject({ step: 2 });
    const forked = await cli(["fork", "demo", "--at", String(newest?.["checkpointId"]), "--as", "mended"], { cwd });
    expect(forked.code).toBe(0);
    const resumed = await cli(["resume", "mended"], { cwd });
    expect(document(resumed.stdout)).toMatchObject({ log: ["one", "two", "three"] });
    expect((await cli(["show", "demo", "--history"], { cwd })).stdout).toMatch(/\.3 +damaged\n/);
    expect((await cli(["delete", "demo"], { cwd })).code).toBe(0);
  });
});

test("delete removes the session and what is known of its module, and says so on standard output, as prune does", async () => {
  const cwd = await withSessions();
  expect(await cli(["delete", "demo"], { cwd })).toEqual({ code: 0, stdout: "deleted session demo\n", stderr: "" });
  expect(idsOf(list(await cli(["sessions", "--json"], { cwd })))).toEqual(["asked"]);
  expect(modulesIn(cwd)).toHaveLength(1);
  expect((await cli(["delete", "demo"], { cwd })).code).toBe(2);
});

describe("prune", () => {
  test("--dry-run counts what goes, and leaves it; sessions that wait stay unless they are named", async () => {
    const cwd = await withSessions();
    await cli(["run", endings, "--input", '{"ending":"fail"}', "--session", "failed", "--quiet"], { cwd });
    const all = ["--older-than", "0s", "--keep", "1"];
    for (const [args, what] of [
      [["--older-than", "1d"], "0 sessions, 0 checkpoints"],
      [["--older-than", "0s"], "2 sessions, 0 checkpoints"],
      [["--keep", "3"], "0 sessions, 1 checkpoint"],
      [["--keep", "1", "--status", "paused"], "0 sessions, 0 checkpoints"],
      [[...all, "--status", "failed"], "1 session, 0 checkpoints"],
      [["--older-than", "0s", "--status", "paused, completed"], "2 sessions, 0 checkpoints"],
    ] as const) {
      expect(await cli(["prune", "--dry-run", ...args], { cwd })).toEqual({ code: 0, stdout: `would remove ${what}\n`, stderr: "" });
    }
    expect(idsOf(list(await cli(["sessions", "--json"], { cwd })))).toEqual(["failed", "asked", "demo"]);

    expect((await cli(["prune", "--keep", "3"], { cwd })).stdout).toBe("removed 0 sessions, 1 checkpoint\n");
    expect(list(await cli(["show", "demo", "--history", "--json"], { cwd })).map(({ step }) => step)).toEqual([3, 2, 1]);
    expect((await cli(["prune", ...all], { cwd })).stdout).toBe("removed 2 sessions, 0 checkpoints\n");
    expect(idsOf(list(await cli(["sessions", "--json"], { cwd })))).toEqual(["asked"]);
    const [module = "", ...others] = modulesIn(cwd);
    expect(others).toEqual([]);
    expect(readFileSync(join(cwd, ".spanloom/sessions", module), "utf8")).toContain('"asked"');
  });

  test("never touches a session that runs", async () => {
    const cwd = makeFolder({ hold: "" });
    const { child, ended, saying } = start(["run", steps, "--input", '{"hold":"hold"}', "--session", "demo"], { cwd });
    await saying("step 2 two");
    child.kill("SIGKILL");
    await ended;
    for (const how of ["would remove", "removed"]) {
      const args = ["prune", "--older-than", "0s", "--keep", "1", ...(how === "removed" ? [] : ["--dry-run"])];
      expect((await cli(args, { cwd })).stdout).toBe(`${how} 0 sessions, 0 checkpoints\n`);
    }
    expect(list(await cli(["show", "demo", "--history", "--json"], { cwd }))).toHaveLength(2);
  });

  test.each<[readonly string[], RegExp]>([
    [[], /^✗ Say what may go: .*\(nothing_to_prune\)\n$/],
    [["--status", "completed"], /\(nothing_to_prune\)/],
    [["--keep", "0"], /It must be a whole number, 1 or more\./],
    [["--older-than", "30"], /It must be a duration, such as 30d, 12h or 90m\./],
    [["--keep", "1", "--status", "running"], /It must be of idle, completed, paused, cancelled, failed/],
    [["--keep", "1", "--dryrun"], /unknown option '--dryrun'\n\(Did you mean --dry-run\?\)/],
  ])("%j is exit code 2", async (args, sentence) => {
    const { code, stdout, stderr } = await cli(["prune", ...args], { cwd: makeFolder() });
    expect(stderr).toMatch(sentence);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });
});

test("prune leaves a damaged history as it is, names it, and trims the others", async () => {
  const cwd = await withSessions();
  await cli(["run", steps, "--session", "other", "--quiet"], { cwd });
  const database = new DatabaseSync(join(cwd, ".spanloom/sessions.db"));
  const first = "SELECT min(id) FROM checkpoints WHERE id >> 28 = (SELECT key FROM sessions WHERE id = 'demo')";
  database.exec(`UPDATE checkpoints SET state = replace(state, 'log', 'lag') WHERE id = (${first})`);
  database.close();
  const { code, stdout, stderr } = await cli(["prune", "--keep", "1"], { cwd });
  expect({ code, stdout }).toEqual({ code: 1, stdout: "removed 0 sessions, 3 checkpoints\n" });
  expect(stderr).toMatch(/^Left as it is: Checkpoint "[^"]+" of session "demo" cannot be read: its check sum is wrong/);
});

test.each(["sessions", "show", "fork", "delete", "prune"])("help of %s has an example", async (command) => {
  const { code, stdout } = await cli([command, "--help"], { cwd: makeFolder() });
  expect(code).toBe(0);
  expect(stdout).toMatch(new RegExp(`^Usage: spanloom ${command} [^]*\nExample: spanloom ${command}`));
});
