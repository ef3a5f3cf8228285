/** The state of a session between two barriers: one cell per channel, its versions, and the frozen view that nodes read. */
import { AppendList } from "../support/append-list.ts";
import { handOut } from "../support/value.ts";
import type { Values } from "../support/types.ts";
import type { Plan } from "../graph/plan.ts";

/** A channel's value. A growing channel keeps an append list, whose frozen array is made only when read. */
export interface Cell {
  readonly value: unknown;
  /** Set instead of `value` for a list that has grown. */
  readonly list: AppendList | undefined;
  /** Holds Map, Set, Date, typed arrays or errors, which freezing cannot protect: handed out as copies. */
  readonly live: boolean;
}

/** Cells and versions in the order of `Plan.channels`. Never changed: a barrier makes another. */
export interface StateImage {
  readonly cells: readonly Cell[];
  readonly versions: readonly number[];
}

export const plainCell = (value: unknown, live: boolean): Cell => ({ value, list: undefined, live });

export const listCell = (list: AppendList, live: boolean): Cell => ({ value: undefined, list, live });

/** The cell's own frozen value; not to be handed out when the cell is live. */
export const valueOf = (cell: Cell): unknown => (cell.list === undefined ? cell.value : cell.list.toArray());

const views = new WeakMap<StateImage, Values>();

/** What a node reads: a frozen record, the same for all readers unless a channel must be handed out by copy. */
export function viewOf(plan: Plan, image: StateImage): Values {
  const shared = views.get(image);
  if (shared !== undefined) return shared;
  const view = makeView(plan, image);
  if (!image.cells.some((cell) => cell.live)) views.set(image, view);
  return view;
}

/** The same as plain properties: for those who keep or print it. */
export function plainViewOf(plan: Plan, image: StateImage): Values {
  const view: Record<string, unknown> = {};
  for (const channel of plan.channels) define(view, channel.name, handOut(valueOf(image.cells[channel.index] as Cell)));
  return Object.freeze(view);
}

function makeView(plan: Plan, image: StateImage): Values {
  const view: Record<string, unknown> = {};
  for (const channel of plan.channels) {
    const cell = image.cells[channel.index] as Cell;
    const value = cell.list === undefined ? cell.value : cell.list.made;
    if (cell.live) defineLazily(view, channel.name, () => handOut(valueOf(cell)));
    else if (cell.list === undefined || value !== undefined) define(view, channel.name, value);
    else defineLazily(view, channel.name, () => cell.list?.toArray());
  }
  return Object.freeze(view);
}

/** Assigns, unless that would set a prototype. */
function define(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === "__proto__") Object.defineProperty(target, key, { value, enumerable: true });
  else target[key] = value;
}

function defineLazily(target: Record<string, unknown>, key: string, make: () => unknown): void {
  let made = false;
  let value: unknown;
  Object.defineProperty(target, key, {
    enumerable: true,
    get: () => {
      if (!made) [made, value] = [true, make()];
      return value;
    },
  });
}

const named = new WeakMap<readonly number[], Readonly<Record<string, number>>>();

/** Versions by channel name, frozen. */
export function versionsOf(plan: Plan, versions: readonly number[]): Readonly<Record<string, number>> {
  const found = named.get(versions);
  if (found !== undefined) return found;
  const made: Record<string, number> = {};
  for (const channel of plan.channels) define(made, channel.name, versions[channel.index] ?? 1);
  named.set(versions, Object.freeze(made));
  return made;
}
