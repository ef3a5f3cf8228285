/** The clock of the rows. */
import { expect, it } from "vitest";
import { now } from "../bench/harness/clock.ts";

// How fast is not said here: a neighbour may take the processor between its two readings.
it("moves while the thread works", () => {
  const start = now();
  // A clock that counts no work would never end this, and the test's own limit would say so.
  while (now() - start < 1);
  expect(Number.isFinite(now() - start)).toBe(true);
});
