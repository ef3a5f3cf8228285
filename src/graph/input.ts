/** Declares the item that a node is sent, once per item, by `send`. */
export interface InputType<Item> {
  readonly "~item"?: Item;
}

/* An item's type stands in places of both variances; no narrower type takes all of them. */
// oxlint-disable-next-line typescript/no-explicit-any
export type InputTypes = Readonly<Record<string, InputType<any>>>;
export type ItemOf<T> = T extends InputType<infer Item> ? Item : never;

/** A node of this name is reached by `send` alone, and runs once for each item. */
export function input<Item>(): InputType<Item> {
  return {};
}
