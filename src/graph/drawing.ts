/** What both drawings of a graph show: its boxes and arrows, before either's own syntax. */
import type { GraphDescription } from "./graph.ts";
import { END, START } from "./names.ts";

export interface Box {
  /** Letters and digits alone: safe in any syntax. */
  readonly id: string;
  readonly text: string;
  readonly shape: "start" | "end" | "node" | "input" | "join";
}

export interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly text: string | undefined;
  /** "dashed" for what a node asks for by a command, "dotted" for what its failure leads to. */
  readonly line: "solid" | "dashed" | "dotted";
}

export interface Drawing {
  readonly boxes: readonly Box[];
  readonly arrows: readonly Arrow[];
}

export function drawingOf(graph: GraphDescription): Drawing {
  const ids = new Map(graph.nodes.map(({ name }, index) => [name, `n${index}`]));
  const idOf = (name: string): string => (name === START ? "s" : name === END ? "e" : (ids.get(name) ?? "e"));
  const boxes: Box[] = [{ id: "s", text: "START", shape: "start" }];
  const arrows: Arrow[] = [];
  const draw = (from: string, to: string, line: Arrow["line"], text?: string): void => void arrows.push({ from, to, text, line });
  for (const { name, gate, defer, input } of graph.nodes) {
    const marks = [...(input ? ["per item"] : []), ...(defer ? ["deferred"] : []), ...(gate === "always" ? [] : ["on change"])];
    const text = marks.length === 0 ? name : `${name} (${marks.join(", ")})`;
    boxes.push({ id: idOf(name), text, shape: input ? "input" : "node" });
  }
  for (const [index, { from, to }] of graph.edges.entries()) {
    const join = from.length > 1 ? `j${index}` : undefined;
    if (join !== undefined) boxes.push({ id: join, text: "all", shape: "join" });
    for (const source of from) draw(idOf(source), join ?? idOf(to), "solid");
    if (join !== undefined) draw(join, idOf(to), "solid");
  }
  for (const { from, labels } of graph.branches) {
    for (const [label, targets] of Object.entries(labels)) for (const to of targets) draw(idOf(from), idOf(to), "solid", label);
  }
  const inputs = new Set(graph.nodes.filter(({ input }) => input).map(({ name }) => name));
  for (const { name, jumps, onError } of graph.nodes) {
    for (const to of jumps) draw(idOf(name), idOf(to), "dashed", inputs.has(to) ? "send" : "jump");
    if (onError !== undefined) draw(idOf(name), idOf(onError), "dotted", "on error");
  }
  boxes.push({ id: "e", text: "END", shape: "end" });
  return { boxes, arrows };
}

/** Control characters as their escapes, and no broken surrogates: text for one line of any drawing. */
export function oneLine(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`);
}
