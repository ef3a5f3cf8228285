/** `makeFolders`: every folder on the way, and an end where none can be made. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeFolders } from "../../src/support/make-folders.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "spanloom-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("makeFolders", () => {
  it("makes those that are missing, and takes one that is there", () => {
    const deep = join(folder, "a/b/c");
    for (let times = 0; times < 2; times += 1) makeFolders(deep, 0o700);
    expect(statSync(deep).mode & 0o777).toBe(0o700);
  });

  it("throws for one under a file, or where a file is", () => {
    writeFileSync(join(folder, "file"), "");
    expect(() => makeFolders(join(folder, "file"))).toThrow("EEXIST");
    expect(() => makeFolders(join(folder, "file/under"))).toThrow("ENOTDIR");
  });

  it("throws where a parent takes no folders, and tries no further", () => {
    expect(() => makeFolders("/proc/nowhere/below")).toThrow(/^E(NOENT|ROFS|ACCES|PERM)/);
  });
});
