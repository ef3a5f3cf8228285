/** The one monotonic source of all span times in this process, which injected clocks do not move. */

/** When the source read zero, in milliseconds since the epoch. */
export const spanOrigin = performance.timeOrigin;

/** Milliseconds since then, with fractions. Bound at load, so that a test's fake timers do not move spans. */
export const sinceSpanOrigin: () => number = performance.now.bind(performance);

/** Now, as a date for `InvocationFacts`. */
export const spanDate = (): number => spanOrigin + sinceSpanOrigin();
