/** How many bytes SQLite keeps of a value: https://sqlite.org/fileformat.html#record_format */
import type { SQLOutputValue } from "node:sqlite";

/** Bytes of whole numbers, and the powers of two that each holds numbers below. */
const integers = [
  [1, 7],
  [2, 15],
  [3, 23],
  [4, 31],
  [6, 47],
] as const;

function bytesOfNumber(value: number): number {
  // A whole number is kept as one, whatever its column is.
  if (!Number.isInteger(value)) return 8;
  if (value === 0 || value === 1) return 0;
  const found = integers.find(([, bits]) => value >= -(2 ** bits) && value < 2 ** bits);
  return found?.[0] ?? 8;
}

export function storedBytes(value: SQLOutputValue | undefined): number {
  if (value === null || value === undefined) return 0;
  if (typeof value === "string") return Buffer.byteLength(value);
  return value instanceof Uint8Array ? value.length : bytesOfNumber(Number(value));
}

/** Those of all columns, without what the row's own format adds to them. */
export const storedRowBytes = (row: Readonly<Record<string, SQLOutputValue>>): number =>
  Object.values(row).reduce<number>((sum, value) => sum + storedBytes(value), 0);
