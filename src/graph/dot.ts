/** Draws a graph as a Graphviz digraph. */
import { drawingOf, oneLine, type Arrow, type Box } from "./drawing.ts";
import type { GraphDescription } from "./graph.ts";

const shapes: Readonly<Record<Box["shape"], string>> = {
  start: "shape=oval",
  end: "shape=oval",
  node: "shape=box",
  input: "shape=box3d",
  join: "shape=hexagon",
};
const lines: Readonly<Record<Arrow["line"], string | undefined>> = {
  solid: undefined,
  dashed: "style=dashed",
  dotted: "style=dotted, color=red",
};

export function dotOf(graph: GraphDescription): string {
  const { boxes, arrows } = drawingOf(graph);
  const drawn = [
    `label=${quoted(graph.name)};`,
    ...boxes.map(({ id, text, shape }) => `${id} [label=${quoted(text)}, ${shapes[shape]}];`),
    ...arrows.map(({ from, to, text, line }) => {
      const attributes = [text === undefined ? undefined : `label=${quoted(text)}`, lines[line]].filter((each) => each !== undefined);
      return `${from} -> ${to}${attributes.length === 0 ? "" : ` [${attributes.join(", ")}]`};`;
    }),
  ];
  return `digraph {\n${drawn.map((line) => `  ${line}\n`).join("")}}\n`;
}

/** Graphviz reads backslashes and HTML entities within quotes. */
function quoted(text: string): string {
  const escaped = oneLine(text).replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("&", "&amp;");
  return `"${escaped}"`;
}
