/** A session that others take over, delete, or have locked while a run is under way: what that run tells is its own. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { asks, cli, document, endings, makeFolder, start, steps, type Started } from "./child.ts";

const input = JSON.stringify({ hold: "hold" });
const conflict = { code: "checkpoint_failed", cause: { code: "checkpoint_conflict" } };
const own = { state: { log: ["one"] }, versions: { hold: 1, log: 2, errors: 1 } };

/** A run of "demo" that has saved one step, and is in its second. */
async function inSecondStep(
  cwd: string,
  args: readonly string[] = ["run", steps, "--input", input, "--session", "demo"],
): Promise<Started> {
  const started = start([...args, "--json"], { cwd });
  await started.saying("step 2 two");
  return started;
}

describe("a run whose session another takes over", () => {
  test("tells the state that it saved last, not what the other made of it", async () => {
    const cwd = makeFolder({ hold: "" });
    const { child, ended } = await inSecondStep(cwd);
    child.kill("SIGSTOP");
    // The other comes to its end meanwhile.
    rmSync(join(cwd, "hold"));
    expect((await cli(["resume", "demo"], { cwd })).code).toBe(0);
    child.kill("SIGCONT");
    const { code, stdout, stderr } = await ended;
    expect(code).toBe(1);
    expect(document(stdout)).toMatchObject({ status: "failed", steps: 1, step: 1, interrupts: [], error: conflict, ...own });
    expect(stderr).not.toContain("Go on");
    expect(document((await cli(["show", "demo", "--json"], { cwd })).stdout)).toMatchObject({ status: "completed", step: 3 });
  });

  test("so does one that went on with a session, and has saved nothing since", async () => {
    const cwd = makeFolder({ hold: "" });
    await cli(["run", steps, "--input", input, "--session", "demo", "--pause-before", "two"], { cwd });
    const { child, ended } = await inSecondStep(cwd, ["resume", "demo"]);
    child.kill("SIGSTOP");
    rmSync(join(cwd, "hold"));
    // It pauses, which is the other's concern.
    expect((await cli(["resume", "demo", "--pause-before", "three"], { cwd })).code).toBe(3);
    child.kill("SIGCONT");
    const { stdout } = await ended;
    expect(document(stdout)).toMatchObject({ status: "failed", steps: 0, step: 1, interrupts: [], error: conflict, ...own });
  });

  test("and so does one that is stopped at once", async () => {
    const cwd = makeFolder({ hold: "" });
    const first = await inSecondStep(cwd);
    const second = await inSecondStep(cwd, ["resume", "demo"]);
    first.child.kill("SIGINT");
    await first.saying("SIGINT: stopping");
    first.child.kill("SIGINT");
    const { code, stdout } = await first.ended;
    expect(code).toBe(130);
    expect(document(stdout)).toMatchObject({ status: "cancelled", steps: 1, step: 1, ...own });
    rmSync(join(cwd, "hold"));
    expect((await second.ended).code).toBe(0);
  });
});

test.each([
  ["that began it", false],
  ["that went on with it", true],
])("a run %s whose session is deleted tells how far it had come, and no state", async (_which, resumes) => {
  const cwd = makeFolder({ hold: "" });
  if (resumes) await cli(["run", steps, "--input", input, "--session", "demo", "--pause-before", "two"], { cwd });
  const { ended } = await inSecondStep(cwd, resumes ? ["resume", "demo"] : undefined);
  expect((await cli(["delete", "demo"], { cwd })).code).toBe(0);
  // Another of the same name is another.
  await cli(["run", asks, "--session", "demo"], { cwd });
  rmSync(join(cwd, "hold"));
  const { code, stdout, stderr } = await ended;
  expect(code).toBe(1);
  expect(document(stdout)).toMatchObject({ status: "failed", steps: resumes ? 0 : 1, step: 1, error: conflict });
  expect(document(stdout)).toMatchObject({ state: null, versions: {}, interrupts: [] });
  expect(stderr).not.toContain("Go on");
});

test("a database that stays locked: what writes ends with 1, what reads goes on", async () => {
  const cwd = makeFolder();
  await cli(["run", asks, "--session", "demo"], { cwd });
  const database = new DatabaseSync(join(cwd, ".spanloom/sessions.db"));
  database.exec("BEGIN EXCLUSIVE");
  const codes = async (...commands: readonly string[]): Promise<readonly unknown[]> =>
    Promise.all(commands.map(async (words) => (await cli(words.split(" "), { cwd })).code));
  expect(await codes("sessions", "show demo", "prune --keep 1 --dry-run")).toEqual([0, 0, 0]);
  const resuming = cli(["resume", "demo", "--answers", '{"left":1}', "--json"], { cwd });
  expect(await codes("delete demo", "fork demo", "prune --keep 1", `run ${steps}`)).toEqual([1, 1, 1, 1]);
  const { code, stdout, stderr } = await resuming;
  database.close();
  expect(code).toBe(1);
  // Nothing was answered: it is as it was found.
  expect(document(stdout)).toMatchObject({ step: 0, state: { log: [] }, interrupts: [{ node: "left" }, { node: "right" }] });
  expect(stderr).toMatch(/\nAnswer them, and go on: spanloom resume demo --answers .*\n$/);
});

test.each(["stall", "crash"])("a run that was ended from outside of its nodes, %s, is stored as cancelled", async (ending) => {
  const cwd = makeFolder();
  expect((await cli(["run", endings, "--input", JSON.stringify({ ending }), "--session", "demo"], { cwd })).code).toBe(1);
  expect((await cli(["sessions", "--json", "--status", "failed"], { cwd })).stdout).toBe("[]\n");
  expect(JSON.parse((await cli(["sessions", "--json", "--status", "cancelled"], { cwd })).stdout)).toMatchObject([{ sessionId: "demo" }]);
});
