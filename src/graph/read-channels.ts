/** Reads the declarations of channels, and adds the built-in one. */
import { SpanloomError } from "../errors/errors.ts";
import { validateWith } from "../support/schema.ts";
import type { StandardSchema } from "../support/types.ts";
import { adopt, handOut } from "../support/value.ts";
import { channel, declarationOf, type ChannelDeclaration } from "./channel.ts";
import { channelPlace, checkKeys, report, reportOption, theGraph, type Findings } from "./findings.ts";
import { errorsChannel } from "./names.ts";
import type { AnyFunction, ChannelKind, PlannedChannel } from "./plan.ts";
import { isRecord } from "../support/plain.ts";

const kinds: ReadonlySet<ChannelKind> = new Set(["value", "optional", "list", "merge", "reduce", "messages"]);

/** The graph's own channels in the order given, then `errors`. */
export function channelsIn(given: unknown, findings: Findings): readonly PlannedChannel[] {
  if (!isRecord(given)) {
    reportOption(findings, theGraph, "channels", "must be an object whose values are made by channel.value(), channel.list() …");
    return [];
  }
  const channels: PlannedChannel[] = [];
  for (const [name, value] of Object.entries(given)) {
    const declaration = declarationOf(value);
    checkChannelName(name, findings);
    const made = isRecord(declaration) && kinds.has(declaration.kind);
    if (!made) reportOption(findings, theGraph, `channels.${name}`, "must be made by channel.value(), channel.list() …");
    else channels.push(readChannel(channels.length, name, declaration, findings));
  }
  const builtIn = declarationOf(channel.list());
  return builtIn === undefined ? channels : [...channels, readChannel(channels.length, errorsChannel, builtIn, findings)];
}

function checkChannelName(name: string, findings: Findings): void {
  if (name === "") report(findings, "invalid_name", { what: "channel", name, reason: "is empty" });
  const reason = "is that of the built-in channel; choose another one";
  if (name === errorsChannel) report(findings, "invalid_name", { what: "channel", name, reason });
}

function readChannel(index: number, name: string, declaration: ChannelDeclaration, findings: Findings): PlannedChannel {
  const { kind, seeded } = declaration;
  const where = channelPlace(name);
  if (kind === "reduce" && typeof declaration.reduce !== "function") reportOption(findings, where, "reduce", "must be a function");
  const { schema, concurrent } = readOptions(name, declaration.options, findings);
  return Object.freeze({
    index,
    name,
    kind,
    seeded,
    initial: readInitial(name, declaration, schema, findings),
    concurrent,
    schema,
    // Checked above: a graph with any problem has no plan.
    reduce: kind === "reduce" ? (declaration.reduce as AnyFunction) : undefined,
  });
}

function readOptions(name: string, options: unknown, findings: Findings): Pick<PlannedChannel, "schema" | "concurrent"> {
  const where = channelPlace(name);
  if (options !== undefined && !isRecord(options)) reportOption(findings, where, "with", "must be given an object of options");
  if (!isRecord(options)) return { schema: undefined, concurrent: "error" };
  checkKeys(findings, where, options, ["schema", "concurrent"]);
  const { schema, concurrent = "error" } = options;
  if (schema !== undefined && !isSchema(schema)) {
    reportOption(findings, where, "schema", "must be a Standard Schema, such as one of Zod, Valibot or ArkType");
  }
  if (concurrent !== "error" && concurrent !== "last") reportOption(findings, where, "concurrent", 'must be "error" or "last"');
  return { schema: isSchema(schema) ? schema : undefined, concurrent: concurrent === "last" ? "last" : "error" };
}

function isSchema(value: unknown): value is StandardSchema {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  try {
    const standard: unknown = Reflect.get(value, "~standard");
    return isRecord(standard) && typeof standard["validate"] === "function";
  } catch {
    return false;
  }
}

/** The value to begin with: the schema's output, if there is a schema. */
function readInitial(name: string, declaration: ChannelDeclaration, schema: StandardSchema | undefined, findings: Findings): unknown {
  const { kind, seeded, initial, refusal } = declaration;
  const refuse = (reason: string): void => reportOption(findings, channelPlace(name), "initial", reason);
  if (refusal !== undefined) return refuse(`cannot be stored: ${refusal}`);
  if (kind === "list" && !Array.isArray(initial)) return refuse("must be a list");
  if (kind === "merge" && !isMergeable(initial)) return refuse("must be a plain object");
  if (!seeded || schema === undefined || kind === "optional") return initial;
  const checked = validateWith(schema, handOut(initial));
  if (!checked.ok) return refuse(`is refused by its schema: ${checked.path === "" ? "" : `at ${checked.path}: `}${checked.message}`);
  try {
    return adopt(checked.value, name).value;
  } catch (error) {
    return refuse(
      `cannot be stored as its schema gives it: ${SpanloomError.is(error) ? String(error.facts["what"]) : "it cannot be read"}`,
    );
  }
}

/** A record: no list, and none of the containers that are kept as they are (Map, Date …). */
function isMergeable(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
}
