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

/** All but letters, digits and blanks, and the hyphens and dots inside a name such as "fetch-page.v2". */
const special = /(?!(?<=[\p{L}\p{N}])[-.](?=[\p{L}\p{N}]))[^\p{L}\p{N} _(),]/gu;

/** In quotes, and with what is special as entities: no name can be taken for syntax, HTML or Markdown. */
function label(text: string): string {
  const escaped = oneLine(text).replaceAll(special, (character) => `#${character.codePointAt(0)};`);
  return `"${escaped}"`;
}
