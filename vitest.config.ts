/** How the tests run: from source, each file in a process of its own. Slow ones (`*.slow.test.ts`) run with `--mode slow` alone. */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = (path: string): string => fileURLToPath(new URL(`src/${path}`, import.meta.url));
const report = process.env["VITEST_JSON"];
const slow = "test/**/*.slow.test.ts";
/** What holds on the memory store must hold on another: these run a second time with SQLite in its place. */
const onEveryStore = ["test/{sessions,schedule,frontier,state}/**/*.test.ts"];
const memoryAlone = ["test/sessions/memory-store.test.ts", "test/**/*.memory.test.ts"];

export default defineConfig(({ mode }) => ({
  // Examples import the package by its name.
  resolve: {
    alias: [
      { find: /^spanloom$/, replacement: source("index.ts") },
      { find: /^spanloom\/([a-z]+)$/, replacement: source("$1.ts") },
    ],
  },
  test: {
    pool: "forks",
    // `.ci/run` counts the tests by this file.
    reporters: report === undefined ? ["default"] : ["default", ["json", { outputFile: report }]],
    // Tests do not depend on speed: this only ends one that hangs.
    testTimeout: mode === "slow" ? 600_000 : 30_000,
    hookTimeout: mode === "slow" ? 600_000 : 30_000,
    projects:
      mode === "slow"
        ? [{ extends: true, test: { name: "slow", include: [slow], fileParallelism: false } }]
        : [
            { extends: true, test: { name: "unit", include: ["test/**/*.test.ts"], exclude: [slow, "test/bench/**"] } },
            {
              extends: true,
              resolve: { alias: [{ find: /^spanloom$/, replacement: fileURLToPath(new URL("test/sqlite/in-place.ts", import.meta.url)) }] },
              test: { name: "sqlite", include: onEveryStore, exclude: [slow, ...memoryAlone] },
            },
            {
              extends: true,
              test: {
                name: "types",
                include: [],
                typecheck: { enabled: true, only: true, include: ["test/types/**/*.test-d.ts"], tsconfig: "tsconfig.json" },
              },
            },
          ],
  },
}));
