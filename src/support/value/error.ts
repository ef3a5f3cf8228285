/** How an error is kept: as the built-in error that it is or extends, with its name, message, stack, cause and own data. */
import type { CopyPart } from "./walk.ts";

/* The only classes that an error is ever made of, whatever it is called. */
const builtIn: readonly (new (message?: string) => Error)[] = [TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError];

const special = new Set(["name", "message"]);

function emptyError(source: Error): Error {
  if (source instanceof AggregateError) return new AggregateError([]);
  const construct = builtIn.find((candidate) => source instanceof candidate) ?? Error;
  return new construct();
}

function hide(target: Error, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, configurable: true, enumerable: false });
}

/** Symbol keys and hidden properties of an error mark its class, and are not kept. */
export function copyError(source: Error, copyPart: CopyPart): Error {
  const copy = emptyError(source);
  const { name, message } = source;
  if (name !== copy.name) hide(copy, "name", copyPart("name", name));
  if (message !== copy.message || Object.hasOwn(source, "message")) hide(copy, "message", copyPart("message", message));
  hide(copy, "stack", copyPart("stack", source.stack));
  if (Object.hasOwn(source, "cause")) hide(copy, "cause", copyPart("cause", source.cause));
  if (source instanceof AggregateError) hide(copy, "errors", copyPart("errors", source.errors));
  for (const [key, own] of Object.entries(source)) {
    if (special.has(key) || Object.hasOwn(copy, key)) continue;
    const value = copyPart(key, own);
    Object.defineProperty(copy, key, { value, writable: true, configurable: true, enumerable: true });
  }
  return copy;
}
