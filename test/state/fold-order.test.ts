/** Whatever the order in which nodes complete, their updates fold in frontier order. */
import { channel, END, input, START } from "spanloom";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gate, loose, runnerOf, type Gate, type LooseBuilder } from "./support.ts";

interface Write {
  readonly items: readonly number[];
  readonly keys: Readonly<Record<string, number | null>>;
  readonly last: number | undefined;
  readonly report: boolean;
}
interface Scenario {
  readonly writes: readonly Write[];
  /** Which node is let go when: a permutation of the writes' indices. */
  readonly order: readonly number[];
  readonly concurrency: number;
}

const keys = fc.dictionary(fc.constantFrom("a", "b", "c", "__proto__"), fc.oneof(fc.integer(), fc.constant(null)), { maxKeys: 3 });
const write: fc.Arbitrary<Write> = fc.record({
  items: fc.array(fc.integer(), { maxLength: 3 }),
  keys,
  last: fc.option(fc.integer(), { nil: undefined }),
  report: fc.boolean(),
});
const scenario: fc.Arbitrary<Scenario> = fc.array(write, { minLength: 1, maxLength: 8 }).chain((writes) =>
  fc.record({
    writes: fc.constant(writes),
    order: fc.shuffledSubarray([...writes.keys()], { minLength: writes.length, maxLength: writes.length }),
    concurrency: fc.integer({ min: 1, max: writes.length }),
  }),
);

const channels = () => ({
  list: channel.list<number>(),
  map: channel.merge<Record<string, unknown>>({ start: 0 }),
  last: channel.optional<number>().with({ concurrent: "last" }),
  /* Neither commutative nor associative: any other order gives another text. */
  text: channel.reduce("", (text, add: string) => `(${text}${add})`),
});

/** What folding one after the other makes of the writes. */
function expected(writes: readonly Write[]): Record<string, unknown> {
  const map = new Map<string, unknown>([["start", 0]]);
  let last: number | undefined;
  for (const each of writes) {
    for (const [key, value] of Object.entries(each.keys)) {
      if (value === null) map.delete(key);
      else map.set(key, value);
    }
    last = each.last ?? last;
  }
  return {
    list: writes.flatMap(({ items }) => items),
    map: Object.fromEntries(map),
    last,
    text: writes.reduce((text, _write, index) => `(${text}${index})`, ""),
    errors: writes.flatMap(({ report }, index) => (report ? [`e${index}`] : [])),
  };
}

async function work(each: Write, index: number, wait: Gate, context: { readonly reportError: (error: Error) => void }) {
  if (each.report) context.reportError(new Error(`e${index}`));
  await wait.promise;
  return { list: each.items, map: each.keys, last: each.last, text: String(index) };
}

/** Opens the gates in the given order, each when the one before has had its turn. */
async function letGo(gates: readonly Gate[], order: readonly number[]): Promise<void> {
  for (const index of order) {
    gates[index]?.open();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const seen = (state: Readonly<Record<string, unknown>>): Record<string, unknown> => ({
  ...state,
  errors: (state["errors"] as { error: Error }[]).map(({ error }) => error.message),
});

describe("for any completion order", () => {
  it("the updates and error reports of nodes fold in frontier order", async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ writes, order, concurrency }) => {
        const gates = writes.map(() => gate());
        const completed: number[] = [];
        const names = writes.map((_write, index) => `n${index}`);
        const builder = writes.reduce<LooseBuilder>(
          (each, one, index) =>
            each.node(`n${index}`, async (_state, context) => {
              const update = await work(one, index, gates[index] as Gate, context);
              completed.push(index);
              return update;
            }),
          loose(channels()),
        );
        const running = runnerOf(builder.edge(START, names).edge(names, END).compile(), { concurrency }).invoke({});
        await letGo(gates, order);
        const { state } = await running;
        expect(seen(state)).toEqual(expected(writes));
        if (concurrency === writes.length) expect(completed).toEqual(order);
      }),
      { numRuns: 150 },
    );
  });

  it("the updates of the entries of one node fold in the order of sending", async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ writes, order, concurrency }) => {
        const gates = writes.map(() => gate());
        const compiled = loose(channels(), { inputs: { each: input() } })
          .node("plan", (_state, { goto, send }) => goto(writes.map((_write, index) => send("each", index))), { jumps: ["each"] })
          .node("each", (_state, context) => work(writes[context.input] as Write, context.input, gates[context.input] as Gate, context), {
            concurrency,
          })
          .edge(START, "plan")
          .edge("each", END)
          .compile();
        const running = runnerOf(compiled).invoke({});
        await letGo(gates, order);
        expect(seen((await running).state)).toEqual(expected(writes));
      }),
      { numRuns: 100 },
    );
  });
});
