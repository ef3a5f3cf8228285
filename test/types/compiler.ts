/** Compiles small sources in a temporary folder, against this package's own source. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** What every source may use, by the names that users know. */
const prelude = [
  "graph/builder",
  "graph/channel",
  "graph/event-type",
  "graph/graph",
  "graph/input",
  "graph/names",
  "graph/services",
  "errors/errors",
]
  .map((file) => `export * from ${JSON.stringify(join(root, `src/${file}.ts`))};\n`)
  .join("");

function configure(folder: string): void {
  const compilerOptions = { rewriteRelativeImportExtensions: false };
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({ extends: join(root, "tsconfig.json"), compilerOptions, include: ["*.ts"] }),
  );
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  writeFileSync(join(folder, "spanloom.ts"), prelude);
}

function inFolder<Result>(sources: Readonly<Record<string, string>>, use: (folder: string) => Result): Result {
  const folder = mkdtempSync(join(tmpdir(), "spanloom-types-"));
  try {
    configure(folder);
    for (const [file, source] of Object.entries(sources)) writeFileSync(join(folder, file), source);
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What the compiler prints for sources by file name, each of which may import from "./spanloom.ts". */
export function compile(sources: Readonly<Record<string, string>>, options: readonly string[] = []): string {
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  return inFolder(sources, (folder) => {
    const parameters = [compiler, "-p", folder, "--pretty", "false", ...options];
    return spawnSync(process.execPath, parameters, { encoding: "utf8", cwd: folder }).stdout;
  });
}
