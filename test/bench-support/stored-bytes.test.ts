/** How many bytes SQLite keeps of a value: what the floors of the durable rows are made of. */
import { describe, expect, it } from "vitest";
import { storedBytes, storedRowBytes } from "../bench/harness/stored-bytes.ts";

describe("storedBytes", () => {
  it("counts texts in UTF-8, and bytes as they are", () => {
    expect(storedBytes("")).toBe(0);
    expect(storedBytes("step ÷")).toBe(7);
    expect(storedBytes(new Uint8Array(300))).toBe(300);
  });

  it("counts a whole number by its width, 0 and 1 as nothing, and a fraction as eight", () => {
    expect([0, 1, 2, -1, 127, 128, -128, 32_768, 2 ** 23, 2 ** 31, 2 ** 47].map(storedBytes)).toEqual([0, 0, 1, 1, 1, 2, 1, 3, 4, 6, 8]);
    expect(storedBytes(0.5)).toBe(8);
    expect(storedBytes(300n)).toBe(2);
  });

  it("counts nothing for NULL", () => {
    expect(storedBytes(null)).toBe(0);
  });
});

describe("storedRowBytes", () => {
  it("is the sum of the columns", () => {
    expect(storedRowBytes({ id: 256, name: "turn", parent: null, time: 1.25 })).toBe(14);
  });
});
