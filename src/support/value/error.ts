/** How an error is kept: as the built-in error that it is or extends, with its name, message, stack, cause and own data. */
import type { CopyPart } from "./walk.ts";

/* The only classes that an error is ever made of, whatever it is called. */
const builtIn: readonly (new (message?: string) => Error)[] = [TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError];

const inherited = new Set(["name", "message", "stack"]);

/** The built-in class that an error is kept as. */
export function errorClass(source: Error): string {
  if (source instanceof AggregateError) return "AggregateError";
  return (builtIn.find((candidate) => source instanceof candidate) ?? Error).name;
}

/** An error of that class with nothing in it; `undefined` if it is none that errors are kept as. */
export function emptyError(name: string): Error | undefined {
  if (name === "AggregateError") return new AggregateError([]);
  const construct = name === "Error" ? Error : builtIn.find((candidate) => candidate.name === name);
  return construct === undefined ? undefined : new construct();
}

/** Symbol keys of an error mark its class, and are not kept. */
export function copyError(source: Error, copyPart: CopyPart): Error {
  const copy = emptyError(errorClass(source)) ?? new Error();
  const define = (key: string, own: unknown): void => {
    const enumerable = Object.prototype.propertyIsEnumerable.call(source, key);
    Object.defineProperty(copy, key, { value: copyPart(key, own), writable: true, configurable: true, enumerable });
  };
  const { name, message } = source;
  // A class may give these by its prototype; the copy has none of its own.
  if (name !== copy.name || Object.hasOwn(source, "name")) define("name", name);
  if (message !== copy.message || Object.hasOwn(source, "message")) define("message", message);
  define("stack", source.stack);
  for (const key of Object.getOwnPropertyNames(source)) {
    if (!inherited.has(key)) define(key, Reflect.get(source, key));
  }
  return copy;
}
