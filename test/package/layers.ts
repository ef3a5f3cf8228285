/** The layers of the source, which may import which, and how imports are read. */
import { dirname, join, normalize } from "node:path/posix";

/** Where a file is: its layer, and within ports, adapters and entry points, which one. */
export interface Place {
  readonly layer: "base" | "graph" | "port" | "engine" | "runtime" | "adapter" | "entry";
  readonly name: string;
}

const adapters = /^(events\/sinks|checkpoint\/(?:memory|sqlite|postgres)|telemetry\/(?:otel|channels))(?:[/.]|$)/;

/** The place of a path below `src`. */
export function placeOf(path: string): Place | undefined {
  const folder = path.split("/")[0] ?? "";
  const adapter = adapters.exec(path)?.[1];
  if (adapter !== undefined) return { layer: "adapter", name: adapter };
  if (folder === "errors" || folder === "support") return { layer: "base", name: "base" };
  if (folder === "events" || folder === "checkpoint" || folder === "telemetry") return { layer: "port", name: folder };
  if (folder === "graph" || folder === "engine" || folder === "runtime") return { layer: folder, name: folder };
  const entry = folder.replace(/\.ts$/, "");
  return entries.has(entry) ? { layer: "entry", name: entry } : undefined;
}

const entries = new Set(["index", "create-runner", "sqlite", "postgres", "otel", "testing", "cli"]);

const below: Readonly<Record<Place["layer"], readonly Place["layer"][]>> = {
  base: ["base"],
  graph: ["base", "graph"],
  port: ["base", "graph", "port"],
  engine: ["base", "graph", "port", "engine"],
  runtime: ["base", "graph", "port", "engine", "runtime"],
  adapter: ["base", "graph", "port", "adapter"],
  entry: ["base", "graph", "port", "engine", "runtime", "adapter", "entry"],
};

/** Beside itself, what an entry point may import of the others. */
const entryImports: Readonly<Record<string, readonly string[]>> = {
  index: ["create-runner"],
  cli: ["index", "create-runner", "sqlite", "postgres", "otel", "testing"],
};

/** Packages that only some files may load, and which. */
const packages: readonly (readonly [RegExp, RegExp])[] = [
  [/^@opentelemetry\/api$/, /^(telemetry\/otel[/.]|otel[/.]|testing[/.])/],
  [/^@opentelemetry\/(?!api$)/, /^(otel[/.]|testing[/.])/],
  [/^node:sqlite$/, /^checkpoint\/sqlite[/.]/],
  [/^pg(\/|$)/, /^checkpoint\/postgres[/.]/],
];

/** Names that the ports share: the events, and the registry of telemetry names. */
const vocabulary: ReadonlySet<string> = new Set(["events/event.ts", "telemetry/names.ts"]);

function mayImport(from: Place, to: Place, target: string): boolean {
  if (!below[from.layer].includes(to.layer)) return false;
  if (from.layer === "adapter" && to.layer === "adapter") return from.name === to.name;
  if (from.layer === "adapter" && to.layer === "port") return from.name.startsWith(`${to.name}/`) || vocabulary.has(target);
  if (from.layer === "entry" && to.layer === "entry") return from.name === to.name || (entryImports[from.name] ?? []).includes(to.name);
  return true;
}

/** The modules that a source text imports or exports from, types included. Comments do not count. */
export function importsOf(text: string): readonly string[] {
  const statements = /^[ \t]*(?:import|export)\b[^;]*?\bfrom\s*"([^"]+)"|^[ \t]*import\s*"([^"]+)"/gm;
  const calls = /^(?![ \t]*(?:\*|\/\/|\/\*)).*?\bimport\(\s*"([^"]+)"/gm;
  return [...text.matchAll(statements), ...text.matchAll(calls)].map((match) => match[1] ?? match[2] ?? "");
}

/** What is wrong with the imports of one file, as sentences. `path` is below `src`. */
export function problemsOf(path: string, text: string): readonly string[] {
  const from = placeOf(path);
  if (from === undefined) return [`${path} is in no layer.`];
  const problems: string[] = [];
  for (const specifier of importsOf(text)) {
    for (const [name, allowed] of packages) {
      if (name.test(specifier) && !allowed.test(path)) problems.push(`${path} imports ${specifier}, which is not for this layer.`);
    }
    if (!specifier.startsWith(".")) continue;
    const target = normalize(join(dirname(path), specifier));
    const to = placeOf(target);
    if (to === undefined || !mayImport(from, to, target))
      problems.push(`${path} (${from.layer}) imports ${target} (${to?.layer ?? "no layer"}).`);
  }
  return problems;
}
