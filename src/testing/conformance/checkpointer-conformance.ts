/** The tests that every store of sessions passes. */
import { amending } from "./amending.ts";
import { runTest, type StoreSource, type TestRunner, type Theme } from "./harness.ts";
import { histories } from "./histories.ts";
import { ids } from "./ids.ts";
import { values } from "./kept-values.ts";
import { lifetime, sizes } from "./lifetime.ts";
import { lists } from "./lists.ts";
import { loading } from "./loading.ts";
import { removal } from "./removal.ts";
import { results } from "./results.ts";
import { saving } from "./saving.ts";
import { states } from "./states.ts";

/** Milliseconds. No test depends on time: this only ends one that hangs. */
const longest = 120_000;

const themes = (store: StoreSource): Readonly<Record<string, Theme>> => ({
  saving,
  amending,
  "results and sub-steps": results,
  loading,
  state: states,
  values,
  history: histories,
  list: lists,
  "forks and removal": removal,
  ids,
  lifetime: lifetime(store.reopen !== undefined),
  size: sizes,
});

/**
 * Registers the conformance suite with the caller's own `describe`, `it` and `expect` (vitest or jest): what `Checkpointer` promises, as
 * some 170 tests under one `describe` of the name. Each opens a store of its own, which must be empty, and closes it. With `reopen`, for
 * stores that outlive their close, most of what was written is read a second time after a close; it is given the closed store, and gives
 * one of the same data. Nothing sleeps or depends on speed; the largest tests write values of 50 MB.
 *
 * @example
 * import { describe, expect, it } from "vitest";
 * import { checkpointerConformance } from "spanloom/testing";
 * import { myCheckpointer } from "../src/my-checkpointer.ts";
 *
 * checkpointerConformance(
 *   "my store",
 *   { open: async () => myCheckpointer(newDatabase()), reopen: async (closed) => myCheckpointer(databaseOf(closed)) },
 *   { describe, expect, it },
 * );
 */
export function checkpointerConformance(
  name: string,
  store: StoreSource,
  runner: { readonly describe: Function; readonly it: Function; readonly expect: Function },
): void {
  // Each runner has types of its own; all of them take what is given here.
  const given = runner as unknown as TestRunner;
  given.describe(name, () => {
    for (const [title, theme] of Object.entries(themes(store))) {
      given.describe(title, () => {
        for (const [sentence, test] of Object.entries(theme)) given.it(sentence, () => runTest(store, given, test), longest);
      });
    }
  });
}
