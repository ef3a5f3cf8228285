/** How two values differ, part by part: what a store gives back is what it was given, or the test names the part that is not. */
import { types } from "node:util";
import { show } from "../../support/show.ts";

/** Parts that are named at most; the rest is rarely of another kind. */
const most = 20;

interface Walk {
  /** Values are the user's: the order of keys counts, and an absent key is no `undefined`. In records neither matters. */
  readonly of: "value" | "record";
  readonly found: string[];
}

type Comparison = (walk: Walk, path: string, actual: never, expected: never) => void;

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

const shown = (value: unknown): string => {
  if (Object.is(value, -0)) return "-0";
  return typeof value === "bigint" ? `${value}n` : show(value);
};

function report({ found }: Walk, path: string, what: string): void {
  if (found.length < most) found.push(`${path}: ${what}`);
}

function compare(walk: Walk, path: string, actual: unknown, expected: unknown): void {
  if (Object.is(actual, expected) || walk.found.length >= most) return;
  if (!isObject(actual) || !isObject(expected)) return report(walk, path, `${shown(actual)} instead of ${shown(expected)}`);
  const kind = kindOf(expected);
  if (kindOf(actual) !== kind) return report(walk, path, `a ${kindOf(actual)} instead of a ${kind}`);
  if (Object.getPrototypeOf(actual) !== Object.getPrototypeOf(expected)) return report(walk, path, "another prototype");
  // Both are of the kind that the comparison is for.
  comparisons[kind](walk, path, actual as never, expected as never);
}

type Kind = "list" | "map" | "set" | "date" | "typed array" | "error" | "record";

function kindOf(value: object): Kind {
  if (Array.isArray(value)) return "list";
  if (types.isMap(value)) return "map";
  if (types.isSet(value)) return "set";
  if (types.isDate(value)) return "date";
  if (types.isTypedArray(value)) return "typed array";
  return types.isNativeError(value) ? "error" : "record";
}

const comparisons: Readonly<Record<Kind, Comparison>> = {
  list: compareLists,
  map: compareMaps,
  set: (walk, path, actual: ReadonlySet<unknown>, expected: ReadonlySet<unknown>) =>
    compareLists(walk, `${path}.values()`, [...actual], [...expected]),
  date: (walk, path, actual: Date, expected: Date) => compare(walk, `${path}.getTime()`, actual.getTime(), expected.getTime()),
  "typed array": compareTypedArrays,
  error: compareErrors,
  record: compareRecords,
};

function compareLists(walk: Walk, path: string, actual: readonly unknown[], expected: readonly unknown[]): void {
  if (actual.length !== expected.length) return report(walk, path, `${actual.length} items instead of ${expected.length}`);
  for (const [index, item] of expected.entries()) compare(walk, `${path}[${index}]`, actual[index], item);
}

/** Of a value, order and all; those of records have texts as keys. */
function compareMaps(walk: Walk, path: string, actual: ReadonlyMap<unknown, unknown>, expected: ReadonlyMap<unknown, unknown>): void {
  if (walk.of === "value") return compareLists(walk, `${path}.entries()`, [...actual], [...expected]);
  if (actual.size !== expected.size) return report(walk, path, `${actual.size} entries instead of ${expected.size}`);
  for (const [key, value] of expected) {
    if (actual.has(key)) compare(walk, `${path}.get(${shown(key)})`, actual.get(key), value);
    else report(walk, path, `the key ${shown(key)} is missing`);
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: NodeJS.TypedArray): Buffer => Buffer.from(buffer, byteOffset, byteLength);

function compareTypedArrays(walk: Walk, path: string, actual: NodeJS.TypedArray, expected: NodeJS.TypedArray): void {
  if (!bytesOf(actual).equals(bytesOf(expected))) report(walk, path, "other bytes");
}

function compareErrors(walk: Walk, path: string, actual: Error, expected: Error): void {
  const keys = new Set([...Reflect.ownKeys(actual), ...Reflect.ownKeys(expected)]);
  for (const key of keys) compareProperty(walk, path, key, actual, expected);
}

function compareRecords(walk: Walk, path: string, actual: object, expected: object): void {
  const [found, wanted] = [Reflect.ownKeys(actual), Reflect.ownKeys(expected)];
  if (walk.of === "record") {
    // The keys of records are known, and none is inherited.
    for (const key of new Set([...found, ...wanted]))
      compare(walk, pathTo(path, key), Reflect.get(actual, key), Reflect.get(expected, key));
    return;
  }
  const inOrder = found.length === wanted.length && found.every((key, index) => key === wanted[index]);
  if (!inOrder) return report(walk, path, `the keys ${found.map(shown).join(", ")} instead of ${wanted.map(shown).join(", ")}`);
  for (const key of wanted) compareProperty(walk, path, key, actual, expected);
}

const pathTo = (path: string, key: string | symbol): string => `${path}[${typeof key === "symbol" ? String(key) : shown(key)}]`;

function compareProperty(walk: Walk, path: string, key: string | symbol, actual: object, expected: object): void {
  const place = pathTo(path, key);
  const [found, wanted] = [actual, expected].map((each) => Object.getOwnPropertyDescriptor(each, key));
  if (found === undefined || wanted === undefined) return report(walk, place, found === undefined ? "is missing" : "is one too many");
  if (found.enumerable !== wanted.enumerable) report(walk, place, wanted.enumerable === true ? "is hidden" : "is not hidden");
  compare(walk, place, Reflect.get(actual, key), Reflect.get(expected, key));
}

/** Each difference as a path and what is there; none when a value of the state came back identical. */
export function valueDifferences(actual: unknown, expected: unknown, path = "value"): readonly string[] {
  const walk: Walk = { of: "value", found: [] };
  compare(walk, path, actual, expected);
  return walk.found;
}

/** The same of what the runtime itself writes, such as records: neither the order of keys nor of a map's entries matters. */
export function recordDifferences(actual: unknown, expected: unknown, path: string): readonly string[] {
  const walk: Walk = { of: "record", found: [] };
  compare(walk, path, actual, expected);
  return walk.found;
}
