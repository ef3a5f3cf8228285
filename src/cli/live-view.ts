/** What is told of a run while it goes on: from each event to the lines that stay, and the picture of what runs now. */
import type { AnyEvent, Interrupt, RuntimeEvent, SerializedError } from "../events/event.ts";
import { isRuntimeEvent } from "../events/event.ts";
import { compact, countedNames, formatDuration, oneLine, truncate } from "./format.ts";
import type { Paint } from "./terminal.ts";
import { loggedText, noteWarning, noWarnings, starvedText, type Warnings } from "./warnings.ts";

interface RunningNode {
  /** Times of emission of the attempts that run, oldest first. */
  readonly starts: number[];
  attempt: number;
  /** The last thing it told. */
  progress: string;
}

/** Where a run stands. It is moved on by `advance` alone, in place: a superstep may have ten thousand entries. */
export interface LiveView {
  graph: string;
  step: number;
  startedAt: number | undefined;
  traceId: string | undefined;
  /** Supersteps that were completed. */
  steps: number;
  readonly running: Map<string, RunningNode>;
  readonly warnings: Warnings;
  /** Lines given for the superstep, so that a wide one does not flood the terminal. */
  nodeLines: number;
  tellingLines: number;
}

/** A run of which nothing is known yet. */
export function createLiveView(): LiveView {
  const nothing = { graph: "", step: 0, startedAt: undefined, traceId: undefined, steps: 0, nodeLines: 0, tellingLines: 0 };
  return { ...nothing, running: new Map(), warnings: noWarnings() };
}

/** Lines for single nodes, and for what they tell, in one superstep. */
const mostNodeLines = 20;
const mostTellingLines = 50;

type Of<Type extends RuntimeEvent["type"]> = Extract<RuntimeEvent, { readonly type: Type }>;

const nameOf = (event: { readonly node?: string | undefined }): string => oneLine(event.node ?? "a node");
const sentence = ({ name, message }: SerializedError): string => truncate(oneLine(message === "" ? name : `${name}: ${message}`), 200);
const tried = (attempt: number | undefined): string => (attempt !== undefined && attempt > 1 ? ` (attempt ${attempt})` : "");

function nodeStarted(view: LiveView, event: Of<"node.started">): void {
  const known = view.running.get(nameOf(event));
  const node = known ?? { starts: [], attempt: 1, progress: "" };
  node.starts.push(event.time);
  node.attempt = event.attempt ?? 1;
  if (known === undefined) view.running.set(nameOf(event), node);
}

/** Which of a node's entries has ended is told by nothing but how long it took. */
function nodeEnded(view: LiveView, event: { readonly node?: string; readonly time: number }, duration?: number): void {
  const node = view.running.get(nameOf(event));
  if (node === undefined) return;
  const began = duration === undefined ? (node.starts[0] ?? 0) : event.time - duration;
  let nearest = 0;
  if (node.starts.length <= 64) {
    node.starts.forEach((start, index) => {
      if (Math.abs(start - began) < Math.abs((node.starts[nearest] ?? 0) - began)) nearest = index;
    });
  }
  node.starts.splice(nearest, 1);
  node.progress = "";
  if (node.starts.length === 0) view.running.delete(nameOf(event));
}

function limited(view: LiveView, kind: "nodeLines" | "tellingLines", most: number, line: string, paint: Paint): readonly string[] {
  view[kind] += 1;
  if (view[kind] <= most) return [line];
  if (view[kind] > most + 1) return [];
  return [paint("dim", kind === "nodeLines" ? "  … and more nodes" : "  … and more; every event is in the event log")];
}

/** What an interrupt asks, in one line. */
export function interruptLine({ id, node, payload, kind }: Interrupt): string {
  const where =
    kind === "interrupt"
      ? `${oneLine(node ?? "a node")} asks`
      : `paused ${kind === "step" ? "after the step" : `${kind} ${oneLine(node ?? "")}`}`;
  const what = compact(payload, 200);
  return `? ${where}${what === "" || what === "null" ? "" : `: ${what}`} (${oneLine(id)})`;
}

function told(view: LiveView, event: AnyEvent, paint: Paint): readonly string[] {
  const text = `${oneLine(event.type)} ${compact(event.data)}`.trimEnd();
  const node = view.running.get(nameOf(event));
  if (node !== undefined) node.progress = text;
  return limited(view, "tellingLines", mostTellingLines, `  ${paint("dim", `${nameOf(event)} ·`)} ${text}`, paint);
}

function logged(view: LiveView, event: Of<"node.log">, paint: Paint): readonly string[] {
  const { level } = event.data;
  if (level === "debug") return [];
  const style = level === "error" ? "red" : level === "warn" ? "yellow" : "dim";
  return limited(view, "tellingLines", mostTellingLines, `  ${nameOf(event)} ${paint(style, level)} ${loggedText(event)}`, paint);
}

function nodeLines(view: LiveView, event: RuntimeEvent, paint: Paint): readonly string[] | undefined {
  const line = (text: string): readonly string[] => limited(view, "nodeLines", mostNodeLines, `  ${text}`, paint);
  switch (event.type) {
    case "node.started":
      nodeStarted(view, event);
      return [];
    case "node.completed":
      nodeEnded(view, event, event.data.duration);
      return line(`${paint("green", "✓")} ${nameOf(event)}${tried(event.attempt)} ${paint("dim", formatDuration(event.data.duration))}`);
    case "node.failed": {
      nodeEnded(view, event);
      const how = event.data.final ? "✗" : "!";
      return line(
        `${paint(event.data.final ? "red" : "yellow", how)} ${nameOf(event)}${tried(event.attempt)} ${sentence(event.data.error)}`,
      );
    }
    case "node.retrying":
      return line(`${paint("yellow", "↻")} ${nameOf(event)} again in ${formatDuration(event.data.delay)}`);
    case "node.cancelled":
      nodeEnded(view, event);
      return line(`${paint("yellow", "■")} ${nameOf(event)} cancelled`);
    case "node.skipped":
      return line(paint("dim", `- ${nameOf(event)} skipped: nothing that it could see has changed`));
    case "node.log":
      return logged(view, event, paint);
    default:
      return undefined;
  }
}

function stepStarted(view: LiveView, event: Of<"superstep.started">, paint: Paint): readonly string[] {
  view.step = event.step ?? view.step + 1;
  view.running.clear();
  view.nodeLines = 0;
  view.tellingLines = 0;
  return [`${paint("bold", `step ${view.step}`)} ${countedNames(event.data.frontier)}`];
}

function stepCompleted(view: LiveView, event: Of<"superstep.completed">, paint: Paint): readonly string[] {
  view.steps += 1;
  view.running.clear();
  const { ranNodes, updatedChannels, duration } = event.data;
  // For one node its own line has said it.
  if (ranNodes.length < 2 && updatedChannels.length === 0) return [];
  const changed = updatedChannels.length === 0 ? "" : ` → ${countedNames(updatedChannels)}`;
  const time = ranNodes.length < 2 ? "" : ` ${ranNodes.length} nodes in ${formatDuration(duration)}`;
  return [paint("dim", ` ${time}${changed}`)];
}

function runLines(view: LiveView, event: RuntimeEvent, paint: Paint): readonly string[] {
  switch (event.type) {
    case "invocation.started":
      view.startedAt = event.time;
      view.graph = event.graph;
      view.traceId = event.traceId;
      return [`${paint("bold", oneLine(event.graph))} ${paint("dim", `session ${oneLine(event.sessionId)}`)}`];
    case "superstep.started":
      return stepStarted(view, event, paint);
    case "superstep.completed":
      return stepCompleted(view, event, paint);
    case "interrupt.requested":
      nodeEnded(view, event);
      return [`  ${paint("yellow", interruptLine(event.data))}`];
    case "checkpoint.failed":
      return [`  ${paint("red", "! the checkpoint was not saved")} ${sentence(event.data.error)}`];
    case "join.starved":
      return [`  ${paint("yellow", `! ${starvedText(event)}`)}`];
    case "stream.dropped":
      return [paint("dim", `  … ${event.data.count} events went by too fast to be shown`)];
    default:
      return [];
  }
}

/** Takes in one event, and gives the lines that it is worth: none for most. */
export function advance(view: LiveView, event: AnyEvent, paint: Paint): readonly string[] {
  noteWarning(view.warnings, event);
  if (!isRuntimeEvent(event)) return told(view, event, paint);
  if (event.type === "sink.failed" || event.type === "sink.recovered" || event.type === "sink.dropped") return [];
  return nodeLines(view, event, paint) ?? runLines(view, event, paint);
}

/** The nodes that run at this moment. */
export const runningNodes = (view: LiveView): readonly string[] => Array.from(view.running.keys());

/** What runs at this moment, to be drawn over: at most `rows` lines of `width` columns. */
export function frame(
  view: LiveView,
  now: number,
  paint: Paint,
  size: { readonly width: number; readonly rows: number },
): readonly string[] {
  if (view.startedAt === undefined) return [];
  const since = (time: number): string => formatDuration(Math.max(0, now - time));
  const all = Array.from(view.running, ([name, { starts, attempt, progress }]) => {
    const head = `${name}${starts.length > 1 ? ` × ${starts.length}` : ""}${tried(attempt)}`;
    const text = truncate(`  ${head} ${since(starts[0] ?? now)}${progress === "" ? "" : `  ${progress}`}`, size.width - 2);
    return `${paint("cyan", "●")} ${text.slice(2)}`;
  });
  const room = Math.max(1, size.rows - 2);
  const shown = all.length <= room ? all : [...all.slice(0, room - 1), paint("dim", `… ${all.length - room + 1} more`)];
  const head = truncate(`${oneLine(view.graph)} · step ${view.step} · ${since(view.startedAt)}`, size.width);
  return [...shown, paint("dim", head)];
}
