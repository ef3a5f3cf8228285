/** Graphs of any shape: what they run is what the rules say, and they end, or say why not. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { createRunner, END, GraphError, RunnerError, START } from "spanloom";
import { logOf, loose, mark } from "../sessions/support.ts";
import { built, type Decide, type GraphSpec, simulated } from "./model.ts";

/** A number in [0, 1) that depends on the seed and the question alone. */
function decider(seed: number): Decide {
  return (question) => {
    let mixed = seed | 0;
    for (const character of question) mixed = Math.imul(mixed ^ (character.codePointAt(0) ?? 0), 0x01000193);
    mixed ^= mixed >>> 15;
    return (Math.imul(mixed, 0x2c1b3c6d) >>> 0) / 2 ** 32;
  };
}

const names = ["a", "b", "c", "d", "e", "f"] as const;
const source = fc.constantFrom(START, ...names);
const target = fc.constantFrom(...names, END);
const targets = fc.uniqueArray(target, { minLength: 1, maxLength: 3 });

/** Whatever comes: most of them do not compile. */
const anySpec: fc.Arbitrary<GraphSpec> = fc.record({
  nodes: fc.uniqueArray(fc.constantFrom(...names), { maxLength: 6 }),
  deferred: fc.uniqueArray(fc.constantFrom(...names), { maxLength: 1 }),
  edges: fc.array(fc.record({ from: fc.uniqueArray(source, { minLength: 1, maxLength: 3 }), to: target }), { maxLength: 8 }),
  branches: fc.array(fc.record({ from: source, labels: fc.dictionary(fc.constantFrom("x", "y", "z"), targets, { maxKeys: 3 }) }), {
    maxLength: 3,
  }),
  jumps: fc.dictionary(fc.constantFrom(...names), fc.record({ kind: fc.constantFrom("goto" as const, "also" as const), targets }), {
    maxKeys: 2,
  }),
});

/** All nodes are declared and reached, and each leads to END by a label that may or may not be taken: most of them compile. */
const soundSpec: fc.Arbitrary<GraphSpec> = anySpec.map((spec) => {
  const edges = new Map(
    spec.edges
      .map(({ from, to }) => ({ from: from.length > 1 ? from.filter((name) => name !== START) : from, to }))
      .map((edge) => [JSON.stringify([edge.from.toSorted(), edge.to]), edge] as const),
  );
  const branches = spec.branches.filter(({ labels }) => Object.keys(labels).length > 0);
  return {
    ...spec,
    nodes: names,
    edges: [...edges.values()].filter(({ from, to }) => from.length > 0 && !(from.includes(START) && to === END)),
    branches: [...branches, { from: START, labels: { all: names } }, ...names.map((from) => ({ from, labels: { end: [END] } }))],
  };
});

type Ending = "refused" | "completed" | "limited";

/** Runs it; compares each superstep with the model; gives how it ended. */
async function endingOf(spec: GraphSpec, seed: number, turns: readonly number[]): Promise<Ending> {
  const limit = 25;
  const decide = decider(seed);
  const steps: string[][] = [];
  let started = 0;
  const ran = (node: string, step: number): void => void (steps[step - 1] ??= []).push(node);
  // Each takes so many turns that siblings finish in any order.
  const wait = async (): Promise<void> => {
    for (let turn = turns[started++ % turns.length] ?? 0; turn > 0; turn -= 1) await Promise.resolve();
  };
  try {
    const runner = createRunner(built(spec, decide, ran, wait), { maxSteps: limit });
    const { status, steps: count } = await runner.invoke({});
    expect([status, count]).toEqual(["completed", steps.length]);
    expect(steps).toEqual(simulated(spec, decide, limit + 1));
    return "completed";
  } catch (error) {
    if (error instanceof GraphError) {
      expect(error.problems.length).toBeGreaterThan(0);
      for (const { code, message } of error.problems) expect([code, message]).not.toContain("");
      return "refused";
    }
    if (!(error instanceof RunnerError)) throw error;
    expect(error.code).toBe("max_steps");
    expect(steps).toHaveLength(limit);
    expect(steps).toEqual(simulated(spec, decide, limit));
    return "limited";
  }
}

const turnCounts = fc.array(fc.nat(6), { minLength: 3, maxLength: 5 });

it("any graph either compiles and completes or reaches its limit, or is refused with reasons (property)", async () => {
  const seen: Ending[] = [];
  await fc.assert(
    fc.asyncProperty(fc.oneof(anySpec, soundSpec), fc.integer(), turnCounts, async (spec, seed, turns) => {
      seen.push(await endingOf(spec, seed, turns));
    }),
    { seed: 5, numRuns: 300 },
  );
  expect(new Set(seen), "each of the three came up").toEqual(new Set(["refused", "completed", "limited"]));
});

it("a graph that runs does in each superstep what the rules say, whatever finishes first (property)", async () => {
  const seen: Ending[] = [];
  await fc.assert(
    fc.asyncProperty(soundSpec, fc.integer(), turnCounts, async (spec, seed, turns) => {
      seen.push(await endingOf(spec, seed, turns));
    }),
    { seed: 8, numRuns: 400 },
  );
  expect(seen.filter((ending) => ending !== "refused").length, "most of them ran").toBeGreaterThan(200);
});

it("a join fires exactly once a round, after its slowest arm, for any arms and any interleaving (property)", async () => {
  const arms = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 2, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(arms, fc.integer({ min: 1, max: 3 }), turnCounts, fc.boolean(), async (lengths, rounds, turns, reversed) => {
      let started = 0;
      const slow = async (state: unknown, context: { readonly node: string; readonly step: number }): Promise<unknown> => {
        for (let turn = turns[started++ % turns.length] ?? 0; turn > 0; turn -= 1) await Promise.resolve();
        return mark(state, context);
      };
      let fired = 0;
      let builder = loose()
        .node("round", () => {})
        .node("j", (state, context) => {
          fired += 1;
          return mark(state, context);
        })
        .edge(START, "round");
      lengths.forEach((length, arm) => {
        for (let link = 1; link <= length; link += 1) {
          builder = builder.node(`${arm}.${link}`, slow).edge(link === 1 ? "round" : `${arm}.${link - 1}`, `${arm}.${link}`);
        }
      });
      const ends = lengths.map((length, arm) => `${arm}.${length}`);
      const compiled = builder
        .edge(reversed ? ends.toReversed() : ends, "j")
        .branch("j", { again: "round", done: END }, () => (fired < rounds ? "again" : "done"))
        .compile();
      const log = logOf(await createRunner(compiled).invoke({}));
      const turn = Math.max(...lengths) + 2;
      expect(log.filter((line) => line.startsWith("j@"))).toEqual(
        Array.from({ length: rounds }, (_round, index) => `j@${turn * (index + 1)}`),
      );
    }),
    { seed: 3, numRuns: 60 },
  );
});
