/** What freezing cannot protect: Map, Set, Date, typed arrays and errors, and how each is copied. */
import { isDeepStrictEqual, types } from "node:util";
import { copyError } from "./error.ts";
import type { CopyPart } from "./walk.ts";

export function prototypeOf(value: object): object | null {
  return Object.getPrototypeOf(value);
}

/** The objects at the top of every prototype chain: ours, and those of other realms (test runners, `node:vm`). */
export function isRootPrototype(prototype: object | null): boolean {
  if (prototype === Object.prototype) return true;
  return prototype !== null && prototypeOf(prototype) === null && Object.hasOwn(prototype, "isPrototypeOf");
}

/** Whether the class of a built-in value is `levels` below the root, so that it is the built-in class and no subclass. */
export function isBuiltIn(value: object, levels: number): boolean {
  let prototype = prototypeOf(value);
  for (let level = 0; level < levels && prototype !== null; level += 1) prototype = prototypeOf(prototype);
  return isRootPrototype(prototype);
}

/* Float16Array is missing: Node 22 could not read what Node 24 wrote. */
export const typedArrays: ReadonlyMap<string, new (source: unknown) => NodeJS.TypedArray> = new Map(
  [
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
    BigInt64Array,
    BigUint64Array,
  ].map((construct) => [construct.name, construct as new (source: unknown) => NodeJS.TypedArray]),
);

const withoutExtras = (source: object): boolean => Reflect.ownKeys(source).length === 0;

function copyMap(source: ReadonlyMap<unknown, unknown>, copyPart: CopyPart): Map<unknown, unknown> {
  const copy = new Map<unknown, unknown>();
  for (const [key, value] of source) {
    const ordinal = copy.size;
    copy.set(copyPart({ of: "keys", ordinal }, key), copyPart({ key, ordinal }, value));
  }
  return copy;
}

function copySet(source: ReadonlySet<unknown>, copyPart: CopyPart): Set<unknown> {
  const copy = new Set<unknown>();
  for (const item of source) copy.add(copyPart({ of: "values", ordinal: copy.size }, item));
  return copy;
}

function copyTypedArray(source: NodeJS.TypedArray): object | undefined {
  const construct = typedArrays.get(source[Symbol.toStringTag]);
  if (construct === undefined || !isBuiltIn(source, 2) || types.isSharedArrayBuffer(source.buffer)) return undefined;
  const copy = new construct(source);
  const bare = Object.getOwnPropertySymbols(source).length === 0 && hasIndicesAlone(source, copy);
  return bare ? copy : undefined;
}

/** Comparing sees named properties without listing every index, which is slow; it does not take arrays of other realms. */
function hasIndicesAlone(source: NodeJS.TypedArray, copy: NodeJS.TypedArray): boolean {
  if (prototypeOf(source) === prototypeOf(copy)) return isDeepStrictEqual(source, copy);
  return Object.keys(source).length === source.length;
}

/** A copy of a live container whose parts are what `copyPart` gives; `undefined` for anything else. */
export function copyLive(source: object, copyPart: CopyPart): object | undefined {
  if (types.isMap(source)) return isBuiltIn(source, 1) && withoutExtras(source) ? copyMap(source, copyPart) : undefined;
  if (types.isSet(source)) return isBuiltIn(source, 1) && withoutExtras(source) ? copySet(source, copyPart) : undefined;
  if (types.isDate(source)) return isBuiltIn(source, 1) && withoutExtras(source) ? new Date(source.getTime()) : undefined;
  if (types.isTypedArray(source)) return copyTypedArray(source);
  if (types.isNativeError(source) || source instanceof Error) return copyError(source, copyPart);
  return undefined;
}

/** Bytes of a live container itself, without the parts that it gives to `copyPart`. */
export function liveSize(copy: object): number {
  // Binary data is written in base 64.
  return types.isTypedArray(copy) ? 24 + Math.ceil((copy.byteLength * 4) / 3) : 32;
}
