/** Files whose changes say nothing about the work of people: written by programs, or by others. */

/** A file's name, `*.ending`, or `folder/` at any depth. */
export const usualNoise: readonly string[] = [
  // What package managers resolved.
  "package-lock.json",
  "npm-shrinkwrap.json",
  "yarn.lock",
  "pnpm-lock.yaml",
  "bun.lock",
  "bun.lockb",
  "deno.lock",
  "Cargo.lock",
  "go.sum",
  "poetry.lock",
  "uv.lock",
  "Pipfile.lock",
  "composer.lock",
  "Gemfile.lock",
  "flake.lock",
  // What tools wrote.
  "*.min.js",
  "*.min.css",
  "*.map",
  "*.snap",
  "*.svg",
  "*.pb.go",
  "CHANGELOG.md",
  "dist/",
  // What others wrote.
  "node_modules/",
  "vendor/",
  "third_party/",
];

/** Whether one of the patterns fits a path. */
export function noiseFilter(patterns: readonly string[]): (path: string) => boolean {
  const endings = patterns.filter((pattern) => pattern.startsWith("*")).map((pattern) => pattern.slice(1));
  const folders = patterns.filter((pattern) => pattern.endsWith("/")).map((pattern) => `/${pattern}`);
  const names = new Set(patterns);
  return (path) =>
    names.has(path.slice(path.lastIndexOf("/") + 1)) ||
    endings.some((ending) => path.endsWith(ending)) ||
    folders.some((folder) => `/${path}`.includes(folder));
}
