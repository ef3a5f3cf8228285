/** Where a graph's input comes from on the command line, and whether it is complete. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Plan } from "../graph/plan.ts";
import type { Values } from "../support/types.ts";
import { CommandError } from "./exit-codes.ts";
import { messageOf, oneLine } from "./format.ts";

async function textOf(stream: AsyncIterable<Uint8Array | string>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString("utf8");
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file. JSON on the command line begins with {, [ or a double quote",
  EISDIR: "it is a folder",
  EACCES: "it may not be read",
};

async function textOfFile(path: string): Promise<string> {
  try {
    return await readFile(resolve(path), "utf8");
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    throw new CommandError("input_unreadable", { source: path, reason: reasons[code] ?? messageOf(cause) }, { cause });
  }
}

/** What a JSON value is, in words. */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "a list" : `a ${typeof value}`;
}

/** The object that a text holds. Throws `CommandError`. */
function parseInput(text: string, source: string): Values {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (cause) {
    const reason = text.trim() === "" ? "it is empty" : oneLine(messageOf(cause));
    throw new CommandError("input_not_json", { source, reason }, { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new CommandError("input_not_an_object", { source, found: kindOf(value) });
  }
  return Object.fromEntries(Object.entries(value));
}

/** `--input`: JSON if it begins with `{`, `[` or `"`, "-" for standard input, else a file; `{}` when it was not given. Throws `CommandError`. */
export async function readInput(given: string | undefined, stdin: AsyncIterable<Uint8Array | string>): Promise<Values> {
  if (given === undefined) return {};
  if (/^\s*[{["]/.test(given)) return parseInput(given, "--input");
  if (given === "-") return parseInput(await textOf(stdin), "standard input");
  return parseInput(await textOfFile(given), given);
}

/** Throws `CommandError` `input_missing` naming every channel that has no initial value and got none. */
export function checkComplete(plan: Pick<Plan, "name" | "channels">, input: Values): void {
  const channels = plan.channels.filter(({ name, seeded }) => !seeded && !Object.hasOwn(input, name)).map(({ name }) => name);
  if (channels.length > 0) throw new CommandError("input_missing", { graph: plan.name, channels });
}
