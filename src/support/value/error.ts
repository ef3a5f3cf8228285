/** How an error is kept: as the built-in error that it is or extends, with its name, message, stack, cause and own data. */
import type { CopyPart } from "./walk.ts";

/* The only classes that an error is ever made of, whatever it is called. */
const builtIn: readonly (new (message?: string) => Error)[] = [TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError];

const inherited = new Set(["name", "message", "stack"]);

function emptyError(source: Error): Error {
  if (source instanceof AggregateError) return new AggregateError([]);
  const construct = builtIn.find((candidate) => source instanceof candidate) ?? Error;
  return new construct();
}

/** Symbol keys of an error mark its class, and are not kept. */
export function copyError(source: Error, copyPart: CopyPart): Error {
  const copy = emptyError(source);
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
