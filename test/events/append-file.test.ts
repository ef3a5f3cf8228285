import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { AppendFile } from "../../src/events/sinks/append-file.ts";

/** A disk that takes so many bytes more, so many at once, and may refuse to cut a file. */
const disk = vi.hoisted(() => ({ room: Infinity, atOnce: Infinity, cuts: true }));

vi.mock("node:fs", async (importActual) => {
  const actual = await importActual<typeof fs>();
  const { promisify } = await import("node:util");
  const promised = { write: promisify(actual.write), truncate: promisify(actual.ftruncate) };
  const full = () => Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
  const write = async (descriptor: number, bytes: Uint8Array, offset: number, length: number, position: null) => {
    if (disk.room === 0) throw full();
    const written = await promised.write(descriptor, bytes, offset, Math.min(length, disk.room, disk.atOnce), position);
    disk.room -= written.bytesWritten;
    return written;
  };
  const truncate = async (descriptor: number, size: number) => {
    if (!disk.cuts) throw full();
    await promised.truncate(descriptor, size);
  };
  const promising = (custom: unknown) => Object.assign(() => {}, { [promisify.custom]: custom });
  return { ...actual, write: promising(write), ftruncate: promising(truncate) };
});

let folder: string;
let path: string;
beforeEach(() => {
  Object.assign(disk, { room: Infinity, atOnce: Infinity, cuts: true });
  folder = fs.mkdtempSync(join(tmpdir(), "spanloom-append-"));
  path = join(folder, "lines");
});
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

const content = (): string => fs.readFileSync(path, "utf8");

it("writes on where the disk took but a part", async () => {
  const file = new AppendFile(path);
  disk.atOnce = 3;
  await file.append("[1]\n[2]\n");
  await file.close();
  expect(content()).toBe("[1]\n[2]\n");
});

it("takes back what it wrote of a batch that the disk did not take whole", async () => {
  const file = new AppendFile(path);
  await file.append("[1]\n");
  disk.room = 6;
  await expect(file.append("[2]\n[3]\n")).rejects.toMatchObject({ code: "ENOSPC" });
  expect(content()).toBe("[1]\n");
  disk.room = Infinity;
  await file.append("[2]\n[3]\n");
  await file.close();
  expect(content()).toBe("[1]\n[2]\n[3]\n");
});

it("leaves no torn line in the middle when it cannot even take that back", async () => {
  const file = new AppendFile(path);
  await file.append("[1]\n");
  Object.assign(disk, { room: 2, cuts: false });
  await expect(file.append("[2]\n")).rejects.toMatchObject({ code: "ENOSPC" });
  expect(content()).toBe("[1]\n[2");
  await expect(file.append("[2]\n")).rejects.toMatchObject({ code: "ENOSPC" });
  Object.assign(disk, { room: Infinity, cuts: true });
  await file.append("[3]\n");
  await file.close();
  expect(content()).toBe("[1]\n[3]\n");
});
