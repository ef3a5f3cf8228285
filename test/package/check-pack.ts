/** What would be published, checked after a build: nothing but the package, and all that it promises. Run by .ci/run. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

interface Manifest {
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
}

const manifest = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as Manifest;
// The build has been made: packing here only lists.
const listing = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: root, encoding: "utf8" });
const [packed] = JSON.parse(listing) as readonly { readonly size: number; readonly files: readonly { readonly path: string }[] }[];
const files = new Set((packed?.files ?? []).map((file) => file.path));
const problems: string[] = [];

const meant = /^(LICENSE|README\.md|package\.json|docs\/[a-z-]+\.md|dist\/.+\.(js|js\.map|d\.ts|json))$/;
for (const file of files) if (!meant.test(file)) problems.push(`${file} does not belong into the package.`);

for (const file of files) {
  const name = /^dist\/(.+?)(?:\.js|\.js\.map|\.d\.ts)$/.exec(file)?.[1];
  if (name !== undefined && !existsSync(`${root}src/${name}.ts`))
    problems.push(`${file} is left over from an earlier build: src/${name}.ts is gone.`);
}

const targets = Object.values(manifest.exports).flatMap((target) => (typeof target === "string" ? [target] : Object.values(target)));
const promised = [...targets, ...Object.values(manifest.bin)].map((path) => path.replace(/^\.\//, ""));
for (const file of ["LICENSE", "README.md", "docs/errors.md", ...promised]) {
  if (!files.has(file)) problems.push(`${file} is missing from the package.`);
}

for (const file of Object.values(manifest.bin)) {
  const text = existsSync(root + file) ? readFileSync(root + file, "utf8") : "";
  if (!text.startsWith("#!/usr/bin/env node\n")) problems.push(`${file} does not begin with #!/usr/bin/env node.`);
}

for (const [name, target] of Object.entries(manifest.exports)) {
  if (typeof target === "string" || target["default"] === undefined) continue;
  try {
    await import(new URL(`../../${target["default"]}`, import.meta.url).href);
  } catch (error) {
    problems.push(`The entry point "${name}" cannot be imported: ${String(error)}`);
  }
}

for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
else console.log(`${files.size} files, ${Math.round((packed?.size ?? 0) / 1024)} KiB packed, ${targets.length} exported targets.`);
