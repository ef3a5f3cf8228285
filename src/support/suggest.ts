/** "Did you mean": the known name nearest to a misspelt one. */

function distance(left: string, right: string): number {
  let above = Array.from({ length: right.length + 1 }, (_item, index) => index);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const substituted = (above[column - 1] ?? 0) + (left[row - 1] === right[column - 1] ? 0 : 1);
      current.push(Math.min(substituted, (above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    above = current;
  }
  return above[right.length] ?? 0;
}

/** The nearest of `known` (at most a third of the letters differ, case aside), or `undefined`. */
export function suggest(name: string, known: Iterable<string>): string | undefined {
  if (name.length > 100) return undefined;
  let best: string | undefined;
  let least = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    if (Math.abs(candidate.length - name.length) >= least) continue;
    const away = distance(name.toLowerCase(), candidate.toLowerCase());
    if (away < least) [best, least] = [candidate, away];
  }
  return best;
}

/** `Did you mean "x"?`, `Known: a, b.`, or nothing to say. */
export function hint(name: string, known: Iterable<string>): string {
  const all = [...known];
  const nearest = suggest(name, all);
  if (nearest !== undefined) return ` Did you mean "${nearest}"?`;
  if (all.length === 0) return "";
  const shown = all.slice(0, 10).map((item) => `"${item}"`);
  return ` Known: ${shown.join(", ")}${all.length > 10 ? ` and ${all.length - 10} more` : ""}.`;
}
