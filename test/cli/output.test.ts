/** Results that standard output does not take, and readers that want no more of them. */
import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { asks, cli, document, makeFolder, start, steps } from "./child.ts";

const sentence = "✗ The result could not be written: ENOSPC: no space left on device, write. Send standard output elsewhere.\n";

/* A device on which every write fails as it does on a full disk. */
describe.runIf(existsSync("/dev/full"))("a full disk: exit code 1 and one line", () => {
  test("of every command, and of help", async () => {
    const cwd = makeFolder();
    await cli(["run", steps, "--session", "demo"], { cwd });
    const reading = ["show demo", "show demo --history", "sessions --json"];
    for (const words of [...reading, "prune --keep 1", "delete demo", "--help", "run --help", "--version"]) {
      const ended = await cli([`${words} >/dev/full`], { cwd, shell: true });
      expect({ words, ...ended }).toEqual({ words, code: 1, stdout: "", stderr: sentence });
    }
  });

  test("a fork is there all the same, and how to go on with it is said", async () => {
    const cwd = makeFolder();
    await cli(["run", asks, "--session", "demo"], { cwd });
    const { code, stderr } = await cli(["fork demo --as other >/dev/full"], { cwd, shell: true });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^Answer them, and go on: spanloom resume other .*\n✗ The result could not be written: /);
    expect(document((await cli(["show", "other", "--json"], { cwd })).stdout)).toMatchObject({ status: "paused" });
  });

  test.each(["", "--json"])("of a run that completed, %j: nothing is left to be gone on with", async (json) => {
    const cwd = makeFolder();
    const { code, stderr } = await cli([`run ${steps} --session demo ${json} >/dev/full`], { cwd, shell: true });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^✓ completed session demo /m);
    expect(stderr).toMatch(/^Trace: /m);
    expect(stderr.endsWith(sentence)).toBe(true);
    expect(stderr).not.toMatch(/Go on|crashed|^\s+at /m);
    // The result is given again.
    expect((await cli(["resume", "demo"], { cwd })).code).toBe(0);
  });

  test.each(["run --json --sesion demo", `run ${steps} --json --db :memory:`])("a mistake keeps its exit code: %s", async (words) => {
    const { code, stderr } = await cli([`${words} >/dev/full`], { cwd: makeFolder(), shell: true });
    expect(code).toBe(2);
    expect(stderr.endsWith(sentence)).toBe(true);
  });

  test("what people are told there is no room for fails no run", async () => {
    const { code, stdout } = await cli([`run ${steps} 2>/dev/full`], { cwd: makeFolder(), shell: true });
    expect(code).toBe(0);
    expect(document(stdout)).toMatchObject({ log: ["one", "two", "three"] });
  });
});

test.each([
  ["show", "demo"],
  ["run", steps],
])("a reader that goes away is no mistake: %s", async (...args) => {
  const cwd = makeFolder();
  await cli(["run", steps, "--session", "demo"], { cwd });
  const { child, ended } = start(args, { cwd });
  child.stdout?.destroy();
  const { code, stderr } = await ended;
  expect(code).toBe(0);
  expect(stderr).not.toContain("✗");
});
