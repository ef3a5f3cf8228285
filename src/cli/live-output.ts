/** Shows a run on a stream while it goes on: drawn over on a terminal, plain lines elsewhere, nothing when quiet. */
import { createLogUpdate } from "log-update";
import type { AnyEvent } from "../events/event.ts";
import { severalLines } from "./format.ts";
import { advance, frame, type LiveView } from "./live-view.ts";
import { canRedraw, type Paint, widthOf } from "./terminal.ts";

/** Milliseconds between two pictures of what runs. */
const redrawEvery = 100;

export interface LiveOutput {
  event(event: AnyEvent): void;
  /** A line of the command's own, above what runs. Shown also when quiet. */
  say(line: string): void;
  /** Text that user code logs. */
  pass(text: string): void;
  /** Draws nothing more. */
  close(): void;
}

interface LiveOptions {
  readonly stream: NodeJS.WriteStream;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly quiet: boolean;
  readonly paint: Paint;
}

function plainOutput(view: LiveView, { stream, quiet, paint }: LiveOptions): LiveOutput {
  const print = (lines: readonly string[]): void => void (lines.length > 0 && stream.write(`${lines.join("\n")}\n`));
  return {
    event: (event) => {
      // Also when quiet: the view counts steps.
      const lines = advance(view, event, paint);
      if (!quiet) print(lines);
    },
    say: (line) => print([line]),
    pass: (text) => void stream.write(text),
    close: () => {},
  };
}

function drawnOutput(view: LiveView, { stream, paint }: LiveOptions): LiveOutput {
  // The cursor stays: nothing is to be put right when the process is killed.
  const draw = createLogUpdate(stream, { showCursor: true });
  const redraw = (): void => {
    const lines = frame(view, Date.now(), paint, { width: widthOf(stream), rows: Math.min(12, stream.rows ?? 24) });
    if (lines.length > 0) draw(lines.join("\n"));
  };
  const above = (lines: readonly string[]): void => {
    if (lines.length === 0) return;
    draw.persist(lines.join("\n"));
    redraw();
  };
  const timer = setInterval(redraw, redrawEvery);
  timer.unref();
  return {
    event: (event) => above(advance(view, event, paint)),
    say: (line) => above([line]),
    pass: (text) => above([severalLines(text.replace(/\n$/, ""))]),
    close: () => {
      clearInterval(timer);
      draw.clear();
      draw.done();
    },
  };
}

/** Begins to show a run. The timer behind it does not hold the process. */
export function liveOutput(view: LiveView, options: LiveOptions): LiveOutput {
  const drawn = !options.quiet && canRedraw(options.stream, options.environment);
  return drawn ? drawnOutput(view, options) : plainOutput(view, options);
}
