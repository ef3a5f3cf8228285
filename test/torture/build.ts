/** The worker as JavaScript: thousands of processes start from it, and each from TypeScript would take up to three times as long. */
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const modules = join(root, "node_modules");

/** Gives the module to start. */
export function buildWorker(folder: string): string {
  const outDir = join(folder, "built");
  mkdirSync(outDir, { recursive: true });
  // Whether the types are right is asked elsewhere.
  const emit = { noEmit: false, noCheck: true, declaration: false, rootDir: root, outDir, typeRoots: [join(modules, "@types")] };
  const config = {
    extends: join(root, "tsconfig.json"),
    compilerOptions: emit,
    include: [],
    files: [join(root, "test/torture/worker.ts")],
  };
  writeFileSync(join(outDir, "tsconfig.json"), JSON.stringify(config));
  execFileSync(process.execPath, [join(modules, "typescript/bin/tsc"), "-p", outDir], { stdio: "pipe" });
  // By its own name a package finds itself.
  const exports = { ".": "./src/index.js", "./sqlite": "./src/sqlite.js" };
  writeFileSync(join(outDir, "package.json"), JSON.stringify({ name: "spanloom", type: "module", exports }));
  symlinkSync(modules, join(outDir, "node_modules"));
  return join(outDir, "test/torture/worker.js");
}
