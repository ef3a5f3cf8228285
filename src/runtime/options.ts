/** What a caller gives with a call, read once: a caller in JavaScript may hand over anything. */
import { RunnerError } from "../errors/errors.ts";
import { show } from "../support/show.ts";
import { refuseOption } from "./settings.ts";

function isList(given: object): boolean {
  try {
    return Array.isArray(given);
  } catch {
    // A proxy that was revoked: reading it is refused below.
    return false;
  }
}

/** Those of `names` that are given; `null` is none. Throws `RunnerError` `invalid_option` for what is no object, or cannot be read. */
export function readOptions<Options extends object>(
  given: Options | null | undefined,
  names: readonly (keyof Options)[],
): Partial<Options> {
  const read: Partial<Options> = {};
  if (given === undefined || given === null) return read;
  if (typeof given !== "object" || isList(given)) return refuseOption("options", `must be an object, not ${show(given)}`);
  try {
    for (const name of names) if (name in given) read[name] = given[name];
  } catch (cause) {
    throw new RunnerError("invalid_option", { option: "options", reason: "could not be read" }, { cause });
  }
  return read;
}
