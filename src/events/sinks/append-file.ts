/** A file that whole lines are appended to: it exists while it is written to, and never holds half a line but, after a crash, the last. */
import * as fs from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { makeFolders } from "../../support/make-folders.ts";

// Descriptors, not FileHandles: one that its owner forgets to close must not warn when it is collected.
const open = promisify(fs.open);
const read = promisify(fs.read);
const write = promisify(fs.write);
const truncate = promisify(fs.ftruncate);
const stat = promisify(fs.stat);
const fileStat = promisify(fs.fstat);
const close = promisify(fs.close);

const lineFeed = 0x0a;
const chunkSize = 64 * 1024;

async function writeAll(descriptor: number, bytes: Uint8Array): Promise<void> {
  for (let offset = 0; offset < bytes.length;) {
    const { bytesWritten } = await write(descriptor, bytes, offset, bytes.length - offset, null);
    if (bytesWritten === 0) throw new Error("The file takes no more bytes.");
    offset += bytesWritten;
  }
}

async function readRange(descriptor: number, from: number, to: number): Promise<Buffer> {
  const bytes = Buffer.alloc(to - from);
  const { bytesRead } = await read(descriptor, bytes, 0, bytes.length, from);
  return bytes.subarray(0, bytesRead);
}

/** Where the last line begins. */
async function lastLineStart(descriptor: number, size: number): Promise<number> {
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - chunkSize);
    const found = (await readRange(descriptor, start, end)).lastIndexOf(lineFeed);
    if (found >= 0) return start + found + 1;
    end = start;
  }
  return 0;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Cuts a last line that does not end, or ends it if it is whole but for that. */
async function mendLastLine(descriptor: number, size: number): Promise<void> {
  const start = await lastLineStart(descriptor, size);
  if (start === size) return;
  const line = await readRange(descriptor, start, size);
  if (isJson(line.toString("utf8"))) await writeAll(descriptor, Uint8Array.of(lineFeed));
  else await truncate(descriptor, start);
}

/** Not for use by two calls at once: who owns it takes turns. */
export class AppendFile {
  readonly #path: string;
  #opened: { readonly descriptor: number; readonly device: number; readonly inode: number } | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** Appends whole lines: all of them, or none and it throws. */
  async append(lines: string): Promise<void> {
    const { descriptor, size } = await this.#ready();
    try {
      await writeAll(descriptor, Buffer.from(lines));
    } catch (error) {
      // If it cannot be cut back now, opening it again cuts the torn line.
      await truncate(descriptor, size).catch(() => undefined);
      await this.close().catch(() => undefined);
      throw error;
    }
  }

  /** The next append opens it again. */
  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    if (opened !== undefined) await close(opened.descriptor);
  }

  /** The open file and its size; opened anew if the path leads to another file by now, or to none. */
  async #ready(): Promise<{ readonly descriptor: number; readonly size: number }> {
    if (this.#opened !== undefined) {
      const { descriptor, device, inode } = this.#opened;
      const named = await stat(this.#path).catch(() => undefined);
      if (named?.dev === device && named.ino === inode) return { descriptor, size: named.size };
      await this.close();
    }
    makeFolders(dirname(this.#path));
    const descriptor = await open(this.#path, "a+", 0o600);
    try {
      const found = await fileStat(descriptor);
      if (found.isFile()) await mendLastLine(descriptor, found.size);
      const { dev, ino, size } = await fileStat(descriptor);
      this.#opened = { descriptor, device: dev, inode: ino };
      return { descriptor, size };
    } catch (error) {
      await close(descriptor).catch(() => undefined);
      throw error;
    }
  }
}
