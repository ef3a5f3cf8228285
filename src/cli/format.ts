/** How times, names, values and errors are written in human output, in one line each and without control characters. */
import { stripVTControlCharacters } from "node:util";
import { SpanloomError } from "../errors/errors.ts";
import { differs } from "../runtime/graph-change.ts";
import { readable } from "./readable-json.ts";

const two = (part: number): string => String(part).padStart(2, "0");

/** A duration given in milliseconds, in at most eight characters: "0.42 ms", "12.3 ms", "412 ms", "3.21 s", "2m 05s", "3h 07m". */
export function formatDuration(milliseconds: number): string {
  const time = Math.max(0, milliseconds);
  if (time < 9.995) return `${time.toFixed(2)} ms`;
  if (time < 99.95) return `${time.toFixed(1)} ms`;
  if (time < 999.5) return `${time.toFixed(0)} ms`;
  if (time < 9_995) return `${(time / 1_000).toFixed(2)} s`;
  if (time < 59_950) return `${(time / 1_000).toFixed(1)} s`;
  const seconds = Math.round(time / 1_000);
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m ${two(seconds % 60)}s`;
  return `${Math.floor(seconds / 3_600)}h ${two(Math.floor((seconds % 3_600) / 60))}m`;
}

/** At most so many characters; what is cut shows as "…". */
export function truncate(text: string, width: number): string {
  const characters = Array.from(text);
  if (characters.length <= width) return text;
  return width < 1 ? "" : `${characters.slice(0, width - 1).join("")}…`;
}

/** Text that others wrote, as one line that cannot move the cursor or change colours. */
export function oneLine(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  return stripVTControlCharacters(text).replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ");
}

/** The same, with its line feeds kept. */
export function severalLines(text: string): string {
  return text.split(/\r?\n/).map(oneLine).join("\n");
}

/** Any value as one short line; nothing for `undefined`. */
export function compact(value: unknown, width = 100): string {
  return value === undefined ? "" : truncate(oneLine(JSON.stringify(readable(value)) ?? ""), width);
}

/** A text as a shell's word, in one line: what is copied from the terminal means the same. Control characters are in the form of bash and zsh. */
export function shellWord(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (!/[\u0000-\u001f\u007f-\u009f]/.test(text)) return `'${text.replaceAll("'", String.raw`'\''`)}'`;
  const hex = (character: string): string => String.raw`\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`;
  // oxlint-disable-next-line no-control-regex -- the same
  return `$'${text.replace(/['\\]/g, String.raw`\$&`).replace(/[\u0000-\u001f\u007f-\u009f]/g, hex)}'`;
}

/** "plan, fetch × 200": each name once, in order of first appearance, at most ten of them. */
export function countedNames(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  const shown = Array.from(counts, ([name, count]) => oneLine(count === 1 ? name : `${name} × ${count}`));
  return shown.length <= 10 ? shown.join(", ") : `${shown.slice(0, 10).join(", ")}, … ${shown.length - 10} more`;
}

/** 'node "plan"', 'nodes "plan", "fetch"': of those that there is at least one of. */
export function nodesInWords(names: readonly string[]): string {
  return `${names.length === 1 ? "node" : "nodes"} ${countedNames(names.map((name) => `"${name}"`))}`;
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : compact(error, 200);
}

/** Where this package's own code lies. */
const own = new URL("..", import.meta.url).href;

/** Frames of the user's own code alone: those of Node, of this package and of what it is made with lead nowhere. */
function stackOf(error: Error): string {
  const stack = typeof error.stack === "string" && error.stack !== "" ? error.stack : `${error.name}: ${error.message}`;
  const isForeign = (line: string): boolean =>
    /^\s+at /.test(line) && (/\(?node:|\(<anonymous>\)|\/node_modules\/(?:@opentelemetry|commander)\//.test(line) || line.includes(own));
  return stack
    .split("\n")
    .filter((line) => !isForeign(line))
    .join("\n");
}

/** Where our own sentence advises programs: that of this command. */
const advice: Readonly<Record<string, (facts: SpanloomError["facts"]) => string | undefined>> = {
  max_steps: ({ maxSteps }) => `The run did not end within ${String(maxSteps)} supersteps. Raise --max-steps if so many are meant.`,
  session_exists: ({ sessionId }) =>
    `Session ${JSON.stringify(sessionId)} exists already. Give another id, or go on with it: see spanloom resume, and --on-existing of spanloom run.`,
  session_pending: ({ sessionId, status }) =>
    `Session ${JSON.stringify(sessionId)} is ${String(status)} and has work due. Go on with that first: see spanloom resume.`,
  graph_changed: ({ sessionId, changes }) => {
    if (!Array.isArray(changes)) return undefined;
    // Where nothing that is stored is missing, only "error" refuses; of what is missing, "warn" needs no more than something to do.
    const how = changes.includes(differs)
      ? "Go on all the same with --on-graph-change compatible."
      : "Mend the graph, or go on all the same with --on-graph-change warn, as long as a node that is due is still there.";
    return `Session ${JSON.stringify(sessionId)} cannot go on with the changed graph: ${changes.join("; ")}. ${how}`;
  },
  interrupt_not_found: ({ ids, open }) => {
    if (!Array.isArray(ids) || ids.length > 0) return undefined;
    const names = Array.isArray(open) && open.length > 0 ? countedNames(open.map((id) => JSON.stringify(id))) : "none";
    return `--answer needs exactly one open interrupt. Open: ${names}. Answer several with --answers, by id.`;
  },
};

function sentenceOf(error: SpanloomError): string {
  // A reason that ends with a full stop, in a sentence that does.
  return advice[error.code]?.(error.facts) ?? error.message.replace(/(?<=[^.])\.\.$/, ".");
}

/**
 * An error for a person to read, causes included: our own by their sentence, those of the user's code with their stack, as that is where to
 * look. Nothing is said twice.
 */
export function explain(error: unknown, depth = 0): string {
  if (!(error instanceof Error)) return severalLines(compact(error, 1_000));
  const text = SpanloomError.is(error) ? `${sentenceOf(error)} (${error.code})` : stackOf(error);
  if (depth >= 8) return severalLines(text);
  const causes = causesOf(error, text)
    .map((cause) => explain(cause, depth + 1))
    .filter((cause) => !text.includes(withoutName(cause)));
  return [severalLines(text), ...causes.map((cause) => indent(`caused by: ${cause}`))].join("\n");
}

function innerOf(error: Error): readonly unknown[] {
  if (error instanceof AggregateError) return error.errors;
  // That an id is taken shows in a write that was refused, which is nobody's concern.
  return error.cause === undefined || SpanloomError.is(error, "session_exists") ? [] : [error.cause];
}

/** A cause of ours whose sentence was said already is passed over, for its own. */
const causesOf = (error: Error, said: string): readonly unknown[] =>
  innerOf(error).flatMap((cause) => (SpanloomError.is(cause) && said.includes(sentenceOf(cause)) ? innerOf(cause) : [cause]));

/** Without the "TypeError: " that a message is said with. */
const withoutName = (text: string): string => text.replace(/^\w+: /, "");

function indent(text: string): string {
  return text
    .split("\n")
    .map((line) => `  ${line}`)
    .join("\n");
}
