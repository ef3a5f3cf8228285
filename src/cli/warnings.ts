/** What a run warned of, to be said again where its reader looks: at its end. */
import { type AnyEvent, isRuntimeEvent, type RuntimeEvent } from "../events/event.ts";
import { compact, countedNames, oneLine } from "./format.ts";

/** Each warning once, in order of first appearance, with how often it came. Filled by `noteWarning` alone, in place. */
export interface Warnings {
  readonly counts: Map<string, number>;
  /** Those that there was no room for. */
  more: number;
  dropped: number;
}

/** A run that has warned of nothing. */
export const noWarnings = (): Warnings => ({ counts: new Map(), more: 0, dropped: 0 });

const most = 10;

type Of<Type extends RuntimeEvent["type"]> = Extract<RuntimeEvent, { readonly type: Type }>;

/** A join that waited in vain, in words. */
export const starvedText = ({ data }: Of<"join.starved">): string =>
  `${oneLine(data.to)} never ran: it still waited for ${countedNames(data.missing)}`;

/** What a node logged, in one line after its level. */
export const loggedText = ({ data: { message, fields } }: Of<"node.log">): string =>
  `${oneLine(message)}${Object.keys(fields).length === 0 ? "" : ` ${compact(fields)}`}`;

function warningOf(event: RuntimeEvent): string | undefined {
  if (event.type === "join.starved") return starvedText(event);
  if (event.type !== "node.log" || (event.data.level !== "warn" && event.data.level !== "error")) return undefined;
  return `${oneLine(event.node ?? "a node")} ${event.data.level} ${loggedText(event)}`;
}

/** Takes in one event; most warn of nothing. */
export function noteWarning(warnings: Warnings, event: AnyEvent): void {
  if (!isRuntimeEvent(event) || event.sessionId === undefined) return;
  if (event.type === "stream.dropped") warnings.dropped += event.data.count;
  const text = warningOf(event);
  if (text === undefined) return;
  const known = warnings.counts.get(text);
  if (known === undefined && warnings.counts.size >= most) warnings.more += 1;
  else warnings.counts.set(text, (known ?? 0) + 1);
}

/** A sentence for each, the first ten of them. */
export function warningTexts({ counts, more, dropped }: Warnings): readonly string[] {
  return [
    ...Array.from(counts, ([text, count]) => (count === 1 ? text : `${text} × ${count}`)),
    ...(more === 0 ? [] : [`… ${more} more: every event is in the event log`]),
    ...(dropped === 0 ? [] : [`${dropped} events went by too fast to be followed here: warnings may be among them`]),
  ];
}

/** Node's own warning that SQLite is experimental, which Node 22 gives, tells nobody anything here. All others are given as before. */
export function hideSqliteWarning(): void {
  const emit = process.emitWarning.bind(process);
  process.emitWarning = (warning: string | Error, ...rest: readonly unknown[]): void => {
    if ((warning instanceof Error ? warning.message : warning).startsWith("SQLite is an experimental feature")) return;
    // Handed on as it came, in whichever of its forms.
    Reflect.apply(emit, process, [warning, ...rest]);
  };
}
