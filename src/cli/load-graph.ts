/** From a module's path to the compiled graph that it exports, and a clear sentence wherever that fails. */
import { readdirSync, statSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { SpanloomError } from "../errors/errors.ts";
import type { Plan } from "../graph/plan.ts";
import { hint, suggest } from "../support/suggest.ts";
import { CommandError } from "./exit-codes.ts";
import { messageOf } from "./format.ts";

/** What a module's namespace holds, by name. */
export type Exports = Readonly<Record<string, unknown>>;
/** The plan of a graph that this copy of the package compiled, else `undefined`. */
export type Recognise = (value: unknown) => Plan | undefined;

/** A graph, what the engine executes of it, and the name it was exported by. */
export interface PickedGraph {
  readonly name: string;
  readonly graph: unknown;
  readonly plan: Plan;
}

/** A graph from a file, with the services that its module offers. */
export interface LoadedGraph extends PickedGraph {
  /** Absolute. */
  readonly path: string;
  /** `undefined` when the module exports none. */
  readonly services: unknown;
}

const has = (value: unknown, ...methods: readonly string[]): boolean =>
  typeof value === "object" && value !== null && methods.every((name) => typeof Reflect.get(value, name) === "function");
const isBuilder = (value: unknown): boolean => has(value, "node", "edge", "compile");
/** A graph of another copy of this package: its class and its plan are not ours. */
const isForeign = (value: unknown): boolean => has(value, "describe", "toMermaid", "toDot");

function nearby(path: string): string {
  const folder = dirname(path);
  const name = basename(path);
  try {
    const files = readdirSync(folder);
    const stem = files.find((file) => [".ts", ".mts", ".js", ".mjs"].some((ending) => file === name + ending));
    const nearest = stem ?? suggest(name, files);
    return nearest === undefined ? "" : ` Did you mean "${nearest}"?`;
  } catch {
    return ` There is no folder ${folder} either.`;
  }
}

/** The absolute path of a module that exists. Throws `CommandError` `module_not_found`. */
export function locateModule(given: string): string {
  const path = resolve(given);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw new CommandError("module_not_found", { module: path, hint: nearby(path) });
  if (found.isDirectory()) throw new CommandError("module_not_found", { module: path, hint: " It is a folder: name a file in it." });
  return path;
}

function refused(module: string, name: string, value: unknown): CommandError {
  if (isBuilder(value)) {
    const reason = `exports "${name}", which is a graph that is still being built. End it with .compile().`;
    return new CommandError("not_a_graph", { module, reason });
  }
  if (isForeign(value)) {
    const reason = `exports "${name}", a graph made by another copy of spanloom. Run the command of the copy that the module imports: npx spanloom, in its folder.`;
    return new CommandError("not_a_graph", { module, reason });
  }
  return new CommandError("not_a_graph", { module, reason: `exports "${name}", which is no compiled graph.` });
}

function graphsOf(exported: Exports, recognise: Recognise): PickedGraph[] {
  return Object.entries(exported).flatMap(([name, graph]) => {
    const plan = recognise(graph);
    return plan === undefined ? [] : [{ name, graph, plan }];
  });
}

function pickNamed(exported: Exports, module: string, name: string, recognise: Recognise): PickedGraph {
  if (!Object.hasOwn(exported, name)) {
    const graphs = graphsOf(exported, recognise).map((found) => found.name);
    const listed = graphs.length === 0 ? " It exports no compiled graph." : hint(name, graphs);
    throw new CommandError("export_not_found", { module, name, hint: listed });
  }
  const plan = recognise(exported[name]);
  if (plan === undefined) throw refused(module, name, exported[name]);
  return { name, graph: exported[name], plan };
}

/** The named export; without a name the default one, else the only one that is a compiled graph. Throws `CommandError`. */
export function pickGraph(exported: Exports, module: string, name: string | undefined, recognise: Recognise): PickedGraph {
  if (name !== undefined) return pickNamed(exported, module, name, recognise);
  const graphs = graphsOf(exported, recognise);
  const picked = graphs.find((found) => found.name === "default") ?? graphs[0];
  const several = new Set(graphs.map(({ graph }) => graph)).size > 1;
  if (picked !== undefined && (picked.name === "default" || !several)) return picked;
  if (picked !== undefined) {
    const names = graphs.map((found) => `"${found.name}"`).join(", ");
    throw new CommandError("not_a_graph", { module, reason: `exports several graphs: ${names}. Choose one with --export.` });
  }
  const nearly = Object.entries(exported).find(([, value]) => isBuilder(value) || isForeign(value));
  if (nearly !== undefined) throw refused(module, nearly[0], nearly[1]);
  throw new CommandError("not_a_graph", { module, reason: "exports no compiled graph. Export the result of graph(…).….compile()." });
}

/** Of a module that Node reads as CommonJS, and which is none. */
function commonJsAdvice(path: string, cause: unknown): string {
  if (!(cause instanceof SyntaxError) || !/outside a module$|^Unexpected token 'export'$/.test(cause.message)) return "";
  return `. Set "type": "module" in package.json, or name it ${/\.[cm]?ts$/.test(path) ? ".mts" : ".mjs"}.`;
}

async function importModule(path: string): Promise<Exports> {
  try {
    const exported: Exports = await import(pathToFileURL(path).href);
    return exported;
  } catch (cause) {
    // A graph that does not compile says all by itself.
    if (SpanloomError.is(cause, "invalid_graph")) throw cause;
    throw new CommandError("import_failed", { module: path, reason: messageOf(cause) + commonJsAdvice(path, cause) }, { cause });
  }
}

async function servicesOf(exported: Exports, module: string): Promise<unknown> {
  const { services } = exported;
  if (typeof services !== "function") return services;
  try {
    return await services();
  } catch (cause) {
    throw new CommandError("services_failed", { module, reason: messageOf(cause) }, { cause });
  }
}

/**
 * Imports a module (Node strips the types of TypeScript) and takes its graph. Its export `services`, a value or a function that may be
 * asynchronous, is what the graph's nodes get as `services`. Throws `CommandError`, and `GraphError` for a graph that does not compile.
 */
export async function loadGraph(path: string, name: string | undefined, recognise: Recognise): Promise<LoadedGraph> {
  const exported = await importModule(path);
  const picked = pickGraph(exported, path, name, recognise);
  return { ...picked, path, services: await servicesOf(exported, path) };
}
