/** What is printed, and what the command line takes. */
import { describe, expect, it } from "vitest";
import { readOptions } from "../bench/harness/options.ts";
import { alignColumns, formatBudget, formatNumber, formatQuantity, formatTable } from "../bench/harness/table.ts";
import type { RowReport } from "../bench/harness/verdict.ts";

const superstep: RowReport = {
  name: "superstep",
  title: "superstep",
  unit: "µs",
  measured: 9.1,
  aim: 8,
  floor: 0.2,
  perFloor: 45.5,
  peer: 182,
  timesFaster: 20,
  budgets: [{ of: "peer", timesFaster: 40 }],
  verdict: "over",
  note: "one node",
  samples: { measured: [], floor: [], peer: [] },
};

describe("formatting", () => {
  it("keeps three digits that count", () => {
    expect([0.1234, 12.34, 1234.5, Number.NaN].map(formatNumber)).toEqual(["0.12", "12.3", "1235", "NaN"]);
  });

  it("writes quantities in a unit that reads well, and nothing for what was not measured", () => {
    expect(formatQuantity(12 * 1024, "B")).toBe("12.0 KB");
    expect(formatQuantity(-3, "B")).toBe("-3.00 B");
    expect(formatQuantity(46_000, "µs")).toBe("46.0 ms");
    expect(formatQuantity(1.02, "×")).toBe("1.02");
    expect(formatQuantity(undefined, "ms")).toBe("");
  });

  it("writes budgets as they are read", () => {
    expect(formatBudget({ of: "peer", timesFaster: 40 }, "µs")).toBe("≥ 40 × faster than the peer");
    expect(formatBudget({ of: "floor", atMost: 2 }, "µs")).toBe("≤ 2 × the floor");
    expect(formatBudget({ of: "measured", atMost: 1.1 }, "×")).toBe("≤ 1.10");
  });

  it("aligns columns: words to the left, figures to the right, no spaces at the end", () => {
    const lines = [
      ["row", "time", "verdict"],
      ["a", "12.0", "ok"],
    ];
    expect(alignColumns(lines, new Set([0, 2]))).toBe("row  time  verdict\na    12.0  ok");
  });

  it("prints a line per row with what was missed, and the notes below", () => {
    const [heading, line, , note] = formatTable([superstep]).split("\n");
    expect(heading).toMatch(/^row +measured +aim +floor +× floor +peer +faster than peer +budget +verdict$/);
    expect(line).toMatch(
      /^superstep +9\.10 µs +8\.00 µs \(missed\) +0\.20 µs +45\.5 × +182 µs +20\.0 × +≥ 40 × faster than the peer +OVER$/,
    );
    expect(note).toBe("superstep: one node");
  });
});

describe("the command line", () => {
  it("runs all rows with the peer unless told otherwise", () => {
    expect(readOptions([], ["a"])).toEqual({ only: [], json: undefined, check: false, peer: true });
  });

  it("takes several rows, a file, and the two switches", () => {
    const args = ["--only", "a", "--only", "b", "--json", "out.json", "--check", "--no-peer"];
    expect(readOptions(args, ["a", "b"])).toEqual({ only: ["a", "b"], json: "out.json", check: true, peer: false });
  });

  it("refuses an unknown row by naming the known ones, and an unknown option", () => {
    expect(() => readOptions(["--only", "c"], ["a", "b"])).toThrow('No row is named "c". There are: a, b.');
    expect(() => readOptions(["--fast"], ["a"])).toThrow("--fast");
  });
});
