/** Text that others wrote (file names, people's names, messages) as Markdown that shows it and does nothing else. */

const escapes: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Control characters and those that reverse the direction of writing become visible. */
function visible(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, (character) => {
    const point = character.codePointAt(0) ?? 0;
    return escapes[character] ?? `\\u${point.toString(16).padStart(4, "0")}`;
  });
}

const entity = (character: string): string => `&#${character.codePointAt(0)};`;

/** A name as code. One with a bar is written as HTML: no backslash keeps a bar in a cell of a table for sure. */
export function code(name: string): string {
  const text = visible(name);
  if (text.includes("|")) return `<code>${text.replace(/[&<>|\\`*_~[\]!#]/g, entity)}</code>`;
  const longest = Math.max(0, ...Array.from(text.matchAll(/`+/g), ([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  const space = /^[ `]|[ `]$/.test(text) ? " " : "";
  return `${fence}${space}${text}${space}${fence}`;
}

/** Anything else, on one line. */
export function plain(text: string): string {
  return visible(text).replace(/[\\`*_[\]<>|#&~]/g, (character) => (/[<>&|]/.test(character) ? entity(character) : `\\${character}`));
}

/** Cells are Markdown already. Columns whose heading ends with ":" are set to the right. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const rule = headings.map((heading) => (heading.endsWith(":") ? "---:" : "---"));
  return [line(headings.map((heading) => heading.replace(/:$/, ""))), line(rule), ...rows.map(line)].join("\n");
}
