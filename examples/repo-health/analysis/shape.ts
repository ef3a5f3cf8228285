/** How deep and how long a text is. */
import type { Shape } from "../model.ts";

const columns = (indent: string): number => indent.replaceAll("\t", "    ").length;

/** Two columns a level when some line is indented by an odd number of twos, else four. */
function levelWidth(indents: readonly number[]): number {
  const byTwo = indents.filter((indent) => indent % 4 === 2).length;
  return byTwo > indents.length / 10 ? 2 : 4;
}

/** Blank lines count as lines, not in the depth. */
export function shapeOf(text: string): Shape {
  if (text === "") return { lines: 0, meanDepth: 0, maxDepth: 0 };
  const lines = text.replace(/\n$/, "").split("\n");
  const indents = lines.flatMap((line) => (line.trim() === "" ? [] : [columns(/^[ \t]*/.exec(line)?.[0] ?? "")]));
  const width = levelWidth(indents);
  const depths = indents.map((indent) => Math.floor(indent / width));
  const total = depths.reduce((sum, depth) => sum + depth, 0);
  return {
    lines: lines.length,
    meanDepth: depths.length === 0 ? 0 : total / depths.length,
    maxDepth: depths.reduce((a, b) => Math.max(a, b), 0),
  };
}
