/** The tables of docs/tracing.md, as the registry of names gives them. */
import { type AttributeDefinition, type AttributePlace, spanAttributes, spanEvents, spans } from "../../src/telemetry/names.ts";

const attributes: readonly AttributeDefinition[] = Object.values(spanAttributes);
const places: readonly AttributePlace[] = [...(Object.keys(spans) as (keyof typeof spans)[]), "link", "event"];

/** Said once, for all spans. */
const onEverySpan = attributes.filter(({ on }) => Object.keys(spans).every((span) => on.includes(span as AttributePlace)));

const code = (text: string): string => `\`${text}\``;
const row = (...cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
const table = (head: readonly string[], rows: readonly string[]): string =>
  [row(...head), row(...head.map(() => "---")), ...rows].join("\n");

function nameOf(place: AttributePlace): string {
  if (place === "link" || place === "event") return `${place}s`;
  const definition = spans[place];
  return code("suffix" in definition ? `${definition.name} {${definition.suffix}}` : definition.name);
}

function spanTable(): string {
  const rows = (Object.keys(spans) as (keyof typeof spans)[]).map((place) => {
    const own = attributes.filter((attribute) => attribute.on.includes(place) && !onEverySpan.includes(attribute));
    return row(nameOf(place), spans[place].about, own.map(({ key }) => code(key)).join(", "));
  });
  return table(["span", "when", "attributes"], rows);
}

function attributeTable(): string {
  const rows = attributes.map((attribute) => {
    const { key, type, unit, about, on } = attribute;
    const where = onEverySpan.includes(attribute)
      ? ["every span", ...(on.includes("event") ? ["events"] : [])]
      : places.filter((place) => on.includes(place)).map(nameOf);
    return row(code(key), unit === "" ? type : `${type}, ${code(unit)}`, about, where.join(", "));
  });
  return table(["attribute", "type, unit", "holds", "on"], rows);
}

const eventTable = (): string =>
  table(
    ["span event", "when"],
    Object.entries(spanEvents).map(([name, about]) => row(code(name), about)),
  );

/** By the name of the marker that stands before each. */
export const tables: Readonly<Record<string, string>> = { spans: spanTable(), attributes: attributeTable(), events: eventTable() };

/** A table without the padding that a formatter adds. */
export const unpadded = (text: string): string =>
  text.replaceAll(/ +\|/g, " |").replaceAll(/\| +/g, "| ").replaceAll(/-{3,}/g, "---").trim();
