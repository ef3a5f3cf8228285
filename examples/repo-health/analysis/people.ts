/** Who owns something, and how few people carry it. */
import type { Ownership } from "../model.ts";

/** Programs that commit: they own nothing, and nobody can ask them. */
export const isBot = (name: string): boolean => /\[bot\]$|^(dependabot|renovate|github-actions|greenkeeper)\b/i.test(name);

/** The entries of a count, largest first; equal ones by name, so that a report does not depend on chance. */
export function ranked(counts: ReadonlyMap<string, number>): readonly (readonly [string, number])[] {
  return [...counts].toSorted(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
}

export const sumOf = (numbers: Iterable<number>): number => [...numbers].reduce((sum, number) => sum + number, 0);

/** The fewest who hold more than half; `null` of nothing. */
export function fewestForHalf(counts: ReadonlyMap<string, number>): number | null {
  const all = ranked(counts);
  const total = sumOf(counts.values());
  if (total === 0) return null;
  let held = 0;
  return all.findIndex(([, count]) => (held += count) > total / 2) + 1;
}

/** From lines by author, and those who are still active. Bots are left out, also from the total. */
export function ownershipOf(lines: ReadonlyMap<string, number>, active: ReadonlySet<string>): Ownership {
  const people = new Map([...lines].filter(([name]) => !isBot(name)));
  const total = sumOf(people.values());
  const gone = sumOf([...people].map(([name, count]) => (active.has(name) ? 0 : count)));
  const owners = ranked(people)
    .slice(0, 5)
    .map(([name, count]) => ({ name, lines: count, share: count / total }));
  return { owners, people: people.size, busFactor: fewestForHalf(people), lost: total === 0 ? 0 : gone / total };
}
