/** The bytes of a typed array, little-endian whatever the machine. */
import { endianness } from "node:os";
import { typedArrays } from "../../support/value/live.ts";

const isSwapped = endianness() === "BE";

function ordered(bytes: Buffer, size: number): Buffer {
  if (!isSwapped || size === 1) return bytes;
  const copy = Buffer.from(bytes);
  if (size === 2) return copy.swap16();
  return size === 4 ? copy.swap32() : copy.swap64();
}

export function bytesOf(array: NodeJS.TypedArray): Buffer {
  return ordered(Buffer.from(array.buffer, array.byteOffset, array.byteLength), array.BYTES_PER_ELEMENT);
}

/** `undefined` for a class that is not kept, or bytes that do not fill it. */
export function typedArrayOf(name: string, bytes: Buffer): NodeJS.TypedArray | undefined {
  const construct = typedArrays.get(name);
  if (construct === undefined) return undefined;
  const size = new construct(0).BYTES_PER_ELEMENT;
  if (bytes.length % size !== 0) return undefined;
  // A buffer of its own: those of `Buffer` may be shared, and lie at any offset.
  const { buffer } = Uint8Array.from(ordered(bytes, size));
  return new construct(buffer);
}
