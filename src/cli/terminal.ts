/** What the streams of the process can show: colours, width, a live view; and writing that outlives what they do not take. */
import { styleText } from "node:util";
import { oneLine } from "./format.ts";

export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";
/** Styles a text, or leaves it as it is where colours are off. */
export type Paint = (style: Style, text: string) => string;

type Environment = Readonly<Record<string, string | undefined>>;

/** No colours. */
export const plain: Paint = (_style, text) => text;

const refused = ({ NO_COLOR, TERM }: Environment): boolean => (NO_COLOR !== undefined && NO_COLOR !== "") || TERM === "dumb";

/** Colours where the stream and the environment (NO_COLOR, FORCE_COLOR) want them. */
export function painterFor(stream: NodeJS.WriteStream, environment: Environment): Paint {
  return refused(environment) ? plain : (style, text) => styleText(style, text, { stream });
}

/** Whether lines may be drawn over: a terminal that takes more than plain lines, and says how wide it is. */
export function canRedraw(stream: { readonly isTTY?: boolean; readonly columns?: number }, environment: Environment): boolean {
  return stream.isTTY === true && (stream.columns ?? 0) > 0 && !refused(environment);
}

/** Columns of the terminal; 100 without one. */
export function widthOf(stream: { readonly isTTY?: boolean; readonly columns?: number }): number {
  return stream.isTTY === true && stream.columns !== undefined && stream.columns > 0 ? stream.columns : 100;
}

/** From now on a standard stream that fails is no crash: a result that could not be written is told of by `writeResult`. */
export function outliveFaults(...streams: readonly NodeJS.WriteStream[]): void {
  for (const stream of streams) stream.on("error", () => {});
}

/** Writes, and waits until it is handed over or cannot be: then gives the reason, unless the reader has closed its end, as `head` does. */
export function write(stream: NodeJS.WritableStream, text: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    stream.write(text, (error?: NodeJS.ErrnoException | null) => {
      resolve(error === undefined || error === null || error.code === "EPIPE" ? undefined : error.message);
    });
  });
}

/** Writes a result to standard output; gives what people are to be told if it could not be. */
export async function writeResult(text: string, paint: Paint): Promise<readonly string[]> {
  const reason = await write(process.stdout, text);
  return reason === undefined
    ? []
    : [`${paint("red", "✗")} The result could not be written: ${oneLine(reason)}. Send standard output elsewhere.`];
}
