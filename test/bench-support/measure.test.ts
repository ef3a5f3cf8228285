/** In which order a row's sides are measured, and what is counted. */
import { describe, expect, it } from "vitest";
import { measureRow } from "../bench/harness/measure.ts";
import type { Row, Subjects } from "../bench/harness/row.ts";

const nothing = (): Promise<void> => Promise.resolve();

function rowOf(subjects: Subjects, more: Partial<Row> = {}): Row {
  const open = (): Promise<Subjects> => Promise.resolve(subjects);
  return { name: "row", title: "row", unit: "µs", budgets: [], rounds: 3, warmUps: 1, open, ...more };
}

/** Sides that note that they were called, and give the number of the call. */
function noting(log: string[]) {
  const side = (name: string) => () => Promise.resolve(log.push(name));
  return { measured: side("measured"), floor: side("floor"), peer: side("peer") };
}

describe("measureRow", () => {
  it("begins each round with another side, after a collection each, and does not count warm-ups", async () => {
    const log: string[] = [];
    const collect = (): Promise<void> => (log.push("gc"), nothing());
    const samples = await measureRow(rowOf(noting(log)), undefined, collect);
    expect(log.join(" ")).toBe(
      ["gc measured gc floor gc peer", "gc floor gc peer gc measured", "gc peer gc measured gc floor", "gc measured gc floor gc peer"].join(
        " ",
      ),
    );
    expect(samples).toEqual({ measured: [12, 16, 20], floor: [8, 18, 22], peer: [10, 14, 24] });
  });

  it("measures a side twice and counts the second when the row settles", async () => {
    const log: string[] = [];
    const { measured } = noting(log);
    const samples = await measureRow(rowOf({ measured }, { settles: true, rounds: 2, warmUps: 0 }), undefined, nothing);
    expect(samples).toEqual({ measured: [2, 4], floor: [], peer: [] });
  });

  it("closes what the row opened, also when a side fails", async () => {
    let closed = 0;
    const close = (): Promise<void> => ((closed += 1), nothing());
    await measureRow(rowOf({ measured: () => Promise.resolve(1), close }), undefined, nothing);
    const failing = measureRow(rowOf({ measured: () => Promise.reject(new Error("broken")), close }), undefined, nothing);
    await expect(failing).rejects.toThrow("broken");
    expect(closed).toBe(2);
  });
});
