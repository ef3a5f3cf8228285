/** `runPool`: how many tasks run at once, in which order they start, and when it is over. */
import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { type PoolTask, runPool } from "../../src/engine/pool.ts";
import { gate, type Gate, settle, watch } from "./support.ts";

interface Manual extends PoolTask {
  readonly gate: Gate;
}

function tasksOf(specs: readonly { readonly group: string; readonly limit?: number }[]) {
  const started: number[] = [];
  const tasks = specs.map(({ group, limit }, index): Manual => {
    const own = gate();
    const run = (): Promise<void> => {
      started.push(index);
      return own.promise;
    };
    return { group, limit, run, gate: own };
  });
  return { tasks, started };
}

const open = (): boolean => false;

describe("runPool", () => {
  it("resolves at once when there is nothing to run", async () => {
    await expect(runPool([], 4, open)).resolves.toBeUndefined();
  });

  it("starts as many as its limit, then one for each that ends, in order", async () => {
    const { tasks, started } = tasksOf(Array.from({ length: 5 }, (_item, index) => ({ group: `g${index}` })));
    const over = watch(runPool(tasks, 2, open));
    expect(started).toEqual([0, 1]);
    tasks[1]?.gate.resolve();
    await settle();
    expect(started).toEqual([0, 1, 2]);
    for (const task of tasks) task.gate.resolve();
    await settle();
    expect(started).toEqual([0, 1, 2, 3, 4]);
    expect(over.done()).toBe(true);
  });

  it("lets others pass a group that is full", async () => {
    const { tasks, started } = tasksOf([{ group: "a", limit: 1 }, { group: "a", limit: 1 }, { group: "b" }, { group: "a", limit: 1 }]);
    const over = watch(runPool(tasks, 8, open));
    expect(started).toEqual([0, 2]);
    tasks[0]?.gate.resolve();
    await settle();
    expect(started).toEqual([0, 2, 1]);
    tasks[1]?.gate.resolve();
    await settle();
    expect(started).toEqual([0, 2, 1, 3]);
    for (const task of tasks) task.gate.resolve();
    await settle();
    expect(over.done()).toBe(true);
  });

  it("starts nothing more once it is closed, and resolves when what was started has ended", async () => {
    let closed = false;
    const { tasks, started } = tasksOf([{ group: "a", limit: 1 }, { group: "a", limit: 1 }, { group: "b" }, { group: "c" }]);
    const over = watch(runPool(tasks, 2, () => closed));
    expect(started).toEqual([0, 2]);
    closed = true;
    tasks[0]?.gate.resolve();
    await settle();
    expect(over.done()).toBe(false);
    tasks[2]?.gate.resolve();
    await settle();
    expect(over.done()).toBe(true);
    expect(started).toEqual([0, 2]);
  });

  it("starts nothing and resolves when it is closed from the first", async () => {
    const { tasks, started } = tasksOf([{ group: "a" }]);
    await runPool(tasks, 2, () => true);
    expect(started).toEqual([]);
  });

  it("never passes a limit, runs each task once, and keeps the order within a group, whatever ends first", async () => {
    const spec = fc.record({ group: fc.constantFrom("a", "b", "c"), turns: fc.nat(4) });
    const run = async (specs: readonly { readonly group: string; readonly turns: number }[], limit: number): Promise<void> => {
      const limits: Readonly<Record<string, number | undefined>> = { a: 1, b: 2, c: undefined };
      const active = new Map<string, number>();
      const order: number[] = [];
      let all = 0;
      const change = (group: string, by: number): void => {
        all += by;
        active.set(group, (active.get(group) ?? 0) + by);
        expect(all).toBeLessThanOrEqual(limit);
        expect(active.get(group)).toBeLessThanOrEqual(limits[group] ?? Number.POSITIVE_INFINITY);
      };
      const tasks = specs.map(({ group, turns }, index) => ({
        group,
        limit: limits[group],
        run: async () => {
          order.push(index);
          change(group, 1);
          for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
          change(group, -1);
        },
      }));
      await runPool(tasks, limit, open);
      expect(all).toBe(0);
      expect(order.toSorted((left, right) => left - right)).toEqual(specs.map((_spec, index) => index));
      for (const group of ["a", "b", "c"]) {
        const own = order.filter((index) => specs[index]?.group === group);
        expect(own).toEqual(own.toSorted((left, right) => left - right));
      }
    };
    await fc.assert(fc.asyncProperty(fc.array(spec, { maxLength: 20 }), fc.integer({ min: 1, max: 5 }), run));
  });
});
