/** A file of OTLP-JSON lines. Written at once, not later, so that also a process that exits or crashes leaves its trace. */
import { accessSync, closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, statSync, writeSync } from "node:fs";
import { dirname, join, parse } from "node:path";
import type { ISerializer } from "@opentelemetry/otlp-transformer";
import { makeFolders } from "../support/make-folders.ts";
import { reasonOf, type Signal } from "./complaint.ts";
import type { Destination, Outcome } from "./delivery.ts";
import { invalidOption } from "./options.ts";

const lineFeed = 0x0a;
const chunkSize = 64 * 1024;

/**
 * The files of the other signals lie beside that of the traces: every line of that one must be a traces object. They have its name, without
 * the last extension, or without all of `.otlp.jsonl`.
 */
export function pathOf(file: string, signal: Signal): string {
  if (signal === "traces") return file;
  const { dir, name, ext } = parse(file);
  const stem = /^\.jsonl?$/.test(ext) ? name.replace(/(?<=.)\.otlp$/, "") : name;
  return join(dir, `${stem}.${signal}.jsonl`);
}

/** Makes missing folders, but no file before there is something to write. Throws `RunnerError` `invalid_option` if it cannot be written. */
export function prepareFile(file: string): void {
  try {
    makeFolders(dirname(file));
    const found = statSync(file, { throwIfNoEntry: false });
    if (found?.isFIFO() === true) throw new Error("it is a pipe");
    if (found === undefined) accessSync(dirname(file), constants.W_OK | constants.X_OK);
    else closeSync(openSync(file, "a"));
  } catch (cause) {
    throw invalidOption("file", `cannot be written: ${reasonOf(cause)}`, cause);
  }
}

function lastLine(descriptor: number, size: number): { readonly start: number; readonly text: string } {
  let bytes = Buffer.alloc(0);
  for (let start = size; start > 0;) {
    const length = Math.min(chunkSize, start);
    start -= length;
    const chunk = Buffer.alloc(length);
    readSync(descriptor, chunk, 0, length, start);
    const found = chunk.lastIndexOf(lineFeed);
    bytes = Buffer.concat([chunk.subarray(found + 1), bytes]);
    if (found >= 0) return { start: start + found + 1, text: bytes.toString("utf8") };
  }
  return { start: 0, text: bytes.toString("utf8") };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Cuts what a crash left of one of our lines; ends any other line that does not end. */
function mendLastLine(descriptor: number, size: number): void {
  const { start, text } = lastLine(descriptor, size);
  if (text === "") return;
  if (text.startsWith('{"resource') && !isJson(text)) ftruncateSync(descriptor, start);
  else writeSync(descriptor, "\n");
}

/* Where it cannot be cut back now, the next line finds the torn one and cuts it. */
function cutBack(descriptor: number, size: number): void {
  try {
    ftruncateSync(descriptor, size);
  } catch {}
}

/** Opened for each line: it may be deleted or moved away at any time. */
class LineFile {
  readonly #path: string;
  #mended = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** Appends the whole line, or nothing and throws. */
  append(line: Uint8Array): void {
    const descriptor = openSync(this.#path, "a+", 0o600);
    try {
      const before = fstatSync(descriptor);
      if (!this.#mended && before.isFile()) mendLastLine(descriptor, before.size);
      this.#mended = true;
      this.#write(descriptor, line);
    } finally {
      closeSync(descriptor);
    }
  }

  #write(descriptor: number, line: Uint8Array): void {
    const { size } = fstatSync(descriptor);
    try {
      for (let offset = 0; offset < line.length;) offset += writeSync(descriptor, line, offset);
    } catch (error) {
      this.#mended = false;
      cutBack(descriptor, size);
      throw error;
    }
  }
}

/** Each batch becomes one line. */
export function fileDestination<Batch, Response>(
  signal: Signal,
  path: string,
  serializer: ISerializer<Batch, Response>,
): Destination<Batch> {
  const file = new LineFile(path);
  const sendNow = (batch: Batch): Outcome => {
    try {
      const bytes = serializer.serializeRequest(batch);
      if (bytes !== undefined) file.append(Buffer.concat([bytes, Uint8Array.of(lineFeed)]));
      return { kind: "taken", rejected: 0 };
    } catch (error) {
      return { kind: "refused", reason: `${signal} cannot be written to ${path}: ${reasonOf(error)}.` };
    }
  };
  return { send: async (batch) => sendNow(batch), sendNow, close: () => {} };
}
