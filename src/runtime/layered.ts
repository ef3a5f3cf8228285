/** One object over another, neither of them changed: instances keep what their classes give them. */
import { isPlain } from "../support/plain.ts";

/** What `above` does not have is that of `below`. */
export function layered(below: object, above: object): object {
  if (isPlain(below) && isPlain(above)) return { ...below, ...above };
  // A copy of an instance would lose its methods and getters.
  const made: object = Object.create(below);
  for (const level of levelsOf(above)) Object.defineProperties(made, withoutConstructor(Object.getOwnPropertyDescriptors(level)));
  return made;
}

/** Its classes, the topmost first, then itself. */
function levelsOf(value: object): readonly object[] {
  const prototype: unknown = Object.getPrototypeOf(value);
  const isTop = typeof prototype !== "object" || prototype === null || prototype === Object.prototype;
  return isTop ? [value] : [...levelsOf(prototype), value];
}

function withoutConstructor({ constructor: _constructor, ...members }: PropertyDescriptorMap): PropertyDescriptorMap {
  return members;
}
