/** Small types that every layer uses. */

export type OneOrMany<T> = T | readonly T[];
/** `Promise`, not `PromiseLike`: the compiler's errors are shorter. */
export type Awaitable<T> = T | Promise<T>;

/** Milliseconds, or a number with a unit: "250ms", "10s", "5m", "2h", "1d". */
export type Duration = number | `${number}${"ms" | "s" | "m" | "h" | "d"}`;

/** A value of the [Standard Schema](https://standardschema.dev) interface: Zod, Valibot, ArkType … */
export interface StandardSchema<In = unknown, Out = In> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => unknown;
    readonly types?: { readonly input: In; readonly output: Out } | undefined;
  };
}

/** A plain record of values by name. */
export type Values = Readonly<Record<string, unknown>>;
