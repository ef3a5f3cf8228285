/** A value as a store gives it, made safe to hand out: a store may keep references, or build it anew. */
import { SpanloomError } from "../errors/errors.ts";
import { adopt, type Adopted } from "../support/value.ts";

type Parts = readonly (readonly [string, unknown])[];

/** One channel's. What grew by many writes may be larger than one may be: then each part is taken by itself. Throws as `adopt`. */
export function adoptStored(value: unknown, channel: string): Adopted {
  try {
    return adopt(value, channel);
  } catch (error) {
    const parts = SpanloomError.is(error, "unserializable_value") ? partsOf(value) : undefined;
    if (parts === undefined) throw error;
    const adopted = parts.map(([key, part]): [string, Adopted] => [key, adopt(part, `${channel}[${key}]`)]);
    const values = adopted.map(([key, part]): [string, unknown] => [key, part.value]);
    const whole: unknown = Array.isArray(value) ? values.map(([, part]) => part) : Object.fromEntries(values);
    const size = adopted.reduce((sum, [, part]) => sum + part.size, 0);
    return { value: Object.freeze(whole), live: adopted.some(([, part]) => part.live), size };
  }
}

/** Of a frozen list or record. */
function partsOf(value: unknown): Parts | undefined {
  if (typeof value !== "object" || value === null || !Object.isFrozen(value)) return undefined;
  const plain = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
  return plain ? Object.entries(value) : undefined;
}
