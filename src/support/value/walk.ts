/** Where a walk through a value is, and how it says what it refuses. */
import { StateError } from "../../errors/errors.ts";

/** From a container to a part of it: a property, an index, a map's value under a key, or an item of `keys()` or `values()`. */
export type Step =
  | string
  | number
  | { readonly key: unknown; readonly ordinal: number }
  | { readonly of: "keys" | "values"; readonly ordinal: number };

/** Copies one part of a container. */
export type CopyPart = (step: Step, part: unknown) => unknown;

/** A part of the value, done. */
export interface Part {
  value: object;
  live: boolean;
  /** Bytes, about; a part that is reached twice counts twice, as it does when written out. */
  size: number;
  /** Levels of containers from here down, itself included. */
  height: number;
}

export interface Walk {
  /** What the whole value is called. */
  readonly root: string;
  /** The steps that led here; those from `depth` on are left over from a sibling. */
  readonly trail: Step[];
  /** The containers that are open, by depth. */
  readonly open: object[];
  depth: number;
  /** Containers seen so far. */
  count: number;
  /** What came of each container, once there are many: a graph of shared parts costs no more than its parts. */
  memo: Map<object, Part> | undefined;
}

const identifier = /^[\p{L}_$][\p{L}\p{N}_$]*$/u;
const longestName = 60;
const stepsShown = 24;

const cut = (text: string): string => (text.length > longestName ? `${text.slice(0, longestName)}…` : text);

function formatStep(step: Step): string {
  if (typeof step === "number") return `[${step}]`;
  if (typeof step === "string") return identifier.test(step) ? `.${cut(step)}` : `[${JSON.stringify(cut(step))}]`;
  if ("of" in step) return `.${step.of}()[${step.ordinal}]`;
  const { key, ordinal } = step;
  if (typeof key === "string") return `.get(${JSON.stringify(cut(key))})`;
  return typeof key === "number" || typeof key === "boolean" ? `.get(${key})` : `.values()[${ordinal}]`;
}

/** Such as `items[3].name`. Very long paths lose their middle. */
function pathOf(root: string, steps: readonly Step[]): string {
  const formatted = steps.map(formatStep);
  if (formatted.length > stepsShown) formatted.splice(stepsShown - 4, formatted.length - stepsShown, ".…");
  const path = formatted.join("");
  return root === "" && path.startsWith(".") ? path.slice(1) : root + path;
}

/** Throws `StateError` (`unserializable_value`) for the part that the walk is at. */
export function refuse(walk: Walk, what: string, options?: ErrorOptions): never {
  const path = pathOf(walk.root, walk.trail.slice(0, walk.depth));
  throw new StateError("unserializable_value", { path, what }, options);
}
