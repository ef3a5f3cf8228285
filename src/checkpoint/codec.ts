/**
 * How a store that writes bytes writes values: JSON in which the rest is tagged, under a header with the version of the format, the codec
 * and a check sum. `1 json 89a3f0c2 {"next":["plan"]}`; another codec's bytes follow the same header.
 */
import { crc32 } from "node:zlib";
import { messageOf } from "../support/show.ts";
import { tag, tagKey } from "./codec/tag.ts";
import { FormatError, untag } from "./codec/untag.ts";

/** A step between what is written and what is stored, such as encryption or compression. Both functions are synchronous and give new bytes. */
export interface Codec {
  /** Stored with every value and checked when it is read: letters, digits, `.`, `_` and `-`. `"json"` is the one without this step. */
  readonly id: string;
  readonly encode: (bytes: Uint8Array) => Uint8Array;
  /** Throws when the bytes are not what it made; the error is the cause of the reader's `checkpoint_corrupt`. */
  readonly decode: (bytes: Uint8Array) => Uint8Array;
}

/** Text, or bytes of another codec. */
export type Sealed = string | Uint8Array;

/** Of the format; raised when a reader of before would misread what is written now. */
const formatVersion = 1;

const plainId = "json";
const marker = JSON.stringify(tagKey);
const longestHeader = 120;
const header = /^(\d{1,9}) ([\w.-]{1,64}) ([\da-f]{8}) /;

/** Values as text, without a header. */
export const write = (value: unknown): string => JSON.stringify(tag(value));

/** Values from text. Throws `FormatError`. */
export function read(text: string): unknown {
  let tree: unknown;
  try {
    tree = JSON.parse(text);
  } catch {
    // The parser's own message shows what is stored.
    throw new FormatError("it is no JSON");
  }
  return text.includes(marker) ? untag(tree) : tree;
}

/** Two hexadecimal digits of each byte: `toString(16)` is many times slower. */
const digits = Array.from({ length: 256 }, (_item, byte) => byte.toString(16).padStart(2, "0"));

function checkSum(payload: Sealed, place: string): string {
  const sum = typeof payload === "string" ? crc32(place + payload) : crc32(payload, crc32(place));
  return `${digits[sum >>> 24]}${digits[(sum >>> 16) & 255]}${digits[(sum >>> 8) & 255]}${digits[sum & 255]}`;
}

/** `place` says what the value belongs to: read as anything else's, it is damage. */
export function seal(text: string, place: string, codec: Codec | undefined): Sealed {
  if (codec === undefined) return `${formatVersion} ${plainId} ${checkSum(text, place)} ${text}`;
  const bytes: unknown = codec.encode(Buffer.from(text));
  if (!(bytes instanceof Uint8Array)) throw new TypeError(`The codec "${codec.id}" gave no bytes.`);
  return Buffer.concat([Buffer.from(`${formatVersion} ${codec.id} ${checkSum(bytes, place)} `), bytes]);
}

const plainHeader = `${formatVersion} ${plainId} `;
const plainStart = plainHeader.length + 9;

/** The text that was sealed. Throws `FormatError`. */
export function unseal(sealed: unknown, place: string, codec: Codec | undefined): string {
  // Nearly always: a session is loaded from thousands of them.
  if (codec === undefined && typeof sealed === "string" && sealed.startsWith(plainHeader)) {
    const payload = sealed.slice(plainStart);
    if (sealed.startsWith(`${checkSum(payload, place)} `, plainHeader.length)) return payload;
  }
  if (typeof sealed !== "string" && !(sealed instanceof Uint8Array)) throw new FormatError("a part of it is missing");
  const start =
    typeof sealed === "string" ? sealed.slice(0, longestHeader) : Buffer.from(sealed.subarray(0, longestHeader)).toString("latin1");
  const [whole = "", version = "", id = "", sum = ""] = header.exec(start) ?? [];
  if (whole === "") throw new FormatError("its header is damaged");
  if (Number(version) > formatVersion) {
    throw new FormatError(`it is of format ${version}, and this version reads ${formatVersion}; upgrade spanloom`);
  }
  const expected = codec?.id ?? plainId;
  if (id !== expected) throw new FormatError(`it was written by the codec "${id}", and the store was opened with "${expected}"`);
  const payload = typeof sealed === "string" ? sealed.slice(whole.length) : sealed.subarray(whole.length);
  if (checkSum(payload, place) !== sum) throw new FormatError("its check sum is wrong");
  if (codec === undefined) return String(payload);
  return typeof payload === "string" ? fail(codec) : decoded(codec, payload);
}

function fail({ id }: Codec): never {
  throw new FormatError(`the codec "${id}" writes bytes, and it is text`);
}

function decoded(codec: Codec, bytes: Uint8Array): string {
  let given: unknown;
  try {
    given = codec.decode(bytes);
  } catch (cause) {
    throw new FormatError(`the codec "${codec.id}" could not read it: ${messageOf(cause)}`, { cause });
  }
  if (!(given instanceof Uint8Array)) throw new FormatError(`the codec "${codec.id}" gave no bytes`);
  return Buffer.from(given).toString("utf8");
}
