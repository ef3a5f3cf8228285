/** Draws a graph as a Mermaid flowchart. */
import { drawingOf, oneLine, type Arrow, type Box } from "./drawing.ts";
import type { GraphDescription } from "./graph.ts";

const shapes: Readonly<Record<Box["shape"], (text: string) => string>> = {
  start: (text) => `([${text}])`,
  end: (text) => `([${text}])`,
  node: (text) => `[${text}]`,
  input: (text) => `[[${text}]]`,
  join: (text) => `{{${text}}}`,
};
const lines: Readonly<Record<Arrow["line"], string>> = { solid: "-->", dashed: "-.->", dotted: "-.-x" };

export function mermaidOf(graph: GraphDescription): string {
  const { boxes, arrows } = drawingOf(graph);
  const drawn = [
    ...boxes.map(({ id, text, shape }) => `${id}${shapes[shape](label(text))}`),
    ...arrows.map(({ from, to, text, line }) => `${from} ${lines[line]}${text === undefined ? "" : `|${label(text)}|`} ${to}`),
  ];
  return `flowchart TD\n${drawn.map((line) => `  ${line}\n`).join("")}`;
}

/** In quotes, and with all but letters, digits and blanks as entities: no name can be taken for syntax, HTML or Markdown. */
function label(text: string): string {
  const escaped = oneLine(text).replaceAll(/[^\p{L}\p{N} _(),]/gu, (character) => `#${character.codePointAt(0)};`);
  return `"${escaped}"`;
}
