/** A growing list whose versions share one private log: an append costs what is appended, and the frozen array is made only when read. */

/** Immutable to its users: `append` gives another list, and leaves this one as it was. */
export class AppendList {
  /** Shared by the versions of one lineage; each sees its own first `length` items. */
  readonly #log: unknown[];
  readonly length: number;
  #array: readonly unknown[] | undefined;

  private constructor(log: unknown[], length: number, array: readonly unknown[] | undefined) {
    this.#log = log;
    this.length = length;
    this.#array = array;
  }

  static of(items: readonly unknown[]): AppendList {
    const array = Object.isFrozen(items) ? items : Object.freeze([...items]);
    // An empty log of its own: the first append copies, since a frozen array cannot grow.
    return new AppendList([], items.length, array);
  }

  append(items: readonly unknown[]): AppendList {
    // Another version went on from here already, or the log was never filled: begin a log of our own.
    const log = this.#log.length === this.length ? this.#log : [...this.toArray()];
    for (const item of items) log.push(item);
    return new AppendList(log, log.length, undefined);
  }

  /** The frozen array, if it was made already. */
  get made(): readonly unknown[] | undefined {
    return this.#array;
  }

  /** A frozen array, made once. */
  toArray(): readonly unknown[] {
    this.#array ??= Object.freeze(this.#log.slice(0, this.length));
    return this.#array;
  }
}
