/** "Did you mean": the known name nearest to a misspelt one. */

/** Letters to insert, delete, replace, or swap with the next one (optimal string alignment). */
function distance(left: string, right: string): number {
  let above = Array.from({ length: right.length + 1 }, (_item, index) => index);
  let twoAbove = above;
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const substituted = (above[column - 1] ?? 0) + (left[row - 1] === right[column - 1] ? 0 : 1);
      const swapped = row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      const reached = Math.min(substituted, (above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1);
      current.push(swapped ? Math.min(reached, (twoAbove[column - 2] ?? 0) + 1) : reached);
    }
    [twoAbove, above] = [above, current];
  }
  return above[right.length] ?? 0;
}

/** How many letters may differ: a third of them; none of two, which would make any short name resemble any other. */
const allowed = (name: string): number => (name.length < 3 ? 0 : Math.max(1, Math.floor(name.length / 3)));

/** The nearest of `known` (case aside, few letters differ), or `undefined`. */
export function suggest(name: string, known: Iterable<string>): string | undefined {
  if (name.length > 100) return undefined;
  let best: string | undefined;
  let least = allowed(name) + 1;
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
