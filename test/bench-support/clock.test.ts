/** The clock of the rows. */
import { expect, it } from "vitest";
import { now } from "../bench/harness/clock.ts";

it("moves while the thread works, and no faster than the wall's", () => {
  const [start, wallStart] = [now(), performance.now()];
  // A clock that counts no work would never end this, and the test's own limit would say so.
  while (now() - start < 1);
  const moved = now() - start;
  expect(performance.now() - wallStart).toBeGreaterThanOrEqual(moved - 0.1);
});
