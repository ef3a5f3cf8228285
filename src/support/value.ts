/** Values of the state: checked, copied and frozen when they come in, and handed out so that nobody can change them. */
import { types } from "node:util";
import { SpanloomError } from "../errors/errors.ts";
import { describeHidden, describeIrregular, describeUnsupported } from "./value/describe.ts";
import { copyLive, isBuiltIn, isRootPrototype, liveSize, prototypeOf } from "./value/live.ts";
import { refuse, type Part, type Step, type Walk } from "./value/walk.ts";

export interface Adopted {
  readonly value: unknown;
  /** Holds a Map, Set, Date, typed array or error somewhere: to be handed out by `handOut`. */
  readonly live: boolean;
  /** Bytes, about, when written out. */
  readonly size: number;
}

/** Containers within containers; deeper values are refused, so that no reader or writer of them runs out of stack. */
const maximumDepth = 1000;
/** Bytes: what one string of the engine, and so one stored value, can hold. */
const maximumSize = 2 ** 29 - 1;
/** From so many containers on, one that is reached twice is copied once. */
const memoFrom = 10_000;
/** Bytes; what is larger is remembered as adopted, so that adopting it again costs nothing. */
const knownFrom = 256;

/** What was adopted, is frozen to the bottom, and holds nothing live. */
const known = new WeakMap<object, Part>();

const isContainer = (value: unknown): value is object => typeof value === "object" && value !== null;

/** Bytes of what is no container. Refuses functions and symbols. */
function primitiveSize(walk: Walk, value: unknown): number {
  switch (typeof value) {
    case "string":
      return value.length + 2;
    case "number":
      return 8;
    case "bigint":
      return 24;
    case "function":
      return refuse(walk, "it is a function");
    case "symbol":
      return refuse(walk, "it is a symbol");
    default:
      return 4;
  }
}

/** Adopts one part of `parent`, which is open at the walk's depth, and adds it up. */
function include(walk: Walk, parent: Part, step: Step, value: unknown): unknown {
  walk.trail[walk.depth] = step;
  walk.depth += 1;
  let adopted = value;
  if (isContainer(value)) {
    const part = adoptContainer(walk, value);
    parent.size += part.size;
    parent.live ||= part.live;
    parent.height = Math.max(parent.height, part.height + 1);
    adopted = part.value;
  } else parent.size += primitiveSize(walk, value);
  walk.depth -= 1;
  return adopted;
}

function adoptContainer(walk: Walk, source: object): Part {
  const { depth } = walk;
  const done = known.get(source) ?? walk.memo?.get(source);
  if (depth + (done?.height ?? 1) > maximumDepth) refuse(walk, `it is nested more than ${maximumDepth} levels deep`);
  if (done !== undefined) return done;
  for (let above = 0; above < depth; above += 1) if (walk.open[above] === source) refuse(walk, "it contains itself");
  walk.open[depth] = source;
  walk.count += 1;
  if (walk.count === memoFrom) walk.memo = new Map();
  const part = copyContainer(walk, source);
  if (part.size > maximumSize) refuse(walk, "it is larger than 512 MiB");
  walk.memo?.set(source, part);
  if (!part.live && part.size >= knownFrom) known.set(part.value, part);
  return part;
}

function copyContainer(walk: Walk, source: object): Part {
  const prototype = prototypeOf(source);
  if (Array.isArray(source)) return copyArray(walk, source, prototype);
  if (prototype === Object.prototype || prototype === null) return copyRecord(walk, source, prototype);
  const part: Part = { value: source, live: true, size: 0, height: 1 };
  const copy = copyLive(source, (step, value) => include(walk, part, step, value));
  if (copy !== undefined) {
    part.value = copy;
    part.size += liveSize(copy);
    return part;
  }
  return isRootPrototype(prototype) ? copyRecord(walk, source, prototype) : refuse(walk, describeUnsupported(source));
}

/** Spreading defines properties: a key `__proto__` stays data. */
function spread(source: object, prototype: object | null): Record<string, unknown> {
  if (prototype !== null) return { ...source };
  const bare: Record<string, unknown> = Object.create(null);
  return Object.assign(bare, source);
}

/** Frozen, no proxy, and of data alone: it can never change, and need not be copied. */
function isImmutable(source: object, keys: readonly string[]): boolean {
  if (!Object.isFrozen(source) || types.isProxy(source)) return false;
  return keys.every((key) => Object.getOwnPropertyDescriptor(source, key)?.get === undefined);
}

function copyRecord(walk: Walk, source: object, prototype: object | null): Part {
  const keys = Object.keys(source);
  if (Object.getOwnPropertyNames(source).length !== keys.length || Object.getOwnPropertySymbols(source).length > 0) {
    refuse(walk, describeHidden(source));
  }
  const part: Part = { value: source, live: false, size: 2, height: 1 };
  const foreign = prototype !== null && prototype !== Object.prototype;
  // Accessors run once, in `spread`: what they give is the value.
  let copy = !foreign && isImmutable(source, keys) ? source : spread(source, prototype);
  for (const key of keys) {
    const value: unknown = Reflect.get(copy, key);
    const adopted = include(walk, part, key, value);
    part.size += key.length + 4;
    if (adopted === value || !isContainer(value)) continue;
    if (copy === source) copy = spread(source, prototype);
    Reflect.set(copy, key, adopted);
  }
  part.value = copy === source ? source : Object.freeze(copy);
  return part;
}

function copyArray(walk: Walk, source: readonly unknown[], prototype: object | null): Part {
  const foreign = prototype !== Array.prototype;
  if (foreign && !isBuiltIn(source, 1)) refuse(walk, describeUnsupported(source));
  const keys = Object.keys(source);
  const last = keys.length - 1;
  const regular = keys.length === source.length && (last < 0 || keys[last] === String(last));
  if (!regular || Object.getOwnPropertySymbols(source).length > 0) refuse(walk, describeIrregular(source));
  const part: Part = { value: source, live: false, size: 2, height: 1 };
  let copy: unknown[] | undefined = !foreign && isImmutable(source, keys) ? undefined : Array.from(source);
  for (let index = 0; index < keys.length; index += 1) {
    const value = (copy ?? source)[index];
    const adopted = include(walk, part, index, value);
    part.size += 1;
    if (adopted === value || !isContainer(value)) continue;
    copy ??= Array.from(source);
    copy[index] = adopted;
  }
  if (copy !== undefined) part.value = Object.freeze(copy);
  return part;
}

/**
 * A value of its own for the state: a deep copy, its plain parts frozen; frozen plain data is taken as it is.
 * Throws `StateError` (`unserializable_value`) with the path of the part that cannot be stored; `path` names the whole.
 */
export function adopt(value: unknown, path: string): Adopted {
  const walk: Walk = { root: path, trail: [], open: [], depth: 0, count: 0, memo: undefined };
  if (!isContainer(value)) return { value, live: false, size: primitiveSize(walk, value) };
  try {
    return adoptContainer(walk, value);
  } catch (error) {
    if (SpanloomError.is(error, "unserializable_value")) throw error;
    return refuse(walk, "reading it threw an error", { cause: error });
  }
}

/** What a reader gets of an adopted value: live parts, and the containers that hold them, as fresh copies; the rest as it is. */
export function handOut(value: unknown): unknown {
  if (!isContainer(value) || known.has(value)) return value;
  if (Array.isArray(value)) return handOutArray(value);
  const prototype = prototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return handOutRecord(value, prototype);
  return copyLive(value, (_step, part) => handOut(part));
}

function handOutArray(source: readonly unknown[]): readonly unknown[] {
  const copy = source.map(handOut);
  return copy.every((item, index) => Object.is(item, source[index])) ? source : Object.freeze(copy);
}

function handOutRecord(source: object, prototype: object | null): object {
  const copy = spread(source, prototype);
  let changed = false;
  for (const key of Object.keys(copy)) {
    const value = copy[key];
    const handed = handOut(value);
    if (Object.is(handed, value)) continue;
    copy[key] = handed;
    changed = true;
  }
  return changed ? Object.freeze(copy) : source;
}
