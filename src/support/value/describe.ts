/** What to say of a value that cannot be stored. */
import { types } from "node:util";

function className(value: object): string {
  const { constructor } = value as { readonly constructor?: unknown };
  return typeof constructor === "function" && constructor.name !== "" && constructor !== Object ? constructor.name : "";
}

/** Continues "cannot be stored: "; for what is neither plain data nor a built-in container that is kept. */
export function describeUnsupported(value: object): string {
  if (types.isPromise(value)) return "it is a promise; await it first";
  if (Buffer.isBuffer(value)) return "it is a Buffer; store new Uint8Array(buffer)";
  if (types.isAnyArrayBuffer(value) || types.isDataView(value)) return `it is a ${className(value)}; store a typed array`;
  if (ArrayBuffer.isView(value))
    return `it is a ${className(value)} of a kind that is not kept; store a plain typed array without properties of its own`;
  if (types.isMap(value) || types.isSet(value) || types.isDate(value)) {
    return `it is a ${className(value)} with a class or properties of its own; store a plain one`;
  }
  const name = className(value);
  return name === ""
    ? "it is an object with a prototype of its own; spread it into a plain object"
    : `it is an instance of ${name}; store its data as a plain object`;
}

/** Why a plain object with more own keys than enumerable strings is refused. */
export function describeHidden(source: object): string {
  if (Object.getOwnPropertySymbols(source).length > 0) return "it has a symbol as a key";
  const hidden = Object.getOwnPropertyNames(source).find((name) => !Object.prototype.propertyIsEnumerable.call(source, name));
  return `it has the hidden (not enumerable) property ${JSON.stringify(hidden)}`;
}

/** Why an array whose keys are not just its indices is refused. */
export function describeIrregular(source: readonly unknown[]): string {
  const extra = Object.keys(source).find((key, index) => key !== String(index) && !/^\d+$/.test(key));
  if (Object.getOwnPropertySymbols(source).length > 0) return "it is an array with a symbol as a key";
  if (extra !== undefined) return `it is an array with the property ${JSON.stringify(extra)}`;
  const keys = Object.keys(source);
  const hole = keys.findIndex((key, index) => key !== String(index));
  return `it is a sparse array: item ${hole < 0 ? keys.length : hole} is missing`;
}
